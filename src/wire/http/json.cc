#include "continuo/wire/http/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "continuo/base/ids.h"
#include "continuo/record/cloudevents.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {
namespace {

namespace ondemand = simdjson::ondemand;
constexpr int max_depth = 5;

std::string_view trimmed(std::string_view raw) {
  while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\n' || raw.back() == '\r' || raw.back() == '\t'))
    raw.remove_suffix(1);
  return raw;
}

Json::Kind kind_of(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array: return Json::Kind::array;
    case ondemand::json_type::object: return Json::Kind::object;
    case ondemand::json_type::number: return Json::Kind::number;
    case ondemand::json_type::string: return Json::Kind::string;
    case ondemand::json_type::boolean: return Json::Kind::boolean;
    default: return Json::Kind::null;
  }
}

// simdjson throws here only when the text is not valid JSON, and it was validated before.
void fill(ondemand::value value, int depth, Json& into);

void fill_object(ondemand::object object, int depth, Json& into) {
  into.raw = trimmed(object.raw_json());
  if (depth > max_depth) return;
  object.reset();
  for (auto field : object) {
    const std::string_view key = field.unescaped_key();
    Json& member = into.members.emplace_back();
    member.name = key;
    fill(field.value(), depth + 1, member);
  }
}

void fill_array(ondemand::array array, int depth, Json& into) {
  into.raw = trimmed(array.raw_json());
  if (depth > max_depth) return;
  array.reset();
  for (auto item : array) fill(item.value(), depth + 1, into.items.emplace_back());
}

void fill(ondemand::value value, int depth, Json& into) {
  into.kind = kind_of(value.type());
  switch (into.kind) {
    case Json::Kind::object: return fill_object(value.get_object(), depth, into);
    case Json::Kind::array: return fill_array(value.get_array(), depth, into);
    case Json::Kind::string: into.text = std::string_view(value.get_string()); return;
    default: into.text = trimmed(value.raw_json_token());
  }
}

std::string_view twice_given(const Json& object) {
  for (std::size_t i = 0; i < object.members.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (object.members[i].name == object.members[j].name) return object.members[i].name;
  return {};
}

std::string_view name(Json::Kind kind) {
  constexpr std::string_view names[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

constexpr std::size_t max_members = 64;  // of one object read as settings; twice_given is quadratic

}  // namespace

const Json* Json::find(std::string_view wanted) const {
  for (const Json& member : members)
    if (member.name == wanted) return &member;
  return nullptr;
}

Result<Json> parse_object(std::string_view text) {
  Json root;
  root.kind = Json::Kind::object;
  if (trimmed(text).empty()) return root;
  if (auto valid = record::validate_json(text); !valid) return pass(valid);
  try {
    static thread_local ondemand::parser parser;
    auto document = parser.iterate(text.data(), text.size(), text.size() + record::json_padding).value();
    if (kind_of(document.type()) != Json::Kind::object)
      return fail(Code::bad_request, "the body must be a JSON object", "body");
    fill_object(document.get_object(), 1, root);
  } catch (const simdjson::simdjson_error& error) {
    return fail(Code::bad_json, error.what(), "body");
  }
  return root;
}

std::string without_spaces(std::string_view json) {
  std::string text(json.size(), '\0');
  std::size_t size = 0;
  const auto failed = simdjson::minify(json.data(), json.size(), text.data(), size);
  CHECK(failed == simdjson::SUCCESS, "it was valid before");
  text.resize(size);
  return text;
}

Fields::Fields(const Json& object, std::string path, std::initializer_list<std::string_view> known)
    : object_(object), path_(std::move(path)) {
  if (object.kind != Json::Kind::object)
    refuse({Code::bad_setting, fmt::format("'{}' must be an object, not {}", path_, name(object.kind)), path_, {}});
  else if (object.members.size() > max_members)
    refuse({Code::bad_request, fmt::format("an object of more than {} members", max_members), path_, {}});
  else if (const std::string_view twice = twice_given(object); !twice.empty())
    refuse(twice, Code::bad_request, fmt::format("'{}' is given twice", twice));
  for (const Json& member : object.members) {
    if (std::find(known.begin(), known.end(), member.name) != known.end()) continue;
    const std::string_view brief = std::string_view(member.name).substr(0, 80);
    refuse(brief, Code::unknown_field, fmt::format("there is no field '{}'", brief),
           hint_for_unknown(member.name, known.begin(), known.size()));
  }
}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void Fields::refuse(Error error) {
  if (failed_) return;
  error_ = std::move(error);
  failed_ = true;
}

void Fields::refuse(std::string_view name, Code code, std::string detail, std::string hint) {
  refuse({code, std::move(detail), path_of(name), std::move(hint)});
}

Result<void> Fields::result() const {
  if (failed_) return std::unexpected(error_);
  return {};
}

void Fields::take(const Result<void>& other) {
  if (!other) refuse(other.error());
}

const Json* Fields::member(std::string_view name, Json::Kind kind, std::string_view what) {
  const Json* found = object_.find(name);
  if (!found || failed_) return nullptr;
  if (found->kind == kind) return found;
  refuse(name, Code::bad_setting, fmt::format("'{}' must be {}, not {}", path_of(name), what, http::name(found->kind)));
  return nullptr;
}

void Fields::required(std::string_view name) {
  if (!has(name)) refuse(name, Code::bad_setting, fmt::format("'{}' is missing", path_of(name)));
}

void Fields::text(std::string_view name, std::string& into) {
  if (const Json* found = member(name, Json::Kind::string, "a string")) into = found->text;
}

void Fields::boolean(std::string_view name, bool& into) {
  if (const Json* found = member(name, Json::Kind::boolean, "true or false")) into = found->text == "true";
}

const Json* Fields::object(std::string_view name) { return member(name, Json::Kind::object, "an object"); }
const Json* Fields::array(std::string_view name) { return member(name, Json::Kind::array, "an array"); }

static bool whole_number(std::string_view text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

void Fields::number(std::string_view name, std::uint32_t& into, std::uint32_t least, std::uint32_t most) {
  const Json* found = member(name, Json::Kind::number, "a number");
  if (!found) return;
  std::uint64_t value = 0;
  if (!whole_number(found->text, value) || value < least || value > most)
    return refuse(name, Code::bad_setting, fmt::format("'{}' is {}", path_of(name), found->text.substr(0, 40)),
                  fmt::format("a whole number from {} to {}", least, most));
  into = static_cast<std::uint32_t>(value);
}

void Fields::duration(std::string_view name, Millis& into, Millis least, Millis most) {
  const Json* found = member(name, Json::Kind::string, "a duration like \"30s\"");
  if (!found) return;
  auto parsed = parse_duration(found->text);
  if (!parsed) {
    parsed.error().at = path_of(name);
    return refuse(std::move(parsed.error()));
  }
  if (*parsed < least || *parsed > most)
    return refuse(name, Code::bad_setting, fmt::format("'{}' is {}", path_of(name), found->text),
                  fmt::format("from {} to {}", format_duration(least), format_duration(most)));
  into = *parsed;
}

void Fields::time(std::string_view name, std::optional<WallTime>& into) {
  const Json* found = member(name, Json::Kind::string, "a time like \"2026-01-31T08:00:00Z\"");
  if (!found) return;
  const auto parsed = parse_time(found->text);
  if (!parsed)
    return refuse(name, Code::bad_setting, fmt::format("'{}' is not a time", found->text.substr(0, 80)),
                  "like 2026-01-31T08:00:00Z");
  into = *parsed;
}

void Fields::size(std::string_view name, std::uint64_t& into) {
  const Json* found = object_.find(name);
  if (!found || failed_) return;
  if (found->kind == Json::Kind::number && whole_number(found->text, into)) return;
  if (!member(name, Json::Kind::string, "a size like \"64MiB\" or a number of bytes")) return;
  auto parsed = parse_size(found->text);
  if (parsed) {
    into = *parsed;
    return;
  }
  parsed.error().at = path_of(name);
  refuse(std::move(parsed.error()));
}

void Fields::offset(std::string_view name, std::int64_t& into) {
  const Json* found = object_.find(name);
  if (!found || failed_) return;
  std::uint64_t value = 0;
  const bool right_kind = found->kind == Json::Kind::string || found->kind == Json::Kind::number;
  if (!right_kind || !whole_number(found->text, value) || value > static_cast<std::uint64_t>(max_offset.value))
    return refuse(name, Code::bad_setting, fmt::format("'{}' is not an offset", path_of(name)),
                  "a decimal string like \"1000\"");
  into = static_cast<std::int64_t>(value);
}

}  // namespace continuo::wire::http
