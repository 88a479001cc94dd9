// A consumer group as it is now: members, what they wait for, until when. The volatile half of the groups engine, and
// the questions that need no more than one group. See groups.h. Core thread only.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/engines/groups/group_effects.h"
#include "continuo/engines/groups/group_requests.h"

namespace continuo::engines {

constexpr Elapsed never{std::numeric_limits<std::int64_t>::max()};

struct GroupMember {
  enum class Waits : std::uint8_t { for_nothing, for_join, for_sync };

  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  Millis session_timeout{0};
  Millis rebalance_timeout{0};
  std::vector<GroupProtocol> protocols;
  std::string assignment;  ///< of the last finished generation
  Elapsed deadline;        ///< its session ends; a new one: it gave up joining
  Waits waits = Waits::for_nothing;
  std::optional<std::uint64_t> token;  ///< of the request that waits; none: the one who asked went away
  bool is_new = false;                 ///< its first join waits
  bool must_sync = false;              ///< was told of this generation and has not asked for its assignment
  bool stored = false;                 ///< has a unit

  /// A member that waits is alive, unless nobody may be left who could get the answer: a new one does not know its id.
  bool can_expire() const { return waits == Waits::for_nothing || is_new; }
  void heard_of(Elapsed now) { deadline = std::max(deadline, now + session_timeout); }
  /// What it says in the protocol; it must know it.
  const std::string& metadata(std::string_view protocol) const;
  bool knows(std::string_view protocol) const;
  /// Of all its protocols together.
  std::size_t metadata_bytes() const;
};

struct ConsumerGroup {
  /// An empty group's first members gather: who comes early waits for the others.
  struct Gathering {
    bool grew = false;  ///< since the last look
    Millis left{0};     ///< by how much the wait may still grow
  };

  std::string name;
  GroupId id{0};  ///< 0: nothing of it was stored yet
  GroupState state = GroupState::empty;
  std::int32_t generation = 0;
  std::string protocol_type;
  std::string protocol;
  std::string leader;  ///< empty: to be elected
  std::map<std::string, GroupMember, std::less<>> members;
  std::map<std::string, Elapsed, std::less<>> pending;  ///< ids that were given and have not joined: until when
  std::optional<Gathering> gathering;
  Elapsed deadline;  ///< preparing: of the join; afterwards: of members that must sync
  Elapsed since;     ///< the generation finished, or the group became empty
  Elapsed look_at;   ///< empty: something may expire
  Elapsed due = never;

  GroupMember* find(std::string_view member);
  const GroupMember* find(std::string_view member) const;
  /// The member that has this instance id, or end.
  std::map<std::string, GroupMember, std::less<>>::iterator find_instance(std::string_view instance);
  bool has_instance(std::string_view instance) const;
  /// none, unknown_member_id, or fenced_instance_id.
  GroupError check(std::string_view member, const std::optional<std::string>& instance) const;
  /// One of the protocols is known to all members.
  bool supports(std::string_view type, const std::vector<GroupProtocol>& protocols) const;
  /// The one most members like best among those all know. There are members.
  std::string choose_protocol() const;
  bool all_joined() const;
  bool somebody_must_sync() const;
  /// The longest a member asks for.
  Millis rebalance_timeout() const;
  /// When time alone changes something.
  Elapsed next_due() const;
  /// What the leader is told of the members.
  std::vector<JoinAnswer::Member> roll() const;
};

}  // namespace continuo::engines
