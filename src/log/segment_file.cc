#include "continuo/log/segment_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/record/batch.h"

namespace continuo::log {
namespace {

constexpr std::size_t head_checked = 17;  // the batch's bytes before its CRC
constexpr std::uint64_t entries_per_read = 128;

std::uint32_t check_head(std::string_view batch) { return crc32c(batch.substr(0, head_checked)); }

}  // namespace

void IndexEntry::encode(std::string& out) const {
  const std::size_t start = out.size();
  ByteWriter writer{out};
  writer.i64(base.value);
  writer.u32(static_cast<std::uint32_t>(next - base));
  writer.u32(flags);
  writer.u64(sequence.value);
  writer.i64(appended.ms);
  writer.i64(max_timestamp_ms);
  writer.u32(position);
  writer.u32(length);
  writer.u32(batch_crc);
  writer.u32(head_check);
  writer.u32(0);
  writer.u32(crc32c(std::string_view{out}.substr(start)));
}

Result<IndexEntry> IndexEntry::decode(std::string_view bytes) {
  ByteReader reader{bytes.substr(0, size)};
  IndexEntry entry;
  entry.base = Offset{reader.i64()};
  entry.next = entry.base + reader.u32();
  entry.flags = reader.u32();
  entry.sequence = Sequence{reader.u64()};
  entry.appended = WallTime{reader.i64()};
  entry.max_timestamp_ms = reader.i64();
  entry.position = reader.u32();
  entry.length = reader.u32();
  entry.batch_crc = reader.u32();
  entry.head_check = reader.u32();
  reader.u32();
  if (reader.u32() != crc32c(bytes.substr(0, size - 4)) || !reader.ok())
    return fail(Code::damaged_data, "an entry of the batch index is damaged");
  return entry;
}

// A chain may be long: freeing it by recursion would overflow the stack. A node that dies hands its follower to the
// destructor further up.
HeldBatch::~HeldBatch() {
  thread_local std::shared_ptr<HeldBatch>* above = nullptr;
  if (above != nullptr) {
    *above = std::move(following);
    return;
  }
  std::shared_ptr<HeldBatch> rest = std::move(following), next;
  above = &next;
  while (rest) {
    rest.reset();
    rest = std::move(next);
  }
  above = nullptr;
}

IndexEntry entry_of(const AppendedBatch& batch, Sequence sequence, WallTime appended) {
  IndexEntry entry;
  entry.base = batch.base;
  entry.next = batch.next;
  entry.sequence = sequence;
  entry.appended = appended;
  entry.max_timestamp_ms = batch.max_timestamp_ms;
  entry.length = static_cast<std::uint32_t>(batch.bytes->size());
  entry.batch_crc = big_endian(load<std::uint32_t>(batch.bytes->data() + record::BatchLayout::crc));
  entry.head_check = check_head(*batch.bytes);
  return entry;
}

Result<void> verify(const IndexEntry& entry, std::string_view batch, const std::string& path) {
  const auto damaged = [&](std::string_view what) {
    return fail(Code::damaged_data,
                fmt::format("the {} of the batch with offsets {} to {} is damaged", what, entry.base.value,
                            entry.next.value - 1),
                fmt::format("{} byte {}", path, entry.position));
  };
  if (batch.size() != entry.length || batch.size() < record::BatchLayout::records) return damaged("length");
  if (check_head(batch) != entry.head_check) return damaged("head");
  const auto crc = big_endian(load<std::uint32_t>(batch.data() + record::BatchLayout::crc));
  if (crc != entry.batch_crc || crc32c(batch.substr(record::BatchLayout::attributes)) != crc) return damaged("content");
  return {};
}

SegmentFile::SegmentFile(OpenFiles& files, std::string folder, Offset base)
    : open_(files),
      folder_(std::move(folder)),
      base_(base),
      log_path_(fmt::format("{}/{:020}.log", folder_, base.value)),
      index_path_(fmt::format("{}/{:020}.index", folder_, base.value)) {}

SegmentFile::~SegmentFile() {
  open_.forget(log_path_);
  open_.forget(index_path_);
}

Result<SegmentFile::Files> SegmentFile::files() {
  auto log = open_.open(log_path_);
  if (!log) return pass(log);
  auto index = open_.open(index_path_);
  if (!index) return pass(index);
  return Files{std::move(*log), std::move(*index)};
}

Result<SegmentFile::Files> SegmentFile::files_to_write() {
  if (!made_)
    if (auto made = open_.disk().make_folder(folder_); !made) return pass(made);
  auto log = open_.open_to_write(log_path_, !made_);
  if (!log) return pass(log);
  auto index = open_.open_to_write(index_path_, !made_);
  if (!index) return pass(index);
  made_ = true;
  return Files{std::move(*log), std::move(*index)};
}

Result<void> SegmentFile::write(std::span<const std::shared_ptr<HeldBatch>> batches, SegmentExtent& extent) {
  auto opened = files_to_write();
  if (!opened) return pass(opened);
  std::vector<std::string_view> pieces;
  std::vector<std::shared_ptr<const std::string>> contents;
  std::string entries;
  std::uint64_t position = extent.bytes;
  for (const auto& batch : batches) {
    contents.push_back(batch->bytes.load());
    pieces.push_back(*contents.back());
    IndexEntry entry = batch->entry;
    entry.position = static_cast<std::uint32_t>(position);
    entry.encode(entries);
    position += entry.length;
  }
  if (auto written = opened->log->write(extent.bytes, pieces); !written) return written;
  if (auto written = opened->index->write(extent.entries * IndexEntry::size, entries); !written) return written;
  extent.bytes = position;
  extent.entries += batches.size();
  extent.next = batches.back()->entry.next;
  extent.newest = batches.back()->entry.appended;
  return {};
}

Result<void> SegmentFile::sync() {
  if (auto synced = open_.sync(log_path_); !synced) return synced;
  return open_.sync(index_path_);
}

void SegmentFile::start_write_back(std::uint64_t from, std::uint64_t to) {
  if (to <= from) return;
  if (const auto log = open_.open(log_path_)) (*log)->start_write_back(from, to - from);
}

Result<void> SegmentFile::drop_cached(std::uint64_t from, std::uint64_t to) {
  const auto log = open_.open(log_path_);
  return log ? (*log)->drop_cached(from, to - from) : Result<void>{};
}

Result<IndexEntry> SegmentFile::entry(Files& files, std::uint64_t number) {
  auto bytes = disk::read_exactly(*files.index, number * IndexEntry::size, IndexEntry::size, index_path_);
  if (!bytes) return pass(bytes);
  auto entry = IndexEntry::decode(*bytes);
  if (!entry) entry.error().at = fmt::format("{} entry {}", index_path_, number);
  return entry;
}

// The first intact entry from `number` on, below `limit`; number `limit` when all are damaged.
Result<SegmentFile::Found> SegmentFile::intact(Files& files, std::uint64_t number, std::uint64_t limit) {
  for (; number < limit; ++number) {
    auto found = entry(files, number);
    if (found) return Found{number, *found};
    if (found.error().code != Code::damaged_data) return pass(found);
  }
  return Found{limit, {}};
}

// The number of the first entry for which before(entry) is false. Damaged entries are stepped over, so that they hide
// nothing but their own batches; the answer may be the first of some that are damaged, when it is one of them or the
// one after them.
template <class Before>
Result<std::uint64_t> SegmentFile::lower_bound(Files& files, std::uint64_t entries, Before before) {
  std::uint64_t low = 0, high = entries;
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    auto found = intact(files, middle, high);
    if (!found) return pass(found);
    if (found->number != high && before(found->entry))
      low = found->number + 1;
    else
      high = middle;
  }
  return low;
}

// Which offsets a damaged entry hides follows from its neighbours.
std::unexpected<Error> SegmentFile::hidden(Files& files, const SegmentExtent& extent, std::uint64_t number,
                                           std::uint64_t after) {
  const auto before = number == 0 ? Result<IndexEntry>{} : entry(files, number - 1);
  const auto behind = after == extent.entries ? Result<IndexEntry>{} : entry(files, after);
  const Offset from = number != 0 && before ? before->next : base_;
  const Offset next = after != extent.entries && behind ? behind->base : extent.next;
  return fail(Code::damaged_data,
              fmt::format("the index of the batches with offsets {} to {} is damaged", from.value, next.value - 1),
              fmt::format("{} entry {}", index_path_, number));
}

// The number of the entry that holds `from`, or of the next after it.
Result<std::uint64_t> SegmentFile::locate(Files& files, const SegmentExtent& extent, Offset from) {
  auto number = lower_bound(files, extent.entries, [&](const IndexEntry& entry) { return entry.next <= from; });
  if (!number) return number;
  auto whole = intact(files, *number, extent.entries);
  if (!whole) return pass(whole);
  if (whole->number == *number || (whole->number != extent.entries && whole->entry.base <= from)) return whole->number;
  return hidden(files, extent, *number, whole->number);
}

Result<std::optional<IndexEntry>> SegmentFile::find(const SegmentExtent& extent, Offset from) {
  auto opened = files();
  if (!opened) return pass(opened);
  auto number = locate(*opened, extent, from);
  if (!number) return pass(number);
  if (*number == extent.entries) return std::nullopt;
  auto found = entry(*opened, *number);
  if (!found) return pass(found);
  return *found;
}

Result<std::optional<IndexEntry>> SegmentFile::find(const SegmentExtent& extent, WallTime time) {
  auto opened = files();
  if (!opened) return pass(opened);
  auto number = lower_bound(*opened, extent.entries, [&](const IndexEntry& entry) { return entry.appended < time; });
  if (!number) return pass(number);
  if (*number == extent.entries) return std::nullopt;
  auto found = entry(*opened, *number);
  if (!found) return pass(found);
  return *found;
}

std::atomic<std::uint64_t>& SegmentFile::hint(Offset from) {
  return hints_[(static_cast<std::uint64_t>(from.value) * 0x9e37'79b9'7f4a'7c15u) >> 61];
}

// Some entries from `number` on, as they stand in the file.
Result<std::string> SegmentFile::entries(Files& files, std::uint64_t number, const SegmentExtent& extent) {
  const std::uint64_t count = std::min(entries_per_read, extent.entries - number);
  return disk::read_exactly(*files.index, number * IndexEntry::size, static_cast<std::size_t>(count * IndexEntry::size),
                            index_path_);
}

// The batches of a segment lie one after the other: those that are wanted are read at once.
Result<void> SegmentFile::read(const SegmentExtent& extent, Offset from, std::uint64_t max_bytes, Batches& out) {
  auto opened = files();
  if (!opened) return pass(opened);
  const std::uint64_t remembered = hint(from).load(std::memory_order_relaxed);
  std::uint64_t number = remembered - 1;
  auto bytes = remembered != 0 && number < extent.entries ? entries(*opened, number, extent) : Result<std::string>{};
  if (!bytes) return pass(bytes);
  const auto guess = bytes->empty() ? Result<IndexEntry>{} : IndexEntry::decode(*bytes);
  if (!guess || from < guess->base || from >= guess->next) {
    auto first = locate(*opened, extent, from);
    if (!first) return pass(first);
    if (*first == extent.entries) return {};
    number = *first;
    bytes = entries(*opened, number, extent);
    if (!bytes) return pass(bytes);
  }
  std::vector<IndexEntry> wanted;
  std::vector<std::size_t> sizes;
  std::uint64_t total = 0;
  for (std::size_t at = 0; at < bytes->size(); at += IndexEntry::size) {
    auto entry = IndexEntry::decode(std::string_view{*bytes}.substr(at));
    if (!entry) break;  // batches before a damaged one are still given; the reader meets the damage at its next read
    if (total != 0 && total + entry->length > max_bytes) break;
    if (!wanted.empty() && entry->position != wanted.back().position + wanted.back().length) break;
    total += entry->length;
    sizes.push_back(entry->length);
    wanted.push_back(*entry);
  }
  if (wanted.empty()) return hidden(*opened, extent, number, number + 1);
  auto batches = disk::read_exactly(*opened->log, wanted.front().position, sizes, log_path_);
  if (!batches) return pass(batches);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (auto whole = verify(wanted[i], (*batches)[i], log_path_); !whole) return i == 0 ? whole : Result<void>{};
    out.batches.push_back(std::make_shared<const std::string>(std::move((*batches)[i])));
    out.groups.push_back(wanted[i].sequence);
    out.next = wanted[i].next;
  }
  hint(out.next).store(number + wanted.size() + 1, std::memory_order_relaxed);
  return {};
}

Result<void> SegmentFile::walk(const SegmentExtent& extent, const std::function<bool(const IndexEntry&)>& visit) {
  constexpr std::uint64_t at_once = 1'024;
  auto opened = files();
  if (!opened) return pass(opened);
  for (std::uint64_t number = 0; number < extent.entries; number += at_once) {
    const std::uint64_t count = std::min(at_once, extent.entries - number);
    const auto bytes = disk::read_exactly(*opened->index, number * IndexEntry::size,
                                          static_cast<std::size_t>(count * IndexEntry::size), index_path_);
    if (!bytes) return std::unexpected(bytes.error());
    for (std::uint64_t i = 0; i < count; ++i) {
      auto entry = IndexEntry::decode(std::string_view{*bytes}.substr(i * IndexEntry::size, IndexEntry::size));
      if (!entry) entry.error().at = fmt::format("{} entry {}", index_path_, number + i);
      if (!entry) return pass(entry);
      if (visit(*entry)) return {};
    }
  }
  return {};
}

Result<std::vector<std::shared_ptr<HeldBatch>>> SegmentFile::load(const SegmentExtent& extent,
                                                                  std::uint64_t first_entry) {
  std::vector<std::shared_ptr<HeldBatch>> held;
  if (first_entry >= extent.entries) return held;
  auto opened = files();
  if (!opened) return pass(opened);
  for (std::uint64_t number = first_entry; number < extent.entries; ++number) {
    auto found = entry(*opened, number);
    if (!found) return pass(found);
    auto bytes = disk::read_exactly(*opened->log, found->position, found->length, log_path_);
    if (!bytes) return pass(bytes);
    if (auto whole = verify(*found, *bytes, log_path_); !whole) return pass(whole);
    auto batch = std::make_shared<HeldBatch>();
    batch->entry = *found;
    batch->bytes = std::make_shared<const std::string>(std::move(*bytes));
    held.push_back(std::move(batch));
  }
  return held;
}

}  // namespace continuo::log
