// What consumer groups keep: finished generations, their members, committed offsets. The durable half of the groups
// engine, changed by effects alone; groups.h decides them. Core thread only.
#pragma once

#include <map>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/groups/group_effects.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

class GroupUnit final : public Unit {
 public:
  GenerationFinished generation;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class MemberUnit final : public Unit {
 public:
  MemberAssigned member;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class OffsetUnit final : public Unit {
 public:
  OffsetCommitted committed;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class GroupUnits {
 public:
  using Groups = std::map<GroupId, GroupUnit>;
  using Members = std::map<std::pair<GroupId, std::string>, MemberUnit>;
  using Offsets = std::map<std::pair<GroupId, PartitionRef>, OffsetUnit>;

  explicit GroupUnits(Ledger& ledger) : ledger_(ledger) {}

  // --- changes ---
  /// A decided effect, or one that is replayed. Errors: wrong_format.
  Result<void> apply(EffectType type, std::uint8_t version, std::string_view payload);
  Result<void> restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp);
  /// All units are there: finds what is left of groups that are gone.
  void recovered();
  /// The topic's committed offsets are gone with it.
  void topic_removed(TopicId topic);

  // --- questions ---
  GroupId next() const { return next_; }
  const Groups& groups() const { return groups_; }
  const Members& members() const { return members_; }
  std::size_t offsets() const { return offsets_.size(); }
  auto offsets_of(GroupId group) const {
    return std::ranges::subrange{offsets_.lower_bound({group, PartitionRef{}}),
                                 offsets_.lower_bound({GroupId{group.value + 1}, PartitionRef{}})};
  }
  const OffsetUnit* offset(GroupId group, PartitionRef partition) const;
  /// Groups that are gone and still have committed offsets.
  const std::set<GroupId>& remains() const { return remains_; }

 private:
  class Counter final : public Unit {
   public:
    explicit Counter(const GroupUnits& units) : units_(units) {}
    std::string unit_key() const override;
    void encode(std::string& out) const override;

   private:
    const GroupUnits& units_;
  };
  template <class T>
  Result<void> take(std::uint8_t version, std::string_view payload);
  template <class T>
  Result<void> restore_as(std::string_view key, std::string_view bytes, Sequence stamp);
  Result<void> restore_counter(std::string_view key, std::string_view bytes, Sequence stamp);
  Unit* find(const GroupsNumbered&) { return &counter_; }
  Unit* find(const auto& effect);

  Unit& make(const GroupsNumbered& effect);
  Unit& make(const GenerationFinished& effect);
  Unit& make(const MemberAssigned& effect);
  Unit& make(const OffsetCommitted& effect);
  void put(const auto& effect) { ledger_.touch(make(effect)); }
  void put(const GroupDeleted& effect);
  void put(const MemberLeft& effect);
  void put(const OffsetForgotten& effect);
  void erase(auto& units, const auto& key);
  void look_for_remains(GroupId group);

  Ledger& ledger_;
  GroupId next_{1};
  Counter counter_{*this};
  Groups groups_;
  Members members_;
  Offsets offsets_;
  std::set<GroupId> remains_;
};

}  // namespace continuo::engines
