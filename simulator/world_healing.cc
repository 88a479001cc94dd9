// What those ask who heal: verbs on parked keys, the workflow that repairs, releases of many, and moves; and what the
// node tells of it.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {
namespace {

constexpr std::size_t verb_bytes = 2048;
constexpr std::size_t key_bytes = 1200;  // of effects, and of what is told of them
constexpr Millis repair_lease{1'500};
constexpr const char* events_topic = "continuo.events";

node::Asked asked(VerbNumber number) { return {"simulation", HealingOracle::reason(number)}; }

Result<void> outcome(const auto& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

// ---- what is told ---------------------------------------------------------------------------------------------------

// Where the next event of the node's own will lie.
Offset World::told_next() {
  const engines::TopicUnit* topic = node_->core().topics().find(events_topic);
  return topic == nullptr ? Offset{0} : node_->core().topics().head({topic->definition.id, PartitionId{0}})->next;
}

// After a definition was decided: from here on the name is of this one.
void World::note_names(const std::string& name, Offset from) {
  if (const auto* topic = node_->core().topics().find(name)) healing_.topic_is(name, topic->definition.id, from);
  if (const auto* made = node_->core().subscriptions().find(name))
    healing_.subscription_is(name, made->definition.id, from);
}

// The same, when it was to be deleted.
void World::note_gone(const std::string& name) {
  if (const auto id = oracle_.topic(name); id && node_->core().topics().find(*id) == nullptr) oracle_.topic_goes(*id);
}

// Everything that can be read by now; it is judged with what is known of it.
void World::hear() {
  const auto catalogue = node_->core().catalogue();
  const node::Topic* topic = catalogue->find_topic(events_topic);
  if (topic == nullptr) return;
  const PartitionRef ref{topic->id, PartitionId{0}};
  const auto state = node_->home().state(ref);
  if (!state) return;
  if (state->next < healing_.heard()) oracle_.breach("what was told is gone");
  if (state->next <= healing_.heard()) return;
  for (const auto& [name, each] : catalogue->topics)
    if (holds_letters(name)) healing_.topic_is(name, each->id, Offset{0});
  for (const auto& [name, each] : catalogue->subscriptions)
    if (holds_letters(name)) healing_.subscription_is(name, each->id, Offset{0});
  std::string scratch;
  while (healing_.heard() < state->next) {
    const auto batches = node_->home().read(ref, healing_.heard(), 1u << 20);
    if (!batches || batches->batches.empty()) {
      if (!tolerates_damage) oracle_.breach("what is told cannot be read");
      return;
    }
    for (const auto& batch : batches->batches) {
      record::RecordWalk walk{*batch};
      while (const auto record = walk.next()) {
        if (record->offset < healing_.heard()) continue;
        const record::Event event = record::event_of(*record, {events_topic, PartitionId{0}}, scratch);
        tell([&] { return fmt::format("told: {} {} {}", event.type, event.subject, event.data); });
        healing_.hear(oracle_, record->offset, event.type, event.subject, event.data, WallTime{record->timestamp_ms});
      }
    }
  }
}

void World::verb_answered(VerbNumber number, const Result<void>& answer) {
  tell([&] { return fmt::format("verb {}: {}", number, answer ? "done" : to_string(answer.error())); });
  if (running()) hear();
  healing_.answered(oracle_, number, answer);
}

// ---- verbs on one key -----------------------------------------------------------------------------------------------

std::vector<node::ParkedKey> World::parked(const std::string& name) {
  const auto id = oracle_.subscription(name);
  if (!id || !running()) return {};
  auto all = node_->core().subscriptions().parked(*id, {.limit = 1'000});
  std::erase_if(all, [&](const auto& key) { return node_->core().topics().find(key.partition.topic) == nullptr; });
  return all;
}

// A key is one key in every partition that has it.
std::set<Place> World::heads_of(const std::string& name, std::uint64_t key_hash) {
  std::set<Place> heads;
  for (const node::ParkedKey& each : parked(name))
    if (each.key_hash == key_hash) heads.emplace(each.partition, each.head);
  return heads;
}

void World::retry(const std::string& name, std::uint64_t key_hash) {
  const auto heads = heads_of(name, key_hash);
  if (heads.empty() || !admit(verb_bytes + heads.size() * key_bytes)) return;
  const SubscriptionId id = *oracle_.subscription(name);
  const VerbNumber number = healing_.asks({.told = Verb::Told::released, .subscription = id, .heads = heads});
  node_->core().retry_parked(node_->edge(), id, key_hash, asked(number),
                             [this, number](Result<void> answer) { verb_answered(number, answer); });
}

void World::skip(const std::string& name, std::uint64_t key_hash) {
  const auto heads = heads_of(name, key_hash);
  if (heads.empty() || !admit(verb_bytes + 2 * heads.size() * key_bytes)) return;
  const SubscriptionId id = *oracle_.subscription(name);
  const VerbNumber number = healing_.asks({.told = Verb::Told::skipped, .subscription = id, .heads = heads});
  node_->core().skip_parked(node_->edge(), id, key_hash, asked(number),
                            [this, number](Result<void> answer) { verb_answered(number, answer); });
}

void World::retry_parked(const std::string& name) {
  if (const auto all = parked(name); !all.empty()) retry(name, all.front().key_hash);
}

void World::skip_parked(const std::string& name) {
  if (const auto all = parked(name); !all.empty()) skip(name, all.front().key_hash);
}

Offset World::cursor_of(SubscriptionId id, PartitionRef partition) {
  for (const engines::CursorMoved& each : node_->core().subscriptions().cursors(id))
    if (each.partition == partition) return each.next;
  return Offset{0};
}

void World::cancel(const std::string& name, const node::ParkedKey& key) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(verb_bytes)) return;
  flush();  // so that it is known what waits
  if (!running()) return;
  Verb verb{.told = Verb::Told::cancelled, .subscription = *id, .heads = {{key.partition, key.head}}};
  const auto waiting = oracle_.waiting(*id, key.partition, key.head, cursor_of(*id, key.partition));
  for (const Offset offset : waiting.certain) verb.goes.emplace_back(key.partition, offset);
  for (const Offset offset : waiting.perhaps) verb.may_go.emplace_back(key.partition, offset);
  const VerbNumber number = healing_.asks(std::move(verb));
  node_->core().cancel_parked(node_->edge(), *id, key.key_hash, asked(number),
                              [this, number](Result<std::uint64_t> answer) { verb_answered(number, outcome(answer)); });
}

node::EditedEvent World::edited(PartitionRef partition, Offset offset, const std::string& value) {
  const SentEvent* event = oracle_.event_at(partition, offset);
  node::EditedEvent made;
  record::BodyWriter{made.body}.key(event == nullptr ? "" : event->key).value(value).header_count(0);
  made.timestamp_ms = 1;
  made.difference = R"([{"op":"replace","path":"/data","value":1}])";
  return made;
}

void World::edit(const std::string& name, const node::ParkedKey& key, bool release) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(verb_bytes + key_bytes)) return;
  Verb verb{.told = Verb::Told::edited, .subscription = *id, .heads = {{key.partition, key.head}}};
  verb.value = fmt::format("edit {} of {}", healing_.next_verb(), key.head.value);
  node::EditParked edit{
      *id, key.partition, key.key_hash, key.head, edited(key.partition, key.head, verb.value), release, {}};
  const VerbNumber number = healing_.asks(std::move(verb));
  edit.asked = asked(number);
  node_->core().edit_parked(node_->edge(), std::move(edit),
                            [this, number](Result<void> answer) { verb_answered(number, answer); });
}

// ---- the workflow that repairs --------------------------------------------------------------------------------------

// It is known when it was decided, unless it waited: what is told later may end the lease.
void World::receive_repairs(const std::string& name, node::RepairBy who, Millis wait) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(verb_bytes)) return;
  const Elapsed until = elapsed() + repair_lease;
  const Offset since = told_next();
  const bool waits = wait.count() != 0;
  node_->core().receive_repairs(node_->edge(),
                                {.subscription = *id, .who = who, .max = 2, .lease = repair_lease, .wait = wait},
                                [this, until, since, waits](Result<std::vector<node::RepairDelivery>> answer) {
                                  if (!answer || !running()) return;
                                  hear();
                                  oracle_.heard();
                                  for (const node::RepairDelivery& each : *answer)
                                    repairs_.push_back({each, until, since, waits});
                                });
}

void World::settle_repair(std::size_t which, engines::RepairSettle::Outcome how) {
  using How = engines::RepairSettle::Outcome;
  if (which >= repairs_.size() || !admit(verb_bytes + 2 * key_bytes)) return;
  HeldRepair& held = repairs_[which];
  const node::Lease lease = held.delivery.lease;
  if (node_->core().topics().find(lease.partition.topic) == nullptr) return;
  const bool had = !held.doubtful && elapsed() < held.until;
  held.doubtful = true;
  Verb verb{.subscription = lease.subscription, .heads = {{lease.partition, lease.offset}}};
  verb.told = how == How::repaired ? Verb::Told::edited : how == How::skip ? Verb::Told::skipped : Verb::Told::quiet;
  verb.value = fmt::format("edit {} of {}", healing_.next_verb(), lease.offset.value);
  node::SettleRepair settle{{lease, how, {}}, edited(lease.partition, lease.offset, verb.value)};
  const VerbNumber number = healing_.asks(std::move(verb));
  settle.settle.reason = HealingOracle::reason(number);
  node_->core().settle_repairs(node_->edge(), lease.subscription, {std::move(settle)}, "workflow",
                               [this, number, lease, had, since = held.since](Result<node::RepairsSettled> answer) {
                                 const bool lost = answer && answer->settled == 0;
                                 if (lost && had) check_repair_lost(lease, since);
                                 verb_answered(number,
                                               lost ? Result<void>{fail(Code::lease_lost, "")} : outcome(answer));
                               });
}

// Before its time it ends only with what is told of the event.
void World::check_repair_lost(const node::Lease& lease, Offset since) {
  if (!running() || node_->core().subscriptions().find(lease.subscription) == nullptr) return;
  hear();
  if (healing_.untouched(lease.subscription, {lease.partition, lease.offset}, since))
    oracle_.breach(fmt::format("subscription {}: the repair of offset {} lost its lease before its time",
                               lease.subscription.value, lease.offset.value));
}

// ---- many keys, and the whole subscription --------------------------------------------------------------------------

void World::release(const std::string& name, const node::ReleaseFilter& filter, std::uint32_t rate, bool stop) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(verb_bytes)) return;
  const VerbNumber number = healing_.asks({.subscription = *id});
  node::ReleaseParked release{*id, filter, rate, stop, false, asked(number)};
  node_->core().release_parked(node_->edge(), release, [this, number, id = *id](Result<node::Release> answer) {
    verb_answered(number, outcome(answer));
    if (answer) healing_.releases(id, answer->number);
  });
}

void World::stop_release(const std::string& name) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(verb_bytes)) return;
  const VerbNumber number = healing_.asks({.subscription = *id});
  node_->core().stop_release(node_->edge(), *id,
                             [this, number](Result<node::Release> answer) { verb_answered(number, outcome(answer)); });
}

// What parked keys hold of before the new place goes along, or is forgotten.
void World::seek(const std::string& name, const std::vector<std::pair<PartitionRef, Offset>>& to,
                 node::ParkedFate fate) {
  const auto id = oracle_.subscription(name);
  if (!id || !running()) return;
  flush();  // so that it is known what waits
  const auto all = parked(name);
  if (!admit(verb_bytes + 3 * key_bytes * all.size()) || node_->core().subscriptions().find(*id) == nullptr) return;
  Reader moved = oracle_.readers()[*id];
  moved.fates.clear();
  moved.held.clear();
  moved.parked.clear();
  moved.begin.clear();
  moved.carried.clear();
  for (const engines::CursorMoved& each : node_->core().subscriptions().cursors(*id))
    moved.begin[each.partition] = each.next;
  for (const auto& [partition, offset] : to) moved.begin[partition] = offset;
  if (fate == node::ParkedFate::keep)
    for (const node::ParkedKey& key : all) {
      const Offset before = std::min(cursor_of(*id, key.partition), moved.begin[key.partition]);
      const auto waiting = oracle_.waiting(*id, key.partition, key.head, before);
      for (const Offset offset : waiting.certain) moved.carried.emplace(key.partition, offset);
      for (const Offset offset : waiting.perhaps) {
        moved.carried.emplace(key.partition, offset);
        moved.fates[{key.partition, offset}].perhaps = 1;
      }
    }
  const VerbNumber number = healing_.asks({.told = Verb::Told::moved, .subscription = *id, .heads = {Place{}}});
  oracle_.changes_subscription(name);
  const Offset from = told_next();
  node_->core().seek(node_->edge(), {*id, to, fate, asked(number)},
                     [this, number, name](Result<node::Subscription> answer) {
                       verb_answered(number, outcome(answer));
                       if (answer)
                         oracle_.subscription_is(name, *answer);
                       else if (answer.error().code != Code::node_failed)
                         oracle_.subscription_stays(name);
                     });
  const auto* now = running() ? node_->core().subscriptions().find(name) : nullptr;
  if (now == nullptr || now->definition.id == *id) return;
  oracle_.readers()[now->definition.id] = std::move(moved);
  note_names(name, from);
}

}  // namespace continuo::simulator
