// What a Matcher is made of. Part of matcher.h; only its sources include this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/path_tree.h"
#include "continuo/routing/value_index.h"

namespace continuo::routing {

using ClauseId = std::uint32_t;
using NegationId = std::uint32_t;
using PatternId = std::uint32_t;

/// Targets of tests are clauses that hold then, or negations that the value does not pass.
inline constexpr Target negation_bit = 1u << 31;

/// Of a pattern beside a clause it stands with: it holds when the clause does.
inline constexpr Target whole_bit = 1u << 31;

/// A field with its conditions: what patterns have in common is there once.
struct Clause {
  PathId path = 0;
  std::uint32_t first_negation = 0;  ///< its anything-buts
  std::uint16_t negations = 0;
  bool tested = false;  ///< some test makes it hold
  bool exists = false, absent = false;
  /// It may hold although no test says so.
  bool lazy() const { return negations > 0 || exists || absent; }
};

struct CompiledGroup {
  std::uint32_t first_clause = 0, clauses = 0;  // in `group_clauses`
  std::uint32_t first_choice = 0, choices = 0;
};

struct CompiledChoice {
  std::uint32_t first_group = 0, groups = 0;  // next to each other
};

/// Where an attribute of an event comes from.
struct AttributeUse {
  std::string_view record::Event::* attribute = nullptr;
  PathId path = 0;
};

struct CompiledPattern {
  std::uint32_t group = 0;
  bool together = false;  ///< two of its fields may lie in one array
};

struct CompiledPatterns {
  explicit CompiledPatterns(std::span<const Pattern* const> sources);

  PathTree tree;
  std::vector<std::unique_ptr<const ValueIndex>> indexes;  // of each path; null: no tests
  std::vector<Clause> clauses;
  std::uint32_t negations = 0;
  std::vector<CompiledGroup> groups;
  std::vector<ClauseId> group_clauses;
  std::vector<CompiledChoice> choices;
  std::vector<CompiledPattern> patterns;

  // Of clauses that may have to be met together with others, to find again where they are met: the tests of which one
  // makes it hold, then those of each anything-but. Of other clauses empty.
  std::vector<std::vector<std::vector<Test>>> tests;

  // Each pattern stands with a clause that has to hold for it, or with several of which one has to.
  TargetLists patterns_of;        // of a clause, some with `whole_bit`
  TargetLists lazy_clauses_of;    // of a path: those with patterns, to look at when it has a value
  TargetLists absent_clauses_of;  // the same, when it has none
  std::vector<PathId> paths_with_absent;

  // Where the values of an event's scopes go.
  std::vector<AttributeUse> attributes;
  PathId specversion = no_path, key = no_path;
  NodeId headers = no_node, data = no_node;

  std::size_t bytes() const;
};

}  // namespace continuo::routing
