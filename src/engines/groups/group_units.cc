#include "continuo/engines/groups/group_units.h"

#include <fmt/format.h>

#include <limits>

#include "continuo/engines/codec.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {
namespace {

constexpr std::uint8_t unit_version = 1;

// ---- keys -----------------------------------------------------------------------------------------------------------

std::string key_of(const GroupsNumbered&) { return unit_key_of(UnitKind::group_counter); }

// Of the unit that the effect changes.
template <class T>
std::string key_of(const T& effect) {
  if constexpr (requires { effect.partition; })
    return unit_key_of(UnitKind::committed_offset, effect.group.value, effect.partition.topic.value,
                       effect.partition.partition.value);
  else if constexpr (requires { effect.member; })
    return unit_key_of(UnitKind::group_member, effect.group.value) + effect.member;
  else
    return unit_key_of(UnitKind::group, effect.group.value);
}

// ---- what no version of this engine writes --------------------------------------------------------------------------

// Times are added to and numbers counted up: those of nonsense must not leave their range.
bool plausible(GroupId group) { return group.value != 0 && group.value != std::numeric_limits<std::uint32_t>::max(); }
bool plausible(Elapsed at) { return at.ms >= 0 && at.ms < (std::int64_t{1} << 60); }
bool plausible(Millis timeout) { return timeout.count() >= 0 && timeout.count() < (std::int64_t{1} << 31); }

bool plausible(const GroupsNumbered& effect) { return plausible(GroupId{effect.next}); }
template <class T>
bool plausible(const T& effect) {
  return plausible(effect.group);
}
bool plausible(const GenerationFinished& effect) {
  return plausible(effect.group) && plausible(effect.since) && effect.generation < (std::uint32_t{1} << 30);
}
bool plausible(const MemberAssigned& effect) {
  return plausible(effect.group) && plausible(effect.session_timeout) && plausible(effect.rebalance_timeout);
}
bool plausible(const OffsetCommitted& effect) { return plausible(effect.group) && plausible(effect.at); }

}  // namespace

std::string GroupUnit::unit_key() const { return key_of(generation); }
void GroupUnit::encode(std::string& out) const { out += engines::encode(generation).payload; }

std::string MemberUnit::unit_key() const { return key_of(member); }
void MemberUnit::encode(std::string& out) const { out += engines::encode(member).payload; }

std::string OffsetUnit::unit_key() const { return key_of(committed); }
void OffsetUnit::encode(std::string& out) const { out += engines::encode(committed).payload; }

std::string GroupUnits::Counter::unit_key() const { return unit_key_of(UnitKind::group_counter); }
void GroupUnits::Counter::encode(std::string& out) const {
  FieldWriter{out}(std::uint32_t{unit_version}, units_.next_);
}

// ---- changes --------------------------------------------------------------------------------------------------------

Unit& GroupUnits::make(const GroupsNumbered& effect) {
  next_ = GroupId{effect.next};
  return counter_;
}

Unit& GroupUnits::make(const GenerationFinished& effect) {
  GroupUnit& unit = groups_[effect.group];
  unit.generation = effect;
  return unit;
}

Unit& GroupUnits::make(const MemberAssigned& effect) {
  MemberUnit& unit = members_[{effect.group, effect.member}];
  unit.member = effect;
  return unit;
}

Unit& GroupUnits::make(const OffsetCommitted& effect) {
  OffsetUnit& unit = offsets_[{effect.group, effect.partition}];
  unit.committed = effect;
  return unit;
}

void GroupUnits::erase(auto& units, const auto& key) {
  const auto found = units.find(key);
  if (found == units.end()) return;
  ledger_.erase(found->second);
  units.erase(found);
}

void GroupUnits::put(const GroupDeleted& effect) {
  erase(groups_, effect.group);
  look_for_remains(effect.group);
}

void GroupUnits::put(const MemberLeft& effect) { erase(members_, Members::key_type{effect.group, effect.member}); }

void GroupUnits::put(const OffsetForgotten& effect) {
  erase(offsets_, Offsets::key_type{effect.group, effect.partition});
  look_for_remains(effect.group);
}

void GroupUnits::look_for_remains(GroupId group) {
  if (groups_.contains(group) || offsets_of(group).empty())
    remains_.erase(group);
  else
    remains_.insert(group);
}

void GroupUnits::topic_removed(TopicId topic) {
  const PartitionRef first{topic, PartitionId{0}};
  auto at = offsets_.begin();
  while (at != offsets_.end()) {
    const GroupId group = at->first.first;
    at = offsets_.lower_bound({group, first});
    while (at != offsets_.end() && at->first.first == group && at->first.second.topic == topic) {
      ledger_.erase(at->second);
      at = offsets_.erase(at);
    }
    look_for_remains(group);
    at = offsets_.lower_bound({GroupId{group.value + 1}, PartitionRef{}});
  }
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Unit* GroupUnits::find(const auto& effect) {
  const auto in = [](auto& units, const auto& key) -> Unit* {
    const auto found = units.find(key);
    return found == units.end() ? nullptr : &found->second;
  };
  if constexpr (requires { effect.partition; })
    return in(offsets_, Offsets::key_type{effect.group, effect.partition});
  else if constexpr (requires { effect.member; })
    return in(members_, Members::key_type{effect.group, effect.member});
  else
    return in(groups_, effect.group);
}

template <class T>
Result<void> GroupUnits::take(std::uint8_t version, std::string_view payload) {
  auto effect = decode<T>(version, payload);
  if (!effect) return pass(effect);
  if (!plausible(*effect))
    return fail(Code::wrong_format, fmt::format("an effect of type {} makes no sense", static_cast<int>(T::type)));
  if (ledger_.wants(find(*effect), key_of(*effect))) put(*effect);
  return {};
}

Result<void> GroupUnits::apply(EffectType type, std::uint8_t version, std::string_view payload) {
  switch (type) {
    case EffectType::groups_numbered: return take<GroupsNumbered>(version, payload);
    case EffectType::generation_finished: return take<GenerationFinished>(version, payload);
    case EffectType::group_deleted: return take<GroupDeleted>(version, payload);
    case EffectType::member_assigned: return take<MemberAssigned>(version, payload);
    case EffectType::member_left: return take<MemberLeft>(version, payload);
    case EffectType::offset_committed: return take<OffsetCommitted>(version, payload);
    case EffectType::offset_forgotten: return take<OffsetForgotten>(version, payload);
    default:
      return fail(Code::wrong_format, fmt::format("the groups engine knows no effect {}", static_cast<int>(type)));
  }
}

template <class T>
Result<void> GroupUnits::restore_as(std::string_view key, std::string_view bytes, Sequence stamp) {
  const auto read = decode<T>(unit_version, bytes);
  if (!read || !plausible(*read) || key_of(*read) != key) return bad_unit("unit of a consumer group");
  ledger_.restored(make(*read), stamp);
  return {};
}

Result<void> GroupUnits::restore_counter(std::string_view key, std::string_view bytes, Sequence stamp) {
  FieldReader reader{bytes};
  std::uint32_t version = 0;
  GroupsNumbered numbered;
  reader(version, numbered.next);
  if (version != unit_version || !reader.done() || !plausible(numbered) || key_of(numbered) != key)
    return bad_unit("counter of consumer groups");
  ledger_.restored(make(numbered), stamp);
  return {};
}

Result<void> GroupUnits::restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp) {
  switch (kind) {
    case UnitKind::group_counter: return restore_counter(key, bytes, stamp);
    case UnitKind::group: return restore_as<GenerationFinished>(key, bytes, stamp);
    case UnitKind::group_member: return restore_as<MemberAssigned>(key, bytes, stamp);
    case UnitKind::committed_offset: return restore_as<OffsetCommitted>(key, bytes, stamp);
    default: return bad_unit("unit of a consumer group");
  }
}

void GroupUnits::recovered() {
  // A home may have lost the counter's last steps and not what was made with those numbers.
  const auto is_given = [&](const auto& units, auto id) {
    if (!units.empty()) next_ = std::max(next_, GroupId{id(units.rbegin()->first).value + 1});
  };
  is_given(groups_, [](GroupId id) { return id; });
  is_given(members_, [](const auto& key) { return key.first; });
  is_given(offsets_, [](const auto& key) { return key.first; });
  remains_.clear();
  for (auto at = offsets_.begin(); at != offsets_.end();) {
    const GroupId group = at->first.first;
    look_for_remains(group);
    at = offsets_.lower_bound({GroupId{group.value + 1}, PartitionRef{}});
  }
}

const OffsetUnit* GroupUnits::offset(GroupId group, PartitionRef partition) const {
  const auto found = offsets_.find({group, partition});
  return found == offsets_.end() ? nullptr : &found->second;
}

}  // namespace continuo::engines
