// A subscription that goes to another place: the same name, settings and everything under a new number, begun there.
// What was of the old number goes piece by piece, as of a subscription that was deleted.
#include <fmt/format.h>

#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr std::size_t most_kept_effects = 4'000;
constexpr std::size_t most_kept_bytes = 900'000;  // of these effects, some with the text of a failure

}  // namespace

// What the key holds of before the new place, under the new number. The rest comes again, behind it.
void SubscriptionsEngine::move_parked(const State& state, const KeyUnit& unit, SubscriptionId to, Offset before,
                                      std::vector<Effect>& effects) const {
  const auto behind = [&](const auto& each) {
    if constexpr (requires { each.offset; })
      return each.offset >= before;
    else
      return each >= before;
  };
  const KeyRef ref{to, unit.ref.partition, unit.ref.key_hash};
  KeyQueued front{ref, unit.queue, unit.times};
  std::erase_if(front.offsets, behind);
  std::erase_if(front.times, behind);
  if (front.offsets.empty()) return;
  effects.push_back(encode(front));
  effects.push_back(encode(
      KeyParked{ref, unit.failure, unit.since, GivenUp::parked, unit.repair_by, unit.event_type, unit.key_text}));
  if (unit.edited) effects.push_back(encode(HeadEdited{ref, *unit.edited, {}, "the subscription was moved", {}}));
  const auto* waiting = state.behind(unit.ref);
  if (waiting == nullptr) return;
  for (const auto& [first, page] : waiting->pages) {
    KeyPageFilled filled{ref, first, page->offsets, page->times};
    std::erase_if(filled.offsets, behind);
    std::erase_if(filled.times, behind);
    if (!filled.offsets.empty()) effects.push_back(encode(filled));
  }
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_seek(SubscriptionId id,
                                                             std::span<const std::pair<PartitionRef, Offset>> to,
                                                             bool keep_parked) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition) return unknown(id);
  SubscriptionDefined defined = found->definition->definition;
  defined.id = SubscriptionId{static_cast<std::uint32_t>(counter_.next)};
  ++defined.epoch;
  std::vector<Effect> effects{encode(SubscriptionDeleted{id}), encode(defined)};
  std::map<PartitionRef, Offset> next;
  for (const auto& [partition, cursor] : found->cursors) next[partition] = cursor.next;
  for (const auto& [partition, offset] : to) {
    const auto known = next.find(partition);
    if (known == next.end()) return fail(Code::unknown_partition, "the subscription does not read that partition");
    known->second = offset;
  }
  for (const auto& [partition, offset] : next) effects.push_back(encode(CursorMoved{defined.id, partition, offset}));
  if (!keep_parked) return effects;
  std::size_t bytes = 0, counted = 0;
  for (const auto& [partition, hash] : found->parked) {
    move_parked(*found, *found->keys.at({id, partition, hash}), defined.id, next.at(partition), effects);
    for (; counted < effects.size(); ++counted) bytes += effects[counted].payload.size();
    if (effects.size() > most_kept_effects || bytes > most_kept_bytes)
      return fail(Code::limit_reached,
                  fmt::format("{} keys with {} events are parked: too many to keep in one step",
                              found->counts.parked_keys, found->counts.parked_events),
                  "parked", R"(release or skip some first, or say "parked":"discard")");
  }
  return effects;
}

}  // namespace continuo::engines
