// Replay over arbitrary bytes laid over a valid ring. The first byte says where; the rest lies there instead of what
// was written. Replay must end, must not crash, and must give only groups whose body holds its checksum and whose
// numbers follow each other.
#include <cstdint>
#include <string>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/disk/simulated_disk.h"
#include "continuo/log/journal.h"

namespace continuo::log {
namespace {

JournalOptions tiny() {
  JournalOptions options;
  options.slots = 4;
  options.slot_bytes = 4 * journal_block;
  options.max_group = 3 * journal_block;
  return options;
}

// Bodies carry their own checksum at the front: what is given to a visitor can be judged without the journal's help.
std::string body_of(std::uint64_t number) {
  const std::string content(number * 700, static_cast<char>('a' + number));
  std::string body(4, '\0');
  store(body.data(), crc32c(content));
  return body + content;
}

std::unique_ptr<disk::SimulatedDisk> written_ring() {
  auto disk = std::make_unique<disk::SimulatedDisk>();
  SeededRandom random{7};
  for (int start = 0; start < 2; ++start) {
    auto journal = std::move(*Journal::open(*disk, tiny(), random));
    CHECK(journal->replay(Sequence{1}, [](const ReplayedGroup&) { return Result<void>{}; }).has_value());
    while (!journal->prepare().value()) {
    }
    CHECK(journal->start().has_value());
    for (std::uint64_t number = 1; number <= 3; ++number) {
      const std::string body = body_of(number);
      const std::string_view view = body;
      CHECK(journal->write({}, 1, std::span{&view, 1}).has_value());
    }
  }
  return disk;
}

void replay(disk::SimulatedDisk& disk, bool accept_loss) {
  SeededRandom random{8};
  JournalOptions options = tiny();
  options.accept_loss = accept_loss;
  auto journal = Journal::open(disk, options, random);
  if (!journal) {
    CHECK(journal.error().code == Code::wrong_format);
    return;
  }
  Sequence expected{1};
  const auto replayed = (*journal)->replay(Sequence{1}, [&](const ReplayedGroup& group) -> Result<void> {
    CHECK(group.sequence == expected, "numbers follow each other");
    expected = next(expected);
    if (group.body.size() >= 4)
      CHECK(crc32c(group.body.substr(4)) == load<std::uint32_t>(group.body.data()), "no damaged group is given");
    return {};
  });
  CHECK(replayed.has_value() || replayed.error().code == Code::damaged_journal);
  CHECK(!accept_loss || replayed.has_value(), "accepted is accepted");
}

}  // namespace
}  // namespace continuo::log

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo;
  if (size < 3) return 0;
  static const auto ring = log::written_ring();
  const auto disk = ring->kill_image();
  const std::string path = "journal/0" + std::to_string(data[0] % 4);
  const std::uint64_t at = (std::uint64_t{data[1]} * 64) % (4 * log::journal_block);
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 2,
                               std::min<std::size_t>(size - 2, 4 * log::journal_block - at)};
  CHECK((*disk->open(path, {}))->write(at, bytes).has_value());
  log::replay(*disk, false);
  log::replay(*disk, true);
  return 0;
}
