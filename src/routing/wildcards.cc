#include "continuo/routing/wildcards.h"

#include <algorithm>
#include <utility>

#include "continuo/base/hash.h"
#include "continuo/routing/wildcard_fit.h"

namespace continuo::routing {
namespace {

constexpr int star = 256;
constexpr std::size_t least_slots = 64;
constexpr std::size_t bytes_for_a_state = 16;
constexpr std::uint32_t most_vain_drops = 3;
// A drop is in vain when the states built before it were used fewer times than it took to build them, by this factor.
constexpr std::uint64_t worth = 8;
constexpr std::uint64_t set_bytes = 4u << 20;  // walked by sets before states are tried again
// Or when building them took longer than trying each pattern would have.
constexpr std::uint64_t build_cost = 4;  // of a node in a state that is built, to a node in a set

// What trying each pattern costs, in steps from node to node.
std::uint64_t cost_of_trying(std::size_t patterns, std::size_t bytes) { return patterns * (4 + bytes / 16); }

}  // namespace

// --- the trie
// ---------------------------------------------------------------------------------------------------------

Wildcards::Node Wildcards::grow(Node from, int byte_or_star) {
  if (byte_or_star == star) {
    if (nodes_[from].star != no_node) return nodes_[from].star;
    const auto made = static_cast<Node>(nodes_.size());
    nodes_[from].star = made;
    nodes_.push_back({.stays = true});
    return made;
  }
  const std::uint64_t edge = std::uint64_t{from} << 8 | static_cast<std::uint64_t>(byte_or_star);
  const auto [found, is_new] = growing_.try_emplace(edge, static_cast<Node>(nodes_.size()));
  if (is_new) nodes_.emplace_back();
  return found->second;
}

std::uint32_t Wildcards::add(std::string_view pattern) {
  const std::size_t before = patterns_.size();
  const std::uint32_t key = patterns_.add(pattern);
  if (key < before) return key;
  Node at = root;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      at = grow(at, star);
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    at = grow(at, static_cast<std::uint8_t>(pattern[i]));
  }
  // Two spellings of one pattern end at one node: the first one's number stands for both.
  if (nodes_[at].key == no_key) nodes_[at].key = key;
  return nodes_[at].key;
}

void Wildcards::finish() {
  std::vector<std::pair<std::uint64_t, Node>> edges(growing_.begin(), growing_.end());
  growing_ = {};
  std::ranges::sort(edges);
  for (const auto& [edge, to] : edges) {
    NodeData& from = nodes_[edge >> 8];
    const auto byte = static_cast<std::uint8_t>(edge);
    if (from.edges++ == 0) from.first_edge = static_cast<std::uint32_t>(edge_bytes_.size());
    edge_bytes_.push_back(byte);
    edge_nodes_.push_back(to);
    // When patterns have all 256 bytes, the last one shares class 0 with none.
    if (class_of_[byte] == 0 && classes_ < 256) class_of_[byte] = static_cast<std::uint8_t>(classes_++);
  }
}

Wildcards::Node Wildcards::next(const NodeData& node, std::uint8_t byte) const {
  const auto begin = edge_bytes_.begin() + node.first_edge;
  const auto end = begin + node.edges;
  const auto found = node.edges <= 8 ? std::find(begin, end, byte) : std::lower_bound(begin, end, byte);
  return found != end && *found == byte ? edge_nodes_[static_cast<std::size_t>(found - edge_bytes_.begin())] : no_node;
}

std::size_t Wildcards::bytes() const {
  return sizeof(*this) + patterns_.bytes() + nodes_.capacity() * sizeof(NodeData) + edge_bytes_.capacity() * 5;
}

// --- states
// -----------------------------------------------------------------------------------------------------------

WildcardStates::WildcardStates(const Wildcards& wildcards, std::size_t most_bytes)
    : wildcards_(wildcards),
      most_bytes_(most_bytes),
      mark_(wildcards.nodes_.size()),
      told_(wildcards.patterns_.size()) {
  drop_all();
  drops_ = 0;
}

// The node, and what stands behind its `*`s, which may stand for nothing.
void WildcardStates::reach(Node node) {
  for (; node != Wildcards::no_node; node = wildcards_.nodes_[node].star) {
    if (mark_[node] == round_) return;
    mark_[node] = round_;
    reached_.push_back(node);
  }
}

void WildcardStates::step(std::span<const Node> from, std::uint8_t byte) {
  if (++round_ == 0) {
    std::ranges::fill(mark_, 0);
    round_ = 1;
  }
  reached_.clear();
  for (const Node node : from) {
    const Wildcards::NodeData& at = wildcards_.nodes_[node];
    if (at.stays && !at.ends_there()) reach(node);
    if (at.edges > 0) reach(wildcards_.next(at, byte));
  }
}

void WildcardStates::drop_all() {
  ++drops_;
  states_.assign(2, State{});
  next_.assign(std::size_t{2} * wildcards_.classes_, unknown);
  std::fill_n(next_.begin() + wildcards_.classes_, wildcards_.classes_, dead);
  set_nodes_.clear();
  keys_.clear();
  by_set_.assign(least_slots, unknown);
  start_ = unknown;
  bytes_ = 0;
}

// The state of the nodes in `reached_`; `unknown` when there is no room for a new one.
WildcardStates::StateId WildcardStates::state_of_reached() {
  if (reached_.empty()) return dead;
  std::ranges::sort(reached_);
  const std::string_view raw{reinterpret_cast<const char*>(reached_.data()), reached_.size() * sizeof(Node)};
  const std::uint64_t hash = hash64(raw);
  std::size_t slot = hash & (by_set_.size() - 1);
  for (; by_set_[slot] != unknown; slot = (slot + 1) & (by_set_.size() - 1)) {
    const State& known = states_[by_set_[slot]];
    if (known.hash == hash && std::ranges::equal(reached_, nodes_of(known))) return by_set_[slot];
  }
  const std::size_t cost =
      sizeof(State) + 4 * sizeof(StateId) + reached_.size() * 8 + wildcards_.classes_ * sizeof(StateId);
  if (bytes_ + cost > most_bytes_) return unknown;
  bytes_ += cost;
  built_ += reached_.size();
  State made{.hash = hash};
  made.first_node = static_cast<std::uint32_t>(set_nodes_.size());
  made.nodes = static_cast<std::uint32_t>(reached_.size());
  set_nodes_.insert(set_nodes_.end(), reached_.begin(), reached_.end());
  made.first_key = static_cast<std::uint32_t>(keys_.size());
  for (const bool passing : {true, false})
    for (const Node node : reached_)
      if (const auto& at = wildcards_.nodes_[node]; at.key != Wildcards::no_key && at.ends_there() == passing) {
        keys_.push_back(at.key);
        ++(passing ? made.passing : made.final);
      }
  const auto id = static_cast<StateId>(states_.size());
  states_.push_back(made);
  next_.resize(next_.size() + wildcards_.classes_, unknown);
  by_set_[slot] = id;
  if (2 * states_.size() > by_set_.size()) grow_slots();
  return id;
}

void WildcardStates::grow_slots() {
  by_set_.assign(2 * by_set_.size(), unknown);
  for (StateId id = dead + 1; id < states_.size(); ++id) {
    std::size_t slot = states_[id].hash & (by_set_.size() - 1);
    while (by_set_[slot] != unknown) slot = (slot + 1) & (by_set_.size() - 1);
    by_set_[slot] = id;
  }
}

WildcardStates::StateId WildcardStates::build(StateId from, std::uint8_t byte) {
  step(nodes_of(states_[from]), byte);
  const StateId to = state_of_reached();
  if (to != unknown) next_[std::size_t{from} * wildcards_.classes_ + wildcards_.class_of_[byte]] = to;
  return to;
}

void WildcardStates::add(std::uint32_t key) {
  if (told_[key] == calls_) return;
  told_[key] = calls_;
  found_.push_back(key);
}

// False: there is no room for a state that it takes.
bool WildcardStates::walk_states(std::string_view text) {
  if (start_ == unknown) {
    begin();
    if ((start_ = state_of_reached()) == unknown) return false;
  }
  const auto add_keys = [this](const State& state, std::uint32_t skip, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) add(keys_[state.first_key + skip + i]);
  };
  StateId at = start_;
  // A text builds few states, and goes on without: one that comes again finds more of them each time, and one that
  // never does has not paid for all of its.
  std::size_t to_build = 1 + text.size() / bytes_for_a_state;
  add_keys(states_[at], 0, states_[at].passing);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    StateId to = next_[std::size_t{at} * wildcards_.classes_ + wildcards_.class_of_[byte]];
    if (to == unknown && to_build == 0) {
      const auto nodes = nodes_of(states_[at]);
      reached_.assign(nodes.begin(), nodes.end());
      if (!walk_sets(text.substr(i))) try_each(text);
      return true;
    }
    if (to == unknown) {
      --to_build;
      if ((to = build(at, byte)) == unknown) return false;
    }
    if (to == dead) return true;
    // Whoever stays in a state has been told there.
    if (to != at && states_[to].passing > 0) add_keys(states_[to], 0, states_[to].passing);
    at = to;
  }
  add_keys(states_[at], states_[at].passing, states_[at].final);
  return true;
}

void WildcardStates::add_reached(bool at_end) {
  for (const Node node : reached_) {
    const auto& at = wildcards_.nodes_[node];
    if (at.key != Wildcards::no_key && (at_end || at.ends_there())) add(at.key);
  }
}

// The nodes before any text.
void WildcardStates::begin() {
  step({}, 0);
  reach(Wildcards::root);
}

// From the nodes in `reached_` on. False: the sets are so large that trying each pattern is faster.
bool WildcardStates::walk_sets(std::string_view text) {
  std::uint64_t steps_left = cost_of_trying(wildcards_.size(), text.size());
  for (std::size_t i = 0; i < text.size() && !reached_.empty(); ++i) {
    if (steps_left < reached_.size()) return false;
    steps_left -= reached_.size();
    before_.swap(reached_);
    step(before_, static_cast<std::uint8_t>(text[i]));
    add_reached(i + 1 == text.size());
  }
  return true;
}

void WildcardStates::try_each(std::string_view text) {
  for (std::uint32_t key = 0; key < wildcards_.size(); ++key)
    if (told_[key] != calls_ && wildcard_fits(wildcards_.patterns_[key], text)) add(key);
}

void WildcardStates::walk_without_states(std::string_view text) {
  begin();
  add_reached(text.empty());
  if (!walk_sets(text)) try_each(text);
}

std::span<const std::uint32_t> WildcardStates::find(std::string_view text) {
  found_.clear();
  ++calls_;
  if (set_bytes_left_ > 0) {
    set_bytes_left_ -= std::min<std::uint64_t>(set_bytes_left_, text.size() + 1);
    walk_without_states(text);
    return found_;
  }
  walked_ += text.size() + 1;
  saved_ += cost_of_trying(wildcards_.size(), text.size());
  if (walk_states(text)) return found_;
  const bool vain = walked_ < worth * states_.size() || build_cost * built_ > saved_;
  vain_drops_ = vain ? vain_drops_ + 1 : 0;
  walked_ = built_ = saved_ = 0;
  drop_all();
  if (vain_drops_ >= most_vain_drops) {
    vain_drops_ = 0;
    set_bytes_left_ = set_bytes;
  }
  walk_without_states(text);  // adds what was not found yet
  return found_;
}

}  // namespace continuo::routing
