// Many wildcard patterns against one text, read once.
//
// The patterns are one trie: patterns that begin alike share nodes, and a `*` is a node that stays where it is for any
// byte. Which nodes are reached after so many bytes is a set; sets met before are kept as states of an automaton, built
// as texts need them (RE2's lazy DFA), so a byte costs one look into a table. When the states outgrow their budget they
// are dropped and built anew; when that happens too often for its worth, texts are walked set by set for a while. Where
// sets are large, each pattern is tried by itself: no text costs more than a look through it for each pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "continuo/routing/string_table.h"

namespace continuo::routing {

/// The trie. Grows until it is finished; then for any number of threads.
class Wildcards {
 public:
  /// `*` for any bytes, `\` before a byte that stands for itself. Numbers patterns 0, 1, ...; the same for the same.
  std::uint32_t add(std::string_view pattern);
  void finish();
  std::size_t size() const { return patterns_.size(); }
  std::size_t bytes() const;

 private:
  friend class WildcardStates;
  using Node = std::uint32_t;
  static constexpr Node no_node = ~0u;
  static constexpr std::uint32_t no_key = ~0u;
  static constexpr Node root = 0;
  struct NodeData {
    std::uint32_t key = no_key;  // the pattern that ends here
    Node star = no_node;         // what a `*` here leads to, reached with this node
    std::uint32_t first_edge = 0;
    std::uint32_t edges = 0;  // sorted by byte
    bool stays = false;       // it is a `*`
    /// A `*` that ends a pattern and begins no other: whoever reaches it has matched, and need not stay for it.
    bool ends_there() const { return stays && edges == 0 && star == no_node; }
  };
  Node next(const NodeData& node, std::uint8_t byte) const;
  Node grow(Node from, int byte_or_star);

  StringTable patterns_;
  std::vector<NodeData> nodes_{1};
  std::unordered_map<std::uint64_t, Node> growing_;  // (node, byte) -> node, until it is finished
  std::vector<std::uint8_t> edge_bytes_;
  std::vector<Node> edge_nodes_;
  std::uint16_t classes_ = 1;  // of bytes that all patterns treat alike; 0: those in no pattern
  std::uint8_t class_of_[256] = {};
};

/// The states of one thread. The trie outlives it.
class WildcardStates {
 public:
  WildcardStates(const Wildcards& wildcards, std::size_t most_bytes);

  /// Numbers of the patterns the text matches, in no order; valid until the next call.
  std::span<const std::uint32_t> find(std::string_view text);
  std::size_t bytes() const { return bytes_; }
  std::uint64_t drops() const { return drops_; }  ///< how often all states were dropped

 private:
  using Node = Wildcards::Node;
  using StateId = std::uint32_t;
  static constexpr StateId unknown = 0, dead = 1;
  struct State {
    std::uint64_t hash = 0;                               // of its nodes
    std::uint32_t first_node = 0, nodes = 0;              // in `set_nodes_`
    std::uint32_t first_key = 0, passing = 0, final = 0;  // in `keys_`: found on arriving; if the text ends here
  };

  void reach(Node node);
  void step(std::span<const Node> from, std::uint8_t byte);
  std::span<const Node> nodes_of(const State& state) const {
    return std::span{set_nodes_}.subspan(state.first_node, state.nodes);
  }
  StateId state_of_reached();
  void grow_slots();
  StateId build(StateId from, std::uint8_t byte);
  void drop_all();
  bool walk_states(std::string_view text);
  void begin();
  bool walk_sets(std::string_view text);
  void try_each(std::string_view text);
  void walk_without_states(std::string_view text);
  void add_reached(bool at_end);
  void add(std::uint32_t key);

  const Wildcards& wildcards_;
  std::size_t most_bytes_;
  std::vector<State> states_;
  std::vector<StateId> next_;  // state * classes + class
  std::vector<Node> set_nodes_;
  std::vector<std::uint32_t> keys_;
  std::vector<StateId> by_set_;  // by the hash of its nodes; `unknown`: nobody
  StateId start_ = unknown;
  std::size_t bytes_ = 0;
  std::uint64_t drops_ = 0;
  std::uint64_t walked_ = 0;          // bytes since the last drop
  std::uint64_t built_ = 0;           // nodes in the states built since
  std::uint64_t saved_ = 0;           // what trying each pattern would have taken since, in nodes
  std::uint32_t vain_drops_ = 0;      // in a row, that came too soon
  std::uint64_t set_bytes_left_ = 0;  // to be walked by sets

  std::vector<std::uint32_t> mark_;  // of each node: the last round it was reached in
  std::uint32_t round_ = 0;
  std::vector<Node> reached_, before_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint64_t> told_;  // of each key: the last call that found it
  std::uint64_t calls_ = 0;
};

}  // namespace continuo::routing
