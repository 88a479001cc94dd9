#include "continuo/record/json_patch.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/json_tree.h"
#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

using Kind = PatchOperation::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 6> kinds{{{"add", Kind::add},
                                                                  {"remove", Kind::remove},
                                                                  {"replace", Kind::replace},
                                                                  {"move", Kind::move},
                                                                  {"copy", Kind::copy},
                                                                  {"test", Kind::test}}};

std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "..." : "") + "'";
}

std::string place(std::size_t operation, std::string_view member = {}) {
  std::string at = "[" + std::to_string(operation) + "]";
  return member.empty() ? at : at.append(".").append(member);
}

// ---- reading --------------------------------------------------------------------------------------------------------

// One operation's object; the first thing wrong with it ends the reading.
class OperationReader {
 public:
  OperationReader(JsonNode& object, std::size_t number) : object_(object), number_(number) {}

  Result<PatchOperation> read() {
    if (!object_.is_object()) return fail(Code::bad_request, "an operation is an object", place(number_));
    PatchOperation out;
    if (!read_kind(out.kind) || !read_pointer("path", out.path)) return std::unexpected(error_);
    const bool has_from = out.kind == Kind::move || out.kind == Kind::copy;
    const bool has_value = out.kind == Kind::add || out.kind == Kind::replace || out.kind == Kind::test;
    if (has_from && !read_pointer("from", out.from)) return std::unexpected(error_);
    if (has_value && !read_value(out.value)) return std::unexpected(error_);
    if (out.kind == Kind::remove && out.path.names.empty())
      return fail(Code::bad_request, "the whole text cannot be removed", place(number_, "path"));
    if (out.kind == Kind::move && out.path != out.from && out.path.is_in(out.from))
      return fail(Code::bad_request, "a value cannot be moved into itself", place(number_, "path"));
    return out;
  }

 private:
  bool wrong(std::string_view member, std::string detail, std::string hint = {}) {
    error_ = {Code::bad_request, std::move(detail), place(number_, member), std::move(hint)};
    return false;
  }

  // Null: there is none, or two, and that is told.
  JsonNode* only(std::string_view name) {
    JsonNode* found = nullptr;
    for (JsonMember& each : object_.items()) {
      if (!each.is_named(name)) continue;
      if (found != nullptr) return wrong(name, "it is given twice"), nullptr;
      found = &each.value;
    }
    if (found == nullptr) wrong(name, "it is missing");
    return found;
  }

  bool read_kind(Kind& kind) {
    JsonNode* const node = only("op");
    if (node == nullptr) return false;
    const std::string name = node->is_string() ? node->decoded() : "";
    const auto found = std::ranges::find(kinds, name, &std::pair<std::string_view, Kind>::first);
    if (found == kinds.end())
      return wrong("op", "there is no such operation", "one of: add, remove, replace, move, copy, test");
    kind = found->second;
    return true;
  }

  bool read_pointer(std::string_view name, JsonPointer& pointer) {
    JsonNode* const node = only(name);
    if (node == nullptr) return false;
    auto parsed = node->is_string() ? JsonPointer::parse(node->decoded()) : std::nullopt;
    if (!parsed)
      return wrong(name, "it is no JSON Pointer",
                   "a string: empty, or names with a / before each, where ~1 stands for / and ~0 for ~");
    pointer = std::move(*parsed);
    return true;
  }

  bool read_value(std::string& value) {
    JsonNode* const node = only("value");
    if (node == nullptr) return false;
    node->write(value);
    return true;
  }

  JsonNode& object_;
  const std::size_t number_;
  Error error_{};
};

// ---- applying -------------------------------------------------------------------------------------------------------

class Application {
 public:
  Application(std::string_view document, const PatchLimits& limits) : root_(document), limits_(limits) {}

  Result<void> run(const PatchOperation& operation, std::size_t number) {
    number_ = number;
    if (!step(operation)) return std::unexpected(error_);
    return {};
  }
  const JsonNode& root() const { return root_; }

 private:
  // Where a place is, or may come to be: in `parent` at `index`. The whole text has no parent.
  struct Place {
    JsonNode* parent = nullptr;
    std::size_t index = 0;
    bool exists = true;
    JsonNode& node(JsonNode& root) const { return parent == nullptr ? root : parent->items()[index].value; }
  };

  bool step(const PatchOperation& operation) {
    switch (operation.kind) {
      case Kind::add: return add(operation.path, JsonNode{operation.value});
      case Kind::replace: return replace(operation);
      case Kind::remove: return remove(operation.path, "path");
      case Kind::move: return move(operation);
      case Kind::copy: return copy(operation);
      case Kind::test: return test(operation);
    }
    return false;
  }

  bool wrong(std::string_view member, std::string detail, Code code = Code::bad_request) {
    error_ = {code, std::move(detail), place(number_, member), {}};
    return false;
  }

  // `member`: which of the operation's the pointer is.
  std::optional<Place> find(const JsonPointer& pointer, std::string_view member, bool may_be_new = false) {
    Place at;
    for (std::size_t i = 0; i < pointer.names.size(); ++i) {
      at.parent = &at.node(root_);
      const bool last = i + 1 == pointer.names.size();
      if (!go(pointer, i, member, may_be_new && last, at)) return std::nullopt;
    }
    return at;
  }

  // From `at.parent` on by the i-th name.
  bool go(const JsonPointer& pointer, std::size_t i, std::string_view member, bool may_be_new, Place& at) {
    if (at.parent->is_object()) return go_to_member(pointer, i, member, may_be_new, at);
    if (at.parent->is_array()) return go_to_element(pointer, i, member, may_be_new, at);
    return wrong(member, shown(pointer.text(i)) + " is neither object nor array");
  }

  bool go_to_member(const JsonPointer& pointer, std::size_t i, std::string_view member, bool may_be_new, Place& at) {
    auto& items = at.parent->items();
    const auto named = [&](const JsonMember& each) { return each.is_named(pointer.names[i]); };
    const auto found = std::ranges::find_if(items, named);
    at.exists = found != items.end();
    at.index = static_cast<std::size_t>(found - items.begin());
    if (!at.exists) return may_be_new || wrong(member, "there is no " + shown(pointer.text(i + 1)));
    if (std::any_of(found + 1, items.end(), named))
      return wrong(member, "the object has " + shown(pointer.text(i + 1)) + " twice");
    return true;
  }

  bool go_to_element(const JsonPointer& pointer, std::size_t i, std::string_view member, bool may_be_new, Place& at) {
    const std::size_t size = at.parent->items().size();
    const auto index = may_be_new && pointer.names[i] == "-" ? size : array_index(pointer.names[i]);
    if (!index) return wrong(member, shown(pointer.names[i]) + " is no index of an array");
    at.index = *index;
    at.exists = *index < size;
    if (at.exists || (may_be_new && *index == size)) return true;
    return wrong(member, "the array " + shown(pointer.text(i)) + " has " + std::to_string(size) + " elements");
  }

  bool add(const JsonPointer& path, JsonNode value) {
    if (path.names.size() + value.depth() > limits_.depth)
      return wrong("path", "nested deeper than " + std::to_string(limits_.depth) + " levels", Code::too_large);
    const auto found = find(path, "path", true);
    if (!found) return false;
    if (found->parent == nullptr) {
      root_ = std::move(value);
      return true;
    }
    auto& items = found->parent->items();
    if (found->parent->is_array()) {
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(found->index), {{}, std::move(value)});
    } else if (found->exists) {
      items[found->index].value = std::move(value);
    } else {
      std::string& name = names_.emplace_back();
      write_json_string(path.names.back(), name);
      items.push_back({name, std::move(value)});
    }
    return true;
  }

  bool replace(const PatchOperation& operation) {
    JsonNode value{operation.value};
    if (operation.path.names.size() + value.depth() > limits_.depth)
      return wrong("path", "nested deeper than " + std::to_string(limits_.depth) + " levels", Code::too_large);
    const auto found = find(operation.path, "path");
    if (!found) return false;
    found->node(root_) = std::move(value);
    return true;
  }

  bool remove(const JsonPointer& path, std::string_view member) {
    const auto found = find(path, member);
    if (!found) return false;
    auto& items = found->parent->items();
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(found->index));
    return true;
  }

  bool move(const PatchOperation& operation) {
    const auto found = find(operation.from, "from");
    if (!found) return false;
    if (operation.path == operation.from) return true;
    JsonNode value = std::move(found->node(root_));
    auto& items = found->parent->items();
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(found->index));
    return add(operation.path, std::move(value));
  }

  bool copy(const PatchOperation& operation) {
    const auto found = find(operation.from, "from");
    if (!found) return false;
    if (!add(operation.path, JsonNode{found->node(root_)})) return false;
    // Only copies grow beyond the sum of text and patch.
    return root_.size() <= limits_.bytes || wrong("path", "the text becomes too large", Code::too_large);
  }

  bool test(const PatchOperation& operation) {
    const auto found = find(operation.path, "path");
    if (!found) return false;
    JsonNode wanted{operation.value};
    return equal(found->node(root_), wanted) ||
           wrong("value", "the test failed: " + shown(operation.path.text()) + " is another value");
  }

  JsonNode root_;
  const PatchLimits& limits_;
  std::deque<std::string> names_;  // of new members
  std::size_t number_ = 0;
  Error error_{};
};

Result<void> check_text(std::string_view text, const PatchLimits& limits, std::string_view what) {
  if (text.size() > limits.bytes)
    return fail(Code::too_large, std::string(what) + " has more than " + std::to_string(limits.bytes) + " bytes");
  return validate_json(PaddedText{text}.view(), limits.depth);
}

}  // namespace

bool PatchOperation::changes(const JsonPointer& place) const {
  const auto touches = [&](const JsonPointer& pointer) { return pointer.is_in(place) || place.is_in(pointer); };
  return kind != Kind::test && (touches(path) || (kind == Kind::move && touches(from)));
}

Result<JsonPatch> JsonPatch::parse(std::string_view json, const PatchLimits& limits) {
  if (auto valid = check_text(json, limits, "the patch"); !valid) return pass(valid);
  JsonNode list{json};
  if (!list.is_array()) return fail(Code::bad_request, "a JSON Patch is an array of operations");
  if (list.items().size() > limits.operations)
    return fail(Code::limit_reached, "a patch has at most " + std::to_string(limits.operations) + " operations");
  JsonPatch patch;
  patch.limits_ = limits;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    auto operation = OperationReader{list.items()[i].value, i}.read();
    if (!operation) return pass(operation);
    patch.operations_.push_back(std::move(*operation));
  }
  return patch;
}

Result<std::string> JsonPatch::apply(std::string_view document) const {
  if (auto valid = check_text(document, limits_, "the text"); !valid) return pass(valid);
  Application application{document, limits_};
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (auto done = application.run(operations_[i], i); !done) return pass(done);
  const std::size_t bytes = application.root().size();
  if (bytes > limits_.bytes) return fail(Code::too_large, "the text becomes too large");
  std::string out;
  out.reserve(bytes);
  application.root().write(out);
  return out;
}

Result<std::string> apply_patch(std::string_view document, std::string_view patch) {
  auto parsed = JsonPatch::parse(patch);
  if (!parsed) return pass(parsed);
  return parsed->apply(document);
}

}  // namespace continuo::record
