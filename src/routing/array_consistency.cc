#include "continuo/routing/array_consistency.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace continuo::routing {
namespace {

std::size_t last_bit(std::uint64_t bits) { return 63 - static_cast<std::size_t>(std::countl_zero(bits)); }

}  // namespace

ArrayConsistency::ArrayConsistency(const PathTree& tree) : tree_(tree), below_(tree.nodes()) {}

void ArrayConsistency::count_nodes(std::span<const FieldPlaces> fields, std::uint32_t change) {
  for (const FieldPlaces& field : fields)
    for (NodeId node = field.node; node != no_node; node = tree_.node(node).parent) below_[node] += change;
}

void ArrayConsistency::add(ContextId context, std::uint32_t met) {
  if (met_[context] == 0) {
    touched_.push_back(context);
    const std::size_t word = context / 64;
    waiting_[word] |= std::uint64_t{1} << context % 64;
    waiting_words_[word / 64] |= std::uint64_t{1} << word % 64;
    top_ = std::max(top_, word / 64);
  }
  met_[context] += met;
}

// 0: there is none, but maybe the event as a whole. Whoever is added meanwhile comes before the one that is taken.
ContextId ArrayConsistency::take_last() {
  while (top_ > 0 && waiting_words_[top_] == 0) --top_;
  if (waiting_words_[top_] == 0) return 0;
  const std::size_t word = top_ * 64 + last_bit(waiting_words_[top_]);
  const std::size_t context = word * 64 + last_bit(waiting_[word]);
  waiting_[word] &= ~(std::uint64_t{1} << context % 64);
  if (waiting_[word] == 0) waiting_words_[top_] &= ~(std::uint64_t{1} << word % 64);
  return static_cast<ContextId>(context);
}

// All is zero between calls: an event may have very many contexts, and few that matter.
void ArrayConsistency::clear(const ReadEvent& event) {
  for (const ContextId context : touched_) {
    met_[context] = counted_[context] = 0;
    array_met_[event.contexts[context].array] = false;
  }
  touched_.clear();
}

bool ArrayConsistency::holds(std::span<const FieldPlaces> fields, const ReadEvent& event) {
  count_nodes(fields, 1);
  if (met_.size() < event.contexts.size()) {
    met_.resize(event.contexts.size());
    counted_.resize(event.contexts.size());
    waiting_.resize(event.contexts.size() / 64 + 1);
    waiting_words_.resize(waiting_.size() / 64 + 1);
  }
  if (array_met_.size() <= event.arrays) array_met_.resize(event.arrays + 1);
  std::uint32_t number = 0;
  for (const FieldPlaces& field : fields) {
    ++number;
    for (const ContextId context : field.contexts)
      if (std::exchange(counted_[context], number) != number) add(context, 1);
  }
  // An element has a greater number than the context it is in, so it is done before.
  while (const ContextId context = take_last()) {
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
