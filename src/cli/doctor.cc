// continuo doctor: is this machine, this disk, this server fit?
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "continuo/cli/commands.h"
#include "continuo/cli/file_limit.h"
#include "continuo/disk/disk.h"
#include "continuo/log/journal_format.h"
#include "continuo/log/journal_shape.h"
#include "continuo/node/node.h"

namespace continuo::cli {
namespace {

constexpr std::uint64_t wanted_files = 65'536;
constexpr std::uint64_t wanted_free = 2ull << 30;
constexpr std::size_t flushes = 200;
// A disk that promises a flush in less has most likely not written anything.
constexpr double incredible_flush_us = 8;
constexpr double slow_flush_us = 10'000;

// One thing looked at: is it well, and what was found.
struct Finding {
  std::string what;
  bool well = true;
  std::string found;
};

Finding files_limit() {
  // A server raises its own as far as it may.
  const FileLimit limit = file_limit();
  return {"open files", limit.most >= wanted_files / 16,
          fmt::format("{} (a server: {}, of these {} for topics); many connections want {}", limit.now, limit.most,
                      topic_files({limit.most, limit.most}), wanted_files)};
}

Finding memory() {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const auto size = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return {"memory", size >= (512u << 20), format_size(size)};
}

Finding processors() { return {"processors", true, std::to_string(sysconf(_SC_NPROCESSORS_ONLN))}; }

Finding clock() {
  const WallTime now = system_clock().wall();
  constexpr std::int64_t year_2025_ms = 1'735'689'600'000;
  return {"clock", now.ms > year_2025_ms, format_time(now)};
}

// Durable writes of one block each, as the journal does them.
Result<std::vector<double>> flush_times_us(disk::Disk& disk, const std::string& path) {
  auto file = disk.open(path, {.create = true, .durable = true});
  if (!file) return pass(file);
  const std::string block(disk::block_size, '\0');
  for (std::size_t i = 0; i < flushes; ++i)
    if (auto written = (*file)->write(i * disk::block_size, std::string_view{block}); !written) return pass(written);
  if (auto synced = (*file)->sync(); !synced) return pass(synced);
  disk::AlignedBuffer buffer;
  buffer.append(block);
  std::vector<double> times;
  for (std::size_t i = 0; i < flushes; ++i) {
    const Micros begin = system_clock().steady();
    if (auto written = (*file)->write_durable(i * disk::block_size, buffer.view()); !written) return pass(written);
    times.push_back(static_cast<double>((system_clock().steady() - begin).count()));
  }
  std::ranges::sort(times);
  return times;
}

Result<std::vector<Finding>> look_at_disk(const std::string& folder) {
  auto disk = disk::open_real_disk(folder);
  if (!disk) return pass(disk);
  constexpr std::string_view probe = "doctor.probe";
  auto mode = (*disk)->probe("");
  if (!mode) return pass(mode);
  auto space = (*disk)->space();
  if (!space) return pass(space);
  auto times = flush_times_us(**disk, std::string{probe});
  static_cast<void>((*disk)->remove(std::string{probe}));
  if (!times) return pass(times);
  const double median = (*times)[times->size() / 2], p99 = (*times)[times->size() * 99 / 100];
  return std::vector<Finding>{
      {"disk", mode->lasting,
       fmt::format("{}, {}{}", mode->file_system, mode->direct ? "direct writes" : "buffered writes and fdatasync",
                   mode->lasting ? "" : ": in memory, nothing survives the machine")},
      {"flush of 4 KiB", median >= incredible_flush_us && median < slow_flush_us,
       fmt::format("{:.0f} us, p99 {:.0f} us{}", median, p99,
                   median < incredible_flush_us ? ": too fast to be true" : "")},
      {"free space", space->free_bytes >= wanted_free,
       fmt::format("{} of {}", format_size(space->free_bytes), format_size(space->total_bytes))}};
}

void look_at_server(const Session& session, std::vector<Finding>& findings) {
  auto server = session.connect();
  auto answer = server ? server->request("GET", "/v1/node") : Result<std::string>{pass(server)};
  if (!answer) return findings.push_back({"server", false, session.server + ": " + to_string(answer.error())});
  findings.push_back({"server", true, session.server});
  for (const auto& member : parse_object(*answer))
    findings.push_back({fmt::format("server: {}", std::string_view{member.key().data(), member.key().size()}), true,
                        cell(member.value())});
}

// The ring as it was made, whatever the settings of the server are.
Result<log::JournalShape> shape_of(const std::string& data) {
  const auto absent = [&] { return fail(Code::bad_usage, fmt::format("{} holds no journal", data), "--data"); };
  if (!std::filesystem::exists(data)) return absent();
  auto disk = disk::open_real_disk(data);
  if (!disk) return pass(disk);
  auto shape = log::journal_shape(**disk);
  if (!shape) return pass(shape);
  if (!*shape) return absent();
  if ((*shape)->slot_bytes < log::max_group_bytes + log::journal_block)
    return fail(Code::wrong_format, fmt::format("the ring's files have {} bytes, too few", (*shape)->slot_bytes), data);
  return **shape;
}

// Opens the node over the damage, once, and closes it: from then on it starts as always.
Result<void> accept_loss(const Doctor& command) {
  if (command.data.empty()) return fail(Code::bad_usage, "--accept-loss needs the data folder", "--data");
  auto shape = shape_of(command.data);
  if (!shape) return pass(shape);
  node::Options options{.data = command.data, .accept_loss = true};
  options.ring_segments = shape->slots;
  options.ring_segment_bytes = shape->slot_bytes;
  auto opened = node::Node::open(options);
  if (!opened) return pass(opened);
  fmt::print("The journal of {} is accepted as it is; what was damaged in it is lost. The server starts again.\n",
             command.data);
  return {};
}

}  // namespace

Result<void> doctor(const Session& session, const Doctor& command) {
  auto format = session.format();
  if (!format) return pass(format);
  if (command.accept_loss) return accept_loss(command);
  std::vector<Finding> findings{processors(), memory(), files_limit(), clock()};
  if (!command.data.empty()) {
    auto disk = look_at_disk(command.data);
    if (!disk) return pass(disk);
    findings.insert(findings.end(), disk->begin(), disk->end());
  }
  look_at_server(session, findings);
  Listing listing({"state", "what", "found"});
  for (const Finding& finding : findings)
    listing.add({{"state", finding.well ? "ok" : "look"}, {"what", finding.what}, {"found", finding.found}});
  listing.print(*format);
  return {};
}

}  // namespace continuo::cli
