#include "continuo/serve/reading.h"

#include <fmt/format.h>

#include <algorithm>

namespace continuo::serve {
namespace {
using wire::http::Earliest;
using wire::http::From;
using wire::http::Latest;
using wire::http::Position;

constexpr std::uint64_t single_read_bytes = 1u << 20;
constexpr std::uint64_t merged_read_bytes = 128 * 1024;  // of each partition: many of them are held at once

Error out_of_range(Offset wanted, const node::PartitionState& state) {
  return {Code::offset_out_of_range,
          fmt::format("offset {} is not between {} (first kept) and {} (next to be written)", wanted.value,
                      state.first.value, state.next.value),
          "from",
          {}};
}

}  // namespace

struct Reading::Progress {
  const Limits& limits;
  const Each& each;
  std::uint32_t events = 0;
  std::size_t bytes = 0;
  std::size_t scanned = 0;
  bool full() const { return events >= limits.events || bytes >= limits.bytes || scanned >= limits.scanned_bytes; }
};

std::uint64_t Reading::Cursor::order() const {
  if (!loaded.groups.empty()) return loaded.groups[at].value;
  const auto header = record::read_batch_header(*loaded.batches[at]);
  return header ? static_cast<std::uint64_t>(header->base_timestamp) : 0;
}

Reading::Reading(node::Node& node, const node::Topic& topic, std::optional<PartitionId> partition, Wanted wanted)
    : node_(node), topic_(topic), single_(partition.has_value()), correlation_(std::move(wanted.correlation)) {
  constexpr routing::MatchingLimits small{.automaton_bytes = 1u << 20};  // there may be thousands
  if (wanted.filter) filter_.emplace(std::move(wanted.filter), small);
  if (partition) {
    cursors_.emplace_back().partition = *partition;
    return;
  }
  for (std::uint32_t i = 0; i < topic.settings.partitions; ++i) cursors_.emplace_back().partition = PartitionId{i};
}

Result<void> Reading::locate(const From& from) {
  if (const auto* position = std::get_if<Position>(&from); position && position->topic != topic_.id)
    return fail(Code::bad_position, "the position is of another topic", "from");
  for (Cursor& cursor : cursors_)
    if (auto located = locate_one(cursor, from); !located) return located;
  return {};
}

Result<void> Reading::locate_one(Cursor& cursor, const From& from) {
  const auto state = node_.partition_state(ref(cursor));
  if (!state) return std::unexpected(state.error());
  std::optional<WallTime> since;
  cursor.next = state->first;
  if (std::holds_alternative<Latest>(from)) cursor.next = state->next;
  if (const auto* time = std::get_if<WallTime>(&from)) since = *time;
  if (const auto* offset = std::get_if<Offset>(&from)) {
    cursor.next = *offset;
    cursor.exact = true;
  }
  if (const auto* position = std::get_if<Position>(&from)) {
    since = position->since;
    for (const auto& [partition, offset] : position->next) {
      if (partition != cursor.partition) continue;
      cursor.next = offset;
      cursor.exact = true;
      since.reset();
    }
  }
  if (cursor.exact && (cursor.next < state->first || cursor.next > state->next))
    return std::unexpected(out_of_range(cursor.next, *state));
  if (!since) return {};
  auto offset = node_.offset_at(ref(cursor), *since);
  if (!offset) return pass(offset);
  cursor.next = *offset;
  return {};
}

Result<void> Reading::load(Cursor& cursor) {
  const std::uint64_t bytes = cursors_.size() == 1 ? single_read_bytes : merged_read_bytes;
  auto batches = node_.read(ref(cursor), cursor.next, bytes);
  if (!batches && batches.error().code == Code::offset_out_of_range && !cursor.exact) {
    // Retention was faster than this reader, which did not ask for one offset: on from what is left.
    const auto state = node_.partition_state(ref(cursor));
    if (!state) return std::unexpected(state.error());
    cursor.next = std::clamp(cursor.next, state->first, state->next);
    batches = node_.read(ref(cursor), cursor.next, bytes);
  }
  if (!batches) return pass(batches);
  cursor.loaded = std::move(*batches);
  cursor.at = 0;
  cursor.exact = false;
  return {};
}

Result<void> Reading::load_drained() {
  for (Cursor& cursor : cursors_)
    if (cursor.drained())
      if (auto loaded = load(cursor); !loaded) return loaded;
  return {};
}

Reading::Cursor* Reading::first() {
  Cursor* best = nullptr;
  for (Cursor& cursor : cursors_)
    if (!cursor.drained() && (!best || cursor.order() < best->order())) best = &cursor;
  return best;
}

// A partition found empty before this batch's group became visible may hold an earlier one by now.
bool Reading::may_be_overtaken(const Cursor& cursor) const {
  if (cursor.loaded.groups.empty()) return false;
  const Sequence group = cursor.loaded.groups[cursor.at];
  return std::any_of(cursors_.begin(), cursors_.end(),
                     [&](const Cursor& other) { return other.drained() && other.loaded.newest < group; });
}

bool Reading::wants(const record::Record& record, const record::Event& event) {
  if (!correlation_.empty() && event.extension("correlationid") != correlation_) return false;
  return !filter_ || !filter_->match({&event, record.key, &record}).empty();
}

Result<void> Reading::emit(Cursor& cursor, Progress& progress) {
  const std::string& batch = *cursor.loaded.batches[cursor.at];
  progress.scanned += batch.size();
  record::RecordWalk walk(batch);
  const record::RecordPlace place{topic_.name, cursor.partition};
  while (!progress.full()) {
    const auto record = walk.next();
    if (!record) {
      if (walk.damaged())
        return fail(Code::damaged_data, fmt::format("the batch at offset {} of partition {} cannot be read",
                                                    cursor.next.value, cursor.partition.value));
      cursor.next = std::max(cursor.next, walk.header().next_offset());
      ++cursor.at;
      return {};
    }
    if (record->offset < cursor.next) continue;
    cursor.next = record->offset + 1;
    const record::Event event = record::event_of(*record, place, scratch_);
    if (!wants(*record, event)) continue;
    progress.each(event, place, record->offset);
    ++progress.events;
    progress.bytes += record->headers.size() + (record->value ? record->value->size() : 0);
  }
  return {};
}

Result<bool> Reading::run(const Limits& limits, const Each& each) {
  Progress progress{limits, each};
  if (auto loaded = load_drained(); !loaded) return pass(loaded);
  bool looked_again = false;
  while (!progress.full()) {
    Cursor* const cursor = first();
    if (!cursor) return true;
    if (may_be_overtaken(*cursor)) {
      if (looked_again) return false;
      looked_again = true;
      if (auto loaded = load_drained(); !loaded) return pass(loaded);
      continue;
    }
    looked_again = false;
    if (auto emitted = emit(*cursor, progress); !emitted) return pass(emitted);
    if (cursor->drained())
      if (auto loaded = load(*cursor); !loaded) return pass(loaded);
  }
  return false;
}

std::string Reading::next() const {
  if (single_) return fmt::format("{}", cursors_.front().next.value);
  wire::http::Position position{.topic = topic_.id, .since = {}, .next = {}};
  position.next.reserve(cursors_.size());
  for (const Cursor& cursor : cursors_) position.next.emplace_back(cursor.partition, cursor.next);
  return wire::http::write_position(position);
}

std::uint64_t Reading::lag() const {
  std::uint64_t lag = 0;
  for (const Cursor& cursor : cursors_) {
    const auto state = node_.partition_state(ref(cursor));
    if (state && state->next > cursor.next) lag += static_cast<std::uint64_t>(state->next - cursor.next);
  }
  return lag;
}

}  // namespace continuo::serve
