// What the subscriptions engine decides: const, bounded, effects or a refusal.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/lease_bounds.h"
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

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
  if (!is_lease(settings.lease)) return fail(Code::bad_setting, "a lease is 100ms to 12h", "lease");
  if (auto checked = check_retry(settings.retry); !checked) return checked;
  if (settings.storm.keys > most_storm_keys) return fail(Code::bad_setting, "a storm has at most 10000 keys", "storm");
  if (settings.target.size() > most_target_bytes)
    return fail(Code::too_large, "what is said of a target has at most 16 KiB", "target");
  if (settings.repairs.size() > most_repairs_bytes)
    return fail(Code::too_large, "what is said of repairs has at most 24 KiB", "repairs");
  if ((settings.on_failure == OnFailure::dead_letter) == settings.dead_letter.empty())
    return fail(Code::bad_setting, "dead letters and their topic go together", "dead_letter");
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
  if (auto checked = check_cycle(name, settings); !checked) return pass(checked);
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

Result<std::optional<SubscriptionDefined>> SubscriptionsEngine::decide_change(const std::string& name,
                                                                              const SubscriptionChange& change) const {
  const SubscriptionUnit* found = find(name);
  if (found == nullptr) return fail(Code::unknown_subscription, fmt::format("there is no subscription '{}'", name));
  SubscriptionDefined defined = found->definition;
  defined.settings = change.applied_to(defined.settings);
  if (auto checked = check_settings(defined.settings); !checked) return pass(checked);
  if (auto checked = check_cycle(name, defined.settings); !checked) return pass(checked);
  if (defined.settings == found->definition.settings) return std::nullopt;
  const bool filters = defined.settings.filter != found->definition.settings.filter;
  if (const auto parked = counts(defined.id).parked_keys; filters && parked != 0 && !change.keep_parked)
    return fail(Code::keys_parked, fmt::format("{} keys are parked; they passed the filter as it is", parked), "parked",
                R"(say "parked":"keep" and they stay as they are, or retry or skip them first)");
  if (filters) ++defined.filter_version;
  return defined;
}

// Dead letters that end up where they came from would go round for ever.
Result<void> SubscriptionsEngine::check_cycle(const std::string& name, const SubscriptionSettings& settings) const {
  if (settings.dead_letter.empty()) return {};
  std::set<std::string> seen;
  std::vector<std::string> next{settings.dead_letter};
  std::string path = name;
  while (!next.empty()) {
    const std::string topic = std::move(next.back());
    next.pop_back();
    if (!seen.insert(topic).second) continue;
    if (std::ranges::find(settings.topics, topic) != settings.topics.end())
      return fail(Code::bad_setting,
                  fmt::format("dead letters would go round: {} -> {}, and '{}' reads '{}'", path, topic, name, topic),
                  "dead_letter", "name a topic that it does not read");
    path += " -> " + topic;
    for (const auto& [other, unit] : by_name_) {
      const SubscriptionSettings& theirs = unit->definition.settings;
      if (other != name && !theirs.dead_letter.empty() &&
          std::ranges::find(theirs.topics, topic) != theirs.topics.end())
        next.push_back(theirs.dead_letter);
    }
  }
  return {};
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

std::uint32_t SubscriptionStates::credit(const State& state) const {
  if (!state.definition) return 0;
  const auto left = [](std::uint64_t limit, std::uint64_t used) { return limit - std::min(limit, used); };
  const Counts& counts = state.counts;
  const std::uint64_t own = left(limits_.outstanding, counts.queued + counts.leased + counts.delayed - state.scheduled);
  return static_cast<std::uint32_t>(
      std::min({own, left(limits_.scheduled, state.scheduled), left(limits_.parked, counts.parked_events),
                left(limits_.all, outstanding_)}));
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
  const auto hash_of = [by_key](const Offer::Event& event) {
    return by_key ? event.key_hash : static_cast<std::uint64_t>(event.offset.value);
  };
  std::vector<Offer::Event> events = offer.events;
  std::ranges::stable_sort(events, {}, hash_of);
  decision.effects.reserve(events.size() + 1);
  for (auto begin = events.begin(); begin != events.end();) {
    const std::uint64_t hash = hash_of(*begin);
    const auto end =
        std::find_if(begin, events.end(), [&](const Offer::Event& event) { return hash_of(event) != hash; });
    decide_queued(*found, {offer.subscription, offer.partition, hash}, {begin, end}, decision.effects);
    begin = end;
  }
  decision.effects.push_back(encode(CursorMoved{offer.subscription, offer.partition, offer.next}));
  decision.credit.next = offer.next;
  decision.credit.credit -= static_cast<std::uint32_t>(offer.events.size());
  return decision;
}

// As many as there is room for join the front, unless others wait behind it; the rest fills pages.
void SubscriptionsEngine::decide_queued(const State& state, const KeyRef& ref, std::span<const Offer::Event> events,
                                        std::vector<Effect>& effects) const {
  const auto take = [&](auto effect, std::size_t most) {
    for (const Offer::Event& event : events.first(std::min(most, events.size()))) {
      effect.offsets.push_back(event.offset);
      if (event.not_before != WallTime{} || event.expires != WallTime{})
        effect.times.push_back({event.offset, event.not_before, event.expires});
    }
    events = events.subspan(effect.offsets.size());
    effects.push_back(encode(effect));
  };
  const auto* waiting = state.behind(ref);
  if (waiting != nullptr) {
    const KeyPage& last = *waiting->pages.rbegin()->second;
    if (last.offsets.size() < limits_.page)
      take(KeyPageFilled{ref, last.first, {}, {}}, limits_.page - last.offsets.size());
  } else {
    const KeyUnit* unit = key(ref);
    const std::size_t in_front = unit == nullptr ? 0 : unit->queue.size();
    if (in_front < limits_.front) take(KeyQueued{ref, {}, {}}, limits_.front - in_front);
  }
  while (!events.empty()) take(KeyPageFilled{ref, events.front().offset, {}, {}}, limits_.page);
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
  if (probe) all.push_back(encode(*probe));
  return all;
}

Result<SubscriptionsEngine::ReceiveDecision> SubscriptionsEngine::decide_receive(const Receive& receive,
                                                                                 Elapsed now) const {
  const State* found = state(receive.subscription);
  if (found == nullptr || !found->definition) return unknown(receive.subscription);
  const SubscriptionDefined& definition = found->definition->definition;
  const Millis lease = receive.lease.value_or(definition.settings.lease);
  if (!is_lease(lease)) return fail(Code::bad_setting, "a lease is 100ms to 12h", "lease");
  ReceiveDecision decision;
  if (definition.paused) return decision;
  if (found->storm) return decide_probe(*found, lease, now);
  // Many ready keys: one event of each, which are neighbours in the log. Few: runs, so that the request is filled.
  const auto share = static_cast<std::uint32_t>(receive.max / std::max<std::size_t>(1, found->ready.size()));
  const std::uint32_t most = receive.run == 0 ? limits_.run : std::min(receive.run, limits_.run);
  const std::uint32_t longest = std::clamp(share, 1u, most);
  std::uint32_t left = receive.max;
  std::uint32_t keys = found->leased_keys;
  decision.leases.reserve(std::min<std::size_t>(left, found->ready.size()));
  decision.received.deliveries.reserve(std::min<std::size_t>(left, found->ready.size()));
  for (const auto& [head, partition, hash] : found->ready) {
    if (left == 0 || keys >= definition.settings.concurrency) break;
    const KeyUnit& unit = *found->keys.at({receive.subscription, partition, hash});
    const std::uint32_t run = std::min({left, longest, run_of(unit)});
    lease_run(*found, unit, run, now + lease, decision);
    left -= run;
    ++keys;
  }
  return decision;
}

void SubscriptionsEngine::lease_run(const State& state, const KeyUnit& unit, std::uint32_t run, Elapsed until,
                                    ReceiveDecision& decision) const {
  const std::uint64_t number = leases_.next;
  decision.leases.push_back({unit.ref, run, number, until});
  for (std::uint32_t place = 0; place < run; ++place) {
    const Lease lease{
        state.id, state.definition->definition.epoch, unit.ref.partition, unit.ref.key_hash, unit.queue[place], number};
    if (place == 0)
      decision.received.deliveries.push_back({lease, unit.attempts + 1, unit.edited});
    else
      decision.received.deliveries.push_back({lease, 1, std::nullopt});
  }
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

// ---- time -----------------------------------------------------------------------------------------------------------

std::vector<Effect> SubscriptionsEngine::decide_due(const Now& now, std::size_t most) const {
  std::vector<Effect> effects;
  Failures failures;
  for (const auto& [at, ref] : due_) {
    if (at > now.elapsed || effects.size() >= most) break;
    const KeyUnit& unit = *key(ref);
    if (unit.state == KeyUnit::State::leased && find(ref.subscription) != nullptr)
      decide_lease_over(unit, now, failures, effects);
    else if (unit.state == KeyUnit::State::parked)
      effects.push_back(encode(RepairChanged{ref, unit.repair_by, 0, {}, {}, {}}));
    else
      effects.push_back(encode(KeyReturned{ref, Elapsed{0}, unit.failure}));
  }
  decide_healing_due(now, most, effects);
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
