// What the subscriptions engine decides: const, bounded, effects or a refusal.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr std::size_t settle_page_bytes = 60 * 1024;
constexpr std::size_t healed_bytes = 60'000;  // of effects, when a key is parked in many partitions
constexpr std::size_t healed_key_bytes = 600;
constexpr Millis min_lease{100};
constexpr Millis max_lease{12 * 3'600'000};
constexpr std::string_view expired = "lease_expired";

std::unexpected<Error> unknown(SubscriptionId id) {
  return fail(Code::unknown_subscription, fmt::format("there is no subscription with number {}", id.value));
}

Result<void> check_filter(const std::string& filter) {
  if (filter.size() <= most_filter_bytes) return {};
  return fail(Code::too_large, fmt::format("the filter has {} bytes, at most 64 KiB are kept", filter.size()),
              "filter");
}

Result<void> check_settings(const SubscriptionSettings& settings) {
  if (settings.topics.empty()) return fail(Code::bad_setting, "a subscription reads at least one topic", "topics");
  for (std::size_t i = 0; i < settings.topics.size(); ++i)
    if (std::find(settings.topics.begin(), settings.topics.begin() + static_cast<std::ptrdiff_t>(i),
                  settings.topics[i]) != settings.topics.begin() + static_cast<std::ptrdiff_t>(i))
      return fail(Code::bad_setting, fmt::format("the topic '{}' is named twice", settings.topics[i]), "topics");
  if (settings.concurrency == 0 || settings.concurrency > 100'000)
    return fail(Code::bad_setting, "concurrency is 1 to 100000", "concurrency");
  if (settings.lease < min_lease || settings.lease > max_lease)
    return fail(Code::bad_setting, "a lease is 100ms to 12h", "lease");
  if (auto checked = check_retry(settings.retry); !checked) return checked;
  return check_filter(settings.filter);
}

// The settings are others than those that stand: whether only the filter is.
Error exists_otherwise(const std::string& name, SubscriptionSettings wanted, const SubscriptionSettings& there) {
  const bool filter_differs = wanted.filter != there.filter;
  wanted.filter = there.filter;
  if (!filter_differs || wanted != there)
    return {Code::subscription_exists, fmt::format("the subscription '{}' exists with other settings", name), {}, {}};
  return {
      Code::subscription_exists, fmt::format("the subscription '{}' exists with another filter", name), "filter",
      fmt::format("PATCH /v1/subscriptions/{} {{\"filter\":...}} changes it from where the subscription stands", name)};
}

}  // namespace

// ---- definitions ----------------------------------------------------------------------------------------------------

Result<SubscriptionsEngine::DefineDecision> SubscriptionsEngine::decide_define(
    const std::string& name, const SubscriptionSettings& settings, std::vector<TopicId> topics,
    std::span<const std::pair<PartitionRef, Offset>> starts) const {
  if (auto checked = check_name(name); !checked) return pass(checked);
  if (is_system_name(name)) return fail(Code::system_name, fmt::format("'{}' begins with 'continuo.'", name));
  if (auto checked = check_settings(settings); !checked) return pass(checked);
  if (const SubscriptionUnit* existing = find(name)) {
    if (existing->definition.settings == settings && existing->definition.topics == topics)
      return DefineDecision{existing, {}, {}};
    if (existing->definition.settings == settings)
      return fail(
          Code::subscription_exists,
          fmt::format("the subscription '{}' reads a topic that was deleted; the one of that name is new", name),
          "topics", "delete the subscription and create it again: it then reads the new topic");
    return std::unexpected(exists_otherwise(name, settings, existing->definition.settings));
  }
  if (by_name_.size() >= limits_.subscriptions)
    return fail(Code::limit_reached, fmt::format("there are {} subscriptions already", by_name_.size()));
  DefineDecision decision;
  decision.defined = {
      SubscriptionId{static_cast<std::uint32_t>(counter_.next)}, name, 1, false, settings, std::move(topics)};
  for (const auto& [partition, next] : starts) decision.cursors.push_back({decision.defined.id, partition, next});
  return decision;
}

Result<SubscriptionDeleted> SubscriptionsEngine::decide_delete(const std::string& name) const {
  const SubscriptionUnit* found = find(name);
  if (found == nullptr) return fail(Code::unknown_subscription, fmt::format("there is no subscription '{}'", name));
  return SubscriptionDeleted{found->definition.id};
}

Result<SubscriptionDefined> SubscriptionsEngine::decide_pause(SubscriptionId id, bool paused) const {
  const SubscriptionUnit* found = find(id);
  if (found == nullptr) return unknown(id);
  SubscriptionDefined defined = found->definition;
  defined.paused = paused;
  return defined;
}

Result<std::optional<SubscriptionDefined>> SubscriptionsEngine::decide_filter(const std::string& name,
                                                                              std::string filter,
                                                                              bool keep_parked) const {
  const SubscriptionUnit* found = find(name);
  if (found == nullptr) return fail(Code::unknown_subscription, fmt::format("there is no subscription '{}'", name));
  if (auto checked = check_filter(filter); !checked) return pass(checked);
  if (found->definition.settings.filter == filter) return std::nullopt;
  if (const auto parked = counts(found->definition.id).parked_keys; parked != 0 && !keep_parked)
    return fail(Code::keys_parked, fmt::format("{} keys are parked; they passed the filter as it is", parked), "parked",
                R"(say "parked":"keep" and they stay as they are, or retry or skip them first)");
  SubscriptionDefined defined = found->definition;
  defined.settings.filter = std::move(filter);
  ++defined.filter_version;
  return defined;
}

// Keys in the order of their heads: no hash table decides it, and each piece costs what it drops, however many keys
// there are.
void SubscriptionsEngine::drop_keys(const State& state, std::optional<TopicId> topic, std::size_t most,
                                    std::vector<Effect>& effects) {
  auto at = topic ? state.heads.lower_bound({{*topic, PartitionId{0}}, Offset{0}}) : state.heads.begin();
  for (; at != state.heads.end() && effects.size() < most; ++at) {
    const PartitionRef partition = at->first.first;
    if (topic && partition.topic != *topic) return;
    const KeyRef ref{state.id, partition, at->second};
    if (const auto* waiting = state.behind(ref))
      for (const auto& [first, page] : waiting->pages)
        if (effects.size() < most) effects.push_back(encode(KeyPageDropped{ref, first}));
    if (effects.size() < most) effects.push_back(encode(KeyDropped{ref}));
  }
}

std::vector<Effect> SubscriptionsEngine::decide_remains(std::size_t most) const {
  std::vector<Effect> effects;
  for (const auto& [id, state] : states_) {
    if (state->definition) continue;
    drop_keys(*state, std::nullopt, most, effects);
    for (const auto& [partition, cursor] : state->cursors)
      if (effects.size() < most) effects.push_back(encode(CursorDropped{id, partition}));
    for (const auto& page : state->settles.pages())
      if (effects.size() < most) effects.push_back(encode(SettlesDropped{id, page->number}));
    if (state->release) effects.push_back(encode(ReleaseChanged{.subscription = id, .state = ReleaseState::forgotten}));
    if (state->storm) effects.push_back(encode(StormChanged{.subscription = id, .over = true}));
    if (state->use) effects.push_back(encode(SubscriptionUsed{id, {}}));
    if (effects.size() >= most) break;
  }
  return effects;
}

std::vector<Effect> SubscriptionsEngine::decide_topic_gone(TopicId topic, std::size_t most) const {
  std::vector<Effect> effects;
  for (const auto& [id, state] : states_) {
    drop_keys(*state, topic, most, effects);
    for (const auto& [partition, cursor] : state->cursors)
      if (partition.topic == topic && effects.size() < most) effects.push_back(encode(CursorDropped{id, partition}));
    if (effects.size() >= most) break;
  }
  return effects;
}

// ---- offers and leases ----------------------------------------------------------------------------------------------

std::uint32_t SubscriptionsEngine::credit(const State& state) const {
  if (!state.definition) return 0;
  const auto left = [](std::uint64_t limit, std::uint64_t used) { return limit - std::min(limit, used); };
  const Counts& counts = state.counts;
  const std::uint64_t own = left(limits_.outstanding, counts.queued + counts.leased + counts.delayed);
  return static_cast<std::uint32_t>(
      std::min({own, left(limits_.parked, counts.parked_events), left(limits_.all, outstanding_)}));
}

Result<SubscriptionsEngine::OfferDecision> SubscriptionsEngine::decide_offer(const Offer& offer) const {
  const State* found = state(offer.subscription);
  if (found == nullptr || !found->definition) return unknown(offer.subscription);
  const auto cursor = found->cursors.find(offer.partition);
  if (cursor == found->cursors.end())
    return fail(Code::unknown_partition, "the subscription does not read that partition");
  OfferDecision decision;
  const SubscriptionDefined& definition = found->definition->definition;
  decision.credit = {cursor->second.next, credit(*found), definition.filter_version};
  const bool current =
      offer.epoch == definition.epoch && offer.filter == definition.filter_version && offer.from == cursor->second.next;
  if (!current || offer.next < offer.from || offer.events.size() > decision.credit.credit) return decision;
  const bool by_key = definition.settings.order_by == OrderBy::key;
  std::map<std::uint64_t, std::vector<Offset>> by_hash;
  for (const Offer::Event& event : offer.events)
    by_hash[by_key ? event.key_hash : static_cast<std::uint64_t>(event.offset.value)].push_back(event.offset);
  for (const auto& [hash, offsets] : by_hash)
    decide_queued(*found, {offer.subscription, offer.partition, hash}, offsets, decision.effects);
  decision.effects.push_back(encode(CursorMoved{offer.subscription, offer.partition, offer.next}));
  decision.credit.next = offer.next;
  decision.credit.credit -= static_cast<std::uint32_t>(offer.events.size());
  return decision;
}

// As many as there is room for join the front, unless others wait behind it; the rest fills pages.
void SubscriptionsEngine::decide_queued(const State& state, const KeyRef& ref, std::span<const Offset> offsets,
                                        std::vector<Effect>& effects) const {
  const auto take = [&](std::size_t most) {
    const auto taken = offsets.first(std::min(most, offsets.size()));
    offsets = offsets.subspan(taken.size());
    return std::vector<Offset>(taken.begin(), taken.end());
  };
  const auto* waiting = state.behind(ref);
  if (waiting != nullptr) {
    const KeyPage& last = *waiting->pages.rbegin()->second;
    if (last.offsets.size() < limits_.page)
      effects.push_back(encode(KeyPageFilled{ref, last.first, take(limits_.page - last.offsets.size())}));
  } else {
    const KeyUnit* unit = key(ref);
    const std::size_t in_front = unit == nullptr ? 0 : unit->queue.size();
    if (in_front < limits_.front) effects.push_back(encode(KeyQueued{ref, take(limits_.front - in_front)}));
  }
  while (!offsets.empty()) effects.push_back(encode(KeyPageFilled{ref, offsets.front(), take(limits_.page)}));
}

// Before `leaving` events go from the front: when it runs low, the first page joins it. A key always has a front.
void SubscriptionsEngine::decide_refill(const KeyUnit& unit, std::size_t leaving, std::vector<Effect>& effects) const {
  if (unit.queue.size() >= leaving + limits_.run) return;
  const auto* waiting = state(unit.ref.subscription)->behind(unit.ref);
  if (waiting == nullptr) return;
  const KeyPage& page = *waiting->pages.begin()->second;
  effects.push_back(encode(KeyQueued{unit.ref, page.offsets, page.times}));
  effects.push_back(encode(KeyPageDropped{unit.ref, page.first}));
}

// Taking a number is part of leasing: no key's coming and going makes one come again.
std::vector<Effect> SubscriptionsEngine::ReceiveDecision::effects() const {
  std::vector<Effect> all;
  all.reserve(leases.size() + 1);
  if (!leases.empty()) all.push_back(encode(LeaseNumbered{leases.front().number}));
  for (const KeyLeased& lease : leases) all.push_back(encode(lease));
  return all;
}

Result<SubscriptionsEngine::ReceiveDecision> SubscriptionsEngine::decide_receive(const Receive& receive,
                                                                                 Elapsed now) const {
  const State* found = state(receive.subscription);
  if (found == nullptr || !found->definition) return unknown(receive.subscription);
  const SubscriptionDefined& definition = found->definition->definition;
  const Millis lease = receive.lease.value_or(definition.settings.lease);
  if (lease < min_lease || lease > max_lease) return fail(Code::bad_setting, "a lease is 100ms to 12h", "lease");
  ReceiveDecision decision;
  if (definition.paused) return decision;
  // Many ready keys: one event of each, which are neighbours in the log. Few: runs, so that the request is filled.
  const auto share = static_cast<std::uint32_t>(receive.max / std::max<std::size_t>(1, found->ready.size()));
  const std::uint32_t most = receive.run == 0 ? limits_.run : std::min(receive.run, limits_.run);
  const std::uint32_t longest = std::clamp(share, 1u, most);
  std::uint32_t left = receive.max;
  std::uint32_t keys = found->leased_keys;
  for (const auto& [head, partition, hash] : found->ready) {
    if (left == 0 || keys >= definition.settings.concurrency) break;
    const KeyUnit& unit = *found->keys.at({receive.subscription, partition, hash});
    const auto run = std::min({left, longest, static_cast<std::uint32_t>(unit.queue.size())});
    const std::uint64_t number = leases_.next;
    decision.leases.push_back({unit.ref, run, number, now + lease});
    for (std::uint32_t place = 0; place < run; ++place)
      decision.received.deliveries.push_back(
          {{receive.subscription, definition.epoch, partition, hash, unit.queue[place], number},
           place == 0 ? unit.attempts + 1 : 1});
    left -= run;
    ++keys;
  }
  return decision;
}

std::vector<Effect> SubscriptionsEngine::decide_return(std::span<const Lease> leases) const {
  std::map<KeyRef, std::uint32_t> kept;
  for (const Lease& lease : leases) {
    const KeyUnit* unit = leased_key(lease);
    if (unit == nullptr) continue;
    const auto end = unit->queue.begin() + unit->leased;
    const auto at = std::lower_bound(unit->queue.begin(), end, lease.offset);
    if (at == end || *at != lease.offset) continue;
    const auto place = static_cast<std::uint32_t>(at - unit->queue.begin());
    const auto known = kept.try_emplace(unit->ref, place).first;
    known->second = std::min(known->second, place);
  }
  std::vector<Effect> effects;
  for (const auto& [ref, count] : kept) effects.push_back(encode(LeaseCut{ref, count}));
  return effects;
}

// ---- settling -------------------------------------------------------------------------------------------------------

// What one request says of one key's lease.
struct SubscriptionsEngine::KeyPlan {
  std::vector<Lease> acks;  // by offset
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

void SubscriptionsEngine::decide_failure(const SubscriptionUnit& subscription, const KeyUnit& unit,
                                         std::uint32_t settled_before, const Failure& failure,
                                         std::optional<Millis> delay, const Now& now,
                                         std::vector<Effect>& effects) const {
  const SubscriptionSettings& settings = subscription.definition.settings;
  const std::uint32_t attempts = settled_before == 0 ? unit.attempts : 1;
  const RetrySteps& steps = settings.retry.steps_for(failure.code);
  if (attempts < steps.attempts) {
    const auto head = static_cast<std::uint64_t>(unit.queue[settled_before].value);
    const Millis wait = delay.value_or(steps.delay_after(attempts, unit.ref.key_hash ^ head));
    effects.push_back(encode(KeyReturned{unit.ref, wait.count() == 0 ? Elapsed{0} : now.elapsed + wait, failure}));
    return;
  }
  if (settings.on_failure == OnFailure::drop) {
    effects.push_back(encode(KeyReturned{unit.ref, Elapsed{0}, failure}));
    if (settled_before == 0) decide_refill(unit, 1, effects);  // the settled ones were looked after
    effects.push_back(
        encode(KeySkipped{unit.ref, "dropped after " + std::to_string(attempts) + " attempts: " + failure.code}));
    return;
  }
  effects.push_back(encode(KeyParked{unit.ref, failure, now.wall}));
}

void SubscriptionsEngine::decide_key(const SubscriptionUnit& subscription, const KeyRef& ref, const KeyPlan& key_plan,
                                     const Now& now, SettleDecision& decision) const {
  const auto refuse = [&](const Lease& lease) { decision.settled.refused.push_back({lease, Code::lease_lost}); };
  const KeyUnit* unit = key(ref);
  std::uint32_t settled = 0;
  for (const Lease& lease : key_plan.acks) {
    // In order: an ack counts when all before it in the run are acknowledged too.
    const bool holds =
        leased_key(lease) == unit && unit != nullptr && settled < unit->leased && unit->queue[settled] == lease.offset;
    if (holds)
      ++settled;
    else
      refuse(lease);
  }
  if (settled != 0) {
    decide_refill(*unit, settled + 1, decision.effects);  // the one after them may be dropped in the same frame
    decision.effects.push_back(encode(KeySettled{ref, settled}));
  }
  decision.settled.settled += settled;
  bool returned = false;
  if (const Nack* nack = key_plan.nack) {
    returned = leased_key(nack->lease) == unit && unit != nullptr && settled < unit->leased &&
               unit->queue[settled] == nack->lease.offset;
    if (returned) {
      decide_failure(subscription, *unit, settled, nack->failure, nack->delay, now, decision.effects);
      ++decision.settled.settled;
    } else {
      refuse(nack->lease);
    }
  }
  // Tokens of a run extend its one lease, by the longest any of them asks for. Only those of events still to be
  // settled: the token of one that is done must not prolong somebody else's lease.
  std::optional<Millis> longest;
  for (const Extend* extend : key_plan.extends) {
    const bool holds = !returned && unit != nullptr && leased_key(extend->lease) == unit &&
                       std::find(unit->queue.begin() + settled, unit->queue.begin() + unit->leased,
                                 extend->lease.offset) != unit->queue.begin() + unit->leased;
    if (holds)
      longest = std::max(longest.value_or(extend->by), extend->by);
    else
      refuse(extend->lease);
  }
  if (longest) decision.effects.push_back(encode(LeaseExtended{ref, now.elapsed + std::min(*longest, max_lease)}));
}

Result<SubscriptionsEngine::SettleDecision> SubscriptionsEngine::decide_settle(const Settle& settle, bool publishes,
                                                                               const Now& now) const {
  const SubscriptionUnit* subscription = find(settle.subscription);
  if (subscription == nullptr) return unknown(settle.subscription);
  auto plans = plan(settle);
  if (!plans) return pass(plans);
  SettleDecision decision;
  for (const auto& [ref, key_plan] : *plans) decide_key(*subscription, ref, key_plan, now, decision);
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

// ---- parked keys and time -------------------------------------------------------------------------------------------

// A key may be parked in several partitions: of several topics, or before and after a topic was made again.
std::vector<const KeyUnit*> SubscriptionsEngine::parked_keys(SubscriptionId id, std::uint64_t key_hash,
                                                             std::size_t most) const {
  std::vector<const KeyUnit*> all;
  const State* found = state(id);
  if (found == nullptr) return all;
  for (const auto& [partition, cursor] : found->cursors)
    if (all.size() < most && found->parked.contains({partition, key_hash}))
      all.push_back(key({id, partition, key_hash}));
  return all;
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_retry(SubscriptionId id, std::uint64_t key_hash) const {
  if (find(id) == nullptr) return unknown(id);
  std::vector<Effect> effects;
  for (const KeyUnit* unit : parked_keys(id, key_hash, healed_bytes / healed_key_bytes))
    effects.push_back(encode(KeyReleased{unit->ref, last_of(*unit), 0, {}, {}}));
  if (effects.empty()) return fail(Code::not_parked, "the key is not parked");
  return effects;
}

Offset SubscriptionsEngine::last_of(const KeyUnit& unit) const {
  const auto* waiting = state(unit.ref.subscription)->behind(unit.ref);
  return waiting == nullptr ? unit.queue.back() : waiting->pages.rbegin()->second->offsets.back();
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_skip(SubscriptionId id, std::uint64_t key_hash,
                                                             const std::string& reason) const {
  if (find(id) == nullptr) return unknown(id);
  std::vector<Effect> effects;
  for (const KeyUnit* unit : parked_keys(id, key_hash, healed_bytes / (healed_key_bytes + reason.size()))) {
    decide_refill(*unit, 1, effects);
    effects.push_back(encode(KeySkipped{unit->ref, reason}));
  }
  if (effects.empty()) return fail(Code::not_parked, "the key is not parked");
  return effects;
}

std::vector<Effect> SubscriptionsEngine::decide_due(const Now& now, std::size_t most) const {
  std::vector<Effect> effects;
  for (const auto& [at, ref] : due_) {
    if (at > now.elapsed || effects.size() >= most) break;
    const KeyUnit& unit = *key(ref);
    const SubscriptionUnit* subscription = find(ref.subscription);
    if (unit.state == KeyUnit::State::leased && subscription != nullptr)
      decide_failure(*subscription, unit, 0, {std::string{expired}, "the consumer did not settle in time"},
                     std::nullopt, now, effects);
    else
      effects.push_back(encode(KeyReturned{ref, Elapsed{0}, unit.failure}));
  }
  drop_settles(now, most, effects);
  return effects;
}

// Pages whose time is over, and those next to it while there are more answers than the budget of all allows.
void SubscriptionsEngine::drop_settles(const Now& now, std::size_t most, std::vector<Effect>& effects) const {
  std::size_t all = settle_bytes_;
  for (const auto& end : settle_ends_) {
    if (effects.size() >= most || (end.at > now.elapsed && all <= limits_.settle_bytes)) break;
    effects.push_back(encode(SettlesDropped{end.owner, end.page}));
    all -= states_.at(end.owner)->settles.page(end.page)->bytes;
  }
}

}  // namespace continuo::engines
