#include "continuo/routing/explain_together.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace continuo::routing {

std::optional<std::vector<ContextId>> Together::choose(std::span<const FieldPlaces> fields) {
  fields_ = fields;
  collect(fields);
  chosen_.assign(fields.size(), 0);
  std::vector<std::uint32_t> all(fields.size());
  std::iota(all.begin(), all.end(), 0u);
  if (!meet(0, all) || took_too_long()) return std::nullopt;
  return chosen_;
}

// The elements where a field is met, and those around them.
void Together::collect(std::span<const FieldPlaces> fields) {
  arrays_.clear();
  std::set<ContextId> seen;
  for (const FieldPlaces& field : fields) steps_left_ -= std::min<std::uint64_t>(steps_left_, field.contexts.size());
  if (took_too_long()) return;
  for (const FieldPlaces& field : fields)
    for (ContextId context : field.contexts)
      while (context != 0 && seen.insert(context).second) context = event_.raw().contexts[context].parent;
  for (const ContextId context : seen) {
    const Context& element = event_.raw().contexts[context];
    arrays_[element.parent][element.array].push_back(context);
  }
}

bool Together::is_met(std::uint32_t field, ContextId context) {
  if (steps_left_ > 0) --steps_left_;
  return std::ranges::binary_search(fields_[field].contexts, context);
}

// All of `wanted`, by the context itself or by elements of its arrays.
bool Together::meet(ContextId context, std::span<const std::uint32_t> wanted) {
  const auto arrays = arrays_.find(context);
  std::vector<std::uint32_t> rest;
  for (const std::uint32_t field : wanted) {
    if (is_met(field, context))
      chosen_[field] = context;
    else if (arrays == arrays_.end())
      return false;
    else
      rest.push_back(field);
  }
  if (rest.empty()) return true;
  for (const auto& [array, elements] : arrays->second) {
    const NodeId node = event_.raw().contexts[elements[0]].node;
    const auto elsewhere =
        std::ranges::partition(rest, [&](std::uint32_t field) { return event_.is_below(fields_[field].node, node); });
    const auto below = static_cast<std::size_t>(elsewhere.begin() - rest.begin());
    if (below == 0) continue;
    const std::vector<std::uint32_t> mine(rest.begin(), elsewhere.begin());
    if (took_too_long() || std::ranges::none_of(elements, [&](ContextId each) { return meet(each, mine); }))
      return false;
    rest.erase(rest.begin(), elsewhere.begin());
  }
  return rest.empty();
}

}  // namespace continuo::routing
