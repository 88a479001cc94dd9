// Consumer groups of a node that has none, for the tests of sessions: they can be looked at, no more.
#pragma once

#include <cstdlib>
#include <functional>

#include "continuo/node/groups.h"

namespace continuo::serve {

class NoGroups final : public node::Groups {
 public:
  using Send = std::function<void(node::Edge&, std::move_only_function<void()>)>;
  explicit NoGroups(Send send) : send_(std::move(send)) {}

  void join(node::Edge&, engines::JoinGroup, node::Answer<engines::JoinAnswer>) override { std::abort(); }
  void sync(node::Edge&, engines::SyncGroup, node::Answer<engines::SyncAnswer>) override { std::abort(); }
  void heartbeat(node::Edge&, engines::Membership, node::Answer<node::GroupError>) override { std::abort(); }
  void leave(node::Edge&, engines::LeaveGroup, node::Answer<node::GroupOutcomes>) override { std::abort(); }
  void commit(node::Edge&, engines::CommitOffsets, node::Answer<node::GroupOutcomes>) override { std::abort(); }
  void committed(node::Edge&, std::string, node::Answer<std::vector<node::CommittedOffset>>) override { std::abort(); }
  void remove(node::Edge&, std::string, node::Answer<node::GroupError>) override { std::abort(); }
  void remove_offsets(node::Edge&, engines::DeleteOffsets, node::Answer<node::GroupOutcomes>) override { std::abort(); }
  void list(node::Edge&, node::Answer<std::vector<engines::GroupSummary>>) override { std::abort(); }
  void describe(node::Edge&, std::string, node::Answer<std::optional<engines::GroupDescription>>) override {
    std::abort();
  }
  void survey(node::Edge& edge, engines::SurveyGroups, node::Answer<engines::GroupsSurvey> answer) override {
    send_(edge, [answer = std::move(answer)]() mutable { answer(engines::GroupsSurvey{}); });
  }

 private:
  Send send_;
};

}  // namespace continuo::serve
