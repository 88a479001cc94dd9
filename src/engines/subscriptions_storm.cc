// The storm guard: when many keys fail alike within a short time it is not the events' fault. The subscription holds
// still, tries one key now and then, and goes on when that succeeds. And subscriptions that nobody uses any more.
#include <algorithm>

#include "continuo/engines/fingerprint.h"
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr Millis longest_probe{300'000};
constexpr std::size_t most_fingerprints = 16;  // watched at once in a subscription

Millis probe_after(const StormGuard& guard, std::uint32_t probes) {
  const Millis base = guard.keys == 0 ? StormGuard{}.probe : guard.probe;
  return std::min(Millis{base.count() << std::min(probes, 20u)}, longest_probe);
}

}  // namespace

// ---- watching -------------------------------------------------------------------------------------------------------

// Notes that a delivery of the key failed. Keys are counted once for each fingerprint, at their last failure.
void SubscriptionStates::watch(State& state, const KeyRef& ref, const Failure& failure, Elapsed now) {
  if (!state.definition) return;
  const StormGuard& guard = state.definition->definition.settings.storm;
  if (guard.keys == 0) return state.failing.clear();
  const std::string name = fingerprint(failure);
  auto found = std::ranges::find(state.failing, name, &State::Failing::fingerprint);
  if (found == state.failing.end()) {
    if (state.failing.size() >= most_fingerprints) state.failing.erase(state.failing.begin());
    found = state.failing.insert(state.failing.end(), State::Failing{name, {}, {}});
  }
  if (const auto before = found->last.find(ref); before != found->last.end())
    found->by_time.erase({before->second, ref});
  found->last[ref] = now;
  found->by_time.emplace(now, ref);
  while (found->by_time.begin()->first + guard.within < now || found->by_time.size() > guard.keys) {
    found->last.erase(found->by_time.begin()->second);
    found->by_time.erase(found->by_time.begin());
  }
}

// ---- deciding -------------------------------------------------------------------------------------------------------

bool SubscriptionStates::is_probing(const State& state) const {
  const auto& probing = state.storm->value.probing;
  const KeyUnit* unit = probing ? key(*probing) : nullptr;
  return unit != nullptr && unit->state == KeyUnit::State::leased;
}

// True: the storm has to do with it, and what becomes of the event is said.
bool SubscriptionsEngine::decide_storm(const State& state, const KeyUnit& unit, const Failed& failed, const Now& now,
                                       Failures& failures, std::vector<Effect>& effects) const {
  const StormGuard& guard = state.definition->definition.settings.storm;
  const bool began = failures.storms.contains(state.id);
  if (!state.storm && !began && guard.keys == 0) return false;
  if (!state.storm && !began) {
    const std::string name = fingerprint(failed.failure);
    const std::uint32_t together = ++failures.alike[{state.id, name}];
    if (alike(state, unit.ref, name, now.elapsed) + together < guard.keys) return false;
    StormChanged storm{.subscription = state.id,
                       .fingerprint = name,
                       .since = now.wall,
                       .probe_at = now.elapsed + probe_after(guard, 0)};
    effects.push_back(encode(storm));
    failures.storms.emplace(state.id, std::move(storm));
  }
  effects.push_back(encode(KeyReturned{unit.ref, {}, failed.failure, true}));
  if (!state.storm || state.storm->value.probing != unit.ref) return true;
  StormChanged storm = state.storm->value;
  storm.probing.reset();
  storm.probe_at = now.elapsed + probe_after(guard, ++storm.probes);
  effects.push_back(encode(storm));
  return true;
}

// Other keys that failed so of late.
std::uint32_t SubscriptionsEngine::alike(const State& state, const KeyRef& ref, const std::string& name,
                                         Elapsed now) const {
  const auto found = std::ranges::find(state.failing, name, &State::Failing::fingerprint);
  if (found == state.failing.end()) return 0;
  const Elapsed begin{now.ms - state.definition->definition.settings.storm.within.count()};
  const auto recent = found->by_time.lower_bound({begin, KeyRef{}});
  const auto own = found->last.find(ref);
  const bool counted = own != found->last.end() && own->second >= begin;
  return static_cast<std::uint32_t>(std::distance(recent, found->by_time.end())) - (counted ? 1 : 0);
}

void SubscriptionsEngine::decide_storm_over(const State& state, const KeyRef& settled,
                                            std::vector<Effect>& effects) const {
  if (!state.storm || state.storm->value.probing != settled) return;
  StormChanged storm = state.storm->value;
  storm.over = true;
  effects.push_back(encode(storm));
}

// The key that waits longest, and of it one event.
SubscriptionsEngine::ReceiveDecision SubscriptionsEngine::decide_probe(const State& state, Millis lease,
                                                                       Elapsed now) const {
  ReceiveDecision decision;
  const StormChanged& storm = state.storm->value;
  if (storm.probe_at != Elapsed{0} || is_probing(state) || state.ready.empty()) return decision;
  const auto& [head, partition, hash] = *state.ready.begin();
  const KeyUnit& unit = *state.keys.at({state.id, partition, hash});
  lease_run(state, unit, 1, now + lease, decision);
  decision.probe = storm;
  decision.probe->probing = unit.ref;
  return decision;
}

void SubscriptionsEngine::decide_healing_due(const Now& now, std::size_t most, std::vector<Effect>& effects) const {
  std::size_t left = most - std::min(most, effects.size());
  for (const auto& [at, id] : probes_due_) {
    if (at > now.elapsed || left == 0) break;
    --left;
    StormChanged storm = states_.at(id)->storm->value;
    storm.probe_at = Elapsed{0};
    effects.push_back(encode(storm));
  }
  for (const auto& [at, id] : releases_due_) {
    if (at > now.elapsed || left == 0) break;
    decide_release_slice(*states_.at(id), now, left, effects);
  }
}

const StormChanged* SubscriptionsEngine::storm(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr || !found->storm ? nullptr : &found->storm->value;
}

// ---- subscriptions that nobody uses ---------------------------------------------------------------------------------

std::optional<SubscriptionUsed> SubscriptionsEngine::decide_used(SubscriptionId id, WallTime now) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition) return std::nullopt;
  const auto& idle = found->definition->definition.settings.idle;
  if (!idle) return std::nullopt;
  // Known to a tenth is well enough.
  if (found->use && now.ms < found->use->value.at.ms + idle->count() / 10) return std::nullopt;
  return SubscriptionUsed{id, now};
}

// Not while keys are parked: somebody has to look at those.
std::vector<SubscriptionDeleted> SubscriptionsEngine::decide_idle(WallTime now) const {
  std::vector<SubscriptionDeleted> all;
  for (const auto& [id, found] : states_) {
    if (!found->definition || !found->definition->definition.settings.idle || !found->use) continue;
    if (now.ms < found->use->value.at.ms + found->definition->definition.settings.idle->count()) continue;
    if (found->counts.parked_keys == 0) all.push_back({id});
  }
  return all;
}

}  // namespace continuo::engines
