#include "continuo/routing/path_tree.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace continuo::routing {
namespace {

// Names joined by dots, one after the other.
template <class Each>
void each_name(std::string_view names, const Each& each) {
  for (;;) {
    const auto dot = names.find('.');
    if (!each(names.substr(0, dot)) || dot == std::string_view::npos) return;
    names.remove_prefix(dot + 1);
  }
}

}  // namespace

PathTree::PathTree() : nodes_(1), names_(1) {}

std::uint64_t PathTree::head_of(std::string_view name) {
  std::uint64_t head = 0;
  std::memcpy(&head, name.data(), std::min<std::size_t>(name.size(), 8));
  return head;
}

PathId PathTree::add(std::string_view path) {
  NodeId at = root;
  each_name(path, [&](std::string_view name) {
    const auto [found, is_new] = growing_.try_emplace({at, std::string{name}}, static_cast<NodeId>(nodes_.size()));
    if (is_new) {
      nodes_.push_back({.parent = at});
      names_.emplace_back(name);
      ++nodes_[at].children;
    }
    at = found->second;
    return true;
  });
  if (nodes_[at].path == no_path) {
    nodes_[at].path = static_cast<PathId>(ends_.size());
    ends_.push_back(at);
  }
  return nodes_[at].path;
}

void PathTree::finish() {
  std::size_t slots = 0;
  for (Node& node : nodes_) {
    if (node.children == 0) continue;
    node.first_slot = static_cast<std::uint32_t>(slots);
    if (node.children > few)
      node.slot_mask = static_cast<std::uint32_t>(std::bit_ceil(2 * std::size_t{node.children}) - 1);
    slots += node.children > few ? node.slot_mask + 1 : node.children;
  }
  slots_.resize(slots);
  for (const auto& [edge, id] : growing_) {
    Node& parent = nodes_[edge.first];
    const std::string& name = names_[id];
    parent.heads |= bit_of(head_of(name));
    const bool is_hashed = parent.children > few;
    auto slot = is_hashed ? mixed(head_of(name), name) & parent.slot_mask : 0;
    while (slots_[parent.first_slot + slot].node != no_node)
      slot = is_hashed ? (slot + 1) & parent.slot_mask : slot + 1;
    slots_[parent.first_slot + slot] = {head_of(name), static_cast<std::uint32_t>(name.size()), id};
  }
  growing_.clear();
}

NodeId PathTree::descendant(NodeId from, std::string_view names) const {
  each_name(names, [&](std::string_view name) {
    from = child(from, name);
    return from != no_node;
  });
  return from;
}

std::size_t PathTree::bytes() const {
  return nodes_.capacity() * (sizeof(Node) + sizeof(std::string)) + slots_.capacity() * sizeof(Slot) +
         ends_.capacity() * sizeof(NodeId);
}

std::string PathTree::name_of(NodeId id) const {
  if (id == root) return {};
  const NodeId parent = nodes_[id].parent;
  return parent == root ? names_[id] : name_of(parent) + '.' + names_[id];
}

}  // namespace continuo::routing
