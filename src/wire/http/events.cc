#include "continuo/wire/http/events.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/json_syntax.h"
#include "continuo/record/media_type.h"
#include "continuo/record/utf8.h"
#include "continuo/wire/http/answer.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {
namespace {

using record::DataKind;
using record::Event;

bool is_attribute_field(std::string_view name) {
  return name.size() > 3 && (name[0] == 'c' || name[0] == 'C') && (name[1] == 'e' || name[1] == 'E') && name[2] == '-';
}

// RFC 9110 5.6.4: a quoted string loses its quotes and backslashes.
std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string plain;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    plain.push_back(value[i]);
  }
  return plain;
}

std::string_view* standard_attribute(Event& event, std::string_view name) {
  if (name == "id") return &event.id;
  if (name == "source") return &event.source;
  if (name == "type") return &event.type;
  if (name == "subject") return &event.subject;
  if (name == "time") return &event.time;
  if (name == "dataschema") return &event.dataschema;
  return nullptr;
}

// "line 1, column 5" of one line becomes the place in the whole body.
void place_in_lines(Error& error, std::uint64_t line) {
  constexpr std::string_view first = "line 1, ";
  const std::string at = std::string_view(error.at).starts_with(first) ? error.at.substr(first.size()) : error.at;
  error.at = at.empty() ? fmt::format("line {}", line) : fmt::format("line {}, {}", line, at);
}

}  // namespace

Result<EventFormat> event_format(const Request& request) {
  const std::string_view type = record::without_parameters(request.content_type());
  if (record::equal_ignoring_case(type, event_type)) return EventFormat::structured;
  if (record::equal_ignoring_case(type, batch_type)) return EventFormat::batch;
  if (record::equal_ignoring_case(type, ndjson_type)) return EventFormat::lines;
  for (const Head::Field& field : request.head->fields)
    if (is_attribute_field(field.name.in(request.bytes))) return EventFormat::binary;
  return fail(Code::unsupported_media_type, fmt::format("'{}' is not a way to publish", type.substr(0, 80)),
              "Content-Type",
              "use application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, or ce-* "
              "headers with any type");
}

struct EventReader::State {
  record::EventParser parser;
  record::JsonSyntax syntax{record::EventLimits{}.json_depth};
  std::vector<std::string> texts;  // decoded names and values of binary mode
};

EventReader::EventReader() : state_(std::make_unique<State>()) {}
EventReader::~EventReader() = default;

Result<void> EventReader::read(EventFormat format, const Request& request, const Each& each) {
  if (format == EventFormat::batch) return state_->parser.parse_batch(request.body, each);
  auto event = format == EventFormat::binary ? read_binary(request) : state_->parser.parse(request.body);
  if (!event) return pass(event);
  return each(*event);
}

Result<Event> EventReader::read_one(std::string_view json, std::uint64_t line) {
  auto event = state_->parser.parse(json);
  if (!event && line != 0) place_in_lines(event.error(), line);
  return event;
}

Result<Event> EventReader::read_binary(const Request& request) {
  Event event;
  std::vector<std::string>& texts = state_->texts;
  texts.clear();
  texts.reserve(2 * request.head->fields.size());  // views into the texts must not move
  std::string_view version;
  for (const Head::Field& field : request.head->fields) {
    const std::string_view field_name = field.name.in(request.bytes);
    if (!is_attribute_field(field_name)) continue;
    std::string& name = texts.emplace_back(field_name.substr(3));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    std::string& value = texts.emplace_back();
    if (!percent_decode(unquoted(field.value.in(request.bytes)), value))
      return fail(Code::bad_event, "a % in the header is not followed by two hex digits", name, "write a % as %25");
    if (value.empty()) return fail(Code::bad_event, fmt::format("ce-{} is empty", name), name, "leave the header out");
    if (name == "datacontenttype")
      return fail(Code::bad_event, "in binary mode Content-Type says what data is", name,
                  "leave ce-datacontenttype out");
    std::string_view* attribute = name == "specversion" ? &version : standard_attribute(event, name);
    const bool twice = attribute ? !attribute->empty() : !event.extension(name).empty();
    if (twice) return fail(Code::bad_event, fmt::format("ce-{} is given twice", name), name);
    if (attribute)
      *attribute = value;
    else
      event.extensions.push_back({name, value, record::Extension::Kind::string});
  }
  if (version != "1.0")
    return fail(Code::bad_event, version.empty() ? "ce-specversion is missing" : "specversion is not 1.0",
                "specversion", "send ce-specversion: 1.0");
  event.datacontenttype = request.content_type();
  event.data = request.body;
  if (record::is_json_type(event.datacontenttype) && !event.data.empty()) {
    if (auto error = state_->syntax.find_error(event.data)) return std::unexpected(std::move(*error));
    event.data_kind = DataKind::json;
  } else if (!event.data.empty()) {
    const bool text = record::is_text_type(event.datacontenttype) && record::is_utf8(event.data);
    event.data_kind = text ? DataKind::text : DataKind::binary;
  }
  if (auto valid = record::validate(event); !valid) return pass(valid);
  return event;
}

void Stamp::set_time(WallTime now) {
  if (now == now_) return;
  now_ = now;
  time_ = format_time(now);
}

const Event& Stamp::operator()(const Event& as_sent) { return caused(as_sent, {}, {}); }

const Event& Stamp::caused(const Event& as_sent, std::string_view correlationid, std::string_view causationid) {
  event_ = as_sent;
  if (event_.time.empty()) event_.time = time_;
  if (event_.extension("correlationid").empty()) {
    const std::string_view trace = record::trace_id(event_.extension("traceparent"));
    const std::string_view own = trace.empty() ? event_.id : trace;
    event_.extensions.push_back({"correlationid", correlationid.empty() ? own : correlationid});
  }
  if (!causationid.empty() && event_.extension("causationid").empty())
    event_.extensions.push_back({"causationid", causationid});
  return event_;
}

std::optional<std::string_view> Lines::next(std::string_view text, std::size_t& used, bool last) {
  for (;;) {
    const std::string_view rest = text.substr(used);
    std::size_t end = rest.find('\n', searched_);
    if (end == std::string_view::npos && !last) {
      searched_ = rest.size();
      return std::nullopt;
    }
    if (rest.empty()) return std::nullopt;
    searched_ = 0;
    ++number_;
    used += std::min(end, rest.size() - 1) + 1;
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) return line;
  }
}

}  // namespace continuo::wire::http
