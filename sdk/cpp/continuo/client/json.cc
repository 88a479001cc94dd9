#include "continuo/client/json.h"

#include <fmt/format.h>

#include <charconv>

#include "continuo/record/cloudevents.h"

namespace continuo::client {

namespace json = boost::json;

std::unexpected<Error> not_ours(std::string_view what) {
  return fail(Code::connection_failed, fmt::format("the answer is not one of a Continuo server: {}", what));
}

Result<json::object> object_in(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view{text.data(), text.size()}, error);
  if (error || !value.is_object()) return not_ours("no JSON object");
  return std::move(value.as_object());
}

const json::array& array_in(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_array() ? member->as_array() : none;
}

std::int64_t number_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  if (!member) return 0;
  if (member->is_int64()) return member->as_int64();
  if (member->is_uint64()) return static_cast<std::int64_t>(member->as_uint64());
  std::int64_t number = 0;  // offsets are decimal strings
  if (member->is_string())
    std::from_chars(member->as_string().data(), member->as_string().data() + member->as_string().size(), number);
  return number;
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_string() ? std::string{member->as_string().c_str(), member->as_string().size()}
                                       : std::string{};
}

bool flag_in(const json::object& object, std::string_view name, bool otherwise) {
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_bool() ? member->as_bool() : otherwise;
}

void write_text(std::string_view name, std::string_view value, std::string& out) {
  if (out.back() != '{') out += ',';
  record::write_json_string(name, out);
  out += ':';
  record::write_json_string(value, out);
}

void write_said(std::string_view name, std::string_view value, std::string& out) {
  if (!value.empty()) write_text(name, value, out);
}

void write_member(std::string_view name, std::string_view raw, std::string& out) {
  if (out.back() != '{') out += ',';
  record::write_json_string(name, out);
  out.append(":").append(raw);
}

}  // namespace continuo::client
