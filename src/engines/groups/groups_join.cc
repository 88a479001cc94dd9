// Joining: new members, those that come back, and the moment when all are there.
#include <algorithm>

#include "continuo/engines/groups/consumer_protocol.h"
#include "continuo/engines/groups/groups.h"

namespace continuo::engines {
namespace {

constexpr std::size_t longest_member = 255;  // bytes: an id is part of its unit's key, which has 511
// A group of which nobody rejoined is looked at again this often at most.
constexpr Millis shortest_postponement{1'000};

JoinAnswer refused(const JoinGroup& request, GroupError error) {
  return {.token = request.token, .error = error, .member = request.member};
}

// The generation as it stands.
JoinAnswer current(const ConsumerGroup& group, const std::string& id, std::uint64_t token) {
  JoinAnswer answer{.token = token,
                    .generation = group.generation,
                    .protocol_type = group.protocol_type,
                    .protocol = group.protocol,
                    .leader = group.leader,
                    .member = id};
  if (id == group.leader) answer.members = group.roll();
  return answer;
}

// What is stored of a member besides its assignment, at most.
std::size_t stored_bytes(const JoinGroup& request) {
  std::size_t longest = 0;
  for (const GroupProtocol& each : request.protocols) longest = std::max(longest, each.metadata.size());
  const std::size_t instance = request.instance ? request.instance->size() : 0;
  return longest + instance + request.client_id.size() + request.client_host.size();
}

void update(GroupMember& member, JoinGroup& request) {
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = std::move(request.protocols);
}

// A consumer that comes back mostly says something else of what it owns: only a change of topics needs a rebalance.
bool subscribe_alike(std::string_view type, std::string_view before, std::string_view after) {
  if (type != consumer_protocol_type) return true;
  const auto left = subscribed_topics(before);
  const auto right = subscribed_topics(after);
  return !left || !right || left == right;
}

// The first half of a cooperative rebalance: members let partitions go, and whoever did joins again so that others get
// them. One that is replaced before does not know that it should, and nobody would own them until something else
// happens to the group - in Apache Kafka too.
bool is_half_way(const ConsumerGroup& group) {
  if (group.protocol_type != consumer_protocol_type) return false;
  ConsumerPartitions assigned;
  for (const auto& [id, member] : group.members) assigned.merge(assigned_partitions(member.assignment));
  return std::ranges::any_of(group.members, [&](const auto& each) {
    return !std::ranges::includes(assigned, owned_partitions(each.second.metadata(group.protocol)));
  });
}

}  // namespace

// ---- requests -------------------------------------------------------------------------------------------------------

GroupError GroupsEngine::check(const JoinGroup& request) const {
  if (request.group.empty() || request.group.size() > longest_group) return GroupError::invalid_group_id;
  if (request.session_timeout < options_.shortest_session || request.session_timeout > options_.longest_session)
    return GroupError::invalid_session_timeout;
  if (request.protocol_type.empty() || request.protocols.empty()) return GroupError::inconsistent_group_protocol;
  if (request.fresh_member.size() > longest_member || stored_bytes(request) > options_.member_bytes)
    return GroupError::too_large;
  return GroupError::none;
}

GroupOutcome GroupsEngine::join(JoinGroup request, Elapsed now) {
  GroupOutcome outcome;
  if (request.rebalance_timeout.count() < 0) request.rebalance_timeout = request.session_timeout;
  GroupError error = check(request);
  const bool exists = find(request.group) != nullptr;
  if (error == GroupError::none && !exists && !request.member.empty()) error = GroupError::unknown_member_id;
  if (error == GroupError::none && !exists && groups_.size() >= options_.groups) error = GroupError::limit_reached;
  if (error != GroupError::none) {
    outcome.answers.emplace_back(refused(request, error));
    return outcome;
  }
  Turn turn{make(request.group), now, outcome};
  error = request.member.empty() ? join_new(turn, request) : join_known(turn, request);
  if (error != GroupError::none) outcome.answers.emplace_back(refused(request, error));
  settle(turn);
  return outcome;
}

bool GroupsEngine::fits(const ConsumerGroup& group, const JoinGroup& request) const {
  std::size_t bytes = 0;
  for (const GroupProtocol& each : request.protocols) bytes += each.name.size() + each.metadata.size();
  for (const auto& [id, member] : group.members)
    if (id != request.member) bytes += member.metadata_bytes();
  return bytes <= options_.group_bytes;
}

GroupError GroupsEngine::join_new(Turn& turn, JoinGroup& request) {
  ConsumerGroup& group = turn.group;
  if (!group.supports(request.protocol_type, request.protocols)) return GroupError::inconsistent_group_protocol;
  if (!fits(group, request)) return GroupError::too_large;
  if (request.instance && group.has_instance(*request.instance)) return replace(turn, request);
  if (request.instance || !request.requires_known_member) return add(turn, request.fresh_member, request);
  if (std::max(group.members.size(), group.pending.size()) >= options_.members)
    return GroupError::group_max_size_reached;
  give_id(turn, request);
  return GroupError::none;
}

// KIP-394: clients that give up before their first join is answered would leave members behind that nobody is.
void GroupsEngine::give_id(Turn& turn, const JoinGroup& request) {
  turn.group.pending.insert_or_assign(request.fresh_member, turn.now + request.session_timeout);
  turn.outcome.answers.emplace_back(
      JoinAnswer{.token = request.token, .error = GroupError::member_id_required, .member = request.fresh_member});
}

GroupError GroupsEngine::join_known(Turn& turn, JoinGroup& request) {
  ConsumerGroup& group = turn.group;
  const bool pending = !request.instance && group.pending.contains(request.member);
  const GroupError error = pending ? GroupError::none : group.check(request.member, request.instance);
  if (error != GroupError::none) return error;
  if (!group.supports(request.protocol_type, request.protocols)) return GroupError::inconsistent_group_protocol;
  if (!fits(group, request)) return GroupError::too_large;
  if (pending) return add(turn, request.member, request);
  return rejoin(turn, *group.find(request.member), request);
}

// ---- members --------------------------------------------------------------------------------------------------------

GroupError GroupsEngine::add(Turn& turn, const std::string& id, JoinGroup& request) {
  ConsumerGroup& group = turn.group;
  if (group.members.size() >= options_.members) return GroupError::group_max_size_reached;
  if (group.members.empty()) {
    group.protocol_type = request.protocol_type;
    group.leader = id;
  }
  if (group.gathering) group.gathering->grew = true;
  group.pending.erase(id);
  const auto [at, fresh] = group.members.try_emplace(id);
  CHECK(fresh, "a fresh member id is nobody's");
  GroupMember& member = at->second;
  member.instance = request.instance;
  update(member, request);
  member.is_new = true;
  member.deadline = turn.now + options_.new_member_timeout;
  wait_for_join(turn, id, request.token);
  return GroupError::none;
}

GroupError GroupsEngine::rejoin(Turn& turn, GroupMember& member, JoinGroup& request) {
  const GroupState state = turn.group.state;
  const bool leads = turn.group.leader == request.member;
  const bool same = member.protocols == request.protocols;
  // Its answer may have been lost. A leader that rejoins a stable group wants a new assignment.
  if (same && (state == GroupState::completing_rebalance || (state == GroupState::stable && !leads))) {
    member.heard_of(turn.now);
    turn.outcome.answers.emplace_back(current(turn.group, request.member, request.token));
    return GroupError::none;
  }
  update(member, request);
  wait_for_join(turn, request.member, request.token);
  return GroupError::none;
}

void GroupsEngine::wait_for_join(Turn& turn, const std::string& id, std::uint64_t token) {
  if (turn.group.state != GroupState::preparing_rebalance) prepare_rebalance(turn);
  wait(turn, id, GroupMember::Waits::for_join, token);
}

// KIP-345: a static member that was restarted takes its own place under a new id. The old id is nobody's.
GroupError GroupsEngine::replace(Turn& turn, JoinGroup& request) {
  ConsumerGroup& group = turn.group;
  auto node = group.members.extract(group.find_instance(*request.instance));
  GroupMember& member = node.mapped();
  refuse_waiting(turn, node.key(), member, GroupError::fenced_instance_id);
  if (std::exchange(member.stored, false)) turn.outcome.effects.push_back(encode(MemberLeft{group.id, node.key()}));
  const std::string leader_before = group.leader;
  if (group.leader == node.key()) group.leader = request.fresh_member;
  node.key() = request.fresh_member;
  CHECK(group.members.insert(std::move(node)).inserted, "a fresh member id is nobody's");

  const bool stable = group.state == GroupState::stable && !is_half_way(group);
  const std::string before = stable ? member.metadata(group.protocol) : std::string{};
  update(member, request);
  member.heard_of(turn.now);
  if (stable && group.choose_protocol() == group.protocol &&
      subscribe_alike(group.protocol_type, before, member.metadata(group.protocol)))
    welcome_back(turn, request, leader_before);
  else
    wait_for_join(turn, request.fresh_member, request.token);
  return GroupError::none;
}

// The generation stands, with the member under its new id.
void GroupsEngine::welcome_back(Turn& turn, const JoinGroup& request, const std::string& leader_before) {
  ConsumerGroup& group = turn.group;
  const std::string& id = request.fresh_member;
  store_member(turn, id, *group.find(id));
  if (group.leader != leader_before) store_generation(group, turn.outcome.effects);
  JoinAnswer answer = current(group, id, request.token);
  answer.skip_assignment = id == group.leader;
  // KIP-814: a leader that cannot skip the assignment must not know that it leads: its assignment would be ignored.
  if (answer.skip_assignment && !request.can_skip_assignment) {
    answer.skip_assignment = false;
    answer.leader = leader_before;
    answer.members.clear();
  }
  turn.outcome.answers.emplace_back(std::move(answer));
}

// ---- the rebalance --------------------------------------------------------------------------------------------------

void GroupsEngine::prepare_rebalance(Turn& turn) {
  ConsumerGroup& group = turn.group;
  if (group.state == GroupState::completing_rebalance) refuse_syncs(turn, GroupError::rebalance_in_progress);
  for (auto& [id, member] : group.members) member.must_sync = false;
  const Millis timeout = group.rebalance_timeout();
  group.deadline = turn.now + timeout;
  if (group.state == GroupState::empty) {
    const Millis left = timeout - options_.first_rebalance_delay;
    group.gathering = ConsumerGroup::Gathering{false, std::max(left, Millis{0})};
    group.deadline = turn.now + options_.first_rebalance_delay;
  }
  group.state = GroupState::preparing_rebalance;
}

bool GroupsEngine::gather_longer(Turn& turn) const {
  auto& gathering = turn.group.gathering;
  if (!gathering || !gathering->grew || gathering->left.count() == 0) return false;
  const Millis delay = std::min(options_.first_rebalance_delay, gathering->left);
  gathering = ConsumerGroup::Gathering{false, gathering->left - delay};
  turn.group.deadline = turn.now + delay;
  return true;
}

void GroupsEngine::complete_join(Turn& turn) {
  ConsumerGroup& group = turn.group;
  group.gathering.reset();
  remove_if(turn, [](const GroupMember& member, Elapsed) {
    return member.waits != GroupMember::Waits::for_join && !member.instance;
  });
  if (group.members.empty()) return become_empty(turn);
  const auto joined = [](const auto& each) { return each.second.waits == GroupMember::Waits::for_join; };
  const auto first = std::ranges::find_if(group.members, joined);
  group.deadline = turn.now + group.rebalance_timeout();
  if (first == group.members.end()) {  // static ones that are all away: until they come or their sessions end
    group.deadline = std::max(group.deadline, turn.now + shortest_postponement);
    return;
  }
  const GroupMember* leader = group.find(group.leader);
  if (leader == nullptr || leader->waits != GroupMember::Waits::for_join) group.leader = first->first;
  ++group.generation;
  group.protocol = group.choose_protocol();
  group.state = GroupState::completing_rebalance;
  for (auto& [id, member] : group.members) {
    member.must_sync = member.waits == GroupMember::Waits::for_join;
    if (!member.must_sync) continue;  // a static one that is away; the leader assigns to it all the same
    member.is_new = false;
    member.deadline = turn.now + member.session_timeout;
    if (const auto token = stop_waiting(member)) turn.outcome.answers.emplace_back(current(group, id, *token));
  }
}

}  // namespace continuo::engines
