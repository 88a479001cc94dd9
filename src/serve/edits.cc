#include "continuo/serve/edits.h"

#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/record/json_patch.h"
#include "continuo/serve/handlers.h"

namespace continuo::serve {
namespace {

constexpr std::size_t longest_difference = 16 * 1024;

Error placed(Error error) {
  error.at = error.at.empty() ? "event" : "event." + error.at;
  return error;
}

}  // namespace

Result<Original> published_json(node::Node& node, PartitionRef partition, Offset offset) {
  node::RecordFinder finder = finder_in(node);
  auto record = finder.find(partition, offset);
  if (!record) return pass(record);
  std::string topic, scratch;
  const auto catalogue = node.catalogue();
  for (const auto& [name, each] : catalogue->topics)
    if (each->id == partition.topic) topic = name;
  const record::Event event = record::event_of(*record, {topic, partition.partition}, scratch);
  Original original;
  original.topic = partition.topic;
  original.key = event.key();
  original.correlationid = event.extension("correlationid");
  record::write_json(event, nullptr, offset, original.json);
  return original;
}

Result<node::EditedEvent> make_edit(IoThread& thread, const Original& original, std::string_view json) {
  std::string padded(json);
  padded.append(record::json_padding, '\0');
  auto event = thread.event_reader().read_one(std::string_view(padded).substr(0, json.size()));
  if (!event) return std::unexpected(placed(std::move(event.error())));
  if (event->key() != original.key)
    return fail(Code::bad_event,
                fmt::format("the key must stay '{}': the event goes where the failed one was", original.key),
                "event.partitionkey", "to send it under another key, skip this one and publish a new event");
  if (event->extension("correlationid").empty() && !original.correlationid.empty())
    event->extensions.push_back({"correlationid", original.correlationid});
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = nullptr;
  for (const auto& [name, each] : catalogue->topics)
    if (each->id == original.topic) topic = each.get();
  if (topic == nullptr) return fail(Code::unknown_topic, "the topic of the event was deleted");
  node::NewRecord made = RecordMaker(thread, *topic).make(*event);
  node::EditedEvent edited{std::move(made.body), made.timestamp_ms, {}};
  edited.difference = record::json_difference(original.json, json, longest_difference);
  return edited;
}

}  // namespace continuo::serve
