#include "continuo/routing/array_consistency.h"

#include <algorithm>
#include <utility>

namespace continuo::routing {

ArrayConsistency::ArrayConsistency(const PathTree& tree) : tree_(tree), below_(tree.nodes()) {}

void ArrayConsistency::count_nodes(std::span<const FieldPlaces> fields, std::uint32_t change) {
  for (const FieldPlaces& field : fields)
    for (NodeId node = field.node; node != no_node; node = tree_.node(node).parent) below_[node] += change;
}

void ArrayConsistency::add(ContextId context, std::uint32_t met) {
  met_[context] += met;
  if (in_heap_[context]) return;
  in_heap_[context] = true;
  touched_.push_back(context);
  heap_.push_back(context);
  std::ranges::push_heap(heap_);
}

// All is zero between calls: an event may have very many contexts, and few that matter.
void ArrayConsistency::clear(const ReadEvent& event) {
  for (const ContextId context : touched_) {
    met_[context] = counted_[context] = 0;
    in_heap_[context] = array_met_[event.contexts[context].array] = false;
  }
  touched_.clear();
  heap_.clear();
}

bool ArrayConsistency::holds(std::span<const FieldPlaces> fields, const ReadEvent& event) {
  count_nodes(fields, 1);
  if (met_.size() < event.contexts.size()) {
    met_.resize(event.contexts.size());
    counted_.resize(event.contexts.size());
    in_heap_.resize(event.contexts.size());
  }
  if (array_met_.size() <= event.arrays) array_met_.resize(event.arrays + 1);
  std::uint32_t number = 0;
  for (const FieldPlaces& field : fields) {
    ++number;
    for (const ContextId context : field.contexts)
      if (std::exchange(counted_[context], number) != number) add(context, 1);
  }
  // An element has a greater number than the context it is in, so it is done before.
  while (!heap_.empty() && heap_.front() != 0) {
    std::ranges::pop_heap(heap_);
    const ContextId context = heap_.back();
    heap_.pop_back();
    const Context& element = event.contexts[context];
    if (met_[context] != below_[element.node] || array_met_[element.array]) continue;
    array_met_[element.array] = true;
    add(element.parent, below_[element.node]);
  }
  const bool all = met_[0] == fields.size();
  clear(event);
  count_nodes(fields, ~0u);
  return all;
}

}  // namespace continuo::routing
