#include "continuo/routing/explain.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/base/bytes.h"
#include "continuo/record/batch.h"
#include "continuo/record/event.h"

namespace continuo::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines(const Explanation& explanation) {
  std::vector<std::string> out;
  for (const Because& each : explanation.because)
    out.push_back(fmt::format("{} {} {} {}", each.at, name_of(each.reason), each.wanted, each.found));
  return out;
}

Pattern parsed(std::string_view json, Scope scope) {
  auto pattern = Pattern::parse(json, scope);
  EXPECT_TRUE(pattern) << json << ": " << to_string(pattern.error());
  return pattern ? std::move(*pattern) : *Pattern::parse(R"({"failed": [1]})", Scope::json);
}

// "field reason wanted found", of a pattern that matches, and matches by a Matcher as well.
std::vector<std::string> why(std::string_view json, std::string_view event, bool matches) {
  const Pattern pattern = parsed(json, Scope::json);
  const auto explanation = explain_json(pattern, event);
  EXPECT_EQ(explanation.matches, matches) << json << " of " << event;
  const Pattern* const patterns[] = {&pattern};
  EXPECT_EQ(!Matching{Matcher::compile(patterns)}.match_json(event).empty(), matches) << json << " of " << event;
  return lines(explanation);
}
std::vector<std::string> why(std::string_view json, std::string_view event) { return why(json, event, true); }
std::vector<std::string> why_not(std::string_view json, std::string_view event) { return why(json, event, false); }

TEST(Explain, SaysWhatMetEachField) {
  EXPECT_THAT(
      why(R"({"a": ["x", "y"], "b": {"c": [{"numeric": [">", 5]}, {"prefix": "n"}], "d": [{"exists": false}]}})",
          R"({"a": "y", "b": {"c": [1, 7, "no"], "d": {}}})"),
      ElementsAre(R"(a met "y" "y")", R"(b.c met {"numeric":[">",5]} 7)", R"(b.d met {"exists":false} )"));
}

TEST(Explain, SaysEveryFieldThatFailed) {
  EXPECT_THAT(why_not(R"({"a": ["x"], "b": [{"numeric": [">", 100]}], "c": [1, {"exists": false}], "d": ["z"]})",
                      R"({"a": "x", "b": 7, "c": ["1", true, null]})"),
              ElementsAre(R"(b not_met {"numeric":[">",100]} 7)", R"(c not_met [1,{"exists":false}] ["1",true,null])",
                          R"(d absent "z" )"));
}

TEST(Explain, TellsWhyThereIsNothing) {
  EXPECT_THAT(why_not(R"({"a": [{"exists": true}]})", R"({"a": {"b": 1}})"),
              ElementsAre(R"(a is_object {"exists":true} )"));
  EXPECT_THAT(why_not(R"({"a": [{"exists": true}]})", R"({"a": []})"), ElementsAre(R"(a absent {"exists":true} )"));
  EXPECT_THAT(why_not(R"({"a": [{"anything-but": "x"}]})", "{}"), ElementsAre(R"(a absent {"anything-but":"x"} )"));
  EXPECT_THAT(why_not(R"({"a": [{"exists": false}]})", R"({"a": null})"),
              ElementsAre(R"(a present {"exists":false} null)"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", R"({"b": 1, "a)"), ElementsAre(R"(a invalid "x" )"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", ""), ElementsAre(R"(a invalid "x" )"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", R"({"a": "y", "b" 5})"), ElementsAre(R"(a not_met "x" "y")"));
}

TEST(Explain, SaysOfAChoiceAllGroups) {
  const std::string_view pattern =
      R"({"t": ["o"], "$or": [{"a": [1], "b": [2]}, {"c": [3], "$or": [{"d": [4]}, {"e": [5]}]}]})";
  EXPECT_THAT(why_not(pattern, R"({"t": "o", "a": 1, "b": 3, "c": 3})"),
              ElementsAre("b not_met 2 3", "d absent 4 ", "e absent 5 "));
  EXPECT_THAT(why_not(pattern, R"({"t": "x", "a": 1, "b": 2})"), ElementsAre(R"(t not_met "o" "x")"));
  EXPECT_THAT(why(pattern, R"({"t": "o", "a": 1, "b": 3, "c": 3, "e": 5})"),
              ElementsAre(R"(t met "o" "o")", "c met 3 3", "e met 5 5"));
}

TEST(Explain, NamesTheElementThatMetAllFields) {
  const std::string_view pattern = R"({"items": {"sku": [{"prefix": "a"}], "size": [{"numeric": [">", 5]}]}})";
  EXPECT_THAT(why(pattern, R"({"items": [{"sku": "a1", "size": 1}, {"sku": "b"}, {"size": 7, "sku": "a2"}]})"),
              ElementsAre(R"(items.sku met {"prefix":"a"} "a2")", R"(items.size met {"numeric":[">",5]} 7)"));
  EXPECT_THAT(why_not(pattern, R"({"items": [{"sku": "a1", "size": 1}, {"sku": "b", "size": 7}, {"sku": "a3"}]})"),
              ElementsAre(R"(items.size not_together {"numeric":[">",5]} 7)"));
}

TEST(Explain, KeepsToElementsOfArraysInArrays) {
  const std::string_view pattern = R"({"a": {"x": [1], "b": {"y": [2], "z": [3]}}, "c": {"w": [4]}})";
  EXPECT_THAT(why(pattern, R"({"a": [{"x": 1, "b": [{"y": 2}]}, {"x": 1, "b": [{"y": 2}, {"y": 2, "z": 3}]}],
                               "c": [{"w": 5}, {"w": 4}]})"),
              ElementsAre("a.x met 1 1", "a.b.y met 2 2", "a.b.z met 3 3", "c.w met 4 4"));
  EXPECT_THAT(
      why_not(pattern, R"({"a": [{"x": 1, "b": [{"y": 2}, {"z": 3}]}, {"b": [{"y": 2, "z": 3}]}], "c": {"w": 4}})"),
      ElementsAre("a.b.z not_together 3 [3,3]"));
}

TEST(Explain, LeavesAbsentFieldsOutOfArrays) {
  EXPECT_THAT(why(R"({"a": {"x": [1], "y": [{"exists": false}]}})", R"({"a": [{"x": 1}, {"x": 2}]})"),
              ElementsAre("a.x met 1 1", R"(a.y met {"exists":false} )"));
  EXPECT_THAT(why_not(R"({"a": {"x": [1], "y": [{"exists": false}]}})", R"({"a": [{"x": 1}, {"y": 2}]})"),
              ElementsAre(R"(a.y present {"exists":false} 2)"));
}

TEST(Explain, LooksForTheGroupsThatGoTogether) {
  const std::string_view pattern = R"({"a": {"x": [1], "$or": [{"y": [2]}, {"z": [3]}], "w": [4]}})";
  EXPECT_THAT(why(pattern, R"({"a": [{"x": 1, "y": 2}, {"y": 2, "w": 4}, {"x": 1, "z": 3, "w": 4}]})"),
              ElementsAre("a.x met 1 1", "a.w met 4 4", "a.z met 3 3"));
  EXPECT_THAT(why_not(pattern, R"({"a": [{"x": 1, "y": 2, "z": 3}, {"x": 1, "w": 4}]})"),
              ElementsAre("a.y not_together 2 2"));
}

TEST(Explain, ShortensWhatItFound) {
  EXPECT_THAT(why_not(R"({"a": ["x"]})", R"({"a": [0,1,2,3,4,5,6,7,8,9,10,11]})"),
              ElementsAre(R"(a not_met "x" [0,1,2,3,4,5,6,7,8,9])"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", R"({"a": ")" + std::string(199, 'y') + R"(€ and more"})"),
              ElementsAre(R"(a not_met "x" ")" + std::string(199, 'y') + R"(...")"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", R"({"a": 1)" + std::string(300, '0') + "}"),
              ElementsAre(R"(a not_met "x" "1)" + std::string(199, '0') + R"(...")"));
  EXPECT_THAT(why_not(R"({"a": ["x"]})", "{\"a\": \"\xff\\n\"}"), ElementsAre("a not_met \"x\" \"\xef\xbf\xbd\\n\""));
}

TEST(Explain, EndsWhereCombinationsAreMany) {
  // 2^40 combinations, none of which holds together.
  std::string pattern = R"({"a": {"x": [1])";
  std::string event = R"({"a": [{"x": 1})";
  for (int i = 0; i < 40; ++i) {
    pattern += fmt::format(R"(, "b{0}": {{"$or": [{{"p": [1]}}, {{"q": [1]}}]}})", i);
    event += fmt::format(R"(, {{"b{0}": {{"p": 1, "q": 1}}}})", i);
  }
  const Pattern all = parsed(pattern.substr(0, pattern.size()) + "}}", Scope::json);
  const auto explanation = explain_json(all, event + "]}");
  const Pattern* const patterns[] = {&all};
  EXPECT_EQ(explanation.matches, !Matching{Matcher::compile(patterns)}.match_json(event + "]}").empty());
  EXPECT_THAT(explanation.because, testing::Not(IsEmpty()));
}

// --- events ----------------------------------------------------------------------------------------------------------

TEST(Explain, EndsWhereValuesAndTestsAreMany) {
  std::string wildcards, values;
  for (int i = 0; i < 1'000; ++i) wildcards += fmt::format(R"({}{{"wildcard": "*x*y{}"}})", i == 0 ? "" : ",", i);
  for (int i = 0; i < 20'000; ++i) values += fmt::format(R"({}"xyz")", i == 0 ? "" : ",");
  const std::string pattern = R"({"a": {"b": [)" + wildcards + R"(], "c": [1]}, "$or": [{"d": [1]}, {"e": [1]}]})";
  const auto event = [&](std::string_view last, std::string_view c, std::string_view rest) {
    return fmt::format(R"({{"a": [{{"b": [{}, "{}"]{}]{}}})", values, last, c, rest);
  };
  const auto failed = why_not(pattern, event("xyz", R"(, "c": 2})", R"(, "d": 2)"));
  ASSERT_EQ(failed.size(), 4u);
  EXPECT_TRUE(failed[0].starts_with("a.b not_met [")) << failed[0];
  EXPECT_TRUE(failed[0].ends_with(R"(["xyz","xyz","xyz","xyz","xyz","xyz","xyz","xyz","xyz","xyz"])")) << failed[0];
  EXPECT_EQ(failed[1], "a.c not_met 1 2");
  EXPECT_EQ(failed[2], "d not_met 1 2");
  EXPECT_EQ(failed[3], "e absent 1 ");
  const auto met = why(pattern, event("xy7", R"(, "c": 1})", R"(, "e": 1)"));
  ASSERT_EQ(met.size(), 3u);
  EXPECT_TRUE(met[0].starts_with("a.b met ")) << met[0];
  EXPECT_EQ(met[1], "a.c met 1 1");
  EXPECT_EQ(met[2], "e met 1 1");
  const auto apart = why_not(pattern, event("xy7", R"(}, {"c": 1})", R"(, "e": 1)"));
  ASSERT_FALSE(apart.empty());
  EXPECT_TRUE(apart[0].starts_with("a.b not_together ")) << apart[0];
}

record::Event an_event() {
  record::Event event;
  event.id = "e-1";
  event.source = "/shop";
  event.type = "OrderPaid";
  event.extensions = {{"region", "eu"}, {"flag", "true", record::Extension::Kind::boolean}};
  event.data = R"({"amount": 7, "country": "SE"})";
  event.data_kind = record::DataKind::json;
  return event;
}

std::vector<std::string> why_of_event(std::string_view json, const Input& input, bool matches) {
  const Pattern pattern = parsed(json, Scope::event);
  const auto explanation = explain(pattern, input);
  EXPECT_EQ(explanation.matches, matches) << json;
  const Pattern* const patterns[] = {&pattern};
  EXPECT_EQ(!Matching{Matcher::compile(patterns)}.match(input).empty(), matches) << json;
  return lines(explanation);
}

TEST(ExplainOfEvents, ReadsAttributesKeyAndData) {
  const record::Event event = an_event();
  const Input input{&event, "customer-4"};
  EXPECT_THAT(
      why_of_event(R"({"id": ["e-1"], "source": [{"prefix": "/"}], "specversion": ["1.0"], "region": ["eu"],
                               "flag": ["true"], "key": [{"suffix": "-4"}], "subject": [{"exists": false}],
                               "data": {"amount": [7.0]}})",
                   input, true),
      ElementsAre(R"(id met "e-1" "e-1")", R"(source met {"prefix":"/"} "/shop")", R"(specversion met "1.0" "1.0")",
                  R"(region met "eu" "eu")", R"(flag met "true" "true")", R"(key met {"suffix":"-4"} "customer-4")",
                  R"(subject met {"exists":false} )", "data.amount met 7.0 7"));
  EXPECT_THAT(why_of_event(R"({"type": ["OrderPaid"], "data": {"amount": [{"numeric": [">", 100]}], "x": [1]},
                               "key": [{"exists": false}], "subject": ["c"], "headers": {"a": ["b"]}})",
                           input, false),
              ElementsAre(R"(data.amount not_met {"numeric":[">",100]} 7)", "data.x absent 1 ",
                          R"(key present {"exists":false} "customer-4")", R"(subject absent "c" )",
                          R"(headers.a absent "b" )"));
}

TEST(ExplainOfEvents, SaysWhenThePayloadIsNoJson) {
  record::Event event = an_event();
  event.data = "{\"amount\": 7, oops";
  const std::string_view pattern = R"({"data": {"amount": [7], "x": [1]}})";
  EXPECT_THAT(why_of_event(pattern, {&event}, false), ElementsAre("data.x invalid 1 "));
  event.data_kind = record::DataKind::text;
  EXPECT_THAT(why_of_event(pattern, {&event}, false), ElementsAre("data.amount invalid 7 ", "data.x invalid 1 "));
  event.data_kind = record::DataKind::none;
  event.data = {};
  EXPECT_THAT(why_of_event(pattern, {&event}, false), ElementsAre("data.amount absent 7 ", "data.x absent 1 "));
  EXPECT_THAT(why_of_event(R"({"subject": ["x"]})", {&event}, false), ElementsAre(R"(subject absent "x" )"));
}

TEST(ExplainOfEvents, ReadsHeaders) {
  const record::Event event = an_event();
  std::string bytes;
  ByteWriter out{bytes};
  const auto add = [&](std::string_view name, std::optional<std::string_view> value) {
    out.svarint(static_cast<std::int64_t>(name.size()));
    out.raw(name);
    out.svarint(value ? static_cast<std::int64_t>(value->size()) : -1);
    if (value) out.raw(*value);
  };
  add("region", "eu");
  add("tries", "1");
  add("tries", "2");
  add("a.b", "dotted");
  add("Empty", std::nullopt);
  record::Record record;
  record.headers = bytes;
  record.header_count = 5;
  const Input input{&event, std::nullopt, &record};
  EXPECT_THAT(why_of_event(R"({"headers": {"region": ["eu"], "tries": ["2"], "a": {"b": ["dotted"]},
                               "Empty": [{"exists": true}]}, "key": [{"exists": false}]})",
                           input, true),
              ElementsAre(R"(headers.region met "eu" "eu")", R"(headers.tries met "2" "2")",
                          R"(headers.a.b met "dotted" "dotted")", R"(headers.Empty met {"exists":true} null)",
                          R"(key met {"exists":false} )"));
  EXPECT_THAT(why_of_event(R"({"headers": {"Region": ["eu"], "region": ["us"], "tries": ["3"]}})", input, false),
              ElementsAre(R"(headers.Region absent "eu" )", R"(headers.region not_met "us" "eu")",
                          R"(headers.tries not_met "3" ["1","2"])"));
}

}  // namespace
}  // namespace continuo::routing
