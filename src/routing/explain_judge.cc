#include "continuo/routing/explain_judge.h"

#include <algorithm>
#include <utility>

namespace continuo::routing {
namespace {

// Looks at fields in elements of arrays: less than a second of them.
constexpr std::uint64_t most_steps = 5'000'000;
// Bytes of values that are put to tests of one field, when it is known already what holds.
constexpr std::uint64_t most_looks = 1'000'000;

bool passes(const Condition& condition, const Value& value) {
  const auto passed = [&](const Test& test) { return passes(test, value); };
  switch (condition.kind) {
    case Condition::Kind::is: return std::ranges::any_of(condition.tests, passed);
    case Condition::Kind::anything_but: return std::ranges::none_of(condition.tests, passed);
    case Condition::Kind::exists: return true;
    case Condition::Kind::absent: break;
  }
  return false;
}

}  // namespace

Judge::Judge(const Pattern& pattern, const EventOfPattern& event, std::optional<std::set<const Field*>> held)
    : pattern_(pattern), event_(event), held_(std::move(held)), together_(event, most_steps) {}

const Verdict& Judge::verdict(const Field& field) {
  const auto [entry, is_new] = verdicts_.try_emplace(&field);
  if (is_new) entry->second = judge(field);
  return entry->second;
}

Verdict Judge::judge(const Field& field) {
  Verdict verdict;
  const auto values = event_.values(event_.path_of(field));
  if (values.empty()) {
    const auto absent = std::ranges::find(field.conditions, Condition::Kind::absent, &Condition::kind);
    if (absent != field.conditions.end()) verdict.absent = &*absent;
  }
  std::uint64_t looks_left = held_ ? most_looks : ~std::uint64_t{0};
  for (const FoundValue& found : values) {
    const auto condition = std::ranges::find_if(field.conditions, [&](const Condition& each) {
      const std::uint64_t looks = looks_at(found.value) * each.tests.size();
      if (looks > looks_left) return false;
      looks_left -= looks;
      return passes(each, found.value);
    });
    if (condition != field.conditions.end()) verdict.met.push_back({found.context, found.value, &*condition});
  }
  verdict.holds = held_ ? held_->contains(&field) : verdict.absent != nullptr || !verdict.met.empty();
  return verdict;
}

bool Judge::holds(const Group& group) {
  if (const auto known = groups_.find(&group); known != groups_.end()) return known->second;
  bool all = std::ranges::all_of(group.fields, [&](const Field& field) { return verdict(field).holds; });
  for (const auto& choice : group.choices)
    all = all && std::ranges::any_of(choice, [&](const Group& each) { return holds(each); });
  return groups_[&group] = all;
}

Judge::Answer Judge::together(std::vector<ChosenField>& fields) {
  if (!held_ && take(pattern_.root(), 0)) {
    for (std::size_t i = 0; i < taken_.size(); ++i) fields.push_back({taken_[i], contexts_[i]});
    return Answer::yes;
  }
  return held_ || together_.took_too_long() ? Answer::too_long : Answer::no;
}

std::vector<ChosenField> Judge::wherever() {
  std::vector<const Field*> first;
  first_fields(pattern_.root(), first);
  std::vector<ChosenField> fields;
  for (const Field* field : first) {
    const auto& met = verdict(*field).met;
    fields.push_back({field, met.empty() || holds_as_a_whole(*field) ? 0 : met[0].context});
  }
  return fields;
}

// Adds the group to what has to hold together; and then, of the choices from `choice` on, one group each.
bool Judge::take(const Group& group, std::size_t choice) {
  const std::size_t fields_before = taken_.size(), choices_before = choices_.size();
  for (const Field& field : group.fields) taken_.push_back(&field);
  for (const auto& each : group.choices) choices_.push_back(&each);
  if (place() && choose(choice)) return true;
  taken_.resize(fields_before);
  choices_.resize(choices_before);
  return false;
}

bool Judge::choose(std::size_t choice) {
  if (choice == choices_.size()) return true;
  // What `take` adds to the list stands behind this one.
  const auto& groups = *choices_[choice];
  return std::ranges::any_of(groups, [&](const Group& each) { return holds(each) && take(each, choice + 1); });
}

// A context for each field that was taken. What the event as a whole meets stands in nobody's way.
bool Judge::place() {
  std::vector<FieldPlaces> places;
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (holds_as_a_whole(*taken_[i])) continue;
    places.push_back(places_of(*taken_[i]));
    which.push_back(i);
  }
  const auto chosen = together_.choose(places);
  if (!chosen) return false;
  contexts_.assign(taken_.size(), 0);
  for (std::size_t i = 0; i < which.size(); ++i) contexts_[which[i]] = (*chosen)[i];
  return true;
}

bool Judge::holds_as_a_whole(const Field& field) {
  const Verdict& found = verdict(field);
  return found.absent != nullptr || std::ranges::find(found.met, 0u, &Met::context) != found.met.end();
}

FieldPlaces Judge::places_of(const Field& field) {
  FieldPlaces places{event_.node_of(field), {}};
  for (const Met& met : verdict(field).met) places.contexts.push_back(met.context);
  std::ranges::sort(places.contexts);
  return places;
}

void Judge::first_fields(const Group& group, std::vector<const Field*>& out) {
  for (const Field& field : group.fields) out.push_back(&field);
  for (const auto& choice : group.choices) {
    const auto first = std::ranges::find_if(choice, [&](const Group& each) { return holds(each); });
    if (first != choice.end()) first_fields(*first, out);
  }
}

std::vector<const Field*> Judge::not_together() {
  std::vector<const Field*> first, out;
  first_fields(pattern_.root(), first);
  std::vector<FieldPlaces> joined;
  for (const Field* field : first) {
    if (holds_as_a_whole(*field)) continue;
    joined.push_back(places_of(*field));
    if (together_.choose(joined)) continue;
    out.push_back(field);
    joined.pop_back();
  }
  return out;
}

}  // namespace continuo::routing
