#include "continuo/engines/groups/group_state.h"

#include <utility>

namespace continuo::engines {

// ---- a member -------------------------------------------------------------------------------------------------------

bool GroupMember::knows(std::string_view protocol) const {
  return std::ranges::find(protocols, protocol, &GroupProtocol::name) != protocols.end();
}

const std::string& GroupMember::metadata(std::string_view protocol) const {
  const auto found = std::ranges::find(protocols, protocol, &GroupProtocol::name);
  CHECK(found != protocols.end(), "every member knows the protocol of its group");
  return found->metadata;
}

std::size_t GroupMember::metadata_bytes() const {
  std::size_t bytes = 0;
  for (const GroupProtocol& protocol : protocols) bytes += protocol.name.size() + protocol.metadata.size();
  return bytes;
}

// ---- a group --------------------------------------------------------------------------------------------------------

const GroupMember* ConsumerGroup::find(std::string_view member) const {
  const auto found = members.find(member);
  return found == members.end() ? nullptr : &found->second;
}

GroupMember* ConsumerGroup::find(std::string_view member) {
  return const_cast<GroupMember*>(std::as_const(*this).find(member));
}

std::map<std::string, GroupMember, std::less<>>::iterator ConsumerGroup::find_instance(std::string_view instance) {
  return std::ranges::find_if(members, [&](const auto& each) { return each.second.instance == instance; });
}

bool ConsumerGroup::has_instance(std::string_view instance) const {
  return std::ranges::any_of(members, [&](const auto& each) { return each.second.instance == instance; });
}

GroupError ConsumerGroup::check(std::string_view member, const std::optional<std::string>& instance) const {
  const GroupMember* found = find(member);
  if (!instance) return found == nullptr ? GroupError::unknown_member_id : GroupError::none;
  if (found != nullptr && found->instance == instance) return GroupError::none;
  return has_instance(*instance) ? GroupError::fenced_instance_id : GroupError::unknown_member_id;
}

bool ConsumerGroup::supports(std::string_view type, const std::vector<GroupProtocol>& protocols) const {
  if (members.empty()) return true;
  const auto known_to_all = [this](const GroupProtocol& protocol) {
    return std::ranges::all_of(members, [&](const auto& each) { return each.second.knows(protocol.name); });
  };
  return type == protocol_type && std::ranges::any_of(protocols, known_to_all);
}

std::string ConsumerGroup::choose_protocol() const {
  std::vector<std::pair<std::string_view, std::size_t>> votes;  // of equal ones the first is chosen
  for (const GroupProtocol& each : members.begin()->second.protocols)
    if (std::ranges::all_of(members, [&](const auto& member) { return member.second.knows(each.name); }))
      votes.emplace_back(each.name, 0);
  CHECK(!votes.empty(), "nobody joins without a protocol that all know");
  for (const auto& [id, member] : members)
    for (const GroupProtocol& each : member.protocols) {
      const auto vote = std::ranges::find(votes, std::string_view{each.name}, [](const auto& v) { return v.first; });
      if (vote == votes.end()) continue;
      ++vote->second;
      break;
    }
  return std::string{std::ranges::max_element(votes, {}, [](const auto& v) { return v.second; })->first};
}

bool ConsumerGroup::all_joined() const {
  return pending.empty() && std::ranges::all_of(members, [](const auto& each) {
           return each.second.waits == GroupMember::Waits::for_join;
         });
}

bool ConsumerGroup::somebody_must_sync() const {
  return std::ranges::any_of(members, [](const auto& each) { return each.second.must_sync; });
}

Millis ConsumerGroup::rebalance_timeout() const {
  Millis longest{0};
  for (const auto& [id, member] : members) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

Elapsed ConsumerGroup::next_due() const {
  Elapsed at = never;
  if (state == GroupState::preparing_rebalance || somebody_must_sync()) at = deadline;
  if (state == GroupState::empty && id.value != 0) at = look_at;
  for (const auto& [member_id, member] : members)
    if (member.can_expire()) at = std::min(at, member.deadline);
  for (const auto& [member_id, until] : pending) at = std::min(at, until);
  return at;
}

std::vector<JoinAnswer::Member> ConsumerGroup::roll() const {
  std::vector<JoinAnswer::Member> all;
  for (const auto& [id, member] : members) all.push_back({id, member.instance, member.metadata(protocol)});
  return all;
}

}  // namespace continuo::engines
