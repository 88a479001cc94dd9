#include "continuo/log/journal_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/log/journal_format.h"

namespace continuo::log {
namespace {

const std::string folder = "journal";
constexpr std::uint32_t fewest_slots = 4;

// What one file says: its header, when that is intact, and its length.
struct Seen {
  std::optional<std::uint64_t> told;
  std::uint64_t length = 0;
};

Result<Seen> look(disk::Disk& disk, const std::string& path) {
  auto file = disk.open(path, {});
  if (!file) return pass(file);
  auto length = (*file)->size();
  if (!length) return pass(length);
  std::string block(SegmentHeader::size, '\0');
  auto got = (*file)->read(0, block);
  if (!got) return pass(got);
  Seen seen{std::nullopt, *length};
  if (const auto header = SegmentHeader::decode(block)) seen.told = header->segment_bytes;
  return seen;
}

}  // namespace

Result<std::optional<JournalShape>> journal_shape(disk::Disk& disk) {
  auto names = disk.list(folder);
  if (!names) return pass(names);
  JournalShape shape;
  std::uint64_t longest = 0;
  for (const std::string& name : *names) {
    auto seen = look(disk, folder + "/" + name);
    if (!seen) return pass(seen);
    ++shape.slots;
    longest = std::max(longest, seen->length);
    if (seen->told) shape.slot_bytes = *seen->told;
  }
  if (shape.slots == 0) return std::nullopt;
  if (shape.slot_bytes == 0) shape.slot_bytes = longest;  // files under preparation are shorter
  if (shape.slot_bytes % journal_block != 0 || shape.slot_bytes < 2 * journal_block)
    return fail(Code::wrong_format, fmt::format("no ring has files of {} bytes", shape.slot_bytes), folder);
  shape.slots = std::max(shape.slots, fewest_slots);  // the others were not made yet
  return shape;
}

}  // namespace continuo::log
