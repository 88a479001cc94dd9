// The consumer groups of an embedded node.
#pragma once

#include <functional>

#include "continuo/node/core.h"
#include "continuo/node/groups.h"

namespace continuo::node {

class EmbeddedGroups final : public Groups {
 public:
  /// Has a command run on the core; the first: bytes it may need in the group.
  using Submit = std::function<void(std::size_t, std::move_only_function<void(Core&)>)>;
  explicit EmbeddedGroups(Submit submit) : submit_(std::move(submit)) {}

  void join(Edge& edge, engines::JoinGroup request, Answer<engines::JoinAnswer> answer) override;
  void sync(Edge& edge, engines::SyncGroup request, Answer<engines::SyncAnswer> answer) override;
  void heartbeat(Edge& edge, engines::Membership who, Answer<GroupError> answer) override;
  void leave(Edge& edge, engines::LeaveGroup request, Answer<GroupOutcomes> answer) override;
  void commit(Edge& edge, engines::CommitOffsets request, Answer<GroupOutcomes> answer) override;
  void committed(Edge& edge, std::string group, Answer<std::vector<CommittedOffset>> answer) override;
  void remove(Edge& edge, std::string group, Answer<GroupError> answer) override;
  void remove_offsets(Edge& edge, engines::DeleteOffsets request, Answer<GroupOutcomes> answer) override;
  void list(Edge& edge, Answer<std::vector<engines::GroupSummary>> answer) override;
  void describe(Edge& edge, std::string group, Answer<std::optional<engines::GroupDescription>> answer) override;
  void survey(Edge& edge, engines::SurveyGroups wanted, Answer<engines::GroupsSurvey> answer) override;

 private:
  Submit submit_;
};

}  // namespace continuo::node
