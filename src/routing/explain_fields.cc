#include "continuo/routing/explain_fields.h"

#include <string>

#include "continuo/record/cloudevents.h"

namespace continuo::routing {
namespace {

void collect(const Group& group, std::vector<const Field*>& out) {
  for (const Field& field : group.fields) out.push_back(&field);
  for (const auto& choice : group.choices)
    for (const Group& each : choice) collect(each, out);
}

std::vector<const Field*> fields_of(const Pattern& pattern) {
  std::vector<const Field*> out;
  collect(pattern.root(), out);
  return out;
}

// A pattern of nothing but the field: its path is one name with dots in it.
Pattern alone(const Field& field, Scope scope) {
  std::string json = "{";
  record::write_json_string(field.path, json);
  json += ":[";
  for (const Condition& each : field.conditions) json += (&each == field.conditions.data() ? "" : ",") + each.source;
  const auto all = ~std::size_t{0};
  auto pattern = Pattern::parse(json + "]}", scope, {.bytes = all, .path_bytes = all, .conditions = all});
  CHECK(pattern, "a field of a pattern is a pattern");
  return std::move(*pattern);
}

std::shared_ptr<const Matcher> compile(const std::vector<const Field*>& fields, Scope scope) {
  std::vector<Pattern> patterns;
  patterns.reserve(fields.size());
  for (const Field* each : fields) patterns.push_back(alone(*each, scope));
  std::vector<const Pattern*> pointers;
  pointers.reserve(patterns.size());
  for (const Pattern& each : patterns) pointers.push_back(&each);
  return Matcher::compile(pointers);
}

}  // namespace

std::uint64_t looks_needed(const Pattern& pattern, const EventOfPattern& event) {
  std::uint64_t all = 0;
  for (const Field* field : fields_of(pattern)) {
    std::uint64_t tests = 0, bytes = 0;
    for (const Condition& each : field->conditions) tests += each.tests.size();
    for (const FoundValue& each : event.values(event.path_of(*field))) bytes += looks_at(each.value);
    all += tests * bytes;
  }
  return all;
}

FieldMatcher::FieldMatcher(const Pattern& pattern)
    : fields_(fields_of(pattern)), matching_(compile(fields_, pattern.scope())) {}

std::set<const Field*> FieldMatcher::held(const Input& input) { return named(matching_.match(input)); }
std::set<const Field*> FieldMatcher::held_json(std::string_view json) { return named(matching_.match_json(json)); }

std::set<const Field*> FieldMatcher::named(std::span<const std::uint32_t> indices) const {
  std::set<const Field*> out;
  for (const std::uint32_t index : indices) out.insert(fields_[index]);
  return out;
}

}  // namespace continuo::routing
