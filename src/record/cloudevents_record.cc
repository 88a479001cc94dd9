// Events as Kafka records: CloudEvents' Kafka protocol binding 1.0.2, binary mode; and any record as an event.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "continuo/base/bytes.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/media_type.h"
#include "continuo/record/utf8.h"

namespace continuo::record {
namespace {

constexpr std::string_view content_type_header = "content-type";
constexpr std::string_view attribute_prefix = "ce_";
constexpr std::string_view json_type = "application/json";

struct Attribute {
  std::string_view header;
  std::string_view Event::* place;
};
// In the order they are written; `datacontenttype` has a header of its own, without the prefix.
constexpr std::array<Attribute, 6> attributes{{{"ce_id", &Event::id},
                                               {"ce_source", &Event::source},
                                               {"ce_type", &Event::type},
                                               {"ce_subject", &Event::subject},
                                               {"ce_time", &Event::time},
                                               {"ce_dataschema", &Event::dataschema}}};

// An absent type means JSON only in the JSON format: in a record it has to be said.
std::string_view content_type_of(const Event& event) {
  return event.datacontenttype.empty() && event.data_kind == DataKind::json ? json_type : event.datacontenttype;
}

std::optional<std::string_view> present(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

std::size_t count_headers(const Event& event) {
  const auto set = std::ranges::count_if(attributes, [&](const Attribute& a) { return !(event.*a.place).empty(); });
  return 1 + static_cast<std::size_t>(set) + (content_type_of(event).empty() ? 0 : 1) + event.extensions.size();
}

void write_extension_header(const Extension& extension, std::string& out) {
  ByteWriter writer{out};
  writer.svarint(static_cast<std::int64_t>(attribute_prefix.size() + extension.name.size()));
  writer.raw(attribute_prefix);
  writer.raw(extension.name);
  writer.svarint(static_cast<std::int64_t>(extension.value.size()));
  writer.raw(extension.value);
}

bool is_extension_name(std::string_view name) {
  const auto is_name_character = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool taken = name == "data" || name == "specversion" || name == "datacontenttype";
  return !name.empty() && !taken && std::ranges::all_of(name, is_name_character);
}

// A header given twice: the last one counts, as for Kafka's own readers.
void set_extension(Event& event, std::string_view name, std::string_view value) {
  const auto found = std::ranges::find(event.extensions, name, &Extension::name);
  if (found != event.extensions.end())
    found->value = value;
  else
    event.extensions.push_back({name, value});
}

void take_attribute(Event& event, std::string_view header, std::string_view value) {
  for (const Attribute& attribute : attributes) {
    if (header != attribute.header) continue;
    event.*attribute.place = value;
    return;
  }
  const std::string_view name = header.substr(attribute_prefix.size());
  if (is_extension_name(name)) set_extension(event, name, value);
}

// Takes what the headers say; true when there is an attribute of CloudEvents among them.
bool take_headers(const Record& record, Event& event) {
  bool found = false;
  HeaderWalk walk{record};
  while (const auto header = walk.next()) {
    if (!header->value) continue;
    if (header->key.starts_with(attribute_prefix)) {
      take_attribute(event, header->key, *header->value);
      found = true;
    } else if (equal_ignoring_case(header->key, content_type_header)) {
      event.datacontenttype = *header->value;
    }
  }
  return found;
}

// What is built for an event lies in one string that never moves: it is reserved before the first view into it.
class Scratch {
 public:
  Scratch(std::string& bytes, std::size_t room) : bytes_(bytes) {
    bytes_.clear();
    bytes_.reserve(room);
  }
  std::string_view keep(std::string_view text) {
    CHECK(bytes_.size() + text.size() <= bytes_.capacity(), "the views into the scratch would move");
    bytes_ += text;
    return std::string_view{bytes_}.substr(bytes_.size() - text.size());
  }
  /// `text` with the padding JSON parsers need behind it.
  std::string_view keep_padded(std::string_view text) {
    CHECK(bytes_.size() + text.size() + json_padding <= bytes_.capacity(), "the views into the scratch would move");
    const std::string_view kept = keep(text);
    bytes_.append(json_padding, ' ');
    return kept;
  }

 private:
  std::string& bytes_;
};

constexpr std::size_t computed_room = 128;  // id, source's prefix, time

// Numbers and other packed values are often UTF-8 by accident; a text that people read has no control characters.
bool is_text(std::string_view value) {
  const auto is_control = [](char c) { return c >= 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r'; };
  return is_utf8(value) && std::ranges::none_of(value, is_control);
}

// The value of a foreign record that does not say what it is.
DataKind guess_kind(std::string_view value, Scratch& scratch) {
  if (validate_json(scratch.keep_padded(value))) return DataKind::json;
  return is_text(value) ? DataKind::text : DataKind::binary;
}

// What a content type says the value is. None, on an event: what is JSON was given a type when it was published.
DataKind kind_by_type(std::string_view content_type, std::string_view value) {
  if (is_json_type(content_type)) return DataKind::json;
  return is_text_type(content_type) && is_utf8(value) ? DataKind::text : DataKind::binary;
}

void take_value(const Record& record, bool foreign, Event& event, Scratch& scratch) {
  if (!record.value) return;
  event.data = *record.value;
  const bool unknown = foreign && event.datacontenttype.empty();
  event.data_kind = unknown ? guess_kind(event.data, scratch) : kind_by_type(event.datacontenttype, event.data);
}

// Moves what points into the parser to the scratch; the parser's memory is reused by the next record.
void keep_all(Event& event, Scratch& scratch) {
  for (std::string_view Event::* place : {&Event::id, &Event::source, &Event::type, &Event::subject, &Event::time,
                                          &Event::datacontenttype, &Event::dataschema, &Event::data})
    event.*place = scratch.keep(event.*place);
  for (Extension& extension : event.extensions) {
    extension.name = scratch.keep(extension.name);
    extension.value = scratch.keep(extension.value);
  }
}

bool take_structured(const Record& record, Event& event, Scratch& scratch) {
  if (!record.value || !equal_ignoring_case(without_parameters(event.datacontenttype), structured_event_type))
    return false;
  thread_local EventParser parser;
  auto parsed = parser.parse(scratch.keep_padded(*record.value));
  if (!parsed) return false;
  event = std::move(*parsed);
  keep_all(event, scratch);
  return true;
}

// Times that RFC 3339 cannot say (none: -1, or beyond the year 9999) are left out.
void compute_time(const Record& record, Event& event, Scratch& scratch) {
  constexpr std::int64_t last_ms = 253'402'300'799'999;
  if (!event.time.empty() && parse_time(event.time)) return;
  event.time = {};
  if (record.timestamp_ms >= 0 && record.timestamp_ms <= last_ms)
    event.time = scratch.keep(format_time(WallTime{record.timestamp_ms}));
}

void compute_key(const Record& record, Event& event) {
  const std::string_view key = record.key.value_or(std::string_view{});
  if (!key.empty() && key != event.subject && event.extension("partitionkey").empty() && is_utf8(key))
    set_extension(event, "partitionkey", key);
}

void compute_correlation(Event& event) {
  if (!event.extension("correlationid").empty()) return;
  const std::string_view trace = trace_id(event.extension("traceparent"));
  set_extension(event, "correlationid", trace.empty() ? event.id : trace);
}

void compute_missing(const Record& record, const RecordPlace& place, Event& event, Scratch& scratch) {
  if (event.id.empty()) event.id = scratch.keep(fmt::format("{}-{}", place.partition.value, record.offset.value));
  if (event.source.empty()) event.source = scratch.keep(fmt::format("/topics/{}", place.topic));
  if (event.type.empty()) event.type = "continuo.record";
  compute_time(record, event, scratch);
  compute_key(record, event);
  compute_correlation(event);
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

void encode_record_body(const Event& event, std::string& out) {
  BodyWriter body{out};
  body.key(present(event.key()));
  body.value(event.data_kind == DataKind::none ? std::nullopt : std::optional{event.data});
  body.header_count(count_headers(event)).header("ce_specversion", "1.0");
  for (const Attribute& attribute : attributes)
    if (const auto value = present(event.*attribute.place)) body.header(attribute.header, value);
  if (const auto type = present(content_type_of(event))) body.header(content_type_header, type);
  for (const Extension& extension : event.extensions) write_extension_header(extension, out);
}

Event event_of(const Record& record, const RecordPlace& place, std::string& scratch_bytes) {
  Event event;
  const bool binary_mode = take_headers(record, event);
  const std::size_t value_size = record.value ? record.value->size() : 0;
  // A foreign value is kept twice at most: as it is, with padding, and as what was parsed from it.
  Scratch scratch{scratch_bytes,
                  computed_room + place.topic.size() + (binary_mode ? 0 : 2 * value_size + json_padding)};
  if (binary_mode || !take_structured(record, event, scratch)) take_value(record, !binary_mode, event, scratch);
  compute_missing(record, place, event, scratch);
  return event;
}

std::string_view trace_id(std::string_view traceparent) {
  constexpr std::size_t id_at = 3, id_size = 32, parent_at = 36, parent_size = 16, flags_at = 53, size = 55;
  if (traceparent.size() != size || !traceparent.starts_with("00-")) return {};
  if (traceparent[parent_at - 1] != '-' || traceparent[flags_at - 1] != '-') return {};
  const std::string_view id = traceparent.substr(id_at, id_size);
  const bool hex = is_lower_hex(id) && is_lower_hex(traceparent.substr(parent_at, parent_size)) &&
                   is_lower_hex(traceparent.substr(flags_at));
  return hex && id.find_first_not_of('0') != std::string_view::npos ? id : std::string_view{};
}

}  // namespace continuo::record
