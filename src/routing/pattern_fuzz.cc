// Patterns from outside: any bytes are a pattern or a refusal that says where and why. What is a pattern is one again
// from its own text, its conditions' sources are JSON, and it can be compiled, matched and explained.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "continuo/record/cloudevents.h"
#include "continuo/record/padded_text.h"
#include "continuo/routing/explain.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

bool same_group(const Group& left, const Group& right);

bool same_choice(const std::vector<Group>& left, const std::vector<Group>& right) {
  return std::ranges::equal(left, right, same_group);
}

bool same_group(const Group& left, const Group& right) {
  return std::ranges::equal(left.fields, right.fields,
                            [](const Field& one, const Field& other) {
                              return one.path == other.path && one.conditions == other.conditions;
                            }) &&
         std::ranges::equal(left.choices, right.choices, same_choice);
}

void check_group(const Group& group) {
  CHECK(!group.fields.empty() || !group.choices.empty());
  for (const Field& field : group.fields) {
    CHECK(!field.conditions.empty());
    for (const Condition& condition : field.conditions) {
      CHECK(record::validate_json(record::PaddedText{condition.source}.view()).has_value());
      const bool tests = condition.kind == Condition::Kind::is || condition.kind == Condition::Kind::anything_but;
      CHECK(condition.tests.empty() != tests);
    }
  }
  for (const auto& choice : group.choices) {
    CHECK(choice.size() >= 2);
    for (const Group& inner : choice) check_group(inner);
  }
}

void check_use(const Pattern& pattern) {
  constexpr std::string_view json = R"({"a":[1,"a",{"b":"ab","c":[null]}],"b":"A","data":{"a":5.0}})";
  const Pattern* const patterns[] = {&pattern};
  const auto matcher = Matcher::compile(patterns);
  CHECK(matcher->size() == 1);
  Matching matching{matcher};
  if (pattern.scope() == Scope::json) {
    CHECK(matching.match_json(json).empty() != explain_json(pattern, json).matches);
    return;
  }
  record::Event event;
  event.id = "1";
  event.source = "/a";
  event.type = "a";
  event.data = json;
  event.data_kind = record::DataKind::json;
  const Input input{&event, "a", nullptr};
  CHECK(matching.match(input).empty() != explain(pattern, input).matches);
}

void check_pattern(std::string_view text, Scope scope) {
  const auto pattern = Pattern::parse(text, scope);
  if (!pattern) {
    CHECK(pattern.error().code == Code::bad_pattern);
    CHECK(!pattern.error().detail.empty());
    CHECK(!pattern.error().at.empty() || text.size() > PatternLimits{}.bytes);
    return;
  }
  CHECK(pattern->source() == text && pattern->scope() == scope);
  check_group(pattern->root());
  const auto again = Pattern::parse(pattern->source(), scope);
  CHECK(again.has_value() && same_group(pattern->root(), again->root()));
  check_use(*pattern);
}

}  // namespace
}  // namespace continuo::routing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo::routing;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_pattern(text, Scope::json);
  check_pattern(text, Scope::event);
  return 0;
}
