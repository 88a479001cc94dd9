#include "continuo/client/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/base/random.h"
#include "continuo/record/cloudevents.h"

namespace continuo::client {
namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The places of an event travel as extensions; here they have members of their own.
void take_extension(const record::Extension& extension, Event& event) {
  if (extension.name == "partition") {
    if (const auto number = number_in<std::uint32_t>(extension.value)) event.partition = PartitionId{*number};
  } else if (extension.name == "offset") {
    if (const auto number = number_in<std::int64_t>(extension.value)) event.offset = Offset{*number};
  } else {
    event.extensions.emplace_back(extension.name, extension.value);
  }
}

Event owned(const record::Event& seen) {
  Event event{.id = std::string{seen.id},
              .source = std::string{seen.source},
              .type = std::string{seen.type},
              .subject = std::string{seen.subject},
              .time = std::string{seen.time},
              .datacontenttype = std::string{seen.datacontenttype},
              .dataschema = std::string{seen.dataschema},
              .extensions = {},
              .data = std::string{seen.data},
              .data_kind = seen.data_kind,
              .partition = {},
              .offset = {}};
  for (const record::Extension& extension : seen.extensions) take_extension(extension, event);
  return event;
}

record::Event view_of(const Event& event) {
  record::Event view{.id = event.id,
                     .source = event.source,
                     .type = event.type,
                     .subject = event.subject,
                     .time = event.time,
                     .datacontenttype = event.datacontenttype,
                     .dataschema = event.dataschema,
                     .extensions = {},
                     .data = event.data,
                     .data_kind = event.data_kind};
  for (const auto& [name, value] : event.extensions) view.extensions.push_back({name, value});
  return view;
}

std::string padded(std::string_view json) {
  std::string text;
  text.reserve(json.size() + record::json_padding);
  text.append(json);
  return text;
}

record::EventParser& parser() {
  thread_local record::EventParser one;
  return one;
}

}  // namespace

Event& Event::json(std::string text) {
  data = std::move(text);
  data_kind = DataKind::json;
  datacontenttype = "application/json";
  return *this;
}

std::string_view Event::extension(std::string_view name) const {
  const auto found = std::ranges::find(extensions, name, &std::pair<std::string, std::string>::first);
  return found == extensions.end() ? std::string_view{} : std::string_view{found->second};
}

Event& Event::extend(std::string_view name, std::string value) {
  const auto found = std::ranges::find(extensions, name, &std::pair<std::string, std::string>::first);
  if (found == extensions.end())
    extensions.emplace_back(name, std::move(value));
  else
    found->second = std::move(value);
  return *this;
}

std::string_view Event::key() const {
  const std::string_view chosen = extension("partitionkey");
  return chosen.empty() ? std::string_view{subject} : chosen;
}

void write_json(const Event& event, std::string& out) { record::write_json(view_of(event), nullptr, Offset{}, out); }

std::string to_json(const Event& event) {
  std::string out;
  write_json(event, out);
  return out;
}

Result<Event> parse_event(std::string_view json) {
  const std::string text = padded(json);
  auto seen = parser().parse(text);
  if (!seen) return pass(seen);
  return owned(*seen);
}

Result<std::vector<Event>> parse_events(std::string_view json) {
  const std::string text = padded(json);
  std::vector<Event> events;
  auto read = parser().parse_batch(text, [&](const record::Event& seen) -> Result<void> {
    events.push_back(owned(seen));
    return {};
  });
  if (!read) return pass(read);
  return events;
}

std::string new_id() {
  Random& random = system_random();
  return fmt::format("{:016x}{:016x}", random.next(), random.next());
}

// A repeat is recognised by its id, so there has to be one.
Event with_id(const Event& event) {
  Event copy = event;
  if (copy.id.empty()) copy.id = new_id();
  return copy;
}

}  // namespace continuo::client
