// Times of events: heads that wait for theirs, and those that expired before anybody had them.
//
// They go by wall time, which the changes of a key do not see: a head with a time waits until it is told that it came.
// Nothing expires under a consumer's hands, nor while its key is parked.
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr WallTime none{};
constexpr std::string_view expired = "expired";

// The head's, if it has any.
const EventTimes* times_of_head(const KeyUnit& unit) {
  const bool has = !unit.times.empty() && unit.times.front().offset == unit.queue.front();
  return has ? &unit.times.front() : nullptr;
}

WallTime expiry_of(const KeyUnit& unit) {
  const EventTimes* times = times_of_head(unit);
  const bool may_expire = unit.state == KeyUnit::State::ready || unit.state == KeyUnit::State::backoff ||
                          unit.state == KeyUnit::State::scheduled;
  return times != nullptr && may_expire ? times->expires : none;
}

// How many of the front have expired, one behind the other.
std::size_t expired_in_front(const KeyUnit& unit, WallTime now) {
  std::size_t count = 0;
  for (const EventTimes& times : unit.times) {
    if (count == unit.queue.size() || times.offset != unit.queue[count]) break;
    if (times.expires == none || times.expires > now) break;
    ++count;
  }
  return count;
}

}  // namespace

// ---- indexes --------------------------------------------------------------------------------------------------------

void SubscriptionsEngine::schedule(KeyUnit& unit) {
  if (unit.state != KeyUnit::State::ready || unit.time_came) return;
  const EventTimes* times = times_of_head(unit);
  if (times != nullptr && times->not_before != none) unit.state = KeyUnit::State::scheduled;
}

void SubscriptionsEngine::enter_times(State& state, const KeyUnit& unit) {
  if (unit.state == KeyUnit::State::scheduled) {
    state.scheduled += state.events(unit);
    coming_.insert({times_of_head(unit)->not_before, unit.ref});
  }
  if (const WallTime expires = expiry_of(unit); expires != none) expiring_.insert({expires, unit.ref});
}

void SubscriptionsEngine::leave_times(State& state, const KeyUnit& unit) {
  if (unit.state == KeyUnit::State::scheduled) {
    state.scheduled -= state.events(unit);
    coming_.erase({times_of_head(unit)->not_before, unit.ref});
  }
  if (const WallTime expires = expiry_of(unit); expires != none) expiring_.erase({expires, unit.ref});
}

// ---- decisions ------------------------------------------------------------------------------------------------------

// What a consumer gets at once of a key ends before an event with a time of its own, and before one that expires
// sooner than the head, which did not.
std::uint32_t SubscriptionsEngine::run_of(const KeyUnit& unit) {
  const EventTimes* head = times_of_head(unit);
  for (const EventTimes& times : unit.times) {
    if (times.offset == unit.queue.front()) continue;
    const bool sooner =
        times.expires != none && (head == nullptr || head->expires == none || times.expires < head->expires);
    if (times.not_before == none && !sooner) continue;
    return static_cast<std::uint32_t>(std::ranges::lower_bound(unit.queue, times.offset) - unit.queue.begin());
  }
  return static_cast<std::uint32_t>(unit.queue.size());
}

std::vector<Effect> SubscriptionsEngine::decide_times(WallTime now, std::size_t most, bool expire) const {
  std::vector<Effect> effects;
  for (auto at = expiring_.begin(); expire && at != expiring_.end() && at->at <= now && effects.size() < most; ++at) {
    const KeyUnit& unit = *key(at->key);
    const std::size_t count = std::min(expired_in_front(unit, now), most - effects.size());
    decide_refill(unit, count, effects);
    for (std::size_t i = 0; i < count; ++i) effects.push_back(encode(KeySkipped{unit.ref, std::string{expired}, {}}));
  }
  for (auto at = coming_.begin(); at != coming_.end() && at->at <= now && effects.size() < most; ++at) {
    const WallTime expires = expiry_of(*key(at->key));
    if (!expire || expires == none || expires > now) effects.push_back(encode(KeyTimeCame{at->key}));
  }
  return effects;
}

std::optional<WallTime> SubscriptionsEngine::next_time(bool expire) const {
  std::optional<WallTime> next;
  if (!coming_.empty()) next = coming_.begin()->at;
  if (expire && !expiring_.empty() && (!next || expiring_.begin()->at < *next)) next = expiring_.begin()->at;
  return next;
}

// ---- queues ---------------------------------------------------------------------------------------------------------

TrimSlice SubscriptionsEngine::decide_purge(const TrimPass& pass, std::size_t most) const {
  TrimSlice slice;
  slice.next = pass;
  const State* found = state(pass.subscription);
  slice.complete =
      found == nullptr || !found->definition || trim_slice(*found, [](Offset) { return false; }, most, slice);
  return slice;
}

std::optional<Offset> SubscriptionsEngine::settled_below(PartitionRef partition) const {
  std::optional<Offset> lowest;
  for (const auto& [id, each] : states_) {
    const auto cursor = each->cursors.find(partition);
    if (cursor == each->cursors.end()) continue;
    Offset own = cursor->second.next;
    const auto head = each->heads.lower_bound({partition, Offset{0}});
    if (head != each->heads.end() && head->first.first == partition) own = std::min(own, head->first.second);
    lowest = lowest ? std::min(*lowest, own) : own;
  }
  return lowest;
}

std::vector<EventState> SubscriptionsEngine::states_of(SubscriptionId id, std::span<const EventPlace> events) const {
  std::vector<EventState> all(events.size());
  const State* found = state(id);
  if (found == nullptr || !found->definition) return all;
  const bool by_key = found->definition->definition.settings.order_by == OrderBy::key;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EventPlace& event = events[i];
    const auto cursor = found->cursors.find(event.partition);
    if (cursor == found->cursors.end()) continue;
    if (event.offset >= cursor->second.next) {
      all[i].state = EventState::Is::waiting;
      continue;
    }
    const KeyRef ref{id, event.partition, by_key ? event.key_hash : static_cast<std::uint64_t>(event.offset.value)};
    if (const KeyUnit* unit = key(ref)) all[i] = state_of(*found, *unit, event.offset);
  }
  return all;
}

EventState SubscriptionsEngine::state_of(const State& state, const KeyUnit& unit, Offset offset) {
  const auto at = std::ranges::lower_bound(unit.queue, offset);
  const bool in_front = at != unit.queue.end() && *at == offset;
  const auto* behind = state.behind(unit.ref);
  if (!in_front && (behind == nullptr || !behind->has(offset))) return {};
  const auto place = in_front ? static_cast<std::size_t>(at - unit.queue.begin()) : unit.queue.size();
  const std::uint32_t attempts = place == 0 ? unit.attempts : place < unit.leased ? 1 : 0;
  switch (unit.state) {
    case KeyUnit::State::parked: return {EventState::Is::parked, attempts};
    case KeyUnit::State::leased:
      return {place < unit.leased ? EventState::Is::leased : EventState::Is::waiting, attempts};
    case KeyUnit::State::backoff:
    case KeyUnit::State::scheduled:
    case KeyUnit::State::giving_up: return {EventState::Is::delayed, attempts};
    case KeyUnit::State::ready: break;
  }
  return {EventState::Is::waiting, attempts};
}

}  // namespace continuo::engines
