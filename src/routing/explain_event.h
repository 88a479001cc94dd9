// One event as one pattern sees it: the values of the pattern's fields.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "continuo/routing/json_reader.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/path_tree.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

/// What it takes to look at a value, in bytes.
inline std::uint64_t looks_at(const Value& value) { return 16 + value.text.size(); }

/// Read as matchers read it. Views into the input and into itself.
class EventOfPattern {
 public:
  explicit EventOfPattern(const Pattern& pattern);
  EventOfPattern(const EventOfPattern&) = delete;
  EventOfPattern& operator=(const EventOfPattern&) = delete;

  void read(const Input& input);
  void read_json(std::string_view json);

  NodeId node_of(const Field& field) const { return tree_.descendant(PathTree::root, field.path); }
  PathId path_of(const Field& field) const { return tree_.node(node_of(field)).path; }
  /// In the order of the event.
  std::span<const FoundValue> values(PathId path) const { return values_[path]; }
  bool is_object(PathId path) const { return objects_[path]; }
  /// The field may have been there, in what could not be read.
  bool is_unread(const Field& field) const;
  bool is_below(NodeId node, NodeId above) const;
  const ReadEvent& raw() const { return event_; }

 private:
  void add_paths(const Group& group);
  void read_attributes(const Input& input);
  void attribute(std::string_view name, std::string_view text);
  void headers(const record::Record& record);
  void sort_values();

  const Pattern& pattern_;
  PathTree tree_;
  ReadEvent event_;
  std::vector<std::vector<FoundValue>> values_;  // of each path
  std::vector<bool> objects_;
  bool unread_payload_ = false;
};

}  // namespace continuo::routing
