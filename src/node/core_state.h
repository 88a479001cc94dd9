// The open group and a checkpoint round: parts of the core that its sources share.
#pragma once

#include "continuo/base/bytes.h"
#include "continuo/node/core.h"

namespace continuo::node {

/// The group being filled.
struct Core::Open {
  /// A batch under construction for one partition.
  struct Building {
    record::BatchBuilder builder;
    Offset base;
    std::int64_t max_timestamp_ms = 0;
  };
  ClosedGroup group;
  std::map<PartitionRef, Building> builders;  // ordered: the bytes of a group must not depend on a hash table
  std::size_t laid = 0;                       // bytes the batches will have, at most
  /// Bytes the group will have, at most.
  std::size_t size() const { return group.log.frames().size() + laid + log::Group::frame_head; }
};

/// A checkpoint under way.
struct Core::Round {
  Sequence upto;
  Now now;
  Sequence highest_stamp;
  bool complete = false;
  bool handed_out = false;
  std::vector<log::UnitImage> units;
};

/// Members of an event's data: who asked for what it tells, and why.
std::string who_and_why(std::string_view by, std::string_view reason);

/// Whether a commit of which `open` bytes are taken has room for a settle with what is told of the keys that drain by
/// it.
Result<void> room_to_tell(const engines::SubscriptionsEngine& subscriptions,
                          const std::vector<engines::Effect>& effects, const std::vector<NewRecord>& publish,
                          std::size_t open);

/// Bytes of a failure's message in what is told of it.
constexpr std::size_t longest_told_message = 512;

SubscriptionFigures figures_of(const Core& core, SubscriptionId id);

/// What a group may hold of body bytes; the rest is for heads and padding.
constexpr std::size_t group_budget = log::max_group_body - 128 * 1024;

template <class T>
void Core::effect(const T& effect) {
  const engines::Effect encoded = engines::encode(effect);
  open_->group.log.effect(static_cast<std::uint8_t>(encoded.type), encoded.version, encoded.payload);
}

template <class T>
void Core::reply(Edge& edge, Answer<T> answer, Result<T> result) {
  deliver(edge, [answer = std::move(answer), result = std::move(result), verdict = verdict_]() mutable {
    if (verdict->failed.load(std::memory_order_acquire))
      answer(std::unexpected(verdict->error));
    else
      answer(std::move(result));
  });
}

// A failed node answers at once; nothing is decided any more.
template <class T>
bool Core::refuse_if_failed(Edge& edge, Answer<T>& answer) {
  if (!failed_) return false;
  reply<T>(edge, std::move(answer), continuo::fail(Code::node_failed, "the node stopped"));
  fail(verdict_->error, nullptr);
  return true;
}

}  // namespace continuo::node
