// Ids and counts that cannot be mixed up: an Offset is not a PartitionId, and neither is a plain integer.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

namespace continuo::inline base {

/// A number of one kind. Tag only names the kind.
template <class Tag, class Value>
struct Id {
  using value_type = Value;
  Value value{};
  constexpr Id() = default;
  constexpr explicit Id(Value v) : value(v) {}
  constexpr auto operator<=>(const Id&) const = default;
};

/// The place of a record in its partition: from 0, growing by at least 1.
using Offset = Id<struct OffsetTag, std::int64_t>;
/// Partition of a topic, from 0.
using PartitionId = Id<struct PartitionTag, std::uint32_t>;
/// A topic's number: given once, never used again, also for a later topic of the same name.
using TopicId = Id<struct TopicTag, std::uint32_t>;
/// A subscription's number: given once, never used again.
using SubscriptionId = Id<struct SubscriptionTag, std::uint32_t>;
/// A journal group's number: +1 for each, for ever.
using Sequence = Id<struct SequenceTag, std::uint64_t>;
/// How often this log was started.
using Epoch = Id<struct EpochTag, std::uint32_t>;

constexpr Offset operator+(Offset offset, std::int64_t count) { return Offset{offset.value + count}; }
constexpr std::int64_t operator-(Offset left, Offset right) { return left.value - right.value; }
constexpr Sequence next(Sequence sequence) { return Sequence{sequence.value + 1}; }

constexpr Offset max_offset{std::numeric_limits<std::int64_t>::max()};

/// One partition of one topic.
struct PartitionRef {
  TopicId topic;
  PartitionId partition;
  constexpr auto operator<=>(const PartitionRef&) const = default;
};

}  // namespace continuo::inline base

template <class Tag, class Value>
struct std::hash<continuo::Id<Tag, Value>> {
  std::size_t operator()(continuo::Id<Tag, Value> id) const noexcept { return std::hash<Value>{}(id.value); }
};

template <>
struct std::hash<continuo::PartitionRef> {
  std::size_t operator()(const continuo::PartitionRef& ref) const noexcept {
    return std::hash<std::uint64_t>{}((std::uint64_t{ref.topic.value} << 32) | ref.partition.value);
  }
};
