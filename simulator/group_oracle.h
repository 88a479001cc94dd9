// What the consumers of a group remember, and what must therefore be true of it: committed offsets, generations, who
// has which part of them. As of Oracle: what was answered is certain, what was not may have happened or not until a
// restarted node shows which; checks only read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/engines/groups/groups.h"
#include "continuo/simulator/oracle.h"

namespace continuo::simulator {

class GroupOracle {
 public:
  using Committed = std::map<PartitionRef, Offset>;
  /// A request that changes what is committed.
  struct Change {
    std::map<PartitionRef, std::optional<Offset>> offsets;  ///< none: deleted
    bool group_deleted = false;
  };
  using ChangeNumber = std::uint64_t;

  // --- committed offsets ---
  ChangeNumber changes(const std::string& group, Change change);
  void changed(const std::string& group, ChangeNumber number, bool done, Elapsed now);
  /// All that was committed, as it was answered.
  void fetched(Oracle& out, const std::string& group, const Committed& found, const node::Catalogue& catalogue);

  // --- members ---
  /// Somebody joins or leaves: the generation may end.
  void moves(const std::string& group) { ++groups_[group].moves; }
  void joined(Oracle& out, const std::string& group, const engines::JoinAnswer& answer, Elapsed now);
  /// What a leader assigns: each member its part of the partitions, marked so that it is told from all others.
  std::vector<engines::SyncGroup::Assignment> assigns(const std::string& group, std::int32_t generation,
                                                      const std::vector<std::string>& members, Elapsed now);
  void synced(Oracle& out, const engines::Membership& who, const std::string& assignment, Elapsed now);
  /// A heartbeat or a commit of a member was taken, or refused.
  void spoke(Oracle& out, const engines::Membership& who, engines::GroupError error, bool was_standing, Elapsed now);
  /// The member is one of a generation that nothing can have ended yet.
  bool stands(const engines::Membership& who, Elapsed now) const;

  // --- checks ---
  /// Between groups only: everything there is is durable.
  void check(Oracle& out, const engines::GroupsEngine& engine, const node::Catalogue& catalogue, bool restarted,
             Elapsed now);

  std::uint64_t finished() const { return finished_; }  ///< generations, that are known
  int waiting = 0;                                      ///< joins and syncs that were not answered

 private:
  /// What a leader sent.
  struct Led {
    std::int32_t generation = 0;
    std::map<std::string, std::string> assigned;
    std::uint64_t moves = 0;       // when it was sent
    Elapsed until;                 // no session ends before
    std::set<std::string> synced;  // who was told
  };
  struct Group {
    Committed committed;                             // for certain
    std::map<ChangeNumber, Change> asked;            // and not answered
    std::map<std::uint64_t, Led> led;                // by mark
    std::map<std::int32_t, std::uint64_t> finished;  // generation: mark of its assignment
    std::int32_t generation = 0;                     // the last that is known to have finished
    std::uint64_t moves = 0;
    Elapsed heard;  // somebody was answered
  };
  static void apply(Committed& committed, const Change& change);
  static const Led* standing(const Group& group, Elapsed now);
  void finish(Oracle& out, const std::string& name, Group& group, std::string_view assignment);
  void check_committed(Oracle& out, const std::string& name, Group& group, const Committed& found,
                       const node::Catalogue& catalogue, bool restarted);
  void check_members(Oracle& out, const std::string& name, Group& group, const engines::GroupsEngine& engine,
                     Elapsed now);

  std::map<std::string, Group> groups_;
  ChangeNumber last_change_ = 0;
  std::uint64_t last_mark_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace continuo::simulator
