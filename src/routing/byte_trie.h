// Which of many strings a text begins with, or ends with. A look at the text stops at the first byte that none of them
// goes on with. Immutable; any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace continuo::routing {

/// Whether a text is read from its front or from its end.
enum class Reading : std::uint8_t { forward, backward };

class ByteTrie {
 public:
  struct Key {
    std::string_view text;
    std::uint32_t number = 0;
  };
  ByteTrie() = default;
  /// Keys are different from each other; their texts are not kept.
  ByteTrie(Reading reading, std::vector<Key> keys);

  bool empty() const { return nodes_.empty(); }
  std::size_t bytes() const;

  /// Calls `each(number)` for every key that the text begins (ends) with, the shortest first.
  template <class Each>
  void find(std::string_view text, const Each& each) const {
    if (nodes_.empty()) return;
    if (nodes_[0].key != no_key) each(nodes_[0].key);
    if (text.empty()) return;
    std::uint32_t at = first_[byte_at(text, 0)];
    for (std::size_t i = 1; at != 0; ++i) {
      if (nodes_[at].key != no_key) each(nodes_[at].key);
      if (i >= text.size()) return;
      at = next(nodes_[at], byte_at(text, i));
    }
  }

 private:
  static constexpr std::uint32_t no_key = ~0u;
  struct Node {
    std::uint32_t key = no_key;
    std::uint32_t first_edge = 0;  // edges are sorted by their byte; the n-th edge leads to the n-th of `targets_`
    std::uint32_t edges = 0;
  };
  std::uint8_t byte_at(std::string_view text, std::size_t i) const {
    return static_cast<std::uint8_t>(reading_ == Reading::forward ? text[i] : text[text.size() - 1 - i]);
  }
  std::uint32_t next(const Node& node, std::uint8_t byte) const;
  struct Range;
  void add_edges(std::span<const Key> keys, const Range& range, std::vector<Range>& todo);

  Reading reading_ = Reading::forward;
  std::vector<Node> nodes_;
  std::vector<std::uint8_t> bytes_;     // of edges
  std::vector<std::uint32_t> targets_;  // of edges
  std::vector<std::uint32_t> first_;    // the root's edges by their byte; 0: none
};

}  // namespace continuo::routing
