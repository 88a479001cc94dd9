// Array consistency: of the fields that an event has to meet together, no two may be met in different elements of the
// same array. {"items":{"sku":["a"],"color":["red"]}} wants one item that is both.
//
// Contexts are the elements of arrays, a tree (json_reader.h). In one context a name is one thing only, so a field that
// is not met by the context itself can be met through one array of it at most; all fields below that array's node have
// to be met in one of its elements. Worked from the innermost contexts outwards, in time linear in how often the fields
// were met, and in how many contexts there are, by 4,096.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "continuo/routing/json_reader.h"
#include "continuo/routing/path_tree.h"

namespace continuo::routing {

/// Where a field was met, by values of the event; not by the event as a whole (context 0).
struct FieldPlaces {
  NodeId node = 0;  ///< of the field's path
  std::vector<ContextId> contexts;
};

/// Keeps buffers between calls: one for each thread. The tree outlives it.
class ArrayConsistency {
 public:
  explicit ArrayConsistency(const PathTree& tree);
  /// Whether there is a place for each field, such that no two are in different elements of one array.
  bool holds(std::span<const FieldPlaces> fields, const ReadEvent& event);

 private:
  void count_nodes(std::span<const FieldPlaces> fields, std::uint32_t change);
  void add(ContextId context, std::uint32_t met);
  ContextId take_last();
  void clear(const ReadEvent& event);

  const PathTree& tree_;
  std::vector<std::uint32_t> below_;    // of each node: fields at and below it
  std::vector<std::uint32_t> met_;      // of each context: its fields that are met in it
  std::vector<std::uint32_t> counted_;  // of each context: the last field that was counted in it, from 1
  std::vector<bool> array_met_;         // of each array: an element of it meets all
  // Contexts to look at, the last first: a bit of each, and of each word of these whether one is set.
  std::vector<std::uint64_t> waiting_, waiting_words_;
  std::size_t top_ = 0;             // no later one of `waiting_words_` has a bit
  std::vector<ContextId> touched_;  // what of the above has to be cleared
};

}  // namespace continuo::routing
