// What must hold of a node at any moment, after a restart, and at the end.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/batch.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {

void World::check(bool restarted) {
  if (!running()) return;
  const auto catalogue = node_->core().catalogue();
  if (restarted) healing_.forget_lost(*catalogue);
  oracle_.check_definitions(*catalogue, restarted);
  hear();
  if (restarted) healing_.decide(oracle_);
  oracle_.begin_reading();
  const auto partitions = read_all();
  oracle_.end_reading(partitions, restarted);
  if (node_->core().idle()) groups_.check(oracle_, node_->core().groups(), *catalogue, restarted, elapsed());
  if (node_->core().idle()) healing_.check(oracle_, node_->core().subscriptions(), *catalogue);
  check_parked();
}

// What a consumer is given, or a person looks at, is there to be read, whatever retention took meanwhile.
// `edited`: where what stands in its place lies.
void World::check_readable(SubscriptionId id, PartitionRef ref, Offset offset, std::optional<Offset> edited) {
  if (node_->core().subscriptions().find(id) == nullptr) return;  // deleted before anybody heard of it
  const auto catalogue = node_->core().catalogue();
  const node::Topic* edits = edited ? catalogue->find_topic(node::edits_topic) : nullptr;
  const std::string* edit = healing_.edit_of(id, ref, offset);
  if (edited.has_value() != (edit != nullptr))
    return oracle_.breach(fmt::format("subscription {} is given topic {} offset {} {}", id.value, ref.topic.value,
                                      offset.value, edit ? "as if nobody had edited it" : "edited, and nobody did"));
  const Offset at = edited.value_or(offset);
  const auto batch = node_->read_one(edits == nullptr ? ref : PartitionRef{edits->id, PartitionId{0}}, at);
  if (!batch) {
    if (batch.error().code != Code::offset_out_of_range && batch.error().code != Code::not_found) return;
    return oracle_.breach(fmt::format("subscription {} holds topic {} partition {} offset {}, which is gone", id.value,
                                      ref.topic.value, ref.partition.value, offset.value));
  }
  record::RecordWalk walk{**batch};
  while (const auto record = walk.next()) {
    if (record->offset != at) continue;
    if (edit != nullptr && record->value != *edit)
      oracle_.breach(
          fmt::format("subscription {}: another edit stands in the place of offset {}", id.value, offset.value));
    if (edit == nullptr && healing_.letter_at({ref, offset}) == nullptr)
      oracle_.read_held(ref, offset, record->key.value_or(""), record->value.value_or(""));
  }
}

void World::check_delivered(SubscriptionId id, const node::Delivery& delivery) {
  const node::Lease& lease = delivery.lease;
  check_readable(id, lease.partition, lease.offset, delivery.edited);
  const SentEvent* event = oracle_.event_at(lease.partition, lease.offset);
  if (event != nullptr && oracle_.readers()[id].settings.queue && event->deliverable > node_->core().now().wall)
    oracle_.breach(fmt::format("event {} is delivered before its time", event->number));
}

void World::check_parked() {
  for (const auto& [name, subscription] : node_->core().catalogue()->subscriptions)
    for (const node::ParkedKey& key : node_->core().subscriptions().parked(subscription->id, {.limit = 1000})) {
      if (node_->core().topics().find(key.partition.topic) == nullptr) continue;
      if (node_->core().idle()) check_readable(subscription->id, key.partition, key.head, key.edited);
      const auto state = node_->home().state(key.partition);
      if (state && node_->core().idle())
        oracle_.is_parked(subscription->id, key.partition, key.head, key.head < state->first);
    }
}

std::map<PartitionRef, node::PartitionState> World::read_all() {
  std::map<PartitionRef, node::PartitionState> all, letters;
  healing_.begin_reading_letters();
  const auto catalogue = node_->core().catalogue();
  for (const auto& [name, topic] : catalogue->topics) {
    if (engines::is_system_name(name)) continue;  // the node's own events
    const node::Subscription* reader = catalogue->find_subscription(name);
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) {
      const PartitionRef ref{topic->id, PartitionId{id}};
      const auto state = node_->home().state(ref);
      if (!state) {
        oracle_.breach("a partition of the catalogue is not in the log: " + to_string(state.error()));
        continue;
      }
      if (reader != nullptr && reader->settings.queue) oracle_.check_trimmed_queue(ref, *state);
      (holds_letters(name) ? letters : all)[ref] = *state;
      read_partition(ref, *state, holds_letters(name));
    }
  }
  healing_.end_reading_letters(oracle_, letters);
  return all;
}

void World::read_partition(PartitionRef ref, const node::PartitionState& state, bool letters) {
  for (Offset at = state.first; at < state.next;) {
    const auto batches = node_->home().read(ref, at, 1u << 20);
    if (!batches || batches->batches.empty() || batches->next <= at) {
      if (!tolerates_damage)
        oracle_.breach(fmt::format("topic {} partition {} cannot be read at offset {}: {}", ref.topic.value,
                                   ref.partition.value, at.value,
                                   batches ? "nothing there" : to_string(batches.error())));
      return;
    }
    for (const auto& batch : batches->batches) {
      record::RecordWalk walk{*batch};
      if (!letters) oracle_.read_batch(ref, walk.header());
      while (const auto record = walk.next()) {
        if (record->offset < at) continue;
        if (letters)
          healing_.read_letter(oracle_, ref, *record);
        else
          oracle_.read(ref, record->offset, record->key.value_or(""), record->value.value_or(""));
      }
    }
    at = batches->next;
  }
}

void World::check_second_recovery() {
  if (!running()) return;
  const std::uint64_t before = node_->visible_state();
  auto other = fork(disk_->kill_image(), 1);
  auto again = SimulatedNode::start(other->disk(), other->clock_, other->random_, settings_);
  if (!again) return oracle_.breach("a second recovery fails: " + to_string(again.error()));
  if ((*again)->visible_state() != before) oracle_.breach("a second recovery changes what can be seen");
  for (const engines::GroupSummary& each : node_->core().groups().list())
    if (each.state == engines::GroupState::stable && (*again)->members_of(each.name) != node_->members_of(each.name))
      oracle_.breach(fmt::format("a second recovery changes group '{}'", each.name));
}

void World::drain() {
  if (!running()) return;
  flush();
  drain_producers();
  drain_consumers();
  if (!running()) return;
  const auto catalogue = node_->core().catalogue();
  for (const auto& [name, subscription] : catalogue->subscriptions) drain(name, subscription->id);
  if (running()) check(false);
}

void World::drain(const std::string& name, SubscriptionId id) {
  int quiet = 0;
  for (int round = 0; round < 2000 && quiet < 3 && running(); ++round) {
    if (node_->home().stats().free_slots < 2) checkpoint();
    if (const auto* found = node_->core().catalogue()->find_subscription(name); found != nullptr && found->paused)
      pause(name, false);
    const std::uint64_t before = node_->core().last_written().value;
    feed();
    receive(name, 200);
    flush();
    settle_all(name);
    retry_parked(name);
    flush();
    tick();
    flush();
    work();
    const auto counts = node_->core().subscriptions().counts(id);
    const bool nothing =
        counts.queued + counts.leased + counts.delayed + counts.parked_events == 0 && !busy(node_->core(), id);
    const bool moved = node_->core().last_written().value != before;
    if (!nothing && !moved) advance(Millis{1000});  // leases and delays of before
    quiet = nothing && !moved ? quiet + 1 : 0;
  }
  if (!running()) return;
  if (quiet < 3) oracle_.breach(fmt::format("subscription '{}' is never done", name));
  std::map<PartitionRef, node::PartitionState> partitions;
  for (const auto& [topic_name, topic] : node_->core().catalogue()->topics)
    for (std::uint32_t part = 0; part < topic->settings.partitions; ++part)
      if (const PartitionRef ref{topic->id, PartitionId{part}}; const auto state = node_->home().state(ref))
        partitions[ref] = *state;
  oracle_.check_nothing_missing(id, partitions);
  healing_.check_drained(oracle_, id, *node_->core().catalogue());
  if (const auto* found = node_->core().catalogue()->find_subscription(name); found != nullptr && holds_letters(name))
    healing_.check_letters_settled(oracle_, id, found->topics, partitions);
}

// A job of it goes on by itself.
bool World::busy(const node::Core& core, SubscriptionId id) {
  const node::Release* release = core.subscriptions().release(id);
  return release != nullptr && release->state == engines::ReleaseState::running;
}

}  // namespace continuo::simulator
