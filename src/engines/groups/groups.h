// The groups engine: Kafka's consumer groups of the classic protocol, and the offsets they commit.
//
// A group's members join, one of them - the leader - is told of all, and what it assigns to each is handed out when
// they sync: that is a generation. A change of members begins the next one. What a finished generation says, who left
// it, and committed offsets are kept in units (group_units.h); a rebalance under way is not: after a restart the last
// finished generation stands and all its members have a fresh session, except that it rebalances when members left.
//
// Requests that must wait carry a token, and are answered in the outcome of whichever later step ends their wait. Other
// than the pure engines' decide, a step changes what the engine knows of the present at once, so its effects cannot be
// refused: they go into one frame and are applied before the next step. No clock, no randomness, no threads, no I/O:
// the caller gives the time and fresh member ids. Core thread only.
//
//   GroupOutcome outcome = groups.join(request, now);
//   ... append outcome.effects, groups.apply(each), and send outcome.answers when they are durable
//
// Sources: Apache Kafka, group-coordinator (GroupMetadataManager, ClassicGroup); KIP-62, 134, 345, 394, 429, 814.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/groups/group_requests.h"
#include "continuo/engines/groups/group_state.h"
#include "continuo/engines/groups/group_units.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

class GroupsEngine {
 public:
  explicit GroupsEngine(Ledger& ledger, const GroupOptions& options = {}) : units_(ledger), options_(options) {}

  // --- members ---
  GroupOutcome join(JoinGroup request, Elapsed now);
  GroupOutcome sync(SyncGroup request, Elapsed now);
  GroupError heartbeat(const Membership& who, Elapsed now);
  LeaveOutcome leave(const LeaveGroup& request, Elapsed now);
  /// What time alone changes: sessions, rebalances and ids that ran out, expired offsets and groups. Stops after about
  /// `most` effects, and is then due again at once.
  GroupOutcome tick(Elapsed now, std::size_t most = 1'000);
  /// When tick has something to do, or a little earlier.
  std::optional<Elapsed> next_due() const;
  /// Nobody waits for this answer any more. The member stays until its time is over.
  void forget(std::uint64_t token);

  // --- offsets ---
  OffsetsOutcome commit_offsets(const CommitOffsets& request, Now now);
  OffsetsOutcome delete_offsets(const DeleteOffsets& request);
  const OffsetUnit* committed(std::string_view group, PartitionRef partition) const;
  /// All of the group, by partition.
  std::vector<const OffsetUnit*> committed(std::string_view group) const;
  /// The topic is gone; so are offsets committed in it.
  void topic_removed(TopicId topic);

  // --- groups ---
  DeleteOutcome delete_group(std::string_view name);
  std::vector<GroupSummary> list() const;
  std::optional<GroupDescription> describe(std::string_view name) const;
  GroupsSurvey survey(const SurveyGroups& wanted) const;
  std::size_t size() const { return groups_.size(); }
  std::size_t offsets() const { return units_.offsets(); }

  // --- effects and recovery ---
  /// Errors: wrong_format.
  Result<void> apply(EffectType type, std::uint8_t version, std::string_view payload) {
    return units_.apply(type, version, payload);
  }
  Result<void> restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp) {
    return units_.restore(kind, key, bytes, stamp);
  }
  /// All units are there: groups are as they were when their last generation finished.
  void recovered(Elapsed now);

 private:
  /// One group, in one step.
  struct Turn {
    ConsumerGroup& group;
    Elapsed now;
    GroupOutcome& outcome;
  };
  using Groups = std::map<std::string, std::unique_ptr<ConsumerGroup>, std::less<>>;

  // groups.cc: what members wait for, and how they go
  ConsumerGroup* find(std::string_view name);
  const ConsumerGroup* find(std::string_view name) const;
  ConsumerGroup& make(const std::string& name);
  GroupError check(const ConsumerGroup* group, const Membership& who) const;
  void wait(Turn& turn, const std::string& id, GroupMember::Waits what, std::uint64_t token);
  std::optional<std::uint64_t> stop_waiting(GroupMember& member);
  void refuse_waiting(Turn& turn, const std::string& id, GroupMember& member, GroupError error);
  void remove(Turn& turn, const std::string& id);
  bool remove_if(Turn& turn, bool (*goes)(const GroupMember&, Elapsed now));
  GroupError remove_leaving(Turn& turn, const LeaveGroup::Member& leaving);
  void pass_time(Turn& turn);
  void settle(Turn& turn);
  void drop(ConsumerGroup& group);
  void schedule(ConsumerGroup& group);
  void recover(const GroupUnit& unit, Elapsed now);

  // groups_join.cc: from the first join to all have joined
  GroupError check(const JoinGroup& request) const;
  GroupError join_new(Turn& turn, JoinGroup& request);
  GroupError join_known(Turn& turn, JoinGroup& request);
  GroupError add(Turn& turn, const std::string& id, JoinGroup& request);
  GroupError rejoin(Turn& turn, GroupMember& member, JoinGroup& request);
  GroupError replace(Turn& turn, JoinGroup& request);
  void give_id(Turn& turn, const JoinGroup& request);
  void welcome_back(Turn& turn, const JoinGroup& request, const std::string& leader_before);
  void wait_for_join(Turn& turn, const std::string& id, std::uint64_t token);
  bool fits(const ConsumerGroup& group, const JoinGroup& request) const;
  void prepare_rebalance(Turn& turn);
  bool gather_longer(Turn& turn) const;
  void complete_join(Turn& turn);

  // groups_sync.cc: from all have joined to a finished generation
  void finish_generation(Turn& turn, std::vector<SyncGroup::Assignment>& assignments);
  bool fits(const ConsumerGroup& group) const;
  void refuse_syncs(Turn& turn, GroupError error);
  void become_empty(Turn& turn);
  void store_member(Turn& turn, const std::string& id, GroupMember& member);
  void store_generation(ConsumerGroup& group, std::vector<Effect>& effects);

  // groups_offsets.cc
  GroupError check_commit(const ConsumerGroup* group, const Membership& who) const;
  ConsumerGroup& make_stored(const std::string& name, Elapsed now, std::vector<Effect>& effects);
  void look_again(ConsumerGroup& group);
  void expire(Turn& turn, std::size_t most);
  void drop_remains(std::vector<Effect>& effects, std::size_t most) const;

  GroupUnits units_;
  GroupOptions options_;
  Groups groups_;
  GroupId next_{1};                                                                 // of those that are decided
  std::set<std::pair<Elapsed, std::string_view>> due_;                              // names are the groups' own
  std::unordered_map<std::uint64_t, std::pair<std::string, std::string>> waiting_;  // token: group and member
};

}  // namespace continuo::engines
