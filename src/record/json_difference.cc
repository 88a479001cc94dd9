#include <algorithm>
#include <string>
#include <vector>

#include "continuo/base/hash.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/json_patch.h"
#include "continuo/record/json_tree.h"
#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

// Writes operations that make one value of another.
class Difference {
 public:
  void of(JsonNode& before, JsonNode& after) {
    const bool objects = before.is_object() && after.is_object(), arrays = before.is_array() && after.is_array();
    if ((!objects && !arrays) || levels_ == most_levels) {
      if (!equal(before, after)) write("replace", &after);
      return;
    }
    const std::size_t size = out_.size(), operations = operations_;
    if (objects)
      of_objects(before, after);
    else
      of_arrays(before, after);
    // Whole, when that is much shorter, or when a patch would have too many operations: what changed is easier to see
    // in a few members than in an object that is there once more.
    if (operations_ - operations <= most_operations && out_.size() - size <= 2 * size_of_replace(after)) return;
    out_.resize(size);
    operations_ = operations;
    write("replace", &after);
  }
  std::string take() { return "[" + std::move(out_) + "]"; }

 private:
  using Members = std::vector<std::pair<std::string, JsonNode*>>;

  // In the order they come; `unique` becomes false when a name comes twice.
  static Members members_of(JsonNode& object, bool& unique) {
    Members members;
    for (JsonMember& each : object.items()) members.emplace_back(decoded_json_string(each.name), &each.value);
    std::vector<std::string_view> names;
    for (const auto& each : members) names.push_back(each.first);
    std::ranges::sort(names);
    unique = unique && std::ranges::adjacent_find(names) == names.end();
    return members;
  }

  static Members sorted(Members members) {
    std::ranges::sort(members, {}, &Members::value_type::first);
    return members;
  }
  static JsonNode* find(const Members& sorted, const std::string& name) {
    const auto found = std::ranges::lower_bound(sorted, name, {}, &Members::value_type::first);
    return found != sorted.end() && found->first == name ? found->second : nullptr;
  }

  void of_objects(JsonNode& before, JsonNode& after) {
    bool unique = true;
    const Members old = members_of(before, unique), young = members_of(after, unique);
    if (!unique) {
      if (!equal(before, after)) write("replace", &after);
      return;
    }
    const Members old_sorted = sorted(old), young_sorted = sorted(young);
    for (const auto& [name, value] : old)
      if (find(young_sorted, name) == nullptr) at(name, [&] { write("remove", nullptr); });
    for (const auto& [name, value] : young) {
      JsonNode* const was = find(old_sorted, name);
      at(name, [&] { was == nullptr ? write("add", value) : of(*was, *value); });
    }
  }

  void of_arrays(JsonNode& before, JsonNode& after) {
    auto &old = before.items(), &young = after.items();
    std::size_t front = 0, old_end = old.size(), young_end = young.size();
    const auto same = [&](std::size_t i, std::size_t j) { return equal(old[i].value, young[j].value); };
    while (front < old_end && front < young_end && same(front, front)) ++front;
    while (old_end > front && young_end > front && same(old_end - 1, young_end - 1)) --old_end, --young_end;
    std::size_t i = front;
    for (; i < old_end && i < young_end; ++i) at(std::to_string(i), [&] { of(old[i].value, young[i].value); });
    for (std::size_t gone = i; gone < old_end; ++gone) at(std::to_string(i), [&] { write("remove", nullptr); });
    for (; i < young_end; ++i) at(std::to_string(i), [&] { write("add", &young[i].value); });
  }

  template <class Do>
  void at(const std::string& name, const Do& act) {
    const std::size_t size = path_.size();
    append_pointer_name(name, path_);
    ++levels_;
    act();
    --levels_;
    path_.resize(size);
  }

  void write(std::string_view operation, const JsonNode* value) {
    if (!out_.empty()) out_ += ',';
    out_.append(R"({"op":")").append(operation).append(R"(","path":)");
    write_json_string(path_, out_);
    if (value != nullptr) value->write(out_ += R"(,"value":)");
    out_ += '}';
    ++operations_;
  }

  // About: without the escapes of its path.
  std::size_t size_of_replace(const JsonNode& value) const {
    return std::string_view{R"({"op":"replace","path":"","value":})"}.size() + path_.size() + value.size();
  }

  const std::size_t most_operations = PatchLimits{}.operations;
  // Deeper down a value is replaced whole: every level of arrays looks at all that is below it.
  static constexpr std::size_t most_levels = 16;
  std::size_t levels_ = 0;
  std::string path_, out_;
  std::size_t operations_ = 0;
};

void append_hex(std::uint64_t number, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(number >> shift) & 15];
}

std::string named_content(std::string_view after) {
  const Hash128 hash = hash128(after, 0);
  std::string out = R"([{"op":"replace","path":"","bytes":)" + std::to_string(after.size()) + R"(,"xxh3":")";
  append_hex(hash.high, out);
  append_hex(hash.low, out);
  return out + "\"}]";
}

bool can_be_patched(std::string_view text) {
  return text.size() <= PatchLimits{}.bytes && validate_json(PaddedText{text}.view(), PatchLimits{}.depth);
}

}  // namespace

std::string json_difference(std::string_view before, std::string_view after, std::size_t most_bytes) {
  if (!can_be_patched(before) || !can_be_patched(after)) return named_content(after);
  JsonNode old{before}, young{after};
  Difference difference;
  difference.of(old, young);
  std::string patch = difference.take();
  return patch.size() <= most_bytes ? patch : named_content(after);
}

}  // namespace continuo::record
