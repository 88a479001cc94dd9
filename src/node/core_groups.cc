// The commands of consumer groups.
#include <fmt/format.h>

#include "continuo/node/core_state.h"

namespace continuo::node {
namespace {

constexpr std::size_t longest_prefix = 200;  // of a member's id, which has 255 bytes at most

}  // namespace

// A name that a person recognises, and a number that never comes again.
std::string Core::fresh_member(const engines::JoinGroup& request) {
  const std::string& prefix = request.instance ? *request.instance : request.client_id;
  return fmt::format("{}-{:016x}{:016x}", prefix.substr(0, longest_prefix), random_.next(), random_.next());
}

void Core::apply_groups(const std::vector<engines::Effect>& effects) {
  if (effects.empty()) return;
  begin_frame();
  for (const engines::Effect& each : effects) {
    open_->group.log.effect(static_cast<std::uint8_t>(each.type), each.version, each.payload);
    const auto applied = groups_.apply(each.type, each.version, each.payload);
    CHECK(applied.has_value(), "an effect just decided can be applied");
  }
  end_frame();
}

// What a step did, also to those who waited for it.
void Core::take(engines::GroupOutcome outcome) {
  apply_groups(outcome.effects);
  for (engines::GroupAnswer& told : outcome.answers)
    std::visit(
        [this]<class Told>(Told& each) {
          const auto waiter = group_waiters_.find(each.token);
          if (waiter == group_waiters_.end()) return;
          auto [edge, answer] = std::move(waiter->second);
          group_waiters_.erase(waiter);
          reply<Told>(*edge, std::get<Answer<Told>>(std::move(answer)), std::move(each));
        },
        told);
}

void Core::join_group(Edge& edge, engines::JoinGroup request, Answer<engines::JoinAnswer> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  request.token = ++last_token_;
  request.fresh_member = fresh_member(request);
  group_waiters_.emplace(request.token, GroupWaiter{&edge, std::move(answer)});
  take(groups_.join(std::move(request), now_.elapsed));
}

void Core::sync_group(Edge& edge, engines::SyncGroup request, Answer<engines::SyncAnswer> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  request.token = ++last_token_;
  group_waiters_.emplace(request.token, GroupWaiter{&edge, std::move(answer)});
  take(groups_.sync(std::move(request), now_.elapsed));
}

void Core::heartbeat(Edge& edge, const engines::Membership& who, Answer<engines::GroupError> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<engines::GroupError>(edge, std::move(answer), groups_.heartbeat(who, now_.elapsed));
}

void Core::leave_group(Edge& edge, const engines::LeaveGroup& request, Answer<GroupOutcomes> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  engines::LeaveOutcome outcome = groups_.leave(request, now_.elapsed);
  GroupOutcomes told{outcome.error, std::move(outcome.members)};
  take(std::move(outcome));
  reply<GroupOutcomes>(edge, std::move(answer), std::move(told));
}

void Core::commit_offsets(Edge& edge, const engines::CommitOffsets& request, Answer<GroupOutcomes> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  // A topic may have gone since the edge looked: what is committed in it would stay for ever.
  for (const auto& each : request.partitions)
    if (topics_.head(each.partition) == nullptr)
      return reply<GroupOutcomes>(edge, std::move(answer),
                                  continuo::fail(Code::unknown_partition, "the topic was deleted"));
  engines::OffsetsOutcome outcome = groups_.commit_offsets(request, now_);
  apply_groups(outcome.effects);
  reply<GroupOutcomes>(edge, std::move(answer), GroupOutcomes{outcome.error, std::move(outcome.partitions)});
}

void Core::committed_offsets(Edge& edge, const std::string& group, Answer<std::vector<CommittedOffset>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  std::vector<CommittedOffset> all;
  for (const engines::OffsetUnit* unit : groups_.committed(group)) {
    const engines::OffsetCommitted& each = unit->committed;
    all.push_back({each.partition, each.offset, each.leader_epoch, each.metadata});
  }
  reply<std::vector<CommittedOffset>>(edge, std::move(answer), std::move(all));
}

void Core::delete_group(Edge& edge, const std::string& group, Answer<engines::GroupError> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  const engines::DeleteOutcome outcome = groups_.delete_group(group);
  apply_groups(outcome.effects);
  reply<engines::GroupError>(edge, std::move(answer), outcome.error);
}

void Core::delete_offsets(Edge& edge, const engines::DeleteOffsets& request, Answer<GroupOutcomes> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  engines::OffsetsOutcome outcome = groups_.delete_offsets(request);
  apply_groups(outcome.effects);
  reply<GroupOutcomes>(edge, std::move(answer), GroupOutcomes{outcome.error, std::move(outcome.partitions)});
}

void Core::list_groups(Edge& edge, Answer<std::vector<engines::GroupSummary>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<std::vector<engines::GroupSummary>>(edge, std::move(answer), groups_.list());
}

void Core::describe_group(Edge& edge, const std::string& group,
                          Answer<std::optional<engines::GroupDescription>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<std::optional<engines::GroupDescription>>(edge, std::move(answer), groups_.describe(group));
}

void Core::survey_groups(Edge& edge, const engines::SurveyGroups& wanted, Answer<engines::GroupsSurvey> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<engines::GroupsSurvey>(edge, std::move(answer), groups_.survey(wanted));
}

// The edge is going: nobody waits there any more. Its members stay until their sessions end.
void Core::forget_group_waiters(const Edge& edge) {
  for (auto at = group_waiters_.begin(); at != group_waiters_.end();) {
    if (at->second.edge != &edge) {
      ++at;
      continue;
    }
    groups_.forget(at->first);
    at = group_waiters_.erase(at);
  }
}

void Core::fail_group_waiters() {
  for (auto& [token, waiter] : std::exchange(group_waiters_, {}))
    std::visit(
        [this, &waiter]<class Told>(Answer<Told>& answer) {
          reply<Told>(*waiter.edge, std::move(answer), continuo::fail(Code::node_failed, "the node stopped"));
        },
        waiter.answer);
}

}  // namespace continuo::node
