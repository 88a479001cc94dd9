#include "continuo/record/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "continuo/base/bytes.h"
#include "continuo/record/utf8.h"
#include "continuo/record/word_scan.h"

namespace continuo::record {
namespace {

// Names an extension may not take: the attributes that have their own place, and the members of the JSON format.
constexpr std::array<std::string_view, 9> taken_names{"id",   "source",          "type",       "subject",    "time",
                                                      "data", "datacontenttype", "dataschema", "specversion"};

bool is_plain(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const auto word = load<std::uint64_t>(text.data() + at);
    if ((bytes_below(word, 0x20) | bytes_equal(word, 0x7f) | bytes_beyond_ascii(word)) != 0) return false;
  }
  return std::ranges::all_of(text.substr(at), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// CloudEvents 1.0.2, "Type System": no control characters, no noncharacters of Unicode.
bool is_allowed(char32_t point) {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false;
  return (point & 0xfffe) != 0xfffe && !(point >= 0xfdd0 && point <= 0xfdef);
}

Result<void> check_value(std::string_view name, std::string_view value, const EventLimits& limits) {
  if (value.size() > limits.attribute_bytes)
    return fail(Code::bad_event, fmt::format("`{}` has more than {} bytes", name, limits.attribute_bytes),
                std::string{name});
  if (is_plain(value)) return {};
  for (std::size_t at = 0; at < value.size();) {
    const CodePoint point = first_code_point(value.substr(at));
    if (point.size == 0) return fail(Code::bad_event, fmt::format("`{}` is not UTF-8", name), std::string{name});
    if (!is_allowed(point.value))
      return fail(Code::bad_event, fmt::format("`{}` holds U+{:04X}", name, std::uint32_t{point.value}),
                  std::string{name}, "attributes hold no control characters and no noncharacters");
    at += point.size;
  }
  return {};
}

Result<void> check_name(std::string_view name) {
  const auto is_name_character = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  // A name of any length came from outside: quote only the front of it.
  const std::string shown{name.substr(0, 2 * max_extension_name)};
  if (name.empty() || name.size() > max_extension_name || !std::ranges::all_of(name, is_name_character))
    return fail(Code::bad_event, "the name of an extension is 1 to 20 characters of [a-z0-9]", shown);
  if (std::ranges::find(taken_names, name) != taken_names.end())
    return fail(Code::bad_event, fmt::format("`{}` is no name for an extension", name), shown);
  return {};
}

bool named_before(const std::vector<Extension>& extensions, std::size_t index) {
  return std::any_of(extensions.begin(), extensions.begin() + static_cast<std::ptrdiff_t>(index),
                     [&](const Extension& other) { return other.name == extensions[index].name; });
}

Result<void> check_extensions(const Event& event, const EventLimits& limits) {
  if (event.extensions.size() > limits.extensions)
    return fail(Code::bad_event, fmt::format("more than {} extensions", limits.extensions),
                std::string{event.extensions[limits.extensions].name.substr(0, 2 * max_extension_name)});
  for (std::size_t i = 0; i < event.extensions.size(); ++i) {
    const Extension& extension = event.extensions[i];
    if (auto ok = check_name(extension.name); !ok) return ok;
    if (auto ok = check_value(extension.name, extension.value, limits); !ok) return ok;
    if (named_before(event.extensions, i))
      return fail(Code::bad_event, fmt::format("`{}` is given twice", extension.name), std::string{extension.name});
  }
  return {};
}

Result<void> check_required(const Event& event) {
  if (event.id.empty()) return fail(Code::bad_event, "`id` is missing", "id");
  if (event.source.empty()) return fail(Code::bad_event, "`source` is missing", "source");
  if (event.type.empty()) return fail(Code::bad_event, "`type` is missing", "type");
  return {};
}

Result<void> check_time(std::string_view time) {
  if (time.empty() || parse_time(time)) return {};
  return fail(Code::bad_event, "`time` is not a time", "time", "write RFC 3339: \"2026-11-21T08:30:00Z\"");
}

}  // namespace

std::string_view Event::extension(std::string_view name) const {
  for (const Extension& extension : extensions)
    if (extension.name == name) return extension.value;
  return {};
}

std::string_view Event::key() const {
  const std::string_view partition_key = extension("partitionkey");
  return partition_key.empty() ? subject : partition_key;
}

Result<void> validate(const Event& event, const EventLimits& limits) {
  if (auto ok = check_required(event); !ok) return ok;
  const std::pair<std::string_view, std::string_view> attributes[] = {{"id", event.id},
                                                                      {"source", event.source},
                                                                      {"type", event.type},
                                                                      {"subject", event.subject},
                                                                      {"time", event.time},
                                                                      {"datacontenttype", event.datacontenttype},
                                                                      {"dataschema", event.dataschema}};
  for (const auto& [name, value] : attributes)
    if (auto ok = check_value(name, value, limits); !ok) return ok;
  if (auto ok = check_time(event.time); !ok) return ok;
  return check_extensions(event, limits);
}

}  // namespace continuo::record
