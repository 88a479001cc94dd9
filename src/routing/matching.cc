// How an event meets compiled patterns: its values are read, each meets its path's tests, the clauses that hold lead to
// the patterns that stand with them, and those are looked at as a whole.
#include <algorithm>
#include <iterator>

#include "continuo/routing/array_choices.h"
#include "continuo/routing/array_consistency.h"
#include "continuo/routing/compiled_patterns.h"
#include "continuo/routing/json_reader.h"
#include "continuo/routing/matcher.h"

namespace continuo::routing {
namespace {

constexpr std::uint32_t none = ~0u;

}  // namespace

struct Matching::State {
  State(const CompiledPatterns& patterns, const MatchingLimits& limits);
  std::span<const PatternId> run();
  void read_attributes(const Input& input);
  void read_headers(const record::Record& record);
  void begin();

  const CompiledPatterns& all;
  ReadEvent event;
  JsonReader reader;

 private:
  // What this event has of a path, a clause, a negation. Of another event when `event` differs.
  struct PathSeen {
    std::uint32_t event = 0;
    std::uint32_t values = 0, at_root = 0;
    std::uint32_t last_value = none;  // the chain of its values, when it was made
  };
  struct ClauseSeen {
    std::uint32_t event = 0;
    std::uint32_t last_hit = none;  // values that are not of the root
    bool at_root = false;
  };
  struct NegationSeen {
    std::uint32_t event = 0;
    std::uint32_t values = 0, at_root = 0;  // that do not pass
    std::uint32_t last_value = none;
    std::uint32_t last_hit = none;
  };
  struct Hit {
    std::uint32_t value = 0;
    std::uint32_t before = none;
  };

  template <class Seen>
  Seen& now(std::vector<Seen>& all_seen, std::uint32_t id);
  void attribute(PathId path, std::string_view text);
  void take_value(std::uint32_t index);
  void take_target(Target target, std::uint32_t value, bool at_root);
  void look_at_clause(ClauseId id);
  void look_at(PatternId id);

  bool holds(ClauseId id, bool only_at_root);
  bool holds(const CompiledGroup& group, bool only_at_root);
  bool holds_together(const CompiledGroup& group);
  bool open(const CompiledGroup& group, OpenGroup& out);
  bool open(const CompiledChoice& choice, OpenGroup& out);
  bool places_of(ClauseId id, FieldPlaces& places);
  void find_places(ClauseId id, FieldPlaces& places);
  void chain_values();

  std::vector<ValueIndex::Scratch> scratch_;
  std::uint32_t number_ = 0;  // of the event
  std::vector<PathSeen> paths_;
  std::vector<ClauseSeen> clauses_;
  std::vector<NegationSeen> negations_;
  std::vector<std::uint32_t> tried_;  // of each pattern: the last event it was looked at for
  std::vector<Target> targets_;
  std::vector<ClauseId> held_;
  std::vector<PathId> present_;
  std::vector<Hit> hits_;
  std::size_t most_hits_;
  bool hits_missing_ = false;
  std::vector<std::uint32_t> value_before_;  // of each value: the one before it of the same path
  std::vector<PatternId> matches_;

  ArrayConsistency consistency_;
  std::vector<FieldPlaces> places_;
  std::size_t places_used_ = 0;
  ArrayChoices choices_;
};

Matching::State::State(const CompiledPatterns& patterns, const MatchingLimits& limits)
    : all(patterns),
      reader(patterns.tree),
      scratch_(patterns.tree.paths()),
      paths_(patterns.tree.paths()),
      clauses_(patterns.clauses.size()),
      negations_(patterns.negations),
      tried_(patterns.patterns.size()),
      most_hits_(limits.places),
      consistency_(patterns.tree) {
  for (ValueIndex::Scratch& each : scratch_) each.most_state_bytes = limits.automaton_bytes;
}

void Matching::State::begin() {
  event.clear();
  if (++number_ != 0) return;
  // After four billion events the numbers begin again.
  std::ranges::fill(paths_, PathSeen{});
  std::ranges::fill(clauses_, ClauseSeen{});
  std::ranges::fill(negations_, NegationSeen{});
  std::ranges::fill(tried_, 0);
  number_ = 1;
}

template <class Seen>
Seen& Matching::State::now(std::vector<Seen>& all_seen, std::uint32_t id) {
  Seen& seen = all_seen[id];
  if (seen.event != number_) {
    seen = Seen{};
    seen.event = number_;
  }
  return seen;
}

// --- what the event has
// -----------------------------------------------------------------------------------------------

void Matching::State::attribute(PathId path, std::string_view text) {
  event.values.push_back({path, 0, {Value::Type::string, text}});
}

void Matching::State::read_attributes(const Input& input) {
  for (const AttributeUse& use : all.attributes)
    if (const std::string_view text = input.event->*use.attribute; !text.empty()) attribute(use.path, text);
  if (all.specversion != no_path) attribute(all.specversion, "1.0");
  if (all.key != no_path && input.key) attribute(all.key, *input.key);
  for (const record::Extension& each : input.event->extensions) {
    const NodeId node = all.tree.child(PathTree::root, each.name);
    if (node == no_node || node == all.headers || node == all.data) continue;
    if (const PathId path = all.tree.node(node).path; path != no_path && path != all.key) attribute(path, each.value);
  }
}

// A name that comes more than once has more than one value.
void Matching::State::read_headers(const record::Record& record) {
  record::HeaderWalk walk{record};
  while (const auto header = walk.next()) {
    const NodeId node = all.tree.descendant(all.headers, header->key);
    if (node == no_node || node == all.headers) continue;
    const PathId path = all.tree.node(node).path;
    if (path == no_path) continue;
    if (header->value)
      attribute(path, *header->value);
    else
      event.values.push_back({path, 0, {Value::Type::null, "null"}});
  }
}

void Matching::State::take_value(std::uint32_t index) {
  const FoundValue& found = event.values[index];
  PathSeen& path = now(paths_, found.path);
  if (path.values++ == 0) present_.push_back(found.path);
  const bool at_root = found.context == 0;
  path.at_root += at_root ? 1 : 0;
  const ValueIndex* tests = all.indexes[found.path].get();
  if (tests == nullptr) return;
  targets_.clear();
  tests->find(found.value, found.number, scratch_[found.path], targets_);
  for (const Target target : targets_) take_target(target, index, at_root);
}

void Matching::State::take_target(Target target, std::uint32_t value, bool at_root) {
  const auto hit = [&](std::uint32_t& last) {
    if (at_root) return;
    hits_missing_ |= hits_.size() >= most_hits_;
    if (hits_missing_) return;
    hits_.push_back({value, last});
    last = static_cast<std::uint32_t>(hits_.size() - 1);
  };
  if ((target & negation_bit) != 0) {
    NegationSeen& negation = now(negations_, target & ~negation_bit);
    if (negation.last_value == value) return;  // of its tests, one is enough
    negation.last_value = value;
    ++negation.values;
    negation.at_root += at_root ? 1 : 0;
    hit(negation.last_hit);
    return;
  }
  ClauseSeen& clause = clauses_[target];
  if (clause.event != number_) {
    clause = {.event = number_};
    held_.push_back(target);
  }
  clause.at_root |= at_root;
  hit(clause.last_hit);
}

// --- which patterns that concerns
// -------------------------------------------------------------------------------------

std::span<const PatternId> Matching::State::run() {
  held_.clear();
  present_.clear();
  hits_.clear();
  hits_missing_ = false;
  matches_.clear();
  value_before_.clear();
  for (std::uint32_t i = 0; i < event.values.size(); ++i) take_value(i);
  for (const ClauseId id : held_) look_at_clause(id);
  for (const PathId path : present_)
    for (const ClauseId id : all.lazy_clauses_of[path])
      if (holds(id, false)) look_at_clause(id);
  for (const PathId path : all.paths_with_absent)
    if (now(paths_, path).values == 0)
      for (const ClauseId id : all.absent_clauses_of[path]) look_at_clause(id);
  std::ranges::sort(matches_);
  return matches_;
}

void Matching::State::look_at_clause(ClauseId id) {
  for (const Target pattern : all.patterns_of[id])
    if ((pattern & whole_bit) != 0)
      matches_.push_back(pattern & ~whole_bit);
    else
      look_at(pattern);
}

void Matching::State::look_at(PatternId id) {
  if (tried_[id] == number_) return;
  tried_[id] = number_;
  const CompiledPattern& pattern = all.patterns[id];
  const CompiledGroup& group = all.groups[pattern.group];
  if (!holds(group, false)) return;
  if (pattern.together && event.contexts.size() > 1 && !holds(group, true) && !holds_together(group)) return;
  matches_.push_back(id);
}

// `only_at_root`: by values that lie in no array that matters.
bool Matching::State::holds(ClauseId id, bool only_at_root) {
  const Clause& clause = all.clauses[id];
  if (clause.tested && clauses_[id].event == number_ && (!only_at_root || clauses_[id].at_root)) return true;
  if (!clause.lazy()) return false;
  const PathSeen& path = now(paths_, clause.path);
  if (clause.absent && path.values == 0) return true;
  const std::uint32_t values = only_at_root ? path.at_root : path.values;
  if (clause.exists && values > 0) return true;
  for (std::uint32_t i = 0; i < clause.negations; ++i) {
    const NegationSeen& negation = now(negations_, clause.first_negation + i);
    if (values > (only_at_root ? negation.at_root : negation.values)) return true;
  }
  return false;
}

bool Matching::State::holds(const CompiledGroup& group, bool only_at_root) {
  for (std::uint32_t i = 0; i < group.clauses; ++i)
    if (!holds(all.group_clauses[group.first_clause + i], only_at_root)) return false;
  for (std::uint32_t i = 0; i < group.choices; ++i) {
    const CompiledChoice& choice = all.choices[group.first_choice + i];
    bool some = false;
    for (std::uint32_t each = 0; each < choice.groups && !some; ++each)
      some = holds(all.groups[choice.first_group + each], only_at_root);
    if (!some) return false;
  }
  return true;
}

// --- array consistency
// ------------------------------------------------------------------------------------------------

bool Matching::State::holds_together(const CompiledGroup& group) {
  if (value_before_.empty()) chain_values();
  places_used_ = 0;
  OpenGroup opened;
  if (!open(group, opened)) return false;
  const auto places = std::span{places_}.subspan(0, places_used_);
  if (!opened.choices.empty()) return choices_.holds(opened, places, event) != ArrayChoices::Answer::no;
  return places.size() < 2 || consistency_.holds(places, event);
}

void Matching::State::chain_values() {
  value_before_.resize(event.values.size());
  for (std::uint32_t i = 0; i < event.values.size(); ++i)
    value_before_[i] = std::exchange(paths_[event.values[i].path].last_value, i);
}

// What is left to be found out of a group. False: it does not hold.
bool Matching::State::open(const CompiledGroup& group, OpenGroup& out) {
  for (std::uint32_t i = 0; i < group.clauses; ++i) {
    const ClauseId id = all.group_clauses[group.first_clause + i];
    if (!holds(id, false)) return false;
    if (places_.size() == places_used_) places_.emplace_back();
    if (places_of(id, places_[places_used_])) out.fields.push_back(static_cast<std::uint32_t>(places_used_++));
  }
  for (std::uint32_t i = 0; i < group.choices; ++i)
    if (!open(all.choices[group.first_choice + i], out)) return false;
  return true;
}

// What the root meets stands in nobody's way: a group that it meets leaves nothing to choose.
bool Matching::State::open(const CompiledChoice& choice, OpenGroup& out) {
  std::vector<OpenGroup> groups;
  for (std::uint32_t i = 0; i < choice.groups; ++i)
    if (holds(all.groups[choice.first_group + i], true)) return true;
  for (std::uint32_t i = 0; i < choice.groups; ++i) {
    const CompiledGroup& group = all.groups[choice.first_group + i];
    if (holds(group, false) && !open(group, groups.emplace_back())) groups.pop_back();
  }
  if (groups.empty()) return false;
  if (groups.size() > 1) {
    out.choices.push_back(std::move(groups));
    return true;
  }
  out.fields.insert(out.fields.end(), groups[0].fields.begin(), groups[0].fields.end());
  std::ranges::move(groups[0].choices, std::back_inserter(out.choices));
  return true;
}

// Where the clause holds. False: it holds whatever is chosen.
bool Matching::State::places_of(ClauseId id, FieldPlaces& places) {
  if (holds(id, true)) return false;
  const Clause& clause = all.clauses[id];
  places.node = all.tree.node_of(clause.path);
  places.contexts.clear();
  if (hits_missing_) {
    find_places(id, places);
    return true;
  }
  const auto add = [&](std::uint32_t value) { places.contexts.push_back(event.values[value].context); };
  if (clause.tested && clauses_[id].event == number_)
    for (std::uint32_t hit = clauses_[id].last_hit; hit != none; hit = hits_[hit].before) add(hits_[hit].value);
  if (clause.exists)
    for (std::uint32_t value = now(paths_, clause.path).last_value; value != none; value = value_before_[value])
      add(value);
  for (std::uint32_t i = 0; i < clause.negations; ++i) {
    std::uint32_t hit = now(negations_, clause.first_negation + i).last_hit;
    // Both chains go from the last value to the first.
    for (std::uint32_t value = now(paths_, clause.path).last_value; value != none; value = value_before_[value]) {
      if (hit != none && hits_[hit].value == value)
        hit = hits_[hit].before;
      else if (event.values[value].context != 0)
        add(value);
    }
  }
  return true;
}

// Asks the values again, by an index of the clause alone.
void Matching::State::find_places(ClauseId id, FieldPlaces& places) {
  const Clause& clause = all.clauses[id];
  const auto& tests = all.tests[id];
  ValueIndex index;
  for (Target target = 0; target < tests.size(); ++target)
    for (const Test& test : tests[target]) index.add(test, target);
  index.finish();
  ValueIndex::Scratch scratch;
  std::vector<Target> passed;
  for (std::uint32_t at = now(paths_, clause.path).last_value; at != none; at = value_before_[at]) {
    const FoundValue& found = event.values[at];
    if (found.context == 0) continue;
    passed.clear();
    index.find(found.value, found.number, scratch, passed);
    std::ranges::sort(passed);
    passed.erase(std::ranges::unique(passed).begin(), passed.end());
    const bool tested = !passed.empty() && passed[0] == 0;
    const auto excluded = passed.size() - (tested ? 1 : 0);
    if (tested || clause.exists || excluded < clause.negations) places.contexts.push_back(found.context);
  }
}

// --- the public face
// --------------------------------------------------------------------------------------------------

Matching::Matching(std::shared_ptr<const Matcher> matcher, const MatchingLimits& limits)
    : matcher_(std::move(matcher)), state_(std::make_unique<State>(*matcher_->compiled_, limits)) {}
Matching::~Matching() = default;
Matching::Matching(Matching&&) noexcept = default;
Matching& Matching::operator=(Matching&&) noexcept = default;

std::span<const std::uint32_t> Matching::match(const Input& input) {
  State& state = *state_;
  state.begin();
  state.read_attributes(input);
  if (state.all.headers != no_node && input.record != nullptr) state.read_headers(*input.record);
  if (state.all.data != no_node && input.event->data_kind == record::DataKind::json)
    state.reader.read(input.event->data, state.all.data, state.event);
  return state.run();
}

std::span<const std::uint32_t> Matching::match_json(std::string_view json) {
  State& state = *state_;
  state.begin();
  state.reader.read(json, PathTree::root, state.event);
  return state.run();
}

}  // namespace continuo::routing
