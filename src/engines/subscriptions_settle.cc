// What the subscriptions engine decides when consumers settle, and when they fail to.
#include <boost/container/small_vector.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/lease_bounds.h"
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr std::size_t settle_page_bytes = 60 * 1024;
constexpr std::uint32_t most_repairs = 5;  // of one event before it is left to a person

// Other keys are known by their hash alone: what is told of many keys at once has to have room.
bool may_be_told(std::string_view key_text) {
  constexpr std::size_t longest = 128;
  return key_text.size() <= longest &&
         std::ranges::none_of(key_text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

}  // namespace

// What one request says of one key's lease.
struct SubscriptionsEngine::KeyPlan {
  boost::container::small_vector<Lease, 1> acks;  // by offset; most keys have one
  const Nack* nack = nullptr;
  std::vector<const Extend*> extends;
};

Result<SubscriptionsEngine::Plans> SubscriptionsEngine::plan(const Settle& settle) const {
  Plans plans;
  const auto at = [&](const Lease& lease) -> KeyPlan& {
    return plans[{settle.subscription, lease.partition, lease.key_hash}];
  };
  for (const Lease& lease : settle.acks) at(lease).acks.push_back(lease);
  for (auto& [ref, key_plan] : plans) {
    std::ranges::sort(key_plan.acks, {}, &Lease::offset);
    const auto twice = std::ranges::adjacent_find(key_plan.acks);
    if (twice != key_plan.acks.end())
      return fail(Code::bad_request, "a lease is acknowledged twice in one request", "ack");
  }
  for (const Nack& nack : settle.nacks) {
    KeyPlan& key_plan = at(nack.lease);
    if (key_plan.nack != nullptr)
      return fail(Code::bad_request, "two events of one key are refused in one request", "nack");
    key_plan.nack = &nack;
    if (std::ranges::find(key_plan.acks, nack.lease) != key_plan.acks.end())
      return fail(Code::bad_request, "a lease is acknowledged and refused in one request", "nack");
  }
  for (const Extend& extend : settle.extends) at(extend.lease).extends.push_back(&extend);
  for (auto& [ref, key_plan] : plans) {
    std::ranges::sort(key_plan.extends, {}, [](const Extend* extend) { return extend->lease; });
    const auto twice = std::ranges::adjacent_find(key_plan.extends, {}, [](const Extend* each) { return each->lease; });
    if (twice != key_plan.extends.end())
      return fail(Code::bad_request, "a lease is extended twice in one request", "extend");
  }
  return plans;
}

// The key if the lease still holds.
const KeyUnit* SubscriptionsEngine::leased_key(const Lease& lease) const {
  const State* found = state(lease.subscription);
  if (found == nullptr || !found->definition || found->definition->definition.epoch != lease.epoch) return nullptr;
  const KeyUnit* unit = key({lease.subscription, lease.partition, lease.key_hash});
  if (unit == nullptr || unit->state != KeyUnit::State::leased || unit->lease_number != lease.number) return nullptr;
  return unit;
}

void SubscriptionsEngine::decide_lease_over(const KeyUnit& unit, const Now& now, Failures& failures,
                                            std::vector<Effect>& effects) const {
  const Failure failure{"lease_expired", "the consumer did not settle in time"};
  decide_failure(*state(unit.ref.subscription), unit, {0, failure, std::nullopt, {}, {}}, now, failures, effects);
}

void SubscriptionsEngine::decide_failure(const State& state, const KeyUnit& unit, const Failed& failed, const Now& now,
                                         Failures& failures, std::vector<Effect>& effects) const {
  if (decide_storm(state, unit, failed, now, failures, effects)) return;
  const SubscriptionSettings& settings = state.definition->definition.settings;
  const std::uint32_t attempts = failed.settled_before == 0 ? unit.attempts : 1;
  const RetrySteps& steps = settings.retry.steps_for(failed.failure.code);
  if (attempts >= steps.attempts) return decide_given_up(state, unit, failed, attempts, now, effects);
  const auto head = static_cast<std::uint64_t>(unit.queue[failed.settled_before].value);
  const Millis wait = failed.delay.value_or(steps.delay_after(attempts, unit.ref.key_hash ^ head));
  effects.push_back(encode(KeyReturned{unit.ref, wait.count() == 0 ? Elapsed{0} : now.elapsed + wait, failed.failure}));
}

void SubscriptionsEngine::decide_given_up(const State& state, const KeyUnit& unit, const Failed& failed,
                                          std::uint32_t attempts, const Now& now, std::vector<Effect>& effects) const {
  const SubscriptionSettings& settings = state.definition->definition.settings;
  if (settings.on_failure == OnFailure::drop) {
    effects.push_back(encode(KeyReturned{unit.ref, Elapsed{0}, failed.failure}));
    if (failed.settled_before == 0) decide_refill(unit, 1, effects);  // the settled ones were looked after
    effects.push_back(encode(
        KeySkipped{unit.ref, "dropped after " + std::to_string(attempts) + " attempts: " + failed.failure.code, {}}));
    return;
  }
  KeyParked parked{unit.ref, failed.failure, now.wall};
  parked.event_type = std::string{failed.event_type};
  if (settings.order_by == OrderBy::key && may_be_told(failed.key_text)) parked.key_text = std::string{failed.key_text};
  if (settings.on_failure == OnFailure::dead_letter) parked.to = GivenUp::dead_letter;
  if (!settings.repairs.empty()) parked.repair_by = RepairBy::declared;
  if (failed.settled_before == 0 && unit.repairs >= most_repairs) parked.repair_by = RepairBy::person;
  effects.push_back(encode(parked));
  const bool relapse = unit.drain_to && unit.queue[failed.settled_before] <= *unit.drain_to;
  if (relapse) decide_relapse(state, unit.release, effects);
}

void SubscriptionsEngine::decide_key(const State& state, const KeyRef& ref, const KeyPlan& key_plan, const Now& now,
                                     Failures& failures, SettleDecision& decision) const {
  const auto refuse = [&](const Lease& lease) { decision.settled.refused.push_back({lease, Code::lease_lost}); };
  const KeyUnit* unit = key(ref);
  const auto held = [&](const Lease& lease) {  // leased_key(), without looking the key up again
    return unit != nullptr && unit->state == KeyUnit::State::leased && unit->lease_number == lease.number &&
           lease.subscription == ref.subscription && lease.epoch == state.definition->definition.epoch;
  };
  std::uint32_t settled = 0;
  for (const Lease& lease : key_plan.acks) {
    // In order: an ack counts when all before it in the run are acknowledged too.
    if (held(lease) && settled < unit->leased && unit->queue[settled] == lease.offset)
      ++settled;
    else
      refuse(lease);
  }
  if (settled != 0) {
    decide_refill(*unit, settled + 1, decision.effects);  // the one after them may be dropped in the same frame
    decision.effects.push_back(encode(KeySettled{ref, settled}));
    decide_storm_over(state, ref, decision.effects);
  }
  decision.settled.settled += settled;
  bool returned = false;
  if (const Nack* nack = key_plan.nack) {
    returned = held(nack->lease) && settled < unit->leased && unit->queue[settled] == nack->lease.offset;
    if (returned) {
      decide_failure(state, *unit, {settled, nack->failure, nack->delay, nack->event_type, nack->key_text}, now,
                     failures, decision.effects);
      ++decision.settled.settled;
    } else {
      refuse(nack->lease);
    }
  }
  // Tokens of a run extend its one lease, by the longest any of them asks for. Only those of events still to be
  // settled: the token of one that is done must not prolong somebody else's lease.
  std::optional<Millis> longest;
  for (const Extend* extend : key_plan.extends) {
    const bool still = !returned && held(extend->lease) &&
                       std::find(unit->queue.begin() + settled, unit->queue.begin() + unit->leased,
                                 extend->lease.offset) != unit->queue.begin() + unit->leased;
    if (still)
      longest = std::max(longest.value_or(extend->by), extend->by);
    else
      refuse(extend->lease);
  }
  if (longest) decision.effects.push_back(encode(LeaseExtended{ref, now.elapsed + std::min(*longest, longest_lease)}));
}

Result<SubscriptionsEngine::SettleDecision> SubscriptionsEngine::decide_settle(const Settle& settle, bool publishes,
                                                                               const Now& now) const {
  const State* found = state(settle.subscription);
  if (found == nullptr || !found->definition) return unknown(settle.subscription);
  auto plans = plan(settle);
  if (!plans) return pass(plans);
  SettleDecision decision;
  decision.effects.reserve(plans->size());
  Failures failures;
  for (const auto& [ref, key_plan] : *plans) decide_key(*found, ref, key_plan, now, failures, decision);
  if (publishes && !decision.settled.refused.empty())
    return fail(Code::settle_refused,
                fmt::format("{} of the leases are not held any more, so this request settled and published nothing; an "
                            "earlier request with the same leases may have done so",
                            decision.settled.refused.size()));
  return decision;
}

const std::string* SubscriptionsEngine::remembered(SubscriptionId id, const Hash128& body) const {
  const State* found = state(id);
  return found == nullptr ? nullptr : found->settles.find(body);
}

std::vector<Effect> SubscriptionsEngine::decide_remember(SubscriptionId id, const Hash128& body,
                                                         std::string outcome) const {
  std::vector<Effect> effects;
  const State* found = state(id);
  if (found == nullptr) return effects;
  const auto* newest = found->settles.newest();
  std::uint64_t page = newest == nullptr ? 0 : newest->number;
  if (newest != nullptr && newest->bytes + sizeof body + encoded_size(outcome) > settle_page_bytes) {
    ++page;
    // The budget of all subscriptions is the affair of decide_due.
    std::size_t own = found->settle_bytes;
    for (const auto& each : found->settles.pages()) {
      if (own <= limits_.settle_bytes_each || effects.size() >= 8) break;
      effects.push_back(encode(SettlesDropped{id, each->number}));
      own -= each->bytes;
    }
  }
  effects.push_back(encode(SettleRemembered{id, page, body, std::move(outcome)}));
  return effects;
}

}  // namespace continuo::engines
