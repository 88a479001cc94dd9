// Committed offsets, and what operators ask of groups.
#include <algorithm>

#include "continuo/engines/groups/consumer_protocol.h"
#include "continuo/engines/groups/groups.h"

namespace continuo::engines {
namespace {

// One that does not say which topics it consumes is taken to consume all.
bool consumes(const ConsumerGroup& group, std::string_view topic) {
  return std::ranges::any_of(group.members, [&](const auto& each) {
    return std::ranges::any_of(each.second.protocols, [&](const GroupProtocol& protocol) {
      const auto topics = subscribed_topics(protocol.metadata);
      return !topics || topics->contains(topic);
    });
  });
}

OffsetsOutcome refused(GroupError error, std::size_t partitions) {
  return {.error = error, .partitions = std::vector<GroupError>(partitions, error), .effects = {}};
}

GroupSummary summary(const ConsumerGroup& group) { return {group.name, group.protocol_type, group.state}; }

}  // namespace

// ---- committing -----------------------------------------------------------------------------------------------------

GroupError GroupsEngine::check_commit(const ConsumerGroup* group, const Membership& who) const {
  const bool simple = who.generation < 0;
  if (group == nullptr && !simple) return GroupError::illegal_generation;
  if (who.group.size() > longest_group) return GroupError::invalid_group_id;
  if (group == nullptr) return groups_.size() < options_.groups ? GroupError::none : GroupError::limit_reached;
  // Somebody who is no member, with offsets of its own choice: an operator, or a consumer that assigns itself.
  if (simple && group->state == GroupState::empty) return GroupError::none;
  if (const GroupError error = group->check(who.member, who.instance); error != GroupError::none) return error;
  if (who.generation != group->generation) return GroupError::illegal_generation;
  // It knows of a generation whose assignment it cannot have: what it has is of an older one.
  if (group->state == GroupState::completing_rebalance) return GroupError::rebalance_in_progress;
  return GroupError::none;
}

OffsetsOutcome GroupsEngine::commit_offsets(const CommitOffsets& request, Now now) {
  ConsumerGroup* group = find(request.who.group);
  if (const GroupError error = check_commit(group, request.who); error != GroupError::none)
    return refused(error, request.partitions.size());
  if (group != nullptr)
    if (GroupMember* member = group->find(request.who.member)) member->heard_of(now.elapsed);
  OffsetsOutcome outcome;
  std::size_t all = units_.offsets();
  for (const CommitOffsets::Partition& each : request.partitions) {
    const bool longer = each.metadata.size() > options_.offset_metadata;
    const bool known = group != nullptr && units_.offset(group->id, each.partition) != nullptr;
    const bool full = !known && all >= options_.offsets;
    outcome.partitions.push_back(longer ? GroupError::offset_metadata_too_large
                                 : full ? GroupError::limit_reached
                                        : GroupError::none);
    if (longer || full) continue;
    if (!known) ++all;
    group = &make_stored(request.who.group, now.elapsed, outcome.effects);
    outcome.effects.push_back(encode(OffsetCommitted{.group = group->id,
                                                     .partition = each.partition,
                                                     .offset = each.offset,
                                                     .leader_epoch = each.leader_epoch,
                                                     .metadata = each.metadata,
                                                     .committed = now.wall,
                                                     .at = now.elapsed}));
  }
  return outcome;
}

// A group that has offsets is stored, also when it never had members or its first generation is not finished.
ConsumerGroup& GroupsEngine::make_stored(const std::string& name, Elapsed now, std::vector<Effect>& effects) {
  ConsumerGroup& group = make(name);
  if (group.id.value != 0) return group;
  if (group.state == GroupState::empty) group.since = now;
  group.look_at = now + options_.empty_kept;
  store_generation(group, effects);
  schedule(group);
  return group;
}

// ---- looking --------------------------------------------------------------------------------------------------------

const OffsetUnit* GroupsEngine::committed(std::string_view name, PartitionRef partition) const {
  const ConsumerGroup* group = find(name);
  return group == nullptr ? nullptr : units_.offset(group->id, partition);
}

std::vector<const OffsetUnit*> GroupsEngine::committed(std::string_view name) const {
  std::vector<const OffsetUnit*> all;
  if (const ConsumerGroup* group = find(name))
    for (const auto& [key, unit] : units_.offsets_of(group->id)) all.push_back(&unit);
  return all;
}

std::vector<GroupSummary> GroupsEngine::list() const {
  std::vector<GroupSummary> all;
  for (const auto& [name, group] : groups_) all.push_back(summary(*group));
  return all;
}

std::optional<GroupDescription> GroupsEngine::describe(std::string_view name) const {
  const ConsumerGroup* group = find(name);
  if (group == nullptr) return std::nullopt;
  const bool stable = group->state == GroupState::stable;
  GroupDescription description{.group = summary(*group),
                               .protocol = stable ? group->protocol : std::string{},
                               .members = {},
                               .generation = group->generation,
                               .leader = group->leader};
  for (const auto& [id, member] : group->members)
    description.members.push_back({.id = id,
                                   .instance = member.instance,
                                   .client_id = member.client_id,
                                   .client_host = member.client_host,
                                   .metadata = stable ? member.metadata(group->protocol) : std::string{},
                                   .assignment = stable ? member.assignment : std::string{}});
  return description;
}

GroupsSurvey GroupsEngine::survey(const SurveyGroups& wanted) const {
  GroupsSurvey survey;
  for (const auto& [name, group] : groups_) ++survey.states[static_cast<std::size_t>(group->state)];
  auto at = wanted.after ? groups_.upper_bound(*wanted.after) : groups_.begin();
  for (std::size_t offsets = 0; at != groups_.end() && survey.groups.size() < wanted.groups && offsets < wanted.offsets;
       ++at) {
    const ConsumerGroup& group = *at->second;
    auto& each = survey.groups.emplace_back(GroupsSurvey::Group{summary(group), group.members.size(), {}});
    for (const auto& [key, unit] : units_.offsets_of(group.id))
      each.committed.emplace_back(key.second, unit.committed.offset);
    offsets += each.committed.size();
  }
  survey.all = at == groups_.end();
  return survey;
}

// ---- deleting -------------------------------------------------------------------------------------------------------

DeleteOutcome GroupsEngine::delete_group(std::string_view name) {
  ConsumerGroup* group = find(name);
  if (group == nullptr) return {GroupError::group_id_not_found, {}};
  if (group->state != GroupState::empty) return {GroupError::non_empty_group, {}};
  DeleteOutcome outcome;
  if (group->id.value != 0) outcome.effects.push_back(encode(GroupDeleted{group->id}));
  drop(*group);
  return outcome;
}

OffsetsOutcome GroupsEngine::delete_offsets(const DeleteOffsets& request) {
  ConsumerGroup* group = find(request.group);
  if (group == nullptr) return refused(GroupError::group_id_not_found, request.partitions.size());
  const bool empty = group->state == GroupState::empty;
  if (!empty && group->protocol_type != consumer_protocol_type)
    return refused(GroupError::non_empty_group, request.partitions.size());
  OffsetsOutcome outcome;
  for (const DeleteOffsets::Partition& each : request.partitions) {
    const bool consumed = !empty && consumes(*group, each.topic);
    outcome.partitions.push_back(consumed ? GroupError::group_subscribed_to_topic : GroupError::none);
    if (!consumed && units_.offset(group->id, each.partition) != nullptr)
      outcome.effects.push_back(encode(OffsetForgotten{group->id, each.partition}));
  }
  look_again(*group);
  return outcome;
}

void GroupsEngine::topic_removed(TopicId topic) {
  units_.topic_removed(topic);
  for (const auto& [name, group] : groups_) look_again(*group);
}

// ---- expiring -------------------------------------------------------------------------------------------------------

// It may have no offsets any more.
void GroupsEngine::look_again(ConsumerGroup& group) {
  if (group.state != GroupState::empty || group.id.value == 0) return;
  group.look_at = group.since + options_.empty_kept;
  schedule(group);
}

// An empty group forgets offsets that are old, and is forgotten when none are left.
void GroupsEngine::expire(Turn& turn, std::size_t most) {
  ConsumerGroup& group = turn.group;
  std::vector<Effect>& effects = turn.outcome.effects;
  Elapsed next = never;
  for (const auto& [key, unit] : units_.offsets_of(group.id)) {
    const Elapsed until = std::max(group.since, unit.committed.at) + options_.offsets_kept;
    if (until <= turn.now && effects.size() < most)
      effects.push_back(encode(OffsetForgotten{group.id, key.second}));
    else
      next = std::min(next, until);
  }
  if (next == never && group.pending.empty()) {
    next = group.since + options_.empty_kept;
    if (next <= turn.now) {
      effects.push_back(encode(GroupDeleted{group.id}));
      return drop(group);
    }
  }
  group.look_at = next;  // never: when the last pending id ran out
  schedule(group);
}

void GroupsEngine::drop_remains(std::vector<Effect>& effects, std::size_t most) const {
  for (const GroupId group : units_.remains())
    for (const auto& [key, unit] : units_.offsets_of(group)) {
      if (effects.size() >= most) return;
      effects.push_back(encode(OffsetForgotten{group, key.second}));
    }
}

}  // namespace continuo::engines
