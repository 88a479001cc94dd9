#include "continuo/node/embedded_groups.h"

namespace continuo::node {
namespace {

constexpr std::size_t small_step = 64 * 1024;
constexpr std::size_t member_step = 256 * 1024;  // one member is stored, or a few leave
// A generation: as much as its members may take together, and what their effects take beside.
constexpr std::size_t generation_step = (4u << 20) + 512 * 1024;
constexpr std::size_t offset_step = 128;  // beside the metadata
constexpr std::size_t member_left_step = 320;

}  // namespace

void EmbeddedGroups::join(Edge& edge, engines::JoinGroup request, Answer<engines::JoinAnswer> answer) {
  submit_(member_step, [&edge, request = std::move(request), answer = std::move(answer)](Core& core) mutable {
    core.join_group(edge, std::move(request), std::move(answer));
  });
}

void EmbeddedGroups::sync(Edge& edge, engines::SyncGroup request, Answer<engines::SyncAnswer> answer) {
  const std::size_t room = request.assignments.empty() ? small_step : generation_step;
  submit_(room, [&edge, request = std::move(request), answer = std::move(answer)](Core& core) mutable {
    core.sync_group(edge, std::move(request), std::move(answer));
  });
}

void EmbeddedGroups::heartbeat(Edge& edge, engines::Membership who, Answer<GroupError> answer) {
  submit_(small_step, [&edge, who = std::move(who), answer = std::move(answer)](Core& core) mutable {
    core.heartbeat(edge, who, std::move(answer));
  });
}

void EmbeddedGroups::leave(Edge& edge, engines::LeaveGroup request, Answer<GroupOutcomes> answer) {
  const std::size_t room = small_step + request.members.size() * member_left_step;
  submit_(room, [&edge, request = std::move(request), answer = std::move(answer)](Core& core) mutable {
    core.leave_group(edge, request, std::move(answer));
  });
}

void EmbeddedGroups::commit(Edge& edge, engines::CommitOffsets request, Answer<GroupOutcomes> answer) {
  std::size_t room = small_step;
  for (const auto& each : request.partitions) room += offset_step + each.metadata.size();
  submit_(room, [&edge, request = std::move(request), answer = std::move(answer)](Core& core) mutable {
    core.commit_offsets(edge, request, std::move(answer));
  });
}

void EmbeddedGroups::committed(Edge& edge, std::string group, Answer<std::vector<CommittedOffset>> answer) {
  submit_(0, [&edge, group = std::move(group), answer = std::move(answer)](Core& core) mutable {
    core.committed_offsets(edge, group, std::move(answer));
  });
}

void EmbeddedGroups::remove(Edge& edge, std::string group, Answer<GroupError> answer) {
  submit_(small_step, [&edge, group = std::move(group), answer = std::move(answer)](Core& core) mutable {
    core.delete_group(edge, group, std::move(answer));
  });
}

void EmbeddedGroups::remove_offsets(Edge& edge, engines::DeleteOffsets request, Answer<GroupOutcomes> answer) {
  const std::size_t room = small_step + request.partitions.size() * offset_step;
  submit_(room, [&edge, request = std::move(request), answer = std::move(answer)](Core& core) mutable {
    core.delete_offsets(edge, request, std::move(answer));
  });
}

void EmbeddedGroups::list(Edge& edge, Answer<std::vector<engines::GroupSummary>> answer) {
  submit_(0, [&edge, answer = std::move(answer)](Core& core) mutable { core.list_groups(edge, std::move(answer)); });
}

void EmbeddedGroups::describe(Edge& edge, std::string group, Answer<std::optional<engines::GroupDescription>> answer) {
  submit_(0, [&edge, group = std::move(group), answer = std::move(answer)](Core& core) mutable {
    core.describe_group(edge, group, std::move(answer));
  });
}

void EmbeddedGroups::survey(Edge& edge, engines::SurveyGroups wanted, Answer<engines::GroupsSurvey> answer) {
  submit_(0, [&edge, wanted = std::move(wanted), answer = std::move(answer)](Core& core) mutable {
    core.survey_groups(edge, wanted, std::move(answer));
  });
}

}  // namespace continuo::node
