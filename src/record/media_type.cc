#include "continuo/record/media_type.h"

#include <algorithm>
#include <array>

namespace continuo::record {
namespace {

constexpr std::array<std::string_view, 10> text_types{
    "application/xml",        "application/yaml",    "application/x-yaml",   "application/x-www-form-urlencoded",
    "application/javascript", "application/graphql", "application/x-ndjson", "application/jsonl",
    "application/sql",        "application/toml"};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool starts_ignoring_case(std::string_view text, std::string_view front) {
  return text.size() >= front.size() && equal_ignoring_case(text.substr(0, front.size()), front);
}

bool ends_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace

std::string_view without_parameters(std::string_view content_type) {
  constexpr std::string_view blanks = " \t";
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t first = content_type.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return content_type.substr(first, content_type.find_last_not_of(blanks) + 1 - first);
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

bool is_json_type(std::string_view content_type) {
  const std::string_view type = without_parameters(content_type);
  return equal_ignoring_case(type, "application/json") || equal_ignoring_case(type, "text/json") ||
         ends_ignoring_case(type, "+json");
}

bool is_text_type(std::string_view content_type) {
  const std::string_view type = without_parameters(content_type);
  if (starts_ignoring_case(type, "text/") || ends_ignoring_case(type, "+xml") || ends_ignoring_case(type, "+yaml"))
    return true;
  return std::ranges::any_of(text_types, [&](std::string_view text) { return equal_ignoring_case(type, text); });
}

}  // namespace continuo::record
