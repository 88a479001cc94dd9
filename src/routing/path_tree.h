// The paths that some pattern wants, as a tree of names: what a reader of events walks beside the event.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/hash.h"

namespace continuo::routing {

using PathId = std::uint32_t;
using NodeId = std::uint32_t;
inline constexpr std::uint32_t no_path = ~0u;
inline constexpr NodeId no_node = ~0u;

/// Built by adding paths, then finished; immutable afterwards, for any number of threads.
class PathTree {
 public:
  static constexpr NodeId root = 0;
  static constexpr std::uint32_t few = 8;  ///< children that are sooner compared than hashed

  PathTree();
  /// The path's number, the same for the same path: 0, 1, ... A path is names joined by dots.
  PathId add(std::string_view path);
  /// Lays out the lookups. No path is added afterwards.
  void finish();

  struct Node {
    NodeId parent = no_node;
    PathId path = no_path;  ///< when the path that ends here is wanted
    std::uint32_t children = 0;
    std::uint32_t first_slot = 0;  ///< of its children
    std::uint32_t slot_mask = 0;   ///< slots - 1, a power of two, when there are more than a few
    std::uint64_t heads = 0;       ///< a bit for each head of a child's name
    /// What there is to find at and below it: itself, and its children.
    std::uint32_t parts() const { return (path != no_path ? 1 : 0) + children; }
  };
  const Node& node(NodeId id) const { return nodes_[id]; }
  NodeId node_of(PathId path) const { return ends_[path]; }
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t paths() const { return ends_.size(); }

  /// The child of that name, without a dot in it; no_node. `head`: its first eight bytes, zeroes behind.
  NodeId child(NodeId parent, std::string_view name, std::uint64_t head) const {
    const Node& at = nodes_[parent];
    if (at.children <= few) {
      for (std::uint32_t slot = 0; slot < at.children; ++slot)
        if (const Slot& found = slots_[at.first_slot + slot]; is(found, name, head)) return found.node;
      return no_node;
    }
    for (std::uint32_t slot = mixed(head, name) & at.slot_mask;; slot = (slot + 1) & at.slot_mask) {
      const Slot& found = slots_[at.first_slot + slot];
      if (found.node == no_node) return no_node;
      if (is(found, name, head)) return found.node;
    }
  }
  /// False: no child's name begins with these eight bytes, or is them without the zeroes behind.
  bool may_begin(NodeId parent, std::uint64_t head) const { return (nodes_[parent].heads & bit_of(head)) != 0; }
  NodeId child(NodeId parent, std::string_view name) const { return child(parent, name, head_of(name)); }
  /// The node that names joined by dots lead to; no_node.
  NodeId descendant(NodeId from, std::string_view names) const;
  /// "data.amount"
  std::string name_of(NodeId id) const;
  std::size_t bytes() const;

  static std::uint64_t head_of(std::string_view name);

 private:
  struct Slot {
    std::uint64_t head = 0;
    std::uint32_t size = 0;
    NodeId node = no_node;
  };
  static std::uint64_t bit_of(std::uint64_t head) { return std::uint64_t{1} << (head * 0x9E3779B97F4A7C15u >> 58); }
  static std::uint32_t mixed(std::uint64_t head, std::string_view name) {
    if (name.size() > 8) head = hash64(name);
    return static_cast<std::uint32_t>(((head ^ name.size()) * 0x9E3779B97F4A7C15u) >> 40);
  }
  bool is(const Slot& slot, std::string_view name, std::uint64_t head) const {
    return slot.head == head && slot.size == name.size() && (name.size() <= 8 || names_[slot.node] == name);
  }

  std::vector<Node> nodes_;
  std::vector<std::string> names_;  // the last name of each node's path
  std::vector<NodeId> ends_;        // of each path
  std::vector<Slot> slots_;
  std::map<std::pair<NodeId, std::string>, NodeId, std::less<>> growing_;  // until it is finished
};

}  // namespace continuo::routing
