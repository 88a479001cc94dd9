// What the subscriptions engine is asked about its state.
#include <fmt/format.h>

#include "continuo/engines/fingerprint.h"
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {

std::unexpected<Error> unknown(SubscriptionId id) {
  return fail(Code::unknown_subscription, fmt::format("there is no subscription with number {}", id.value));
}

const SubscriptionUnit* SubscriptionStates::find(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr ? nullptr : found->definition.get();
}

const SubscriptionUnit* SubscriptionStates::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

SubscriptionStates::Counts SubscriptionStates::counts(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr ? Counts{} : found->counts;
}

std::vector<CursorMoved> SubscriptionStates::cursors(SubscriptionId id) const {
  std::vector<CursorMoved> all;
  if (const State* found = state(id))
    for (const auto& [partition, cursor] : found->cursors) all.push_back({id, partition, cursor.next});
  return all;
}

// A draining key is no longer in the list: it is asked for by its name.
std::vector<ParkedKey> SubscriptionStates::parked(SubscriptionId id, const ParkedQuery& query) const {
  constexpr std::size_t most_looked_at = 100'000;
  std::vector<ParkedKey> all;
  const State* found = state(id);
  if (found == nullptr) return all;
  if (query.key_hash) {
    for (const auto& [partition, cursor] : found->cursors)
      if (const KeyUnit* unit = key({id, partition, *query.key_hash}); unit != nullptr && all.size() < query.limit)
        if (unit->state == KeyUnit::State::parked || unit->drain_to) all.push_back(describe(*found, *unit));
    return all;
  }
  auto at = query.after ? found->parked.upper_bound(*query.after) : found->parked.begin();
  for (std::size_t looked_at = 0; at != found->parked.end() && looked_at < most_looked_at; ++at, ++looked_at) {
    if (all.size() >= query.limit) break;
    const KeyUnit& unit = *found->keys.at({id, at->first, at->second});
    if (takes(query.filter, unit)) all.push_back(describe(*found, unit));
  }
  return all;
}

std::optional<ParkedKey> SubscriptionStates::look_at(const KeyRef& ref) const {
  const KeyUnit* unit = key(ref);
  return unit == nullptr ? std::nullopt : std::optional{describe(*state(ref.subscription), *unit)};
}

void SubscriptionStates::note_healed(SubscriptionId id, Millis after) {
  if (State* found = state(id)) {
    ++found->tally.drained;
    found->tally.repairing += after;
  }
}

SubscriptionStates::Tally SubscriptionStates::tally(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr ? Tally{} : found->tally;
}

ParkedKey SubscriptionStates::describe(const State& state, const KeyUnit& unit) const {
  ParkedKey parked{.key_hash = unit.ref.key_hash,
                   .key_text = unit.key_text,
                   .partition = unit.ref.partition,
                   .head = unit.queue.front(),
                   .edited = unit.edited,
                   .attempts = unit.attempts,
                   .repairs = unit.repairs,
                   .failure = unit.failure,
                   .fingerprint = fingerprint(unit.failure),
                   .event_type = unit.event_type,
                   .repair_by = unit.repair_by,
                   .waiting = state.events(unit) - 1,
                   .since = unit.since};
  if (unit.state != KeyUnit::State::parked)
    parked.healing = Healing::draining;
  else if (unit.repair_lease != 0)
    parked.healing = Healing::repairing;
  return parked;
}

// From one partition to the next: a subscription may have very many keys.
std::vector<std::pair<PartitionRef, Offset>> SubscriptionStates::oldest(SubscriptionId id) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  const State* found = state(id);
  if (found == nullptr) return all;
  for (auto at = found->heads.begin(); at != found->heads.end();
       at = found->heads.upper_bound({at->first.first, max_offset}))
    all.push_back(at->first);
  return all;
}

std::optional<WallTime> SubscriptionStates::oldest_parked(SubscriptionId id) const {
  std::optional<WallTime> since;
  const auto note = [&](const State::Broken& heads) {
    if (heads.empty()) return;
    const WallTime first = std::get<WallTime>(*heads.begin());
    since = since ? std::min(*since, first) : first;
  };
  const State* found = state(id);
  if (found == nullptr) return since;
  note(found->under_repair);
  for (const auto& [who, heads] : found->broken) note(heads);
  return since;
}

std::vector<FeedPosition> SubscriptionStates::feed_positions() const {
  std::vector<FeedPosition> all;
  for (const auto& [id, found] : states_) add_feed_positions(id, *found, all);
  return all;
}

std::vector<FeedPosition> SubscriptionStates::feed_positions(std::span<const SubscriptionId> of) const {
  std::vector<FeedPosition> all;
  for (const SubscriptionId id : of)
    if (const State* found = state(id)) add_feed_positions(id, *found, all);
  return all;
}

void SubscriptionStates::add_feed_positions(SubscriptionId id, const State& of, std::vector<FeedPosition>& to) const {
  if (!of.definition) return;
  const SubscriptionDefined& definition = of.definition->definition;
  for (const auto& [partition, cursor] : of.cursors)
    to.push_back({id, definition.epoch, partition, cursor.next, credit(of),
                  definition.settings.order_by == OrderBy::key, definition.filter_version});
}

bool SubscriptionStates::has_ready(SubscriptionId id) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition || found->definition->definition.paused || found->ready.empty())
    return false;
  if (found->storm) return found->storm->value.probe_at == Elapsed{0} && !is_probing(*found);
  return found->leased_keys < found->definition->definition.settings.concurrency;
}

bool SubscriptionStates::wants_more(SubscriptionId id) const {
  const State* found = state(id);
  if (found == nullptr) return false;
  const std::uint32_t open = credit(*found);
  return open != 0 && (open >= limits_.outstanding / 8 || found->ready.size() < open);
}

std::set<TopicId> SubscriptionStates::read_topics() const {
  std::set<TopicId> all;
  for (const auto& [id, found] : states_)
    for (const auto& [partition, cursor] : found->cursors) all.insert(partition.topic);
  return all;
}

std::vector<SubscriptionId> SubscriptionStates::readers_of(TopicId topic) const {
  std::vector<SubscriptionId> all;
  for (const auto& [id, found] : states_)
    if (found->definition &&
        std::ranges::find(found->definition->definition.topics, topic) != found->definition->definition.topics.end())
      all.push_back(id);
  return all;
}

std::optional<Elapsed> SubscriptionStates::next_due() const {
  if (settle_bytes_ > limits_.settle_bytes) return Elapsed{0};
  std::optional<Elapsed> due;
  if (!due_.empty()) due = due_.begin()->at;
  const auto sooner = [&](Elapsed at) { due = due ? std::min(*due, at) : at; };
  if (!settle_ends_.empty()) sooner(settle_ends_.begin()->at);
  if (!probes_due_.empty()) sooner(probes_due_.begin()->first);
  if (!releases_due_.empty()) sooner(releases_due_.begin()->first);
  return due;
}

}  // namespace continuo::engines
