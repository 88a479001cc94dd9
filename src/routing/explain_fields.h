// Which fields of a pattern hold by themselves, asked of a matcher: where an event has too many values, and a pattern
// too many tests, to put each to each.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "continuo/routing/explain_event.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

/// Bytes of values, each counted as often as it is put to a test, if all are.
std::uint64_t looks_needed(const Pattern& pattern, const EventOfPattern& event);

class FieldMatcher {
 public:
  explicit FieldMatcher(const Pattern& pattern);
  std::set<const Field*> held(const Input& input);
  std::set<const Field*> held_json(std::string_view json);

 private:
  std::set<const Field*> named(std::span<const std::uint32_t> indices) const;

  std::vector<const Field*> fields_;
  Matching matching_;
};

}  // namespace continuo::routing
