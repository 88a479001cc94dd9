// Kafka's consumer groups, as edges ask for them: engines/groups/group_requests.h says what each request means.
//
// As with all requests of a node, answers come on the edge's thread once what they tell is on the disk. A join and a
// sync may wait for minutes, until the group's other members have come or their time is over. Nothing is refused for
// want of credit: a connection has one request under way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "continuo/engines/groups/group_requests.h"
#include "continuo/node/node.h"

namespace continuo::node {

using engines::GroupError;

/// What became of a leave, a commit or a deletion: of the request, and of each part in the order given.
struct GroupOutcomes {
  GroupError error = GroupError::none;
  std::vector<GroupError> each;
};

/// An offset as it was committed.
struct CommittedOffset {
  PartitionRef partition;
  Offset offset;
  std::optional<std::uint32_t> leader_epoch;
  std::string metadata;
};

class Groups {
 public:
  virtual ~Groups() = default;
  /// The node gives `token` and `fresh_member`, which begins with the instance's or client's name.
  virtual void join(Edge&, engines::JoinGroup, Answer<engines::JoinAnswer>) = 0;
  virtual void sync(Edge&, engines::SyncGroup, Answer<engines::SyncAnswer>) = 0;
  virtual void heartbeat(Edge&, engines::Membership, Answer<GroupError>) = 0;
  virtual void leave(Edge&, engines::LeaveGroup, Answer<GroupOutcomes>) = 0;
  virtual void commit(Edge&, engines::CommitOffsets, Answer<GroupOutcomes>) = 0;
  /// All offsets the group committed; none: there is no such group, or it committed nothing.
  virtual void committed(Edge&, std::string group, Answer<std::vector<CommittedOffset>>) = 0;
  virtual void remove(Edge&, std::string group, Answer<GroupError>) = 0;
  virtual void remove_offsets(Edge&, engines::DeleteOffsets, Answer<GroupOutcomes>) = 0;
  virtual void list(Edge&, Answer<std::vector<engines::GroupSummary>>) = 0;
  /// None: there is no such group.
  virtual void describe(Edge&, std::string group, Answer<std::optional<engines::GroupDescription>>) = 0;
  virtual void survey(Edge&, engines::SurveyGroups, Answer<engines::GroupsSurvey>) = 0;
};

}  // namespace continuo::node
