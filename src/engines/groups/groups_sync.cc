// Syncing: the leader's assignment makes a generation, and everybody gets its part.
#include <algorithm>

#include "continuo/engines/groups/groups.h"

namespace continuo::engines {
namespace {

// What the encoding of a member adds to its texts: lengths, timeouts, the group's number; generously.
constexpr std::size_t member_overhead = 64;

std::size_t stored_bytes(const std::string& id, const GroupMember& member, std::string_view protocol) {
  const std::size_t instance = member.instance ? member.instance->size() : 0;
  return id.size() + instance + member.client_id.size() + member.client_host.size() + member.metadata(protocol).size() +
         member.assignment.size() + member_overhead;
}

GroupError check_protocol(const ConsumerGroup& group, const SyncGroup& request) {
  const bool other = (request.protocol_type && *request.protocol_type != group.protocol_type) ||
                     (request.protocol && *request.protocol != group.protocol);
  return other ? GroupError::inconsistent_group_protocol : GroupError::none;
}

SyncAnswer assigned(const ConsumerGroup& group, const GroupMember& member, std::uint64_t token) {
  return {.token = token,
          .protocol_type = group.protocol_type,
          .protocol = group.protocol,
          .assignment = member.assignment};
}

}  // namespace

GroupOutcome GroupsEngine::sync(SyncGroup request, Elapsed now) {
  GroupOutcome outcome;
  ConsumerGroup* group = find(request.who.group);
  GroupError error = check(group, request.who);
  if (error == GroupError::none) error = check_protocol(*group, request);
  if (error == GroupError::none && group->state == GroupState::preparing_rebalance)
    error = GroupError::rebalance_in_progress;
  if (error != GroupError::none) {
    outcome.answers.emplace_back(SyncAnswer{.token = request.token, .error = error});
    return outcome;
  }
  Turn turn{*group, now, outcome};
  GroupMember& member = *group->find(request.who.member);
  member.must_sync = false;
  member.heard_of(now);
  if (group->state == GroupState::stable) {
    outcome.answers.emplace_back(assigned(*group, member, request.token));
  } else {
    wait(turn, request.who.member, GroupMember::Waits::for_sync, request.token);
    if (group->leader == request.who.member) finish_generation(turn, request.assignments);
  }
  settle(turn);
  return outcome;
}

void GroupsEngine::finish_generation(Turn& turn, std::vector<SyncGroup::Assignment>& assignments) {
  ConsumerGroup& group = turn.group;
  for (auto& [id, member] : group.members) member.assignment.clear();
  for (SyncGroup::Assignment& each : assignments)
    if (GroupMember* member = group.find(each.member)) member->assignment = std::move(each.assignment);
  if (!fits(group)) {
    refuse_syncs(turn, GroupError::too_large);
    return prepare_rebalance(turn);
  }
  group.state = GroupState::stable;
  group.since = turn.now;
  for (auto& [id, member] : group.members) member.stored = true;
  store_generation(group, turn.outcome.effects);
  for (auto& [id, member] : group.members) {
    store_member(turn, id, member);
    if (member.waits != GroupMember::Waits::for_sync) continue;
    member.heard_of(turn.now);
    if (const auto token = stop_waiting(member)) turn.outcome.answers.emplace_back(assigned(group, member, *token));
  }
}

bool GroupsEngine::fits(const ConsumerGroup& group) const {
  std::size_t bytes = 0;
  for (const auto& [id, member] : group.members) {
    const std::size_t each = stored_bytes(id, member, group.protocol);
    if (each > options_.member_bytes) return false;
    bytes += each;
  }
  return bytes <= options_.group_bytes;
}

void GroupsEngine::refuse_syncs(Turn& turn, GroupError error) {
  for (auto& [id, member] : turn.group.members) {
    if (member.waits != GroupMember::Waits::for_sync) continue;
    member.heard_of(turn.now);
    refuse_waiting(turn, id, member, error);
  }
}

void GroupsEngine::become_empty(Turn& turn) {
  ConsumerGroup& group = turn.group;
  ++group.generation;
  group.state = GroupState::empty;
  group.protocol.clear();
  group.since = turn.now;
  group.look_at = turn.now + options_.empty_kept;
  if (group.id.value != 0) store_generation(group, turn.outcome.effects);
}

void GroupsEngine::store_member(Turn& turn, const std::string& id, GroupMember& member) {
  const ConsumerGroup& group = turn.group;
  member.stored = true;
  turn.outcome.effects.push_back(encode(MemberAssigned{.group = group.id,
                                                       .member = id,
                                                       .instance = member.instance,
                                                       .client_id = member.client_id,
                                                       .client_host = member.client_host,
                                                       .session_timeout = member.session_timeout,
                                                       .rebalance_timeout = member.rebalance_timeout,
                                                       .metadata = member.metadata(group.protocol),
                                                       .assignment = member.assignment}));
}

void GroupsEngine::store_generation(ConsumerGroup& group, std::vector<Effect>& effects) {
  if (group.id.value == 0) {
    group.id = std::exchange(next_, GroupId{next_.value + 1});
    effects.push_back(encode(GroupsNumbered{next_.value}));
  }
  const auto stored = std::ranges::count_if(group.members, [](const auto& each) { return each.second.stored; });
  effects.push_back(encode(GenerationFinished{.group = group.id,
                                              .name = group.name,
                                              .generation = static_cast<std::uint32_t>(group.generation),
                                              .protocol_type = group.protocol_type,
                                              .protocol = group.protocol,
                                              .leader = group.leader,
                                              .members = static_cast<std::uint32_t>(stored),
                                              .since = group.since}));
}

}  // namespace continuo::engines
