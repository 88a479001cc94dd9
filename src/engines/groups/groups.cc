// Members as time passes: heartbeats, leaving, sessions, what they wait for; and recovery.
#include "continuo/engines/groups/groups.h"

#include <algorithm>

namespace continuo::engines {

// ---- groups ---------------------------------------------------------------------------------------------------------

ConsumerGroup* GroupsEngine::find(std::string_view name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

const ConsumerGroup* GroupsEngine::find(std::string_view name) const {
  return const_cast<GroupsEngine*>(this)->find(name);
}

ConsumerGroup& GroupsEngine::make(const std::string& name) {
  auto& group = groups_[name];
  if (!group) {
    group = std::make_unique<ConsumerGroup>();
    group->name = name;
  }
  return *group;
}

void GroupsEngine::drop(ConsumerGroup& group) {
  due_.erase({group.due, group.name});
  groups_.erase(groups_.find(group.name));
}

void GroupsEngine::schedule(ConsumerGroup& group) {
  due_.erase({group.due, group.name});
  group.due = group.next_due();
  if (group.due != never) due_.emplace(group.due, group.name);
}

GroupError GroupsEngine::check(const ConsumerGroup* group, const Membership& who) const {
  if (who.group.empty()) return GroupError::invalid_group_id;
  if (group == nullptr) return GroupError::unknown_member_id;
  if (const GroupError error = group->check(who.member, who.instance); error != GroupError::none) return error;
  return who.generation == group->generation ? GroupError::none : GroupError::illegal_generation;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

void GroupsEngine::wait(Turn& turn, const std::string& id, GroupMember::Waits what, std::uint64_t token) {
  GroupMember& member = *turn.group.find(id);
  // An older one of the same member was given up by its client, which asks again.
  refuse_waiting(turn, id, member, GroupError::rebalance_in_progress);
  member.waits = what;
  member.token = token;
  waiting_[token] = {turn.group.name, id};
}

std::optional<std::uint64_t> GroupsEngine::stop_waiting(GroupMember& member) {
  member.waits = GroupMember::Waits::for_nothing;
  const auto token = std::exchange(member.token, std::nullopt);
  if (token) waiting_.erase(*token);
  return token;
}

void GroupsEngine::refuse_waiting(Turn& turn, const std::string& id, GroupMember& member, GroupError error) {
  const bool for_join = member.waits == GroupMember::Waits::for_join;
  const auto token = stop_waiting(member);
  if (token && for_join) turn.outcome.answers.emplace_back(JoinAnswer{.token = *token, .error = error, .member = id});
  if (token && !for_join) turn.outcome.answers.emplace_back(SyncAnswer{.token = *token, .error = error});
}

void GroupsEngine::forget(std::uint64_t token) {
  const auto found = waiting_.find(token);
  if (found == waiting_.end()) return;
  const auto& [group, id] = found->second;
  find(group)->find(id)->token.reset();
  waiting_.erase(found);
}

// ---- staying and going ----------------------------------------------------------------------------------------------

GroupError GroupsEngine::heartbeat(const Membership& who, Elapsed now) {
  ConsumerGroup* group = find(who.group);
  if (const GroupError error = check(group, who); error != GroupError::none) return error;
  // Its deadline only moves away: the group may be looked at too early, and is then scheduled anew.
  group->find(who.member)->heard_of(now);
  return group->state == GroupState::preparing_rebalance ? GroupError::rebalance_in_progress : GroupError::none;
}

void GroupsEngine::remove(Turn& turn, const std::string& id) {
  const auto found = turn.group.members.find(id);
  refuse_waiting(turn, id, found->second, GroupError::unknown_member_id);
  if (found->second.stored) turn.outcome.effects.push_back(encode(MemberLeft{turn.group.id, id}));
  if (turn.group.leader == id) turn.group.leader.clear();
  turn.group.members.erase(found);
}

bool GroupsEngine::remove_if(Turn& turn, bool (*goes)(const GroupMember&, Elapsed now)) {
  std::vector<std::string> ids;
  for (const auto& [id, member] : turn.group.members)
    if (goes(member, turn.now)) ids.push_back(id);
  for (const std::string& id : ids) remove(turn, id);
  return !ids.empty();
}

GroupError GroupsEngine::remove_leaving(Turn& turn, const LeaveGroup::Member& leaving) {
  ConsumerGroup& group = turn.group;
  std::string id = leaving.member;
  // An operator removes a static member by its instance alone.
  if (id.empty() && leaving.instance)
    if (const auto found = group.find_instance(*leaving.instance); found != group.members.end()) id = found->first;
  if (group.pending.erase(id) != 0) return GroupError::none;
  if (const GroupError error = group.check(id, leaving.instance); error != GroupError::none) return error;
  remove(turn, id);
  return GroupError::none;
}

LeaveOutcome GroupsEngine::leave(const LeaveGroup& request, Elapsed now) {
  LeaveOutcome outcome;
  ConsumerGroup* group = find(request.group);
  if (request.group.empty()) outcome.error = GroupError::invalid_group_id;
  if (outcome.error == GroupError::none && group == nullptr) outcome.error = GroupError::unknown_member_id;
  if (outcome.error != GroupError::none) return outcome;
  Turn turn{*group, now, outcome};
  const std::size_t before = group->members.size();
  for (const LeaveGroup::Member& each : request.members) outcome.members.push_back(remove_leaving(turn, each));
  if (group->members.size() != before && group->state != GroupState::preparing_rebalance) prepare_rebalance(turn);
  settle(turn);
  return outcome;
}

// ---- time -----------------------------------------------------------------------------------------------------------

void GroupsEngine::pass_time(Turn& turn) {
  ConsumerGroup& group = turn.group;
  std::erase_if(group.pending, [&](const auto& each) { return each.second <= turn.now; });
  bool gone = remove_if(
      turn, [](const GroupMember& member, Elapsed now) { return member.can_expire() && member.deadline <= now; });
  const bool rebalances = group.state == GroupState::preparing_rebalance;
  if (!rebalances && group.somebody_must_sync() && group.deadline <= turn.now)
    gone |= remove_if(turn, [](const GroupMember& member, Elapsed) { return member.must_sync; });
  if (gone && !rebalances) prepare_rebalance(turn);
}

void GroupsEngine::settle(Turn& turn) {
  ConsumerGroup& group = turn.group;
  if (group.state == GroupState::preparing_rebalance) {
    const bool over = group.deadline <= turn.now;
    if (over ? !gather_longer(turn) : !group.gathering && group.all_joined()) complete_join(turn);
  }
  const bool unused = group.members.empty() && group.pending.empty() && group.state == GroupState::empty;
  if (unused && group.id.value == 0) return drop(group);
  schedule(group);
}

GroupOutcome GroupsEngine::tick(Elapsed now, std::size_t most) {
  GroupOutcome outcome;
  drop_remains(outcome.effects, most);
  while (!due_.empty() && due_.begin()->first <= now && outcome.effects.size() < most) {
    Turn turn{*find(due_.begin()->second), now, outcome};
    pass_time(turn);
    if (turn.group.state == GroupState::empty && turn.group.id.value != 0)
      expire(turn, most);
    else
      settle(turn);
  }
  return outcome;
}

std::optional<Elapsed> GroupsEngine::next_due() const {
  if (!units_.remains().empty()) return Elapsed{0};
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

// ---- recovery -------------------------------------------------------------------------------------------------------

void GroupsEngine::recovered(Elapsed now) {
  units_.recovered();
  next_ = units_.next();
  for (const auto& [id, unit] : units_.groups()) recover(unit, now);
}

void GroupsEngine::recover(const GroupUnit& unit, Elapsed now) {
  const GenerationFinished& finished = unit.generation;
  if (ConsumerGroup* twin = find(finished.name)) drop(*twin);  // never decided
  ConsumerGroup& group = make(finished.name);
  group.id = finished.group;
  group.generation = static_cast<std::int32_t>(finished.generation);
  group.protocol_type = finished.protocol_type;
  group.protocol = finished.protocol;
  group.since = finished.since;
  group.look_at = finished.since + options_.empty_kept;
  for (auto at = units_.members().lower_bound({group.id, {}});
       at != units_.members().end() && at->first.first == group.id; ++at) {
    const MemberAssigned& kept = at->second.member;
    const Elapsed deadline = now + std::max(kept.session_timeout, options_.shortest_session);
    group.members.insert_or_assign(kept.member, GroupMember{.instance = kept.instance,
                                                            .client_id = kept.client_id,
                                                            .client_host = kept.client_host,
                                                            .session_timeout = kept.session_timeout,
                                                            .rebalance_timeout = kept.rebalance_timeout,
                                                            .protocols = {{finished.protocol, kept.metadata}},
                                                            .assignment = kept.assignment,
                                                            .deadline = deadline,
                                                            .stored = true});
  }
  if (group.find(finished.leader) != nullptr) group.leader = finished.leader;
  const bool complete = group.members.size() == finished.members;
  group.state = !complete               ? GroupState::preparing_rebalance
                : group.members.empty() ? GroupState::empty
                                        : GroupState::stable;
  group.deadline = now + group.rebalance_timeout();
  schedule(group);
}

}  // namespace continuo::engines
