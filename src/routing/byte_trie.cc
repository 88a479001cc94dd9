#include "continuo/routing/byte_trie.h"

#include <algorithm>

namespace continuo::routing {

// Keys that share their first `depth` bytes, and the node those lead to.
struct ByteTrie::Range {
  std::size_t begin = 0, end = 0, depth = 0;
  std::uint32_t node = 0;
};

ByteTrie::ByteTrie(Reading reading, std::vector<Key> keys) : reading_(reading) {
  if (keys.empty()) return;
  const auto before = [this](const Key& a, const Key& b) {
    return reading_ == Reading::forward
               ? a.text < b.text
               : std::lexicographical_compare(
                     a.text.rbegin(), a.text.rend(), b.text.rbegin(), b.text.rend(),
                     [](char x, char y) { return static_cast<std::uint8_t>(x) < static_cast<std::uint8_t>(y); });
  };
  std::ranges::sort(keys, before);
  nodes_.emplace_back();
  std::vector<Range> todo{{0, keys.size(), 0, 0}};
  for (std::size_t i = 0; i < todo.size(); ++i) {
    const Range range = todo[i];
    add_edges(keys, range, todo);
  }
  first_.resize(256);
  for (std::uint32_t i = 0; i < nodes_[0].edges; ++i) first_[bytes_[i]] = targets_[i];
}

// The node's key and its edges; what they lead to is left to do.
void ByteTrie::add_edges(std::span<const Key> keys, const Range& range, std::vector<Range>& todo) {
  std::size_t at = range.begin;
  if (keys[at].text.size() == range.depth) nodes_[range.node].key = keys[at++].number;
  nodes_[range.node].first_edge = static_cast<std::uint32_t>(bytes_.size());
  while (at < range.end) {
    const std::uint8_t byte = byte_at(keys[at].text, range.depth);
    std::size_t end = at + 1;
    while (end < range.end && byte_at(keys[end].text, range.depth) == byte) ++end;
    const auto node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    bytes_.push_back(byte);
    targets_.push_back(node);
    ++nodes_[range.node].edges;
    todo.push_back({at, end, range.depth + 1, node});
    at = end;
  }
}

std::uint32_t ByteTrie::next(const Node& node, std::uint8_t byte) const {
  const auto begin = bytes_.begin() + node.first_edge;
  const auto end = begin + node.edges;
  const auto found = node.edges <= 8 ? std::find(begin, end, byte) : std::lower_bound(begin, end, byte);
  return found != end && *found == byte ? targets_[static_cast<std::size_t>(found - bytes_.begin())] : 0;
}

std::size_t ByteTrie::bytes() const {
  return sizeof(*this) + nodes_.capacity() * sizeof(Node) + bytes_.capacity() +
         (targets_.capacity() + first_.capacity()) * 4;
}

}  // namespace continuo::routing
