#include "continuo/wire/http/patterns.h"

#include "continuo/engines/definitions.h"

namespace continuo::wire::http {
namespace {

// An object that names a record, and no event: those have a specversion, or lack it by mistake, but have no offset and
// topic without one.
bool names_a_record(const Json& event) {
  return event.find("specversion") == nullptr && event.find("topic") != nullptr && event.find("offset") != nullptr;
}

void read_topic(Fields& fields, std::string& topic) {
  fields.text("topic", topic);
  if (!fields.ok()) return;
  auto checked = engines::check_name(topic);
  if (!checked) checked.error().at = fields.path_of("topic");
  fields.take(checked);
}

void read_record(Fields& parent, const Json& object, ExplainPattern& explain) {
  Fields fields(object, "event", {"topic", "partition", "offset"});
  auto& record = explain.record.emplace();
  fields.required("partition");
  read_topic(fields, record.topic);
  fields.number("partition", record.partition.value, 0, 0xffffffffu);
  fields.offset("offset", record.offset.value);
  parent.take(fields.result());
}

}  // namespace

Result<routing::Pattern> parse_pattern(std::string_view json, std::string_view name) {
  auto pattern = routing::Pattern::parse(json);
  if (!pattern) place_within(pattern.error(), name);
  return pattern;
}

std::string read_filter(Fields& fields) {
  if (!fields.has("filter") || fields.is_null("filter")) return {};
  const Json* object = fields.object("filter");
  if (object == nullptr) return {};
  if (auto pattern = parse_pattern(object->raw, "filter"); !pattern) {
    fields.refuse(std::move(pattern.error()));
    return {};
  }
  return without_spaces(object->raw);
}

Result<ExplainPattern> read_explain(const Json& object) {
  Fields fields(object, {}, {"pattern", "topic", "subscriptions", "event"});
  ExplainPattern explain;
  if (const Json* pattern = fields.object("pattern")) {
    auto parsed = parse_pattern(pattern->raw, "pattern");
    if (!parsed) return pass(parsed);
    explain.pattern.emplace(std::move(*parsed));
  }
  if (fields.has("topic")) read_topic(fields, explain.topic);
  fields.boolean("subscriptions", explain.subscriptions);
  const int ways = (explain.pattern ? 1 : 0) + (explain.topic.empty() ? 0 : 1) + (explain.subscriptions ? 1 : 0);
  if (fields.ok() && ways != 1)
    fields.refuse("pattern", Code::bad_setting, "what is to be explained is not said, or said twice",
                  R"(one of "pattern":{...}, "topic":"orders" or "subscriptions":true)");
  fields.required("event");
  if (const Json* event = fields.object("event")) {
    if (names_a_record(*event))
      read_record(fields, *event, explain);
    else
      explain.event = event->raw;
  }
  if (auto checked = fields.result(); !checked) return pass(checked);
  return explain;
}

}  // namespace continuo::wire::http
