// Of fields that have to be met together: in which elements of arrays they are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "continuo/routing/array_consistency.h"
#include "continuo/routing/explain_event.h"

namespace continuo::routing {

/// From the definition: in each array one element, and all fields below the array are met in it. Takes note of its
/// steps, since patterns and events can be made that take very many.
class Together {
 public:
  Together(const EventOfPattern& event, std::uint64_t most_steps) : event_(event), steps_left_(most_steps) {}

  /// For each field one of its contexts (ascending; the event as a whole counts), no two of them in different elements
  /// of one array. Nothing: there are none, or it took too long.
  std::optional<std::vector<ContextId>> choose(std::span<const FieldPlaces> fields);
  bool took_too_long() const { return steps_left_ == 0; }

 private:
  using Elements = std::map<std::uint32_t, std::vector<ContextId>>;  // of each array: those where some field is met
  void collect(std::span<const FieldPlaces> fields);
  bool meet(ContextId context, std::span<const std::uint32_t> wanted);
  bool is_met(std::uint32_t field, ContextId context);

  const EventOfPattern& event_;
  std::uint64_t steps_left_;
  std::span<const FieldPlaces> fields_;
  std::map<ContextId, Elements> arrays_;  // of each context
  std::vector<ContextId> chosen_;
};

}  // namespace continuo::routing
