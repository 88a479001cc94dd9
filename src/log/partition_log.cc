#include "continuo/log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/bytes.h"

namespace continuo::log {
namespace {

constexpr std::uint8_t record_version = 1;

void write_extent(ByteWriter& writer, const SegmentExtent& extent) {
  writer.varint(extent.bytes);
  writer.varint(extent.entries);
  writer.varint(static_cast<std::uint64_t>(extent.next.value));
  writer.svarint(extent.newest.ms);
}

SegmentExtent read_extent(ByteReader& reader) {
  SegmentExtent extent;
  extent.bytes = reader.varint();
  extent.entries = reader.varint();
  extent.next = Offset{static_cast<std::int64_t>(reader.varint())};
  extent.newest = WallTime{reader.svarint()};
  return extent;
}

void write_held(ByteWriter& writer, const HeldBatch& batch) {
  std::string entry;
  batch.entry.encode(entry);
  writer.raw(entry);
  writer.text(*batch.bytes.load());
}

}  // namespace

std::string PartitionLog::topic_folder(TopicId topic) { return fmt::format("topics/{:08}", topic.value); }

PartitionLog::PartitionLog(OpenFiles& files, PartitionRef ref, std::uint64_t segment_bytes,
                           std::atomic<std::uint64_t>* held_by_all)
    : files_(files),
      disk_(files.disk()),
      ref_(ref),
      segment_bytes_(segment_bytes),
      folder_(fmt::format("{}/{:04}", topic_folder(ref.topic), ref.partition.value)),
      held_by_all_(held_by_all),
      last_(std::make_shared<HeldBatch>()),
      written_(last_) {}

PartitionLog::~PartitionLog() { remove_held(held_bytes_.load()); }

void PartitionLog::add_held(std::uint64_t bytes) {
  held_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (held_by_all_ != nullptr) held_by_all_->fetch_add(bytes, std::memory_order_relaxed);
}

void PartitionLog::remove_held(std::uint64_t bytes) {
  held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (held_by_all_ != nullptr) held_by_all_->fetch_sub(bytes, std::memory_order_relaxed);
}

// ---- core thread ----------------------------------------------------------------------------------------------------

void PartitionLog::hang(std::shared_ptr<HeldBatch> batch) {
  const std::int64_t next = batch->entry.next.value;
  add_held(batch->entry.length);
  HeldBatch* before = last_.get();
  last_ = batch;
  before->following = std::move(batch);
  visible_end_.store(next, std::memory_order_release);
}

void PartitionLog::append(const AppendedBatch& batch, Sequence sequence, WallTime appended) {
  CHECK(batch.base.value >= visible_end_.load(std::memory_order_relaxed), "batches do not overlap");
  auto held = std::make_shared<HeldBatch>();
  held->entry = entry_of(batch, sequence, appended);
  held->bytes = batch.bytes;
  hang(std::move(held));
}

void PartitionLog::trim(Offset before) {
  if (before.value > first_.load(std::memory_order_relaxed)) first_.store(before.value, std::memory_order_release);
}

void PartitionLog::skip(Offset from, Offset next) {
  auto skips = std::make_shared<Skips>(*skips_.load());
  auto& end = (*skips)[from];
  end = std::max(end, next);
  skips_.store(std::move(skips));
  skips_changed_.store(true);
}

// ---- readers --------------------------------------------------------------------------------------------------------

// Segments and chain are taken together: a batch is always in the one or the other. With `from`, only the segment that
// holds it is copied.
PartitionLog::View PartitionLog::view(std::optional<Offset> from) {
  View seen;
  seen.end = end();  // before the chain is looked at: all nodes below it hang there
  const std::scoped_lock lock{mutex_};
  seen.before = written_;
  for (const Segment& segment : segments_)
    if (!from || segment.extent.next > *from) {
      seen.segments.push_back(segment);
      if (from) break;
    }
  return seen;
}

// The first held batch that reaches past `from`; only nodes below the visible end are looked at.
std::shared_ptr<HeldBatch> PartitionLog::held_from(const View& view, Offset from) {
  std::shared_ptr<HeldBatch> at = view.before;
  while (at->entry.next < view.end) {
    at = at->following;
    if (at->entry.next > from) return at;
  }
  return nullptr;
}

Result<Batches> PartitionLog::read(Offset from, std::uint64_t max_bytes, bool& cold) {
  while (true) {
    Batches out;
    auto done = read_once(from, max_bytes, cold, out);
    if (!done) return pass(done);
    if (*done) return out;
  }
}

// Where reading goes on from `from`, when that lies in a range that was given up.
Offset PartitionLog::past_skips(Offset from) const {
  const auto skips = skips_.load();
  auto after = skips->upper_bound(from);
  if (after == skips->begin()) return from;
  --after;
  return std::max(from, std::min(after->second, end()));
}

// False when the batches went from memory to the files meanwhile.
Result<bool> PartitionLog::read_once(Offset from, std::uint64_t max_bytes, bool& cold, Batches& out) {
  const View seen = view(from);
  out.end = seen.end;
  out.first = first();
  out.next = from;
  cold = !seen.segments.empty() && from < out.end;
  if (from < out.first || from > out.end)
    return fail(Code::offset_out_of_range,
                fmt::format("offset {} is not within {} and {}", from.value, out.first.value, out.end.value));
  if (from == out.end) return true;
  if (const Offset past = past_skips(from); past != from) {
    out.next = past;
    return true;
  }
  if (!cold) return take_held(seen, from, max_bytes, out);
  const Segment& segment = seen.segments.front();
  if (auto read = segment.file->read(segment.extent, from, max_bytes, out); !read) {
    // Retention may have removed the file between the look and the read.
    if (from < first()) return fail(Code::offset_out_of_range, fmt::format("offset {} was just trimmed", from.value));
    return pass(read);
  }
  return true;
}

bool PartitionLog::take_held(const View& view, Offset from, std::uint64_t max_bytes, Batches& out) {
  std::uint64_t taken = 0;
  auto at = held_from(view, from);
  while (at) {
    auto bytes = at->bytes.load();
    if (!bytes) return taken != 0;
    if (taken != 0 && taken + bytes->size() > max_bytes) break;
    taken += bytes->size();
    out.next = at->entry.next;
    out.batches.push_back(std::move(bytes));
    out.groups.push_back(at->entry.sequence);
    at = out.next < out.end ? at->following : nullptr;
  }
  return true;
}

Result<void> PartitionLog::walk_batches(const Home::VisitBatch& visit) {
  const View seen = view(std::nullopt);
  Offset next = first();
  bool enough = false;
  const auto take = [&](const IndexEntry& entry) {
    if (entry.next <= next) return false;
    next = entry.next;
    return enough = visit(std::max(entry.base, first()), entry.max_timestamp_ms);
  };
  for (const Segment& segment : seen.segments) {
    if (segment.extent.entries == 0 || segment.extent.next <= first()) continue;
    auto walked = segment.file->walk(segment.extent, take);
    if (!walked && segment.extent.next <= first()) continue;  // retention removed the file meanwhile
    if (!walked || enough) return walked;
  }
  for (auto at = held_from(seen, next); at; at = at->entry.next < seen.end ? at->following : nullptr)
    if (take(at->entry)) break;
  return {};
}

Result<Offset> PartitionLog::offset_at(WallTime time) {
  const View seen = view(std::nullopt);
  for (const Segment& segment : seen.segments) {
    if (segment.extent.entries == 0 || segment.extent.newest < time || segment.extent.next <= first()) continue;
    auto entry = segment.file->find(segment.extent, time);
    if (!entry && segment.extent.next <= first()) continue;  // retention removed the file meanwhile
    if (!entry) return pass(entry);
    if (*entry) return std::max((*entry)->base, first());
  }
  for (auto at = held_from(seen, Offset{0}); at; at = at->entry.next < seen.end ? at->following : nullptr)
    if (at->entry.appended >= time) return std::max(at->entry.base, first());
  return seen.end;
}

Result<WallTime> PartitionLog::appended_at(Offset offset) {
  const View seen = view(offset);
  if (!seen.segments.empty()) {
    auto entry = seen.segments.front().file->find(seen.segments.front().extent, offset);
    if (!entry) return pass(entry);
    if (*entry) return (*entry)->appended;
  }
  if (const auto held = held_from(seen, offset)) return held->entry.appended;
  return fail(Code::not_found, fmt::format("nothing was appended at or after offset {}", offset.value));
}

std::vector<OldSegment> PartitionLog::old_segments() {
  const std::scoped_lock lock{mutex_};
  std::vector<OldSegment> old;
  for (const Segment& segment : segments_)
    old.push_back({segment.extent.next, segment.extent.newest, segment.extent.bytes});
  return old;
}

// ---- write-behind thread --------------------------------------------------------------------------------------------

bool PartitionLog::due(Micros now, std::uint64_t piece_bytes, Micros max_age) {
  const std::uint64_t held = held_bytes_.load(std::memory_order_relaxed);
  if (held == 0) {
    held_since_ = Micros{-1};
    return false;
  }
  if (held_since_.count() < 0) held_since_ = now;
  return held >= piece_bytes || now - held_since_ >= max_age;
}

PartitionLog::Segment& PartitionLog::segment_for(std::uint64_t next_batch_bytes, Offset base) {
  const bool full = !segments_.empty() && segments_.back().extent.bytes != 0 &&
                    segments_.back().extent.bytes + next_batch_bytes > segment_bytes_;
  // A restored segment with nothing that is kept may have lost its files before the last stop.
  const bool gone = !segments_.empty() && segments_.back().extent.bytes != 0 && segments_.back().extent.next <= first();
  if (segments_.empty() || full || gone) {
    Segment made;
    made.file = std::make_shared<SegmentFile>(files_, folder_, base);
    made.extent.next = made.synced.next = base;
    segments_.push_back(std::move(made));
    folder_changed_ = true;
  }
  return segments_.back();
}

Result<std::uint64_t> PartitionLog::flush(std::uint64_t max_bytes, PageCache& cache) {
  std::uint64_t moved = 0;
  const Offset visible = end();
  std::shared_ptr<HeldBatch> at = written_;
  while (moved < max_bytes && at->entry.next < visible) {
    std::vector<std::shared_ptr<HeldBatch>> piece;
    std::shared_ptr<SegmentFile> file;
    SegmentExtent extent;
    {
      const std::scoped_lock lock{mutex_};
      Segment& segment = segment_for(at->following->entry.length, at->following->entry.base);
      file = segment.file;
      extent = segment.extent;
    }
    std::uint64_t bytes = 0;
    while (moved + bytes < max_bytes && at->entry.next < visible) {
      const auto& following = at->following;
      if (bytes != 0 && extent.bytes + bytes + following->entry.length > segment_bytes_) break;
      bytes += following->entry.length;
      at = following;
      piece.push_back(at);
    }
    const std::uint64_t before = extent.bytes;
    if (auto written = file->write(piece, extent); !written) return pass(written);
    {
      const std::scoped_lock lock{mutex_};
      segments_.back().extent = extent;
      written_ = at;
    }
    for (const auto& batch : piece) batch->bytes.store(nullptr);
    changed_ = true;
    moved += bytes;
    stored_bytes_.fetch_add(bytes);
    remove_held(bytes);
    if (auto kept = cache.wrote(file, before, extent.bytes); !kept) return pass(kept);
  }
  held_since_ = Micros{-1};
  return moved;
}

Result<void> PartitionLog::remove_trimmed() {
  const Offset keep = first();
  {
    const std::scoped_lock lock{mutex_};
    while (!segments_.empty() && segments_.front().extent.next <= keep && segments_.front().extent.bytes != 0) {
      stored_bytes_.fetch_sub(segments_.front().extent.bytes);
      trimmed_.push_back(segments_.front().file);
      segments_.erase(segments_.begin());
    }
  }
  while (!trimmed_.empty()) {
    changed_ = removed_names_ = true;
    if (auto done = disk_.remove(trimmed_.back()->log_path()); !done) return done;
    if (auto done = disk_.remove(trimmed_.back()->index_path()); !done) return done;
    trimmed_.pop_back();
  }
  return {};
}

std::uint64_t PartitionLog::unsynced_bytes() const {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.extent.bytes - segment.synced.bytes;
  return sum;
}

Result<void> PartitionLog::sync_files() {
  for (const Segment& segment : segments_)
    if (segment.synced != segment.extent)
      if (auto synced = segment.file->sync(); !synced) return synced;
  if (folder_changed_) {
    // The folder's own name, and its parents', must last too.
    for (const std::string& path : {folder_, topic_folder(ref_.topic), std::string{"topics"}, std::string{"."}})
      if (auto synced = disk_.sync_folder(path); !synced) return synced;
    folder_changed_ = false;
  }
  // Not before: a file whose name may still be lost is not synced, however often its bytes were.
  const std::scoped_lock lock{mutex_};
  for (Segment& segment : segments_) segment.synced = segment.extent;
  return {};
}

// Record: u8 version, first, end of what the files hold, segments (base, synced extent), ranges passed over (from,
// next), carried batches (entry, bytes). What came after `upto` is left to the journal: under load that is what was
// published while the files were synced, and may be a large part of the ring.
Result<std::string> PartitionLog::encode(Sequence upto) {
  std::vector<std::shared_ptr<HeldBatch>> carried;
  if (!segments_.empty()) {
    auto tail = segments_.back().file->load(segments_.back().extent, segments_.back().synced.entries);
    if (!tail) return pass(tail);
    carried = std::move(*tail);
  }
  const Offset visible = end();
  const Offset kept_from = first();  // once: the core thread may trim meanwhile
  for (auto at = written_; at->entry.next < visible && at->following->entry.sequence <= upto;) {
    at = at->following;
    carried.push_back(at);
  }
  const Offset in_files = carried.empty() ? written_->entry.next : carried.front()->entry.base;
  std::string record;
  ByteWriter writer{record};
  writer.u8(record_version);
  writer.varint(static_cast<std::uint64_t>(kept_from.value));
  writer.varint(static_cast<std::uint64_t>(in_files.value));
  writer.varint(segments_.size());
  for (const Segment& segment : segments_) {
    writer.varint(static_cast<std::uint64_t>(segment.file->base().value));
    write_extent(writer, segment.synced);
  }
  const auto skips = skips_.load();
  writer.varint(skips->size());
  for (const auto& [from, next] : *skips) {
    writer.varint(static_cast<std::uint64_t>(from.value));
    writer.varint(static_cast<std::uint64_t>(next.value));
  }
  writer.varint(carried.size());
  for (const auto& batch : carried) write_held(writer, *batch);
  recorded_first_ = kept_from;
  recorded_end_ = carried.empty() ? in_files : carried.back()->entry.next;
  return record;
}

// Sealed segments are synced whatever their size: only the newest one's tail is carried.
bool PartitionLog::must_sync(std::uint64_t carry_below, Sequence upto) const {
  std::uint64_t tail = unsynced_bytes();
  const Offset visible = end();
  for (auto at = written_; tail < carry_below && at->entry.next < visible && at->following->entry.sequence <= upto;) {
    at = at->following;
    tail += at->entry.length;
  }
  if (tail >= carry_below) return true;
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i)
    if (segments_[i].synced != segments_[i].extent) return true;
  return false;
}

Result<std::optional<std::string>> PartitionLog::checkpoint(Sequence upto, std::uint64_t carry_below,
                                                            PageCache& cache) {
  if (skips_changed_.exchange(false)) changed_ = true;
  if (!changed_ && end() == checkpointed_end_ && first() == checkpointed_first_) return std::nullopt;
  if (must_sync(carry_below, upto)) {
    if (auto moved = flush(~0ull, cache); !moved) return pass(moved);
    if (auto synced = sync_files(); !synced) return pass(synced);
  }
  if (removed_names_)  // the record forgets these files: they must not come back
    if (auto synced = disk_.sync_folder(folder_); !synced) return pass(synced);
  removed_names_ = false;
  changed_ = true;  // until checkpoint_done says that the record is committed
  auto record = encode(upto);
  if (!record) return pass(record);
  return std::move(*record);
}

void PartitionLog::checkpoint_done() {
  changed_ = false;
  checkpointed_first_ = recorded_first_;
  checkpointed_end_ = recorded_end_;
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Result<void> PartitionLog::restore(std::string_view bytes) {
  const auto damaged = [&] {
    return fail(Code::wrong_format, fmt::format("the checkpoint's record of topic {} partition {} cannot be read",
                                                ref_.topic.value, ref_.partition.value));
  };
  ByteReader reader{bytes};
  if (reader.u8() != record_version) return damaged();
  first_ = static_cast<std::int64_t>(reader.varint());
  const Offset in_files{static_cast<std::int64_t>(reader.varint())};
  const std::uint64_t segments = reader.varint();
  for (std::uint64_t i = 0; i < segments && reader.ok(); ++i) {
    Segment segment;
    segment.file = std::make_shared<SegmentFile>(files_, folder_, Offset{static_cast<std::int64_t>(reader.varint())});
    segment.extent = segment.synced = read_extent(reader);
    stored_bytes_ += segment.extent.bytes;
    segments_.push_back(std::move(segment));
  }
  last_->entry.next = in_files;
  visible_end_ = in_files.value;
  // A file that was made but never synced may not be there after a power cut: its name must be made to last again.
  folder_changed_ = !segments_.empty() && segments_.back().synced.bytes == 0;
  auto skips = std::make_shared<Skips>();
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const Offset from{static_cast<std::int64_t>(reader.varint())};
    (*skips)[from] = Offset{static_cast<std::int64_t>(reader.varint())};
  }
  skips_.store(std::move(skips));
  const std::uint64_t carried = reader.varint();
  for (std::uint64_t i = 0; i < carried && reader.ok(); ++i) {
    auto entry = IndexEntry::decode(reader.raw(IndexEntry::size));
    if (!entry) return damaged();
    auto batch = std::make_shared<HeldBatch>();
    batch->entry = *entry;
    const auto content = std::make_shared<const std::string>(reader.text());
    batch->bytes = content;
    if (!reader.ok() || !verify(*entry, *content, "checkpoint")) return damaged();
    hang(std::move(batch));
  }
  if (!reader.done()) return damaged();
  changed_ = false;
  checkpointed_first_ = first();
  checkpointed_end_ = end();
  return {};
}

}  // namespace continuo::log
