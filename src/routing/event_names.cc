#include "continuo/routing/event_names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "continuo/record/event.h"

namespace continuo::routing {
namespace {

constexpr bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= record::max_extension_name && std::ranges::all_of(name, is_name_character);
}

// Names of EventBridge, of HTTP and of Kafka's binding, in lower case and of letters and digits only.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> elsewhere{{
    {"detailtype", "type"},
    {"eventtype", "type"},
    {"contenttype", "datacontenttype"},
    {"eventid", "id"},
    {"eventsource", "source"},
    {"timestamp", "time"},
    {"detail", "data"},
    {"payload", "data"},
    {"body", "data"},
    {"header", "headers"},
}};

// "Partition-Key" as "partitionkey", "ce_type" as "type".
std::string plain(std::string_view name) {
  const auto folded = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  std::string out;
  for (const char c : name)
    if (is_name_character(folded(c))) out += folded(c);
  if (name.starts_with("ce_") || name.starts_with("ce-")) out.erase(0, 2);
  return out;
}

}  // namespace

std::optional<EventPart> find_event_part(std::string_view name) {
  if (name == "data") return EventPart::data;
  if (name == "headers") return EventPart::headers;
  if (is_attribute_name(name)) return EventPart::attribute;
  return std::nullopt;
}

std::string guess_event_name(std::string_view name, bool has_fields) {
  const std::string wanted = plain(name);
  if (wanted == "database64") return "payloads that are not JSON are not looked at";
  const auto row = std::ranges::find(elsewhere, std::string_view{wanted}, &decltype(elsewhere)::value_type::first);
  const std::string_view guess = row == elsewhere.end() ? std::string_view{wanted} : row->second;
  const auto part = find_event_part(guess);
  if (guess != name && part && (*part != EventPart::attribute || !has_fields))
    return "did you mean `" + std::string{guess} + '`';
  return "fields of the payload stand under `data`: {\"data\": {...}}";
}

}  // namespace continuo::routing
