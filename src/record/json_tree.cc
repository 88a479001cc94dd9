#include "continuo/record/json_tree.h"

#include <algorithm>
#include <tuple>

#include "continuo/record/decimal.h"
#include "continuo/record/json_skim.h"

namespace continuo::record {
namespace {

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(skip_space(text, 0));
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Behind the string whose first quote is at `at`.
std::size_t behind_string(std::string_view json, std::size_t at) {
  bool escaped = false;
  return string_end(json, at + 1, escaped) + 1;
}

std::size_t behind_value(std::string_view json, std::size_t at) {
  switch (json[at]) {
    case '"': return behind_string(json, at);
    case '{':
    case '[': return container_end(json, at + 1, 1);
    default: return scalar_end(json, at);
  }
}

std::size_t depth_of_text(std::string_view json) {
  std::size_t open = 0, deepest = 0;
  for (std::size_t at = 0; at < json.size();) {
    const char byte = json[at];
    if (byte == '{' || byte == '[') deepest = std::max(deepest, ++open);
    if (byte == '}' || byte == ']') --open;
    at = byte == '"' ? behind_string(json, at) : at + 1;
  }
  return deepest;
}

// Members by name, equal names in the order they come.
struct Named {
  std::string name;
  std::size_t position = 0;
  JsonNode* value = nullptr;
};
std::vector<Named> by_name(JsonNode& object) {
  std::vector<Named> members;
  for (JsonMember& each : object.items())
    members.push_back({decoded_json_string(each.name), members.size(), &each.value});
  std::ranges::sort(members, [](const Named& left, const Named& right) {
    return std::tie(left.name, left.position) < std::tie(right.name, right.position);
  });
  return members;
}

bool equal_numbers(std::string_view left, std::string_view right) {
  std::string left_form, right_form;
  canonical_number(left, left_form);
  canonical_number(right, right_form);
  return left_form == right_form;
}

}  // namespace

JsonNode::JsonNode(std::string_view text) : text_(without_blanks(text)) {}
JsonNode::JsonNode(const JsonNode&) = default;
JsonNode::JsonNode(JsonNode&&) noexcept = default;
JsonNode& JsonNode::operator=(const JsonNode&) = default;
JsonNode& JsonNode::operator=(JsonNode&&) noexcept = default;
JsonNode::~JsonNode() = default;

std::string JsonNode::decoded() const { return decoded_json_string(text_); }

std::vector<JsonMember>& JsonNode::items() {
  if (!opened_) open();
  return items_;
}

JsonNode* JsonNode::member(std::string_view name) {
  const auto found = std::ranges::find_if(items(), [&](const JsonMember& each) { return each.is_named(name); });
  return found == items_.end() ? nullptr : &found->value;
}

void JsonNode::open() {
  opened_ = true;
  const bool object = is_object();
  for (std::size_t at = skip_space(text_, 1); at + 1 < text_.size();) {
    std::string_view name;
    if (object) {
      const std::size_t end = behind_string(text_, at);
      name = text_.substr(at, end - at);
      at = skip_space(text_, skip_space(text_, end) + 1);  // over the colon
    }
    const std::size_t end = behind_value(text_, at);
    items_.push_back({name, JsonNode{text_.substr(at, end - at)}});
    at = skip_space(text_, end);
    if (text_[at] == ',') at = skip_space(text_, at + 1);
  }
}

void JsonNode::write(std::string& out) const {
  if (!opened_) {
    out += text_;
    return;
  }
  const bool object = is_object();
  out += object ? '{' : '[';
  for (const JsonMember& each : items_) {
    if (&each != &items_.front()) out += ',';
    if (object) (out += each.name) += ':';
    each.value.write(out);
  }
  out += object ? '}' : ']';
}

std::size_t JsonNode::size() const {
  if (!opened_) return text_.size();
  std::size_t bytes = 2 + (items_.empty() ? 0 : items_.size() - 1);
  for (const JsonMember& each : items_) bytes += each.name.size() + (is_object() ? 1 : 0) + each.value.size();
  return bytes;
}

std::size_t JsonNode::depth() const {
  if (!opened_) return depth_of_text(text_);
  std::size_t deepest = 0;
  for (const JsonMember& each : items_) deepest = std::max(deepest, each.value.depth());
  return deepest + 1;
}

bool JsonMember::is_named(std::string_view wanted) const {
  const std::string_view inside = name.substr(1, name.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside == wanted;
  return decoded_json_string(name) == wanted;
}

std::string decoded_json_string(std::string_view token) {
  std::string out;
  decode_string(token.substr(1, token.size() - 2), out);
  return out;
}

bool equal(JsonNode& left, JsonNode& right) {
  if (left.is_object()) {
    if (!right.is_object() || left.items().size() != right.items().size()) return false;
    const auto lefts = by_name(left), rights = by_name(right);
    return std::ranges::equal(
        lefts, rights, [](const Named& l, const Named& r) { return l.name == r.name && equal(*l.value, *r.value); });
  }
  if (left.is_array())
    return right.is_array() && left.items().size() == right.items().size() &&
           std::ranges::equal(left.items(), right.items(),
                              [](JsonMember& l, JsonMember& r) { return equal(l.value, r.value); });
  if (left.is_number()) return right.is_number() && equal_numbers(left.text(), right.text());
  if (left.is_string()) return right.is_string() && left.decoded() == right.decoded();
  return left.text() == right.text();
}

}  // namespace continuo::record
