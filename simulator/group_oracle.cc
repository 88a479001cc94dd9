#include "continuo/simulator/group_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace continuo::simulator {
namespace {

using engines::GroupError;
using engines::GroupState;

constexpr Millis certain_session{5'500};  // shorter than the shortest session
constexpr Millis empty_kept{590'000};     // a group without offsets may be forgotten when nobody came for so long
constexpr std::uint32_t parts = 8;        // of what a generation shares out

/// The mark and the generation an assignment begins with.
struct Mark {
  std::uint64_t mark = 0;
  std::int32_t generation = 0;
};

Mark mark_of(std::string_view assignment) {
  Mark read;
  const char* const end = assignment.data() + assignment.size();
  const auto [at, error] = std::from_chars(assignment.data(), end, read.mark);
  if (error == std::errc{} && at != end) std::from_chars(at + 1, end, read.generation);
  return read;
}

std::string words(const GroupOracle::Committed& committed) {
  std::string text;
  for (const auto& [ref, offset] : committed)
    text += fmt::format(" {}/{}@{}", ref.topic.value, ref.partition.value, offset.value);
  return text.empty() ? " nothing" : text;
}

// What is committed in a topic goes with it.
GroupOracle::Committed in_topics(GroupOracle::Committed committed, const node::Catalogue& catalogue) {
  std::set<TopicId> there;
  for (const auto& [name, topic] : catalogue.topics) there.insert(topic->id);
  std::erase_if(committed, [&](const auto& each) { return !there.contains(each.first.topic); });
  return committed;
}

}  // namespace

// ---- committed offsets ----------------------------------------------------------------------------------------------

void GroupOracle::apply(Committed& committed, const Change& change) {
  if (change.group_deleted) committed.clear();
  for (const auto& [ref, offset] : change.offsets)
    if (offset)
      committed[ref] = *offset;
    else
      committed.erase(ref);
}

GroupOracle::ChangeNumber GroupOracle::changes(const std::string& group, Change change) {
  groups_[group].asked.emplace(++last_change_, std::move(change));
  return last_change_;
}

void GroupOracle::changed(const std::string& name, ChangeNumber number, bool done, Elapsed now) {
  Group& group = groups_[name];
  const auto asked = group.asked.extract(number);
  if (asked.empty() || !done) return;
  apply(group.committed, asked.mapped());
  group.heard = now;
  if (!asked.mapped().group_deleted) return;
  group.generation = 0;
  group.finished.clear();
}

void GroupOracle::fetched(Oracle& out, const std::string& name, const Committed& found,
                          const node::Catalogue& catalogue) {
  const Committed wanted = in_topics(groups_[name].committed, catalogue);
  const Committed there = in_topics(found, catalogue);
  if (there != wanted)
    out.breach(fmt::format("group '{}' answers it committed{}, but it was{}", name, words(there), words(wanted)));
}

// After a restart each request that was not answered may have been carried out, in the order they were sent.
void GroupOracle::check_committed(Oracle& out, const std::string& name, Group& group, const Committed& found,
                                  const node::Catalogue& catalogue, bool restarted) {
  if (!restarted && !group.asked.empty()) return;
  std::set<Committed> possible{group.committed};
  for (const auto& [number, change] : group.asked) {
    std::set<Committed> with = possible;
    for (Committed each : possible) {
      apply(each, change);
      with.insert(in_topics(std::move(each), catalogue));  // a topic may have gone behind it
    }
    possible = std::move(with);
  }
  if (!possible.contains(found))
    out.breach(fmt::format("group '{}' committed{}, but was answered{}", name, words(found), words(group.committed)));
  group.committed = found;
}

// ---- members --------------------------------------------------------------------------------------------------------

void GroupOracle::joined(Oracle& out, const std::string& name, const engines::JoinAnswer& answer, Elapsed now) {
  if (answer.error != GroupError::none) return;
  Group& group = groups_[name];
  const bool forgotten = group.committed.empty() && now >= group.heard + empty_kept;
  if (forgotten && answer.generation < group.generation) {
    group.generation = 0;
    group.finished.clear();
  }
  group.heard = now;
  if (answer.generation < group.generation)
    out.breach(fmt::format("group '{}' is in generation {} after {}", name, answer.generation, group.generation));
}

std::vector<engines::SyncGroup::Assignment> GroupOracle::assigns(const std::string& name, std::int32_t generation,
                                                                 const std::vector<std::string>& members, Elapsed now) {
  Group& group = groups_[name];
  Led& led = group.led[++last_mark_];
  led = {generation, {}, group.moves, now + certain_session, {}};
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::string text = fmt::format("{} {}", last_mark_, generation);
    for (std::size_t part = i; part < parts; part += members.size()) text += fmt::format(" {}", part);
    led.assigned[members[i]] = text;
  }
  std::vector<engines::SyncGroup::Assignment> all;
  for (const auto& [member, assignment] : led.assigned) all.push_back({member, assignment});
  return all;
}

// This assignment is what a generation has: the only one.
void GroupOracle::finish(Oracle& out, const std::string& name, Group& group, std::string_view assignment) {
  const Mark mark = mark_of(assignment);
  const auto led = group.led.find(mark.mark);
  const std::string what = fmt::format("group '{}', generation {}: '{}'", name, mark.generation, assignment);
  if (led == group.led.end() || led->second.generation != mark.generation)
    return out.breach(what + " is not what a leader assigned");
  if (std::ranges::none_of(led->second.assigned, [&](const auto& each) { return each.second == assignment; }))
    return out.breach(what + " is nobody's part");
  if (mark.generation < group.generation) return out.breach(fmt::format("{}, after {}", what, group.generation));
  const auto [finished, first] = group.finished.emplace(mark.generation, mark.mark);
  if (!first && finished->second != mark.mark)
    return out.breach(fmt::format("{}, which has assignment {} already", what, finished->second));
  if (first) ++finished_;
  group.generation = mark.generation;
}

void GroupOracle::synced(Oracle& out, const engines::Membership& who, const std::string& assignment, Elapsed now) {
  Group& group = groups_[who.group];
  group.heard = now;
  const Mark mark = mark_of(assignment);
  if (mark.generation != who.generation)
    return out.breach(fmt::format("group '{}': {} of generation {} is assigned '{}'", who.group, who.member,
                                  who.generation, assignment));
  finish(out, who.group, group, assignment);
  const auto led = group.led.find(mark.mark);
  if (led == group.led.end()) return;
  const auto own = led->second.assigned.find(who.member);
  // A static member that came back has its part under a new name.
  if (own == led->second.assigned.end() ? !who.instance : own->second != assignment)
    return out.breach(fmt::format("group '{}': {} is assigned another's part '{}'", who.group, who.member, assignment));
  led->second.synced.insert(who.member);
}

const GroupOracle::Led* GroupOracle::standing(const Group& group, Elapsed now) {
  const auto finished = group.finished.find(group.generation);
  if (finished == group.finished.end()) return nullptr;
  const Led& led = group.led.at(finished->second);
  const bool stands = led.moves == group.moves && now <= led.until && led.synced.size() == led.assigned.size();
  return stands ? &led : nullptr;
}

bool GroupOracle::stands(const engines::Membership& who, Elapsed now) const {
  const auto group = groups_.find(who.group);
  if (group == groups_.end()) return false;
  const Led* led = standing(group->second, now);
  return led != nullptr && led->generation == who.generation && led->synced.contains(who.member);
}

void GroupOracle::spoke(Oracle& out, const engines::Membership& who, GroupError error, bool was_standing, Elapsed now) {
  Group& group = groups_[who.group];
  if (error == GroupError::none) {
    group.heard = now;
    if (who.generation >= 0 && who.generation < group.generation)
      out.breach(fmt::format("group '{}': {} of generation {} is heard in {}", who.group, who.member, who.generation,
                             group.generation));
    return;
  }
  if (was_standing && stands(who, now))
    out.breach(fmt::format("group '{}': {} of generation {}, which stands, is refused with {}", who.group, who.member,
                           who.generation, static_cast<int>(error)));
}

// ---- checks ---------------------------------------------------------------------------------------------------------

void GroupOracle::check(Oracle& out, const engines::GroupsEngine& engine, const node::Catalogue& catalogue,
                        bool restarted, Elapsed now) {
  for (const engines::GroupSummary& each : engine.list())
    if (!groups_.contains(each.name)) out.breach(fmt::format("nobody asked for group '{}'", each.name));
  for (auto& [name, group] : groups_) {
    Committed found;
    for (const engines::OffsetUnit* unit : engine.committed(name))
      found[unit->committed.partition] = unit->committed.offset;
    group.committed = in_topics(std::move(group.committed), catalogue);
    check_committed(out, name, group, found, catalogue, restarted);
    check_members(out, name, group, engine, now);
    if (restarted) group.asked.clear();
  }
  if (restarted) waiting = 0;
}

void GroupOracle::check_members(Oracle& out, const std::string& name, Group& group, const engines::GroupsEngine& engine,
                                Elapsed now) {
  const auto there = engine.describe(name);
  if (!there) {
    const bool deleted = std::ranges::any_of(group.asked, [](const auto& each) { return each.second.group_deleted; });
    const bool forgotten = group.committed.empty() && now >= group.heard + empty_kept;
    if (group.generation != 0 && !deleted && !forgotten)
      out.breach(fmt::format("group '{}' had generation {} and is gone", name, group.generation));
    group.generation = 0;
    group.finished.clear();
    return;
  }
  const Led* led = standing(group, now);
  std::map<std::string, std::string> found;
  if (there->group.state == GroupState::stable)
    for (const auto& each : there->members) {
      found[each.id] = each.assignment;
      finish(out, name, group, each.assignment);
    }
  if (led != nullptr && found != led->assigned)
    out.breach(fmt::format("group '{}': generation {} had {} members and has {}, or they have other parts", name,
                           led->generation, led->assigned.size(), found.size()));
}

}  // namespace continuo::simulator
