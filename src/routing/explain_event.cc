#include "continuo/routing/explain_event.h"

#include <utility>

#include "continuo/record/batch.h"
#include "continuo/record/event.h"

namespace continuo::routing {

EventOfPattern::EventOfPattern(const Pattern& pattern) : pattern_(pattern) {
  add_paths(pattern.root());
  tree_.finish();
  values_.resize(tree_.paths());
  objects_.resize(tree_.paths());
}

void EventOfPattern::add_paths(const Group& group) {
  for (const Field& field : group.fields) tree_.add(field.path);
  for (const auto& choice : group.choices)
    for (const Group& each : choice) add_paths(each);
}

void EventOfPattern::read(const Input& input) {
  read_attributes(input);
  if (input.record != nullptr) headers(*input.record);
  const record::Event& event = *input.event;
  const NodeId data = tree_.child(PathTree::root, "data");
  if (data != no_node && event.data_kind == record::DataKind::json) JsonReader{tree_}.read(event.data, data, event_);
  unread_payload_ =
      event_.broken || (event.data_kind != record::DataKind::json && event.data_kind != record::DataKind::none);
  sort_values();
}

void EventOfPattern::read_json(std::string_view json) {
  JsonReader{tree_}.read(json, PathTree::root, event_);
  unread_payload_ = event_.broken;
  sort_values();
}

void EventOfPattern::read_attributes(const Input& input) {
  const record::Event& event = *input.event;
  const std::pair<std::string_view, std::string_view> attributes[] = {
      {"id", event.id},
      {"source", event.source},
      {"type", event.type},
      {"subject", event.subject},
      {"time", event.time},
      {"datacontenttype", event.datacontenttype},
      {"dataschema", event.dataschema},
      {"specversion", "1.0"},
  };
  for (const auto& [name, text] : attributes)
    if (!text.empty()) attribute(name, text);
  for (const record::Extension& each : event.extensions)
    if (each.name != "key" && each.name != "headers" && each.name != "data") attribute(each.name, each.value);
  if (input.key) attribute("key", *input.key);
}

void EventOfPattern::attribute(std::string_view name, std::string_view text) {
  const NodeId node = tree_.child(PathTree::root, name);
  if (node == no_node || tree_.node(node).path == no_path) return;
  event_.values.push_back({tree_.node(node).path, 0, {Value::Type::string, text}});
}

// A name that comes more than once has more than one value; one without a value is null.
void EventOfPattern::headers(const record::Record& record) {
  const NodeId all = tree_.child(PathTree::root, "headers");
  if (all == no_node) return;
  record::HeaderWalk walk{record};
  while (const auto header = walk.next()) {
    const NodeId node = tree_.descendant(all, header->key);
    if (node == no_node || tree_.node(node).path == no_path) continue;
    const Value value = header->value ? Value{Value::Type::string, *header->value} : Value{Value::Type::null, "null"};
    event_.values.push_back({tree_.node(node).path, 0, value});
  }
}

void EventOfPattern::sort_values() {
  for (const FoundValue& found : event_.values) values_[found.path].push_back(found);
  for (const PathId path : event_.objects) objects_[path] = true;
}

bool EventOfPattern::is_unread(const Field& field) const {
  if (!unread_payload_) return false;
  return pattern_.scope() == Scope::json || field.path == "data" || field.path.starts_with("data.");
}

bool EventOfPattern::is_below(NodeId node, NodeId above) const {
  while (node != no_node && node != above) node = tree_.node(node).parent;
  return node == above;
}

}  // namespace continuo::routing
