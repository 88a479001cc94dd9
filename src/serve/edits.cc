#include "continuo/serve/edits.h"

#include "continuo/record/cloudevents.h"
#include "continuo/record/edited_event.h"
#include "continuo/serve/handlers.h"

namespace continuo::serve {

Result<std::string> published_json(node::Node& node, PartitionRef partition, Offset offset) {
  node::RecordFinder finder = finder_in(node);
  auto record = finder.find(partition, offset);
  if (!record) return pass(record);
  std::string scratch, json;
  const auto catalogue = node.catalogue();
  const std::string_view topic = catalogue->topic_name(partition.topic);
  record::write_json(record::event_of(*record, {topic, partition.partition}, scratch), nullptr, offset, json);
  return json;
}

Result<node::EditedEvent> make_edit(const std::string& original, std::string_view json, WallTime now) {
  auto edited = record::edit_event(original, json);
  if (!edited) return pass(edited);
  return node::EditedEvent{std::move(edited->body), now.ms, std::move(edited->difference)};
}

}  // namespace continuo::serve
