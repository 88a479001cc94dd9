// What consumer groups are asked, and what they answer: the classic protocol's requests without their wire format.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/effects.h"

namespace continuo::engines {

/// Kafka's refusals by the names Kafka gives them; too_large and limit_reached are Continuo's own.
enum class GroupError : std::uint8_t {
  none,
  invalid_group_id,
  unknown_member_id,
  illegal_generation,
  rebalance_in_progress,
  member_id_required,
  fenced_instance_id,
  inconsistent_group_protocol,
  invalid_session_timeout,
  group_max_size_reached,
  offset_metadata_too_large,
  group_id_not_found,
  non_empty_group,
  group_subscribed_to_topic,
  unknown_topic_or_partition,  ///< said by the caller, who knows the topics
  too_large,                   ///< a member, or all of a group's, would not fit into what is stored of it
  limit_reached,               ///< of groups, or of committed offsets
};

enum class GroupState : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable };
constexpr std::size_t group_states = 4;

/// As Kafka calls it.
constexpr std::string_view name(GroupState state) {
  switch (state) {
    case GroupState::empty: return "Empty";
    case GroupState::preparing_rebalance: return "PreparingRebalance";
    case GroupState::completing_rebalance: return "CompletingRebalance";
    case GroupState::stable: return "Stable";
  }
  return "Dead";
}

constexpr std::size_t longest_group = 1'000;  ///< bytes of a name: it is in its group's unit

struct GroupOptions {
  std::size_t groups = 10'000;
  std::size_t members = 1'000;  ///< of one group
  std::size_t offsets = 2'000'000;
  std::size_t offset_metadata = 4'096;  ///< bytes
  std::size_t member_bytes = 60 << 10;  ///< of one member with its assignment, as stored
  std::size_t group_bytes = 4 << 20;    ///< of a group's members together: a generation is one frame
  Millis shortest_session{6'000};
  Millis longest_session{1'800'000};
  Millis first_rebalance_delay{250};  ///< an empty group waits that long for more members
  Millis new_member_timeout{300'000};
  Millis offsets_kept{604'800'000};  ///< after the group became empty
  Millis empty_kept{600'000};        ///< an empty group without offsets
};

/// Who speaks.
struct Membership {
  std::string group;
  std::string member;                   ///< empty: not a member
  std::optional<std::string> instance;  ///< a static member's name for itself
  std::int32_t generation = -1;
};

/// A protocol that a member knows, with what it wants to tell the leader in it.
struct GroupProtocol {
  std::string name;
  std::string metadata;
  bool operator==(const GroupProtocol&) const = default;
};

struct JoinGroup {
  std::uint64_t token = 0;  ///< comes back with the answer; no other request that waits has it
  std::string group;
  std::string member;  ///< empty: has no id yet
  /// The id to give if one is needed: made by the caller, never the same again, at most 255 bytes.
  std::string fresh_member;
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  Millis session_timeout{0};
  Millis rebalance_timeout{-1};  ///< negative: as the session's, which is what version 0 means
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;  ///< the one it likes most first
  bool requires_known_member = false;    ///< from version 4 on: a new member must come back with the id it was given
  bool can_skip_assignment = false;      ///< from version 9 on
};

struct JoinAnswer {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    std::string metadata;
  };
  std::uint64_t token = 0;
  GroupError error = GroupError::none;
  std::int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  bool skip_assignment = false;
  std::string member;           ///< the id: the given one, or a fresh one
  std::vector<Member> members;  ///< for the leader
};

struct SyncGroup {
  struct Assignment {
    std::string member;
    std::string assignment;
  };
  std::uint64_t token = 0;  ///< as of JoinGroup
  Membership who;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::vector<Assignment> assignments;  ///< from the leader
};

struct SyncAnswer {
  std::uint64_t token = 0;
  GroupError error = GroupError::none;
  std::string protocol_type;
  std::string protocol;
  std::string assignment;
};

using GroupAnswer = std::variant<JoinAnswer, SyncAnswer>;

/// What a step did. All of `effects` go into one frame, and are applied, before the engine is asked anything else; the
/// answers, also to requests of earlier steps, may leave when that frame is durable.
struct GroupOutcome {
  std::vector<Effect> effects;
  std::vector<GroupAnswer> answers;
};

struct LeaveGroup {
  struct Member {
    std::string member;  ///< empty: the one of that instance
    std::optional<std::string> instance;
  };
  std::string group;
  std::vector<Member> members;
};

struct LeaveOutcome : GroupOutcome {
  GroupError error = GroupError::none;  ///< of the request
  std::vector<GroupError> members;      ///< in the order given; none when the request is refused
};

struct CommitOffsets {
  struct Partition {
    PartitionRef partition;
    Offset offset;
    std::optional<std::uint32_t> leader_epoch;
    std::string metadata;
  };
  Membership who;
  std::vector<Partition> partitions;
};

struct DeleteOffsets {
  struct Partition {
    std::string topic;  ///< the name, as members subscribe to it
    PartitionRef partition;
  };
  std::string group;
  std::vector<Partition> partitions;
};

struct OffsetsOutcome {
  GroupError error = GroupError::none;  ///< of the request; all its partitions have it too
  std::vector<GroupError> partitions;   ///< in the order given
  std::vector<Effect> effects;          ///< as GroupOutcome's
};

struct DeleteOutcome {
  GroupError error = GroupError::none;
  std::vector<Effect> effects;  ///< as GroupOutcome's
};

struct GroupSummary {
  std::string name;
  std::string protocol_type;
  GroupState state = GroupState::empty;
};

struct GroupDescription {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    std::string client_id;
    std::string client_host;
    std::string metadata;    ///< while the group is stable
    std::string assignment;  ///< while the group is stable
  };
  GroupSummary group;
  std::string protocol;  ///< while the group is stable
  std::vector<Member> members;
  std::int32_t generation = 0;
  std::string leader;  ///< a member; empty: there is none
};

/// A look at many groups, some at a time: in the order of their names.
struct SurveyGroups {
  std::optional<std::string> after;  ///< those behind this name; none: from the first on
  std::size_t groups = 100;          ///< at most
  std::size_t offsets = 20'000;      ///< ends with the group that reaches it
};

struct GroupsSurvey {
  struct Group {
    GroupSummary group;
    std::size_t members = 0;
    std::vector<std::pair<PartitionRef, Offset>> committed;  ///< by partition
  };
  std::vector<Group> groups;
  bool all = true;                                 ///< nothing comes behind these
  std::array<std::size_t, group_states> states{};  ///< all groups there are, by GroupState
  /// Committed ones of these groups.
  std::size_t offsets() const {
    std::size_t all_committed = 0;
    for (const Group& each : groups) all_committed += each.committed.size();
    return all_committed;
  }
};

}  // namespace continuo::engines
