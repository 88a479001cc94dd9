#include "continuo/routing/repairs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/json_tree.h"
#include "continuo/record/padded_text.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/pattern_place.h"

namespace continuo::routing {
namespace {

using record::JsonMember;
using record::JsonNode;

constexpr std::array<std::string_view, 4> failure_fields{"code", "message", "fingerprint", "attempts"};
constexpr std::array<std::string_view, 3> identity{"/id", "/source", "/specversion"};

std::string text_of(const JsonNode& node) {
  std::string out;
  node.write(out);
  return out;
}

// The first field that no failure has.
const Field* foreign_field(const Group& group) {
  for (const Field& field : group.fields)
    if (std::ranges::find(failure_fields, field.path) == failure_fields.end()) return &field;
  for (const auto& choice : group.choices)
    for (const Group& each : choice)
      if (const Field* found = foreign_field(each)) return found;
  return nullptr;
}

void fit_out(std::vector<Pattern> patterns, std::optional<Matching>& matching) {
  std::vector<const Pattern*> pointers;
  for (const Pattern& each : patterns) pointers.push_back(&each);
  if (!pointers.empty()) matching.emplace(Matcher::compile(pointers));
}

}  // namespace

class RepairsReader {
 public:
  explicit RepairsReader(const RepairLimits& limits) : limits_(limits) {}

  Result<Repairs> read(std::string_view json) {
    if (json.size() > limits_.bytes)
      return fail(Code::bad_setting,
                  "the repairs of a subscription have at most " + std::to_string(limits_.bytes) + " bytes together");
    if (auto valid = record::validate_json(record::PaddedText{json}.view()); !valid) return pass(valid);
    JsonNode list{json};
    if (!list.is_array()) return fail(Code::bad_setting, "repairs are an array of objects");
    if (list.items().size() > limits_.repairs)
      return fail(Code::bad_setting, "a subscription has at most " + std::to_string(limits_.repairs) + " repairs");
    for (JsonMember& each : list.items())
      if (!read_repair(each.value)) return std::unexpected(error_);
    fit_out(std::move(error_patterns_), repairs_.on_errors_.matching);
    fit_out(std::move(event_patterns_), repairs_.on_events_.matching);
    return std::move(repairs_);
  }

 private:
  std::size_t number() const { return repairs_.repairs_.size(); }
  std::string at(std::string_view member) const {
    std::string place = "[" + std::to_string(number()) + "]";
    return member.empty() ? place : place.append(".").append(member);
  }
  bool wrong(std::string_view member, std::string detail, std::string hint = {}, Code code = Code::bad_setting) {
    error_ = {code, std::move(detail), at(member), std::move(hint)};
    return false;
  }

  bool read_repair(JsonNode& object) {
    if (!object.is_object()) return wrong("", "a repair is an object");
    if (!check_names(object)) return false;
    Repair repair;
    if (!read_name(object.member("name"), repair.name) || !read_patch(object.member("patch"), repair.patch))
      return false;
    JsonNode* const error = object.member("error");
    JsonNode* const event = object.member("event");
    if (error == nullptr && event == nullptr)
      return wrong("", "what it is for is not said",
                   R"(a pattern: "error":{"code":["..."]}, "event":{"type":["..."]})");
    const bool read = read_pattern(error, "error", Scope::json, error_patterns_, repairs_.on_errors_) &&
                      read_pattern(event, "event", Scope::event, event_patterns_, repairs_.on_events_);
    if (!read) return false;
    const auto tests = [](const record::PatchOperation& each) {
      return each.kind == record::PatchOperation::Kind::test;
    };
    if (std::ranges::all_of(repair.patch.operations(), tests)) return wrong("patch", "it changes nothing");
    repairs_.repairs_.push_back(std::move(repair));
    return true;
  }

  bool check_names(JsonNode& object) {
    std::vector<std::string> seen;
    for (const JsonMember& each : object.items()) {
      std::string name = record::decoded_json_string(each.name);
      if (name != "name" && name != "error" && name != "event" && name != "patch")
        return wrong(shown(name), "there is no such field", "one of: name, error, event, patch", Code::unknown_field);
      if (std::ranges::find(seen, name) != seen.end()) return wrong(name, "it is given twice");
      seen.push_back(std::move(name));
    }
    return true;
  }

  bool read_name(const JsonNode* node, std::string& name) {
    name = "repairs[" + std::to_string(number()) + "]";
    if (node == nullptr) return true;
    name = node->is_string() ? node->decoded() : "";
    const auto fits = [](char byte) {
      return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
             byte == '.' || byte == '_' || byte == '-';
    };
    if (name.empty() || name.size() > limits_.name_bytes || !std::ranges::all_of(name, fits))
      return wrong("name", "a name has 1 to " + std::to_string(limits_.name_bytes) + " of A-Z a-z 0-9 . _ -");
    if (std::ranges::find(repairs_.repairs_, name, &Repair::name) != repairs_.repairs_.end())
      return wrong("name", "another repair has the name '" + name + "'");
    return true;
  }

  bool read_patch(const JsonNode* node, record::JsonPatch& patch) {
    if (node == nullptr) return wrong("patch", "it is missing", R"([{"op":"replace","path":"/data/...","value":...}])");
    auto parsed = record::JsonPatch::parse(text_of(*node));
    if (!parsed) {
      Error& error = parsed.error();
      return wrong("patch" + error.at, std::move(error.detail), std::move(error.hint));
    }
    for (const std::string_view place : identity)
      for (std::size_t i = 0; i < parsed->operations().size(); ++i)
        if (parsed->operations()[i].changes(*record::JsonPointer::parse(place)))
          return wrong("patch[" + std::to_string(i) + "]", "a repaired event keeps its id, source and specversion",
                       "patch what is in /data, or other attributes");
    patch = std::move(*parsed);
    return true;
  }

  // A repair without such a pattern fits whatever there is.
  bool read_pattern(const JsonNode* node, std::string_view member, Scope scope, std::vector<Pattern>& patterns,
                    Repairs::Patterns& into) {
    into.has.push_back(node != nullptr);
    if (node == nullptr) return true;
    auto pattern = Pattern::parse(text_of(*node), scope);
    if (!pattern) {
      error_ = std::move(pattern.error());
      place_within(error_, at(member));
      return false;
    }
    if (const Field* field = scope == Scope::json ? foreign_field(pattern->root()) : nullptr)
      return wrong("error." + shown(field->path), "a failure has no such field",
                   "one of: code, message, fingerprint, attempts", Code::unknown_field);
    into.owners.push_back(static_cast<std::uint32_t>(number()));
    patterns.push_back(std::move(*pattern));
    return true;
  }

  const RepairLimits& limits_;
  Repairs repairs_;
  std::vector<Pattern> error_patterns_, event_patterns_;
  Error error_{};
};

Result<Repairs> Repairs::parse(std::string_view json, const RepairLimits& limits) {
  return RepairsReader{limits}.read(json);
}

const Repair* Repairs::find(const FailureSeen& failure, const Input& event) {
  std::vector<std::uint8_t> fits(repairs_.size());
  const auto count = [&](Patterns& patterns, const auto& match) {
    for (std::size_t i = 0; i < fits.size(); ++i) fits[i] += patterns.has[i] ? 0 : 1;
    if (patterns.matching)
      for (const std::uint32_t index : match(*patterns.matching)) ++fits[patterns.owners[index]];
  };
  count(on_errors_, [&](Matching& matching) {
    std::string json = R"({"code":)";
    record::write_json_string(failure.code, json);
    record::write_json_string(failure.message, json += R"(,"message":)");
    record::write_json_string(failure.fingerprint, json += R"(,"fingerprint":)");
    json += R"(,"attempts":)" + std::to_string(failure.attempts) + "}";
    return matching.match_json(json);
  });
  count(on_events_, [&](Matching& matching) { return matching.match(event); });
  const auto found = std::ranges::find(fits, 2);
  return found == fits.end() ? nullptr : &repairs_[static_cast<std::size_t>(found - fits.begin())];
}

Result<std::string> Repair::apply(std::string_view event) const {
  auto repaired = patch.apply(event);
  if (!repaired) place_within(repaired.error(), name + ".patch");
  return repaired;
}

}  // namespace continuo::routing
