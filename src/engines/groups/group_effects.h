// The effects of the groups engine; see effects.h for what holds of all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// A consumer group's number: given once, never used again, also for a later group of the same name.
using GroupId = Id<struct GroupTag, std::uint32_t>;

/// Numbers below `next` were given to groups. Unit: the counter of groups.
struct GroupsNumbered {
  static constexpr EffectType type = EffectType::groups_numbered;
  std::uint32_t next = 0;
};

/// A generation stands: its members have their assignments, or there are none. Unit: the group, made or changed.
struct GenerationFinished {
  static constexpr EffectType type = EffectType::generation_finished;
  GroupId group;
  std::string name;
  std::uint32_t generation = 0;
  std::string protocol_type;
  std::string protocol;
  std::string leader;         ///< a member
  std::uint32_t members = 0;  ///< fewer after a restart: some left, and a rebalance was under way
  Elapsed since;              ///< without members: when the group became empty
};

/// Unit: the group. Its committed offsets go by effects of their own, some at a time.
struct GroupDeleted {
  static constexpr EffectType type = EffectType::group_deleted;
  GroupId group;
};

/// Unit: the member, made or changed.
struct MemberAssigned {
  static constexpr EffectType type = EffectType::member_assigned;
  GroupId group;
  std::string member;
  std::optional<std::string> instance;  ///< a static member's name for itself
  std::string client_id;
  std::string client_host;
  Millis session_timeout{0};
  Millis rebalance_timeout{0};
  std::string metadata;  ///< the member's, for the group's protocol
  std::string assignment;
};

/// Left, expired, or was replaced. Unit: the member, which is gone.
struct MemberLeft {
  static constexpr EffectType type = EffectType::member_left;
  GroupId group;
  std::string member;
};

/// Unit: the committed offset of (group, partition), made or changed.
struct OffsetCommitted {
  static constexpr EffectType type = EffectType::offset_committed;
  GroupId group;
  PartitionRef partition;
  Offset offset;
  std::optional<std::uint32_t> leader_epoch;
  std::string metadata;  ///< the consumer's own note
  WallTime committed;
  Elapsed at;  ///< the same moment
};

/// Deleted, expired, or gone with its group. Unit: the committed offset, which is gone.
struct OffsetForgotten {
  static constexpr EffectType type = EffectType::offset_forgotten;
  GroupId group;
  PartitionRef partition;
};

}  // namespace continuo::engines
