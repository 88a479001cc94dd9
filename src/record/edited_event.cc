#include "continuo/record/edited_event.h"

#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/record/json_patch.h"

namespace continuo::record {
namespace {

std::string padded(std::string_view json) {
  std::string text(json);
  text.append(json_padding, '\0');
  return text;
}

}  // namespace

Result<EditedEvent> edit_event(std::string_view original, std::string_view edited) {
  EventParser before_parser, after_parser;
  const std::string before_text = padded(original), after_text = padded(edited);
  auto before = before_parser.parse(std::string_view(before_text).substr(0, original.size()));
  if (!before) return pass(before);
  auto after = after_parser.parse(std::string_view(after_text).substr(0, edited.size()));
  if (!after) {
    place_within(after.error(), "event");
    return pass(after);
  }
  if (after->id != before->id || after->source != before->source)
    return fail(Code::bad_event, "id and source must stay: consumers know the event by them",
                after->id != before->id ? "event.id" : "event.source",
                "to send another event, skip this one and publish it");
  if (after->key() != before->key())
    return fail(Code::bad_event,
                fmt::format("the key must stay '{}': the event goes where the failed one was", before->key()),
                "event.partitionkey", "to send it under another key, skip this one and publish a new event");
  if (after->time.empty()) after->time = before->time;
  if (const auto correlation = before->extension("correlationid");
      !correlation.empty() && after->extension("correlationid").empty())
    after->extensions.push_back({"correlationid", correlation});
  EditedEvent made;
  encode_record_body(*after, made.body);
  std::string completed;
  write_json(*after, nullptr, Offset{0}, completed);
  made.difference = json_difference(original, completed, longest_event_difference);
  return made;
}

}  // namespace continuo::record
