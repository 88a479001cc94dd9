// A subscription that goes to another place: the same name, settings and everything under a new number, begun there.
// What was of the old number goes piece by piece, as of a subscription that was deleted.
#include <fmt/format.h>

#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr std::size_t most_kept_effects = 4'000;

}  // namespace

// The key as it is, under the new number.
void SubscriptionsEngine::move_parked(const State& state, const KeyUnit& unit, SubscriptionId to,
                                      std::vector<Effect>& effects) const {
  const KeyRef ref{to, unit.ref.partition, unit.ref.key_hash};
  effects.push_back(encode(KeyQueued{ref, unit.queue, unit.times}));
  effects.push_back(
      encode(KeyParked{ref, unit.failure, unit.since, GivenUp::parked, unit.repair_by, unit.event_type}));
  if (unit.edited) effects.push_back(encode(HeadEdited{ref, *unit.edited, {}, "the subscription was moved", {}}));
  if (const auto* waiting = state.behind(unit.ref))
    for (const auto& [first, page] : waiting->pages)
      effects.push_back(encode(KeyPageFilled{ref, first, page->offsets, page->times}));
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_seek(
    SubscriptionId id, std::span<const std::pair<PartitionRef, Offset>> to, bool keep_parked) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition)
    return fail(Code::unknown_subscription, fmt::format("there is no subscription with number {}", id.value));
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
  for (const auto& [partition, hash] : found->parked) {
    move_parked(*found, *found->keys.at({id, partition, hash}), defined.id, effects);
    if (effects.size() > most_kept_effects)
      return fail(Code::limit_reached, fmt::format("{} keys with {} events are parked: too many to keep in one step",
                                                   found->counts.parked_keys, found->counts.parked_events),
                  "parked", R"(release or skip some first, or say "parked":"discard")");
  }
  return effects;
}

// What a key holds already is not taken again: the subscription went back, and the key stayed where it was.
void SubscriptionsEngine::pass_held(const KeyRef& ref, std::vector<Offset>& offsets) const {
  const KeyUnit* unit = key(ref);
  if (unit == nullptr || offsets.empty()) return;
  const Offset last = last_of(*unit);
  if (offsets.front() > last) return;
  std::erase_if(offsets, [&](Offset offset) { return offset <= last; });
}

}  // namespace continuo::engines
