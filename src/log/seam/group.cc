#include <fmt/format.h>

#include "continuo/base/bytes.h"
#include "continuo/log/seam/home.h"

namespace continuo::log {
namespace {

void write_partition(ByteWriter& writer, PartitionRef ref) {
  writer.varint(ref.topic.value);
  writer.varint(ref.partition.value);
}

PartitionRef read_partition(ByteReader& reader) {
  const TopicId topic{static_cast<std::uint32_t>(reader.varint())};
  return {topic, PartitionId{static_cast<std::uint32_t>(reader.varint())}};
}

std::unexpected<Error> bad_effect(std::string_view what) {
  return fail(Code::damaged_journal, fmt::format("a group holds a {} that cannot be read", what));
}

}  // namespace

void Group::begin_frame() {
  frame_start_ = frames_.size();
  frames_.append(frame_head, '\0');
  effects_in_frame_ = 0;
}

void Group::effect(std::uint8_t type, std::uint8_t version, std::string_view payload) {
  CHECK(effects_in_frame_ < 65'535, "a frame counts its effects in 16 bits");
  ByteWriter writer{frames_};
  writer.u8(type);
  writer.u8(version);
  writer.text(payload);
  ++effects_in_frame_;
}

void Group::end_frame() {
  if (effects_in_frame_ == 0) {
    frames_.resize(frame_start_);
    return;
  }
  store(frames_.data() + frame_start_, static_cast<std::uint32_t>(frames_.size() - frame_start_ - 4));
  store(frames_.data() + frame_start_ + 4, std::uint16_t{0});
  store(frames_.data() + frame_start_ + 6, effects_in_frame_);
  ++frame_count_;
}

void Group::append(AppendedBatch batch) {
  CHECK(batches_.size() < 65'535, "the last frame counts its batches in 16 bits");
  batch_bytes_ += batch.bytes->size() + batch_overhead;
  batches_.push_back(std::move(batch));
}

void Group::make_partitions(PartitionsMade made) {
  std::string payload;
  ByteWriter writer{payload};
  writer.varint(made.topic.value);
  writer.varint(made.partitions);
  effect(static_cast<std::uint8_t>(LogEffect::partitions_made), 1, payload);
  made_.push_back(made);
}

void Group::remove_topic(TopicRemoved removed) {
  std::string payload;
  ByteWriter{payload}.varint(removed.topic.value);
  effect(static_cast<std::uint8_t>(LogEffect::topic_removed), 1, payload);
  removed_.push_back(removed);
}

void Group::trim(Trimmed trimmed) {
  std::string payload;
  ByteWriter writer{payload};
  write_partition(writer, trimmed.partition);
  writer.varint(static_cast<std::uint64_t>(trimmed.before.value));
  effect(static_cast<std::uint8_t>(LogEffect::trimmed), 1, payload);
  trims_.push_back(trimmed);
}

void Group::skip(Skipped skipped) {
  std::string payload;
  ByteWriter writer{payload};
  write_partition(writer, skipped.partition);
  writer.varint(static_cast<std::uint64_t>(skipped.from.value));
  writer.varint(static_cast<std::uint64_t>(skipped.next.value));
  writer.text(skipped.reason);
  effect(static_cast<std::uint8_t>(LogEffect::skipped), 1, payload);
  skips_.push_back(std::move(skipped));
}

void Group::raise(Raised raised) {
  std::string payload;
  ByteWriter writer{payload};
  write_partition(writer, raised.partition);
  writer.varint(static_cast<std::uint64_t>(raised.next.value));
  effect(static_cast<std::uint8_t>(LogEffect::raised), 1, payload);
}

std::vector<std::string_view> Group::seal() {
  std::vector<std::string_view> pieces;
  if (!frames_.empty()) pieces.push_back(frames_);
  if (batches_.empty()) return pieces;
  // The heads are built in one string first: views into it must not move.
  struct Head {
    std::size_t start, end;
  };
  std::vector<Head> heads;
  batch_heads_.assign(frame_head, '\0');
  ByteWriter writer{batch_heads_};
  std::size_t length = frame_head - 4;
  for (const AppendedBatch& batch : batches_) {
    const std::size_t start = heads.empty() ? 0 : batch_heads_.size();
    std::string payload;
    ByteWriter place{payload};
    write_partition(place, batch.partition);
    place.varint(static_cast<std::uint64_t>(batch.base.value));
    place.varint(static_cast<std::uint64_t>(batch.next.value));
    place.svarint(batch.max_timestamp_ms);
    writer.u8(static_cast<std::uint8_t>(LogEffect::appended));
    writer.u8(1);
    writer.varint(payload.size() + batch.bytes->size());
    writer.raw(payload);
    heads.push_back({start, batch_heads_.size()});
    length += batch_heads_.size() - (start == 0 ? frame_head : start) + batch.bytes->size();
  }
  store(batch_heads_.data(), static_cast<std::uint32_t>(length));
  store(batch_heads_.data() + 4, std::uint16_t{0});
  store(batch_heads_.data() + 6, static_cast<std::uint16_t>(batches_.size()));
  ++frame_count_;
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    pieces.push_back(std::string_view{batch_heads_}.substr(heads[i].start, heads[i].end - heads[i].start));
    pieces.push_back(*batches_[i].bytes);
  }
  return pieces;
}

Result<void> walk_effects(std::string_view body, const std::function<Result<void>(const EffectView&)>& visit) {
  ByteReader reader{body};
  while (reader.left() != 0) {
    ByteReader frame{reader.raw(reader.u32())};
    frame.u16();
    const std::uint16_t count = frame.u16();
    for (std::uint16_t i = 0; i < count; ++i) {
      EffectView effect{};
      effect.type = frame.u8();
      effect.version = frame.u8();
      effect.payload = frame.text();
      if (!frame.ok()) return bad_effect("frame");
      if (auto visited = visit(effect); !visited) return visited;
    }
    if (!reader.ok() || !frame.done()) return bad_effect("frame");
  }
  return {};
}

Result<AppendedView> read_appended(std::string_view payload) {
  ByteReader reader{payload};
  AppendedView view;
  view.partition = read_partition(reader);
  view.base = Offset{static_cast<std::int64_t>(reader.varint())};
  view.next = Offset{static_cast<std::int64_t>(reader.varint())};
  view.max_timestamp_ms = reader.svarint();
  view.batch = reader.rest();
  if (!reader.ok() || view.base.value < 0 || view.next <= view.base) return bad_effect("batch");
  return view;
}

Result<PartitionsMade> read_partitions_made(std::string_view payload) {
  ByteReader reader{payload};
  const TopicId topic{static_cast<std::uint32_t>(reader.varint())};
  const auto count = static_cast<std::uint32_t>(reader.varint());
  if (!reader.done()) return bad_effect("topic");
  return PartitionsMade{topic, count};
}

Result<TopicRemoved> read_topic_removed(std::string_view payload) {
  ByteReader reader{payload};
  const TopicId topic{static_cast<std::uint32_t>(reader.varint())};
  if (!reader.done()) return bad_effect("removal");
  return TopicRemoved{topic};
}

Result<Trimmed> read_trimmed(std::string_view payload) {
  ByteReader reader{payload};
  const PartitionRef partition = read_partition(reader);
  const Offset before{static_cast<std::int64_t>(reader.varint())};
  if (!reader.done()) return bad_effect("trim");
  return Trimmed{partition, before};
}

Result<Skipped> read_skipped(std::string_view payload) {
  ByteReader reader{payload};
  Skipped skipped;
  skipped.partition = read_partition(reader);
  skipped.from = Offset{static_cast<std::int64_t>(reader.varint())};
  skipped.next = Offset{static_cast<std::int64_t>(reader.varint())};
  skipped.reason = reader.text();
  if (!reader.done() || skipped.next <= skipped.from) return bad_effect("skip");
  return skipped;
}

Result<Raised> read_raised(std::string_view payload) {
  ByteReader reader{payload};
  const PartitionRef partition = read_partition(reader);
  const Offset next{static_cast<std::int64_t>(reader.varint())};
  if (!reader.done()) return bad_effect("raise");
  return Raised{partition, next};
}

}  // namespace continuo::log
