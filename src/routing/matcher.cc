#include "continuo/routing/matcher.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "continuo/routing/compiled_patterns.h"

namespace continuo::routing {
namespace {

constexpr std::pair<std::string_view, std::string_view record::Event::*> attributes_of_event[] = {
    {"id", &record::Event::id},
    {"source", &record::Event::source},
    {"type", &record::Event::type},
    {"subject", &record::Event::subject},
    {"time", &record::Event::time},
    {"datacontenttype", &record::Event::datacontenttype},
    {"dataschema", &record::Event::dataschema},
};

// How likely a test is to be passed, so that a pattern stands where few events find it. Guesses, but their order is
// seldom wrong. A value that many patterns ask for is a frequent one.
double likelihood(const Test& test, double patterns) {
  switch (test.kind) {
    case Test::Kind::literal:
      return test.type == Value::Type::string ? std::min(0.25, 0.005 * std::sqrt(patterns)) : 0.1;
    case Test::Kind::prefix:
    case Test::Kind::suffix: return 0.3 / static_cast<double>(1 + test.text.size());
    case Test::Kind::wildcard: return 0.5 / static_cast<double>(1 + test.text.size());
    case Test::Kind::numeric: return 0.3;
    case Test::Kind::cidr: return 0.1;
  }
  return 1;
}

bool have_a_name_in_common(const Group& group, std::set<std::string_view>& names) {
  for (const Field& field : group.fields)
    if (!names.insert(std::string_view{field.path}.substr(0, field.path.find('.'))).second) return true;
  for (const auto& choice : group.choices)
    for (const Group& each : choice)
      if (have_a_name_in_common(each, names)) return true;
  return false;
}

class Compiler {
 public:
  explicit Compiler(CompiledPatterns& out) : out_(out) {}

  void add(const Pattern& pattern) {
    const auto group = static_cast<std::uint32_t>(out_.groups.size());
    out_.groups.emplace_back();
    add_group(pattern.root(), group);
    std::set<std::string_view> names;
    const bool together = have_a_name_in_common(pattern.root(), names);
    out_.patterns.push_back({group, together});
    if (together) keep_tests(pattern.root());
  }

  void finish() {
    out_.tree.finish();
    place_patterns();
    out_.indexes.resize(out_.tree.paths());
    for (std::size_t path = 0; path < indexes_.size(); ++path)
      if (indexes_[path]) {
        indexes_[path]->finish();
        out_.indexes[path] = std::move(indexes_[path]);
      }
    for (const auto& [name, attribute] : attributes_of_event)
      if (const PathId path = path_of(name); path != no_path) out_.attributes.push_back({attribute, path});
    out_.specversion = path_of("specversion");
    out_.key = path_of("key");
    out_.headers = out_.tree.descendant(PathTree::root, "headers");
    out_.data = out_.tree.descendant(PathTree::root, "data");
  }

 private:
  // What a way to a pattern costs: the chance that it is looked at.
  struct Access {
    double cost = 2;
    std::vector<ClauseId> clauses;  // one of them has to hold
  };

  PathId path_of(std::string_view names) const {
    const NodeId node = out_.tree.descendant(PathTree::root, names);
    return node == no_node ? no_path : out_.tree.node(node).path;
  }

  void add_group(const Group& group, std::uint32_t at) {
    CompiledGroup made;
    std::vector<ClauseId> clauses;
    for (const Field& field : group.fields) clauses.push_back(clause_of(field));
    made.first_clause = static_cast<std::uint32_t>(out_.group_clauses.size());
    made.clauses = static_cast<std::uint32_t>(clauses.size());
    out_.group_clauses.insert(out_.group_clauses.end(), clauses.begin(), clauses.end());
    made.first_choice = static_cast<std::uint32_t>(out_.choices.size());
    made.choices = static_cast<std::uint32_t>(group.choices.size());
    out_.choices.resize(out_.choices.size() + group.choices.size());
    for (std::size_t i = 0; i < group.choices.size(); ++i) {
      const auto first = static_cast<std::uint32_t>(out_.groups.size());
      const auto& alternatives = group.choices[i];
      out_.choices[made.first_choice + i] = {first, static_cast<std::uint32_t>(alternatives.size())};
      out_.groups.resize(out_.groups.size() + alternatives.size());
      for (std::uint32_t each = 0; each < alternatives.size(); ++each) add_group(alternatives[each], first + each);
    }
    out_.groups[at] = made;
  }

  // Paths may hold any byte; sources are JSON, in which no line breaks are left.
  static std::string name_of(const Field& field) {
    std::string name = std::to_string(field.path.size()) + ' ' + field.path;
    for (const Condition& condition : field.conditions) name.append(1, '\n').append(condition.source);
    return name;
  }

  ClauseId clause_of(const Field& field) {
    const auto [found, is_new] = clauses_.try_emplace(name_of(field), static_cast<ClauseId>(out_.clauses.size()));
    if (is_new) add_clause(field);
    ++uses_[found->second];
    return found->second;
  }

  void add_clause(const Field& field) {
    Clause clause;
    clause.path = out_.tree.add(field.path);
    if (indexes_.size() <= clause.path) indexes_.resize(clause.path + 1);
    const auto id = static_cast<ClauseId>(out_.clauses.size());
    clause.first_negation = out_.negations;
    for (const Condition& condition : field.conditions) {
      Target target = id;
      switch (condition.kind) {
        case Condition::Kind::exists: clause.exists = true; continue;
        case Condition::Kind::absent: clause.absent = true; continue;
        case Condition::Kind::is: clause.tested = true; break;
        case Condition::Kind::anything_but: target = negation_bit | out_.negations++; ++clause.negations;
      }
      if (!indexes_[clause.path]) indexes_[clause.path] = std::make_unique<ValueIndex>();
      for (const Test& test : condition.tests) indexes_[clause.path]->add(test, target);
    }
    out_.clauses.push_back(clause);
    out_.tests.emplace_back();
    fields_.push_back(&field);
    uses_.push_back(0);
  }

  void keep_tests(const Group& group) {
    for (const Field& field : group.fields) keep_tests(field, clauses_.at(name_of(field)));
    for (const auto& choice : group.choices)
      for (const Group& each : choice) keep_tests(each);
  }

  void keep_tests(const Field& field, ClauseId id) {
    auto& tests = out_.tests[id];
    if (!tests.empty()) return;
    tests.emplace_back();
    for (const Condition& condition : field.conditions) {
      if (condition.kind == Condition::Kind::is)
        tests[0].insert(tests[0].end(), condition.tests.begin(), condition.tests.end());
      else if (condition.kind == Condition::Kind::anything_but)
        tests.push_back(condition.tests);
    }
    tests[0].shrink_to_fit();
    tests.shrink_to_fit();
  }

  double cost_of(ClauseId id) const {
    const Clause& clause = out_.clauses[id];
    if (clause.lazy()) return 1;
    double cost = 0;
    for (const Condition& condition : fields_[id]->conditions)
      for (const Test& test : condition.tests) cost += likelihood(test, uses_[id]);
    return std::min(cost, 0.9);
  }

  Access access_of(const CompiledGroup& group) const {
    Access best;
    for (std::uint32_t i = 0; i < group.clauses; ++i) {
      const ClauseId id = out_.group_clauses[group.first_clause + i];
      if (const double cost = costs_[id]; cost < best.cost) best = {cost, {id}};
    }
    for (std::uint32_t i = 0; i < group.choices; ++i) {
      const CompiledChoice& choice = out_.choices[group.first_choice + i];
      Access all{.cost = 0, .clauses = {}};
      for (std::uint32_t each = 0; each < choice.groups; ++each) {
        const Access one = access_of(out_.groups[choice.first_group + each]);
        all.cost += one.cost;
        all.clauses.insert(all.clauses.end(), one.clauses.begin(), one.clauses.end());
      }
      if (best.clauses.empty() || all.cost < best.cost) best = std::move(all);
    }
    return best;
  }

  // What is found in two ways, by a test and without, has to be looked at for not being found twice.
  bool is_whole(PatternId pattern, ClauseId id) const {
    const CompiledGroup& group = out_.groups[out_.patterns[pattern].group];
    return group.clauses == 1 && group.choices == 0 && !(out_.clauses[id].tested && out_.clauses[id].lazy());
  }

  void place_patterns() {
    for (ClauseId id = 0; id < out_.clauses.size(); ++id) costs_.push_back(cost_of(id));
    std::vector<bool> has_patterns(out_.clauses.size());
    for (PatternId pattern = 0; pattern < out_.patterns.size(); ++pattern)
      for (const ClauseId id : access_of(out_.groups[out_.patterns[pattern].group]).clauses) {
        out_.patterns_of.add(id, is_whole(pattern, id) ? pattern | whole_bit : pattern);
        has_patterns[id] = true;
      }
    std::set<PathId> with_absent;
    for (ClauseId id = 0; id < out_.clauses.size(); ++id) {
      const Clause& clause = out_.clauses[id];
      if (!has_patterns[id]) continue;
      if (clause.exists || clause.negations > 0) out_.lazy_clauses_of.add(clause.path, id);
      if (!clause.absent) continue;
      out_.absent_clauses_of.add(clause.path, id);
      with_absent.insert(clause.path);
    }
    out_.patterns_of.finish(out_.clauses.size());
    out_.lazy_clauses_of.finish(out_.tree.paths());
    out_.absent_clauses_of.finish(out_.tree.paths());
    out_.paths_with_absent.assign(with_absent.begin(), with_absent.end());
  }

  CompiledPatterns& out_;
  std::unordered_map<std::string, ClauseId> clauses_;
  std::vector<const Field*> fields_;  // of each clause: one that made it
  std::vector<std::uint32_t> uses_;
  std::vector<double> costs_;
  std::vector<std::unique_ptr<ValueIndex>> indexes_;
};

template <class T>
std::size_t bytes_of(const std::vector<T>& all) {
  return all.capacity() * sizeof(T);
}

}  // namespace

CompiledPatterns::CompiledPatterns(std::span<const Pattern* const> sources) {
  Compiler compiler{*this};
  for (const Pattern* each : sources) compiler.add(*each);
  compiler.finish();
}

std::size_t CompiledPatterns::bytes() const {
  std::size_t all = sizeof(*this) + tree.bytes() + bytes_of(indexes) + bytes_of(clauses) + bytes_of(groups) +
                    bytes_of(group_clauses) + bytes_of(choices) + bytes_of(patterns) + patterns_of.bytes() +
                    lazy_clauses_of.bytes() + absent_clauses_of.bytes();
  for (const auto& index : indexes) all += index ? index->bytes() : 0;
  all += bytes_of(tests);
  for (const auto& clause : tests)
    for (const auto& some : clause) {
      all += sizeof(some) + bytes_of(some);
      for (const Test& test : some) all += test.text.capacity();
    }
  return all;
}

Matcher::Matcher(std::unique_ptr<const CompiledPatterns> compiled) : compiled_(std::move(compiled)) {}
Matcher::~Matcher() = default;

std::shared_ptr<const Matcher> Matcher::compile(std::span<const Pattern* const> patterns) {
  return std::shared_ptr<const Matcher>(new Matcher{std::make_unique<const CompiledPatterns>(patterns)});
}

std::size_t Matcher::size() const { return compiled_->patterns.size(); }
bool Matcher::reads_data() const { return compiled_->data != no_node; }
std::size_t Matcher::bytes() const { return compiled_->bytes(); }

}  // namespace continuo::routing
