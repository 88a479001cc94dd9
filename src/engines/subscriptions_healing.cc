// Keys that are given up, and what heals them: what the effects of it change.
#include <array>

#include "continuo/engines/subscription_state.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {

std::string_view name(ReleaseState state) {
  constexpr std::array<std::string_view, 5> names = {"running", "done", "relapsed", "cancelled", "forgotten"};
  return names.at(static_cast<std::size_t>(state));
}

// ---- keys -----------------------------------------------------------------------------------------------------------

void SubscriptionStates::change(const KeyParked& effect, Elapsed now) {
  apply_key(effect, [&](KeyUnit& unit) {
    State& found = *state(effect.key.subscription);
    if (unit.state == KeyUnit::State::leased) watch(found, effect.key, effect.failure, now);
    ++found.tally.parked;
    // On its way to the dead letters, and back where those could not be written: it failed once.
    if (unit.drain_to && unit.state != KeyUnit::State::giving_up) ++found.tally.relapsed;
    const bool drains_on = unit.drain_to && effect.to == GivenUp::dead_letter;
    unit.leased = 0;
    unit.failure = effect.failure;
    if (!drains_on) unit.since = effect.since;
    unit.event_type = effect.event_type;
    if (!effect.key_text.empty()) unit.key_text = effect.key_text;
    unit.repair_by = effect.repair_by;
    unit.repair_lease = 0;
    if (!unit.drain_to) unit.release = 0;  // one that came back from a release says which
    if (!drains_on) unit.drain_to.reset();
    unit.state = effect.to == GivenUp::dead_letter ? KeyUnit::State::giving_up : KeyUnit::State::parked;
  });
}

void SubscriptionStates::change(const KeyReleased& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    ++state(effect.key.subscription)->tally.released;
    unit.attempts = 0;
    unit.failure = {};
    unit.repair_lease = 0;
    if (effect.drain_to >= unit.queue.front()) unit.drain_to = effect.drain_to;
    unit.release = effect.release;
    unit.state = KeyUnit::State::ready;
  });
}

void SubscriptionStates::change(const KeySkipped& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    ++state(effect.key.subscription)->tally.skipped;
    const std::string called = unit.state == KeyUnit::State::parked ? unit.key_text : std::string{};
    unit.pass(1);
    if (!called.empty()) unit.key_text = called;  // what is left of the key is let go next, and told of
    unit.leased = 0;
    unit.attempts = 0;
    unit.repair_lease = 0;
    unit.state = KeyUnit::State::ready;
  });
}

void SubscriptionStates::change(const HeadEdited& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    ++state(effect.key.subscription)->tally.repaired;
    unit.edited = effect.copy;
    ++unit.repairs;
  });
}

void SubscriptionStates::change(const RepairChanged& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    unit.repair_by = effect.repair_by;
    unit.repair_lease = effect.lease;
    unit.repair_until = effect.until;
  });
}

void SubscriptionStates::change(const KeyTimeCame& effect, Elapsed) {
  apply_key(effect, [](KeyUnit& unit) {
    unit.time_came = true;
    if (unit.state == KeyUnit::State::scheduled) unit.state = KeyUnit::State::ready;
  });
}

// ---- the subscription -----------------------------------------------------------------------------------------------

template <class U, class T>
void SubscriptionStates::replace(std::unique_ptr<U>& unit, const T& value, bool gone) {
  if (!gone) {
    if (!unit) unit = std::make_unique<U>();
    unit->value = value;
    return ledger_.touch(*unit);
  }
  if (!unit) return;
  ledger_.erase(*unit);
  unit.reset();
  forget_if_empty(value.subscription);
}

void SubscriptionStates::change(const ReleaseChanged& effect, Elapsed) {
  State& found = make_state(effect.subscription);
  if (found.release) releases_due_.erase({found.release->value.next_at, effect.subscription});
  releases_due_.erase({Elapsed{0}, effect.subscription});
  if (effect.state == ReleaseState::forgotten) return replace(found.release, effect, true);
  replace(found.release, effect, false);
  schedule_release(found);
}

// By the clock, or when enough is drained.
void SubscriptionStates::schedule_release(State& state) {
  if (!state.release || state.release->value.state != ReleaseState::running) return;
  if (state.release->value.next_at != when_drained)
    releases_due_.emplace(state.release->value.next_at, state.id);
  else if (state.release_may_go_on())
    releases_due_.emplace(Elapsed{0}, state.id);
  else
    releases_due_.erase({Elapsed{0}, state.id});
}

void SubscriptionStates::note_draining(State& state, const KeyUnit& unit, bool begins) {
  if (begins)
    ++draining_;
  else
    --draining_;
  state.drains(unit, begins);
  schedule_release(state);
}

void SubscriptionStates::change(const StormChanged& effect, Elapsed) {
  State& found = make_state(effect.subscription);
  if (found.storm) probes_due_.erase({found.storm->value.probe_at, effect.subscription});
  if (!found.storm && !effect.over) ++found.tally.storms;
  if (effect.over) found.failing.clear();
  if (!effect.over && effect.probe_at != Elapsed{0}) probes_due_.emplace(effect.probe_at, effect.subscription);
  replace(found.storm, effect, effect.over);
}

void SubscriptionStates::change(const SubscriptionUsed& effect, Elapsed) {
  replace(make_state(effect.subscription).use, effect, effect.at == WallTime{});
}

SubscriptionStates::Target SubscriptionStates::target(const ReleaseChanged& effect) const {
  const State* found = state(effect.subscription);
  return {found == nullptr ? nullptr : found->release.get(), unit_key_of(UnitKind::release, effect.subscription.value)};
}

SubscriptionStates::Target SubscriptionStates::target(const StormChanged& effect) const {
  const State* found = state(effect.subscription);
  return {found == nullptr ? nullptr : found->storm.get(), unit_key_of(UnitKind::storm, effect.subscription.value)};
}

SubscriptionStates::Target SubscriptionStates::target(const SubscriptionUsed& effect) const {
  const State* found = state(effect.subscription);
  return {found == nullptr ? nullptr : found->use.get(), unit_key_of(UnitKind::use, effect.subscription.value)};
}

}  // namespace continuo::engines
