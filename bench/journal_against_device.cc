// The journal against the device itself: the same writes, of the same blocks, once through log::Journal and once as
// bare O_DIRECT|O_DSYNC writes. Both take turns in one run; figures are medians over the rounds.
// `journal_against_device FOLDER [--rounds N] [--seconds S]`
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/disk/disk.h"
#include "continuo/log/journal.h"

namespace {

using namespace continuo;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t ring_bytes = 256u << 20;

struct Figures {
  double mb_per_s = 0;
  double p50_us = 0;
  double p999_us = 0;
};

double microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Runs `write` for about `seconds` and measures each call.
template <class Write>
Figures measure(double seconds, std::size_t bytes, Write write) {
  std::vector<double> times;
  const auto begin = Clock::now();
  auto now = begin;
  while (microseconds(now - begin) < seconds * 1e6) {
    write();
    const auto after = Clock::now();
    times.push_back(microseconds(after - now));
    now = after;
  }
  const double total = microseconds(now - begin);
  std::ranges::sort(times);
  return {static_cast<double>(times.size() * bytes) / total, times[times.size() / 2], times[times.size() * 999 / 1000]};
}

// A file like the ring: written once, then overwritten in whole blocks.
class Device {
 public:
  explicit Device(const std::string& folder) : path_(folder + "/device") {
    buffer_.append(std::string(1u << 20, 'd'));
    const int made = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (std::uint64_t at = 0; at < ring_bytes; at += buffer_.size())
      if (::pwrite(made, buffer_.data(), buffer_.size(), static_cast<off_t>(at)) < 0) std::exit(1);
    ::fsync(made);
    ::close(made);
    fd_ = ::open(path_.c_str(), O_RDWR | O_DIRECT | O_DSYNC);
    if (fd_ < 0) {
      fmt::print(stderr, "the file system takes no direct writes\n");
      std::exit(1);
    }
    buffer_.append(std::string(2 * disk::block_size, 'd'));
  }
  ~Device() { ::close(fd_); }
  void write(std::size_t blocks) {
    if (at_ + blocks > ring_bytes) at_ = 0;
    if (::pwrite(fd_, buffer_.data(), blocks, static_cast<off_t>(at_)) != static_cast<ssize_t>(blocks)) std::exit(1);
    at_ += blocks;
  }

 private:
  std::string path_;
  disk::AlignedBuffer buffer_;
  int fd_ = -1;
  std::uint64_t at_ = 0;
};

class Ring {
 public:
  explicit Ring(const std::string& folder) {
    disk_ = std::move(*disk::open_real_disk(folder));
    (void)disk_->make_folder("journal");
    (void)disk_->probe("journal");
    journal_ = std::move(*log::Journal::open(*disk_, {.slots = 8, .slot_bytes = ring_bytes / 8}, system_random()));
    while (!*journal_->prepare()) {
    }
    (void)journal_->replay(Sequence{1}, [](const log::ReplayedGroup&) -> Result<void> { return {}; });
    (void)journal_->start();
  }
  void write(std::string_view body) {
    const auto sequence = journal_->write({}, 1, {&body, 1});
    if (!sequence) {
      fmt::print(stderr, "{}\n", to_string(sequence.error()));
      std::exit(1);
    }
    journal_->release(*sequence);
  }

 private:
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<log::Journal> journal_;
};

void compare(Device& device, Ring& ring, std::size_t bytes, int rounds, double seconds) {
  const std::string body(bytes, 'j');
  const std::size_t blocks = log::Journal::padded(bytes);
  std::vector<double> rates[2], p50s[2], p999s[2];
  for (int round = 0; round < rounds; ++round) {
    const Figures figures[2] = {measure(seconds, bytes, [&] { ring.write(body); }),
                                measure(seconds, bytes, [&] { device.write(blocks); })};
    for (int side = 0; side < 2; ++side) {
      rates[side].push_back(figures[side].mb_per_s);
      p50s[side].push_back(figures[side].p50_us);
      p999s[side].push_back(figures[side].p999_us);
    }
  }
  fmt::print("{:>9} | {:>9.1f} {:>9.1f} {:>6.2f} | {:>8.0f} {:>8.0f} {:>6.2f} | {:>8.0f} {:>8.0f}\n", bytes,
             median(rates[0]), median(rates[1]), median(rates[0]) / median(rates[1]), median(p50s[0]), median(p50s[1]),
             median(p50s[0]) / median(p50s[1]), median(p999s[0]), median(p999s[1]));
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : "journal-bench";
  int rounds = 5;
  double seconds = 1;
  for (int i = 2; i + 1 < count; i += 2) {
    if (std::strcmp(arguments[i], "--rounds") == 0) rounds = std::atoi(arguments[i + 1]);
    if (std::strcmp(arguments[i], "--seconds") == 0) seconds = std::atof(arguments[i + 1]);
  }
  std::filesystem::create_directories(folder);
  Device device{folder};
  Ring ring{folder};
  fmt::print(
      "one writer, every write durable (O_DIRECT|O_DSYNC on both sides); {} rounds of {} s each, in turn; medians\n",
      rounds, seconds);
  fmt::print(
      "  payload |  MB/s: journal, device, ratio |  p50 us: journal, device, ratio | p99.9 us: journal, device\n");
  for (const std::size_t bytes : {256u, 4096u, 65536u, 1048576u}) compare(device, ring, bytes, rounds, seconds);
  std::filesystem::remove_all(folder);
}
