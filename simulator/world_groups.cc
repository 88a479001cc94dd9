// What consumers of groups ask.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/bytes.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {
namespace {

using engines::GroupError;
using engines::Membership;

constexpr std::size_t step_room = 4096;
constexpr Millis session{6'000};
constexpr Millis rebalance{8'000};

// The metadata of a consumer that subscribes to these topics.
std::string subscribes(const std::vector<std::string>& topics) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.be(std::int16_t{1});
  writer.be(static_cast<std::int32_t>(topics.size()));
  for (const std::string& topic : topics) {
    writer.be(static_cast<std::int16_t>(topic.size()));
    writer.raw(topic);
  }
  return bytes;
}

Membership membership(const Consumer& consumer) {
  return {consumer.group, consumer.member, consumer.instance, consumer.generation};
}

// What a client does about a refusal.
void react(Consumer& consumer, GroupError error) {
  if (error == GroupError::none) return;
  consumer.phase = Consumer::Phase::out;
  if (error != GroupError::unknown_member_id && error != GroupError::fenced_instance_id) return;
  consumer.member.clear();
  consumer.generation = -1;
}

}  // namespace

// ---- members --------------------------------------------------------------------------------------------------------

void World::act(const std::string& name) {
  switch (consumers_[name].phase) {
    case Consumer::Phase::out: return join(name);
    case Consumer::Phase::joined: return sync(name);
    case Consumer::Phase::in: return heartbeat(name);
    case Consumer::Phase::joining:
    case Consumer::Phase::syncing: return;
  }
}

void World::lose(Consumer& consumer, bool forgets) {
  ++consumer.attempt;
  consumer.phase = Consumer::Phase::out;
  if (!forgets) return;
  consumer.member.clear();
  consumer.generation = -1;
}

void World::join(const std::string& name) {
  if (!admit(step_room)) return;
  Consumer& consumer = consumers_[name];
  consumer.phase = Consumer::Phase::joining;
  engines::JoinGroup request{.group = consumer.group,
                             .member = consumer.member,
                             .instance = consumer.instance,
                             .client_id = name,
                             .client_host = "/10.0.0.1",
                             .session_timeout = session,
                             .rebalance_timeout = rebalance,
                             .protocol_type = "consumer",
                             .protocols = {{"range", subscribes(consumer.topics)}},
                             .requires_known_member = consumer.requires_known_member,
                             .can_skip_assignment = consumer.can_skip_assignment};
  groups_.moves(consumer.group);
  ++groups_.waiting;
  node_->core().join_group(node_->edge(), std::move(request),
                           [this, name, attempt = ++consumer.attempt](Result<engines::JoinAnswer> answer) {
                             joined(name, attempt, answer);
                           });
}

void World::joined(const std::string& name, std::uint64_t attempt, const Result<engines::JoinAnswer>& answer) {
  if (!answer) return;
  Consumer& consumer = consumers_[name];
  --groups_.waiting;
  tell([&] {
    return fmt::format("{} joins: error {}, {} in generation {}, {} leads", name, static_cast<int>(answer->error),
                       answer->member, answer->generation, answer->leader);
  });
  groups_.joined(oracle_, consumer.group, *answer, elapsed());
  oracle_.heard();
  if (attempt != consumer.attempt) return;
  react(consumer, answer->error);
  if (answer->error == GroupError::member_id_required) consumer.member = answer->member;
  if (answer->error != GroupError::none) return;
  consumer.member = answer->member;
  if (answer->generation > consumer.generation) consumer.outlived = consumer.generation;
  consumer.generation = answer->generation;
  consumer.phase = Consumer::Phase::joined;
  consumer.led.clear();
  if (!answer->skip_assignment)
    for (const auto& each : answer->members) consumer.led.push_back(each.id);
}

void World::sync(const std::string& name) {
  Consumer& consumer = consumers_[name];
  if (!admit(step_room + consumer.led.size() * 400)) return;
  consumer.phase = Consumer::Phase::syncing;
  engines::SyncGroup request{.who = membership(consumer)};
  if (!consumer.led.empty())
    request.assignments = groups_.assigns(consumer.group, consumer.generation, consumer.led, elapsed());
  ++groups_.waiting;
  node_->core().sync_group(node_->edge(), std::move(request),
                           [this, name, attempt = ++consumer.attempt, who = membership(consumer)](
                               Result<engines::SyncAnswer> answer) { synced(name, attempt, who, answer); });
}

void World::synced(const std::string& name, std::uint64_t attempt, const Membership& who,
                   const Result<engines::SyncAnswer>& answer) {
  if (!answer) return;
  --groups_.waiting;
  tell([&] {
    return fmt::format("{} syncs: error {}, '{}'", name, static_cast<int>(answer->error), answer->assignment);
  });
  if (answer->error == GroupError::none) groups_.synced(oracle_, who, answer->assignment, elapsed());
  oracle_.heard();
  Consumer& consumer = consumers_[name];
  if (attempt != consumer.attempt) return;
  consumer.phase = Consumer::Phase::in;
  react(consumer, answer->error);
}

void World::heartbeat(const std::string& name) {
  if (!admit(step_room)) return;
  const Consumer& asking = consumers_[name];
  const bool stands = groups_.stands(membership(asking), elapsed());
  node_->core().heartbeat(
      node_->edge(), membership(asking),
      [this, name, attempt = asking.attempt, stands, who = membership(asking)](Result<GroupError> answer) {
        if (!answer) return;
        groups_.spoke(oracle_, who, *answer, stands, elapsed());
        oracle_.heard();
        if (Consumer& consumer = consumers_[name]; attempt == consumer.attempt) react(consumer, *answer);
      });
}

void World::leave(const std::string& name) {
  Consumer& consumer = consumers_[name];
  if (consumer.member.empty() || !admit(step_room)) return;
  groups_.moves(consumer.group);
  node_->core().leave_group(node_->edge(), {consumer.group, {{consumer.member, consumer.instance}}},
                            [this](Result<node::GroupOutcomes> answer) {
                              if (answer) oracle_.heard();
                            });
  lose(consumer, true);
}

// ---- committed offsets ----------------------------------------------------------------------------------------------

void World::commit(const std::string& name, const std::map<PartitionRef, Offset>& offsets) {
  if (consumers_[name].generation >= 0) commit(membership(consumers_[name]), offsets);
}

void World::commit_late(const std::string& name, const std::map<PartitionRef, Offset>& offsets) {
  Membership who = membership(consumers_[name]);
  who.generation = consumers_[name].outlived;
  if (who.generation >= 0 && !who.member.empty()) commit(std::move(who), offsets);
}

void World::commit_alone(const std::string& group, const std::map<PartitionRef, Offset>& offsets) {
  commit({group, {}, {}, -1}, offsets);
}

void World::commit(Membership who, const std::map<PartitionRef, Offset>& offsets) {
  if (offsets.empty() || !admit(step_room)) return;
  GroupOracle::Change change;
  engines::CommitOffsets request{who, {}};
  for (const auto& [ref, offset] : offsets) {
    change.offsets[ref] = offset;
    request.partitions.push_back({ref, offset, std::nullopt, fmt::format("at {}", offset.value)});
  }
  const bool stands = groups_.stands(who, elapsed());
  const auto number = groups_.changes(who.group, std::move(change));
  node_->core().commit_offsets(node_->edge(), request, [this, who, number, stands](Result<node::GroupOutcomes> answer) {
    if (!answer && answer.error().code == Code::node_failed) return;
    tell([&] { return fmt::format("commit {}: {}", number, answer ? static_cast<int>(answer->error) : -1); });
    groups_.changed(who.group, number, answer && answer->error == GroupError::none, elapsed());
    if (answer) groups_.spoke(oracle_, who, answer->error, stands, elapsed());
    oracle_.heard();
  });
}

void World::fetch(const std::string& group) {
  if (!admit(step_room)) return;
  node_->core().committed_offsets(node_->edge(), group, [this, group](Result<std::vector<node::CommittedOffset>> all) {
    if (!all) return;
    GroupOracle::Committed found;
    for (const node::CommittedOffset& each : *all) {
      found[each.partition] = each.offset;
      if (each.metadata != fmt::format("at {}", each.offset.value))
        oracle_.breach(
            fmt::format("group '{}': the note of offset {} is '{}'", group, each.offset.value, each.metadata));
    }
    groups_.fetched(oracle_, group, found, *node_->core().catalogue());
    oracle_.heard();
  });
}

void World::delete_offsets(const std::string& group, const std::string& topic, std::uint32_t partition) {
  const auto id = oracle_.topic(topic);
  if (!id || !admit(step_room)) return;
  const PartitionRef ref{*id, PartitionId{partition}};
  const auto number = groups_.changes(group, {{{ref, std::nullopt}}, false});
  node_->core().delete_offsets(
      node_->edge(), {group, {{topic, ref}}}, [this, group, number](Result<node::GroupOutcomes> answer) {
        if (!answer) return;
        const bool done = answer->error == GroupError::none && answer->each.front() == GroupError::none;
        groups_.changed(group, number, done, elapsed());
        oracle_.heard();
      });
}

void World::delete_group(const std::string& group) {
  if (!admit(step_room)) return;
  groups_.moves(group);
  const auto number = groups_.changes(group, {{}, true});
  node_->core().delete_group(node_->edge(), group, [this, group, number](Result<GroupError> answer) {
    if (!answer) return;
    tell([&] { return fmt::format("delete of group {}: {}", group, static_cast<int>(*answer)); });
    groups_.changed(group, number, *answer == GroupError::none, elapsed());
    oracle_.heard();
  });
}

// ---- at the end -----------------------------------------------------------------------------------------------------

// No more trouble: what was committed is answered, all become members of one generation, and nobody waits any more.
void World::drain_consumers() {
  std::set<std::string> groups;
  for (const auto& [name, consumer] : consumers_) groups.insert(consumer.group);
  for (const std::string& group : groups) fetch(group);
  flush();
  bool together = consumers_.empty();
  for (int round = 0; round < 200 && running() && !(together && groups_.waiting == 0); ++round) {
    if (node_->home().stats().free_slots < 2) checkpoint();
    std::map<std::string, std::set<std::int32_t>> generations;
    together = true;
    for (const auto& [name, consumer] : consumers_) {
      act(name);
      flush();
      generations[consumer.group].insert(consumer.generation);
      together = together && consumer.phase == Consumer::Phase::in;
    }
    for (const auto& [group, all] : generations) together = together && all.size() == 1;
    if (!together || groups_.waiting != 0) advance(Millis{500});
    tick();
    flush();
    work();
  }
  if (!running()) return;
  std::string standing;
  for (const auto& [name, consumer] : consumers_)
    standing +=
        fmt::format(" {} {} of {} in {}", name, static_cast<int>(consumer.phase), consumer.group, consumer.generation);
  if (!together) oracle_.breach("the consumers never agree on a generation:" + standing);
  if (groups_.waiting != 0) oracle_.breach(fmt::format("{} joins and syncs are never answered", groups_.waiting));
  for (const std::string& group : groups) fetch(group);
  flush();
}

}  // namespace continuo::simulator
