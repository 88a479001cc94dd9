// JSON from outside. What is accepted is valid JSON by another parser's word, and survives every way it can take: JSON
// again, record and back, inside a batch.
#include <cstdint>
#include <string>

#include "continuo/record/base64.h"
#include "continuo/record/json_scan.h"
#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

constexpr std::size_t json_depth = EventLimits{}.json_depth;

bool same_attributes(const Event& left, const Event& right) {
  return left.id == right.id && left.source == right.source && left.type == right.type &&
         left.subject == right.subject && left.time == right.time && left.dataschema == right.dataschema;
}

bool same_extension(const Extension& left, const Extension& right) {
  return left.name == right.name && left.value == right.value && left.kind == right.kind;
}

bool same_event(const Event& left, const Event& right) {
  return same_attributes(left, right) && left.datacontenttype == right.datacontenttype && left.data == right.data &&
         left.data_kind == right.data_kind && std::ranges::equal(left.extensions, right.extensions, same_extension);
}

void check_json_again(const Event& event) {
  std::string json;
  write_json(event, nullptr, Offset{0}, json);
  const PaddedText text{json};
  EventParser parser;
  const auto again = parser.parse(text.view());
  CHECK(again.has_value());
  CHECK(same_event(event, *again));
  CHECK(fingerprint(event, 1).content == fingerprint(*again, 1).content);
}

void check_record_and_back(const Event& event) {
  std::string body, scratch;
  encode_record_body(event, body);
  BatchBuilder builder;
  builder.add(body, 1);
  const std::string batch = builder.finish(Offset{3});
  CHECK(check_batch(batch).has_value());
  const auto record = RecordWalk{batch}.next();
  CHECK(record.has_value());
  CHECK(record->key.value_or(std::string_view{}) == event.key());
  const Event back = event_of(*record, {"t", PartitionId{0}}, scratch);
  CHECK(back.data == event.data && (back.data_kind == DataKind::none) == (event.data_kind == DataKind::none));
  CHECK(back.key() == event.key());
  for (const Extension& extension : event.extensions)
    if (extension.name != "correlationid") CHECK(back.extension(extension.name) == extension.value);
  Event timed = event;
  if (event.time.empty()) timed.time = back.time;
  CHECK(same_attributes(timed, back));
}

bool accepted_in_batch(std::string_view json) {
  const PaddedText text{"[" + std::string{json} + "]"};
  EventParser parser;
  int events = 0;
  const auto done = parser.parse_batch(text.view(), [&](const Event&) {
    ++events;
    return Result<void>{};
  });
  return done && events == 1;
}

void check_refusal(const Error& error, std::string_view json) {
  CHECK(error.code == Code::bad_json || error.code == Code::bad_utf8 || error.code == Code::bad_event);
  if (error.code == Code::bad_event) return;
  CHECK(error.at.starts_with("line "));
  CHECK(find_json_error(json, json_depth).has_value());
}

void check_event(std::string_view input) {
  const PaddedText json{input};
  EventParser parser;
  const auto event = parser.parse(json.view());
  CHECK(event.has_value() == accepted_in_batch(input));
  if (!event) return check_refusal(event.error(), input);
  CHECK(!find_json_error(input, json_depth + 1));
  CHECK(validate(*event).has_value());
  check_json_again(*event);
  check_record_and_back(*event);
}

void check_syntax(std::string_view input) {
  const PaddedText json{input};
  CHECK(validate_json(json.view(), json_depth).has_value() == !find_json_error(input, json_depth));
  std::string quoted;
  write_json_string(input, quoted);
  CHECK(validate_json(PaddedText{quoted}.view()).has_value());
}

void check_base64(std::string_view input) {
  std::string bytes, text;
  base64_encode(input, text);
  CHECK(base64_decode(text, bytes) && bytes == input);
  bytes.clear();
  text.clear();
  if (!base64_decode(input, bytes)) return;
  base64_encode(bytes, text);
  CHECK(text == input);
}

// The input as the value of a record in structured mode.
void check_structured_record(std::string_view input) {
  std::string body, scratch, json;
  BodyWriter{body}.key("k").value(input).header_count(1).header("content-type", "application/cloudevents+json");
  BatchBuilder builder;
  builder.add(body, 1);
  const std::string batch = builder.finish(Offset{3});
  const auto record = RecordWalk{batch}.next();
  const RecordPlace place{"t", PartitionId{0}};
  write_json(event_of(*record, place, scratch), &place, record->offset, json);
  CHECK(validate_json(PaddedText{json}.view()).has_value());
}

}  // namespace
}  // namespace continuo::record

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo::record;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  check_event(input);
  check_syntax(input);
  check_base64(input);
  check_structured_record(input);
  return 0;
}
