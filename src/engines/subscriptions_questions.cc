// What the subscriptions engine is asked about its state.
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {

const SubscriptionUnit* SubscriptionsEngine::find(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr ? nullptr : found->definition.get();
}

const SubscriptionUnit* SubscriptionsEngine::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

SubscriptionsEngine::Counts SubscriptionsEngine::counts(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr ? Counts{} : found->counts;
}

std::vector<CursorMoved> SubscriptionsEngine::cursors(SubscriptionId id) const {
  std::vector<CursorMoved> all;
  if (const State* found = state(id))
    for (const auto& [partition, cursor] : found->cursors) all.push_back({id, partition, cursor.next});
  return all;
}

std::vector<ParkedKey> SubscriptionsEngine::parked(SubscriptionId id, std::size_t limit) const {
  std::vector<ParkedKey> all;
  const State* found = state(id);
  if (found == nullptr) return all;
  for (const auto& [partition, hash] : found->parked) {
    if (all.size() >= limit) break;
    all.push_back(describe(*found, *found->keys.at({id, partition, hash})));
  }
  return all;
}

ParkedKey SubscriptionsEngine::describe(const State& state, const KeyUnit& unit) const {
  ParkedKey parked{.key_hash = unit.ref.key_hash,
                   .partition = unit.ref.partition,
                   .head = unit.queue.front(),
                   .edited = unit.edited,
                   .attempts = unit.attempts,
                   .repairs = unit.repairs,
                   .failure = unit.failure,
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

std::vector<std::pair<PartitionRef, Offset>> SubscriptionsEngine::oldest(SubscriptionId id) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  if (const State* found = state(id))
    for (const auto& [head, hash] : found->heads)
      if (all.empty() || all.back().first != head.first) all.push_back(head);
  return all;
}

std::vector<FeedPosition> SubscriptionsEngine::feed_positions() const {
  std::vector<FeedPosition> all;
  for (const auto& [id, found] : states_) {
    if (!found->definition) continue;
    const SubscriptionDefined& definition = found->definition->definition;
    for (const auto& [partition, cursor] : found->cursors)
      all.push_back({id, definition.epoch, partition, cursor.next, credit(*found),
                     definition.settings.order_by == OrderBy::key, definition.filter_version});
  }
  return all;
}

bool SubscriptionsEngine::has_ready(SubscriptionId id) const {
  const State* found = state(id);
  return found != nullptr && found->definition && !found->definition->definition.paused && !found->ready.empty() &&
         found->leased_keys < found->definition->definition.settings.concurrency;
}

bool SubscriptionsEngine::wants_more(SubscriptionId id) const {
  const State* found = state(id);
  if (found == nullptr) return false;
  const std::uint32_t open = credit(*found);
  return open != 0 && (open >= limits_.outstanding / 8 || found->ready.size() < open);
}

std::vector<std::pair<PartitionRef, Offset>> SubscriptionsEngine::parked_heads(SubscriptionId id,
                                                                               std::uint64_t key_hash,
                                                                               std::size_t most) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  for (const KeyUnit* unit : parked_keys(id, key_hash, most))
    all.emplace_back(unit->ref.partition, unit->queue.front());
  return all;
}

std::set<TopicId> SubscriptionsEngine::read_topics() const {
  std::set<TopicId> all;
  for (const auto& [id, found] : states_)
    for (const auto& [partition, cursor] : found->cursors) all.insert(partition.topic);
  return all;
}

std::vector<SubscriptionId> SubscriptionsEngine::readers_of(TopicId topic) const {
  std::vector<SubscriptionId> all;
  for (const auto& [id, found] : states_)
    if (found->definition &&
        std::ranges::find(found->definition->definition.topics, topic) != found->definition->definition.topics.end())
      all.push_back(id);
  return all;
}

std::optional<Elapsed> SubscriptionsEngine::next_due() const {
  if (settle_bytes_ > limits_.settle_bytes) return Elapsed{0};
  std::optional<Elapsed> due;
  if (!due_.empty()) due = due_.begin()->at;
  if (!settle_ends_.empty() && (!due || settle_ends_.begin()->at < *due)) due = settle_ends_.begin()->at;
  return due;
}

}  // namespace continuo::engines
