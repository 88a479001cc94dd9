// Patterns and events whose answers are known from elsewhere: recorded from EventBridge, or from event-ruler.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "continuo/routing/explain.h"
#include "continuo/routing/json5_test.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/oracle_test.h"
#include "continuo/routing/pattern_json.h"

namespace continuo::routing {
namespace {

bool matches(const Pattern& pattern, std::string_view event) {
  const Pattern* const patterns[] = {&pattern};
  const bool by_matcher = !Matching{Matcher::compile(patterns)}.match_json(event).empty();
  const Explanation explanation = explain_json(pattern, event);
  EXPECT_EQ(explanation.matches, by_matcher) << pattern.source() << " of " << event;
  EXPECT_FALSE(explanation.because.empty()) << pattern.source() << " of " << event;
  EXPECT_EQ(oracle::Oracle{pattern.source()}.matches(oracle::event_of(oracle::read(event))), by_matcher)
      << pattern.source() << " of " << event;
  return by_matcher;
}

TEST(Json5, BecomesJson) {
  EXPECT_EQ(json_of_json5("{\"a\": [1, 2, ], // x, \"\n\"b//,]\": \"\\\"//\",\n}"),
            "{\"a\": [1, 2  ],        \n\"b//,]\": \"\\\"//\" \n}");
  EXPECT_EQ(json_of_json5("[1, // one\n 2, // two\n]"), "[1,       \n 2        \n]");
}

std::string_view part(const PatternJson& object, std::string_view name, std::string_view json) {
  for (const PatternMember& each : object.members)
    if (each.name == name) return json.substr(each.value.begin, each.value.end - each.value.begin);
  ADD_FAILURE() << "there is no " << name;
  return {};
}

TEST(RecordedCases, AnswerAsEventBridgeDoes) {
  const char* const folder = std::getenv("CONTINUO_CASES");
  if (folder == nullptr) GTEST_SKIP() << "CONTINUO_CASES names no folder of recorded cases";
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator{std::filesystem::path{folder} / "event-patterns"}) {
    if (file.path().extension() != ".json5") continue;
    SCOPED_TRACE(file.path().filename());
    std::ostringstream text;
    text << std::ifstream{file.path()}.rdbuf();
    const std::string json = json_of_json5(text.str());
    const auto both = read_pattern_json(json, 100);
    ASSERT_TRUE(both) << to_string(both.error());
    const std::string_view source = part(*both, "EventPattern", json), event = part(*both, "Event", json);
    const std::string name = file.path().stem();
    const auto pattern = Pattern::parse(source, Scope::json);
    if (name.ends_with("_EXC")) {
      EXPECT_FALSE(pattern) << source;
    } else {
      ASSERT_TRUE(pattern) << source << ": " << to_string(pattern.error());
      EXPECT_EQ(matches(*pattern, event), !name.ends_with("_NEG")) << source << " of " << event;
    }
    ++count;
  }
  EXPECT_GE(count, 70);
}

// What event-ruler 2.0.1 answered, and where Continuo means to differ.
struct Case {
  std::string_view pattern, event;
  bool matches;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    const auto pattern = Pattern::parse(each.pattern, Scope::json);
    ASSERT_TRUE(pattern) << each.pattern << ": " << to_string(pattern.error());
    EXPECT_EQ(matches(*pattern, each.event), each.matches) << each.pattern << " of " << each.event;
  }
}

TEST(EdgeCases, OfFieldsThatAreNotThere) {
  check({{R"({"a": [{"exists": false}]})", R"({"a": []})", true},
         {R"({"a": [{"exists": false}]})", R"({"a": {}})", true},
         {R"({"a": [{"exists": false}]})", R"({"a": {"b": 1}})", true},
         {R"({"a": [{"exists": false}]})", R"({"a": [[], {}]})", true},
         {R"({"a": [{"exists": false}]})", R"({"a": null})", false},
         {R"({"a": [{"exists": true}]})", R"({"a": null})", true},
         {R"({"a": [{"exists": true}]})", R"({"a": [{"b": 1}, 2]})", true},
         {R"({"a": [{"exists": true}]})", R"({"a": []})", false},
         {R"({"a": [{"exists": true}]})", R"({"a": {"b": 1}})", false},
         {R"({"a": {"b": [{"exists": false}]}})", R"({"a": 1})", true},
         {R"({"a": {"b": [{"exists": false}], "c": [1]}})", R"({"a": [{"c": 1}, {"b": 1}]})", false},
         {R"({"a": [{"exists": false}]})", "", true},
         {R"({"a": [{"exists": false}, "x"]})", R"({"a": "x"})", true},
         {R"({"a": [{"exists": false}, "x"]})", R"({"a": "y"})", false}});
}

TEST(EdgeCases, OfNumbers) {
  check({{R"({"a": [5]})", R"({"a": 5.0})", true},
         {R"({"a": [5]})", R"({"a": 5e0})", true},
         {R"({"a": [5.0]})", R"({"a": 5})", true},
         {R"({"a": [100]})", R"({"a": 1e2})", true},
         {R"({"a": [1e2]})", R"({"a": 100.00})", true},
         {R"({"a": [0]})", R"({"a": -0.0})", true},
         {R"({"a": [-0.0]})", R"({"a": 0})", true},
         {R"({"a": [5]})", R"({"a": "5"})", false},
         {R"({"a": ["5"]})", R"({"a": 5})", false},
         {R"({"a": [12345678901234567890]})", R"({"a": 12345678901234567890})", true},
         {R"({"a": [12345678901234567890]})", R"({"a": 12345678901234567891})", false},
         {R"({"a": [0.1]})", R"({"a": 0.10000000000000000001})", false},
         {R"({"a": [{"numeric": ["=", 0.1]}]})", R"({"a": 0.10000000000000000001})", true},
         {R"({"a": [{"numeric": [">", 0, "<=", 5]}]})", R"({"a": 5})", true},
         {R"({"a": [{"numeric": [">", 0, "<=", 5]}]})", R"({"a": 0})", false},
         {R"({"a": [{"numeric": [">", 0, "<=", 5]}]})", R"({"a": -0.0})", false},
         {R"({"a": [{"numeric": [">=", 0]}]})", R"({"a": -0.0})", true},
         {R"({"a": [{"numeric": ["<", 5]}]})", R"({"a": "4"})", false},
         {R"({"a": [{"numeric": [">", 5]}]})", R"({"a": 1e400})", true},
         {R"({"a": [{"numeric": ["<", 5]}]})", R"({"a": 4.999999999999999})", true},
         {R"({"a": [1e999999999]})", R"({"a": 10e999999998})", true}});
}

TEST(EdgeCases, OfAnythingBut) {
  check({{R"({"a": [{"anything-but": "x"}]})", R"({"a": "y"})", true},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": "x"})", false},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": null})", true},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": true})", true},
         {R"({"a": [{"anything-but": "5"}]})", R"({"a": 5})", true},
         {R"({"a": [{"anything-but": 5}]})", R"({"a": "5"})", true},
         {R"({"a": [{"anything-but": 5}]})", R"({"a": 5.0})", false},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": ["x", "y"]})", true},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": ["x", "x"]})", false},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": []})", false},
         {R"({"a": [{"anything-but": "x"}]})", R"({"b": 1})", false},
         {R"({"a": [{"anything-but": "x"}]})", R"({"a": {"x": 1}})", false},
         {R"({"a": [{"anything-but": {"prefix": "x"}}]})", R"({"a": 12})", true},
         {R"({"a": [{"anything-but": {"wildcard": ["*x", "y*"]}}]})", R"({"a": "yz"})", false},
         {R"({"a": [{"anything-but": {"wildcard": ""}}]})", R"({"a": "x"})", true},
         {R"({"a": [{"anything-but": {"equals-ignore-case": ["x", "y"]}}]})", R"({"a": "Y"})", false}});
}

TEST(EdgeCases, OfAddresses) {
  check({{R"({"a": ["10.0.0.1"]})", R"({"a": "10.0.0.01"})", true},
         {R"({"a": ["10.0.0.01"]})", R"({"a": "10.0.0.1"})", true},
         {R"({"a": ["2001:db8::1"]})", R"({"a": "2001:0db8:0000:0000:0000:0000:0000:0001"})", true},
         {R"({"a": ["2001:DB8::1"]})", R"({"a": "2001:db8:0::1"})", true},
         {R"({"a": ["::ffff:10.0.0.1"]})", R"({"a": "10.0.0.1"})", false},
         {R"({"a": [{"prefix": "10.0.0.1"}]})", R"({"a": "10.0.0.01"})", false},
         {R"({"a": [{"equals-ignore-case": "10.0.0.1"}]})", R"({"a": "10.0.0.01"})", false},
         {R"({"a": [{"anything-but": "10.0.0.1"}]})", R"({"a": "10.0.0.01"})", false},
         {R"({"a": [{"cidr": "10.0.0.0/24"}]})", R"({"a": "10.0.000.255"})", true},
         {R"({"a": [{"cidr": "10.0.0.0/24"}]})", R"({"a": "10.0.1.0"})", false},
         {R"({"a": [{"cidr": "10.0.0.0/24"}]})", R"({"a": 10})", false},
         {R"({"a": [{"cidr": "0.0.0.0/0"}]})", R"({"a": "::1"})", false},
         {R"({"a": [{"cidr": "::/0"}]})", R"({"a": "10.0.0.1"})", false},
         {R"({"a": [{"cidr": "::/0"}]})", R"({"a": "::1"})", true}});
}

TEST(EdgeCases, OfText) {
  check({{R"({"a": ["A"]})", R"({"a": "\u0041"})", true},
         {R"({"a": ["\u0041"]})", R"({"a": "A"})", true},
         {R"({"A": ["x"]})", R"({"\u0041": "x"})", true},
         {R"({"a": [{"equals-ignore-case": "straße"}]})", R"({"a": "STRASSE"})", true},
         {R"({"a": [{"equals-ignore-case": "STRASSE"}]})", R"({"a": "straße"})", true},
         {R"({"a": [{"prefix": {"equals-ignore-case": "STRASS"}}]})", R"({"a": "straße"})", true},
         {R"({"a": [{"suffix": {"equals-ignore-case": "Äß"}}]})", R"({"a": "xäSS"})", true},
         {R"({"a": [{"prefix": ""}]})", R"({"a": ""})", true},
         {R"({"a": [{"prefix": ""}]})", R"({"a": 5})", false},
         {R"({"a": [{"suffix": ""}]})", R"({"a": "x"})", true},
         {R"({"a": [{"prefix": "\""}]})", R"({"a": "x"})", false},
         {R"({"a": ["null"]})", R"({"a": null})", false},
         {R"({"a": ["true"]})", R"({"a": true})", false},
         {R"({"a": [true]})", R"({"a": "true"})", false}});
}

TEST(EdgeCases, OfWildcards) {
  check({{R"({"a": [{"wildcard": ""}]})", R"({"a": ""})", true},
         {R"({"a": [{"wildcard": ""}]})", R"({"a": "x"})", false},
         {R"({"a": [{"wildcard": "*"}]})", R"({"a": ""})", true},
         {R"({"a": [{"wildcard": "*"}]})", R"({"a": 5})", false},
         {R"({"a": [{"wildcard": "*"}]})", R"({"a": null})", false},
         {R"({"a": [{"wildcard": "a*b"}]})", R"({"a": "ab"})", true},
         {R"({"a": [{"wildcard": "a*a"}]})", R"({"a": "a"})", false},
         {R"({"a": [{"wildcard": "*ab*ab*"}]})", R"({"a": "xabyab"})", true},
         {R"({"a": [{"wildcard": "*ab*ab*"}]})", R"({"a": "xaby"})", false},
         {R"({"a": [{"wildcard": "a\\*b"}]})", R"({"a": "a*b"})", true},
         {R"({"a": [{"wildcard": "a\\*b"}]})", R"({"a": "axb"})", false},
         {R"({"a": [{"wildcard": "a\\\\*"}]})", R"({"a": "a\\b"})", true},
         {R"({"a": [{"wildcard": "*\n*"}]})", R"({"a": "x\ny"})", true}});
}

TEST(EdgeCases, OfArrays) {
  check({{R"({"a": [2]})", R"({"a": [[1, [2]], 3]})", true},
         {R"({"a": {"b": [1]}})", R"({"a": [[{"b": 1}]]})", true},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a": [{"b": 1, "c": 2}]})", true},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a": [{"b": 1}, {"c": 2}]})", false},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a": [[{"b": 1}], [{"c": 2}]]})", false},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a": [{"b": [0, 1], "c": [2, 3]}]})", true},
         {R"({"a": {"b": [1]}, "c": {"b": [2]}})", R"({"a": [{"b": 1}], "c": [{"b": 2}]})", true},
         {R"({"a": ["x"], "a.b": [1]})", R"({"a": ["x", {"b": 1}]})", false},
         {R"({"a": {"b": [1], "$or": [{"c": [2]}, {"d": [3]}]}})", R"({"a": [{"b": 1, "d": 3}, {"c": 2}]})", true},
         {R"({"a": {"b": [1], "$or": [{"c": [2]}, {"d": [3]}]}})", R"({"a": [{"b": 1}, {"c": 2, "d": 3}]})", false}});
}

TEST(EdgeCases, OfNamesWithDots) {
  check({{R"({"a.b": [1]})", R"({"a": {"b": 1}})", true},
         {R"({"a": {"b": [1]}})", R"({"a.b": 1})", true},
         {R"({"a": {"b.c": [1]}})", R"({"a.b": {"c": 1}})", true},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a.b": 1, "a": {"c": 2}})", true}});
}

// Event-ruler takes the values of all; Continuo those of the first.
TEST(EdgeCases, OfNamesThatComeTwice) {
  check({{R"({"a": [1]})", R"({"a": 1, "a": 2})", true},
         {R"({"a": [2]})", R"({"a": 1, "a": 2})", false},
         {R"({"a": [2]})", R"({"a": 1, "a": [2]})", false},
         {R"({"a": [1, {"exists": false}]})", R"({"a": 2, "a": 1})", false},
         {R"({"a": [{"exists": true}]})", R"({"a": [], "a": 1})", false},
         {R"({"a": {"b": [1]}})", R"({"a": 5, "a": {"b": 1}})", false},
         {R"({"a": {"b": [1], "c": [2]}})", R"({"a": {"b": 1}, "a": {"c": 2}})", true},
         {R"({"a": {"b": [2]}})", R"({"a": {"b": 1}, "a": {"b": 2}})", false},
         {R"({"a": {"b": [2]}})", R"({"a": {"b": 1}, "a.b": 2})", false},
         {R"({"a": [5]})", R"({"a": {"b": 1}, "a": 5})", false}});
}

TEST(EdgeCases, OfEventsThatAreNoJson) {
  check({{R"({"a": [1]})", R"({"a": 1, "b": )", true},
         {R"({"a": [1]})", R"({"b" 2, "a": 1})", false},
         {R"({"a": [1]})", R"({"a": 1)", false},
         {R"({"a": ["x"]})", R"({"a": "x)", false},
         {R"({"a": ["x"]})", R"({"a": ["x", oops})", true},
         {R"({"a": ["x"]})", R"("x")", false},
         {R"({"a": [1, {"exists": true}]})", R"({"a": 01})", false}});
}

}  // namespace
}  // namespace continuo::routing
