#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Inside of a test, Test is GoogleTest's.
using Kind = Test::Kind;
constexpr Kind prefix = Kind::prefix, suffix = Kind::suffix, wildcard = Kind::wildcard;
constexpr double infinity = std::numeric_limits<double>::infinity();

Pattern parsed(std::string_view json, Scope scope = Scope::json) {
  auto pattern = Pattern::parse(json, scope);
  EXPECT_TRUE(pattern) << json << ": " << to_string(pattern.error());
  return pattern ? std::move(*pattern) : *Pattern::parse(R"({"failed": [1]})", Scope::json);
}

// The conditions of the one field of {"a": [...]}.
std::vector<Condition> conditions(std::string_view array) {
  auto pattern = parsed(fmt::format(R"({{"a": {}}})", array));
  return pattern.root().fields.at(0).conditions;
}

Condition is(Test test) { return {Condition::Kind::is, {std::move(test)}, {}}; }
Condition but(std::vector<Test> tests) { return {Condition::Kind::anything_but, std::move(tests), {}}; }

Test literal(std::string text, Value::Type type = Value::Type::string) {
  Test test;
  test.type = type;
  test.text = std::move(text);
  return test;
}
Test of_text(Kind kind, std::string text, bool ignore_case = false) {
  Test test;
  test.kind = kind;
  test.ignore_case = ignore_case;
  test.text = std::move(text);
  return test;
}
Test folded(std::string text) { return of_text(Test::Kind::literal, std::move(text), true); }

// "a b.c (d | (e f))": the paths of a group, and of its choices.
std::string paths(const Group& group) {
  std::string out;
  for (const Field& field : group.fields) out += (out.empty() ? "" : " ") + field.path;
  for (const auto& choice : group.choices) {
    out += out.empty() ? "(" : " (";
    for (const Group& each : choice) out += (&each == choice.data() ? "" : " | ") + paths(each);
    out += ')';
  }
  return out;
}

TEST(PatternParse, JoinsNamesToPaths) {
  EXPECT_EQ(paths(parsed(R"({"a": ["x"], "b": {"c": [1], "d": {"e": [null]}}})").root()), "a b.c b.d.e");
  EXPECT_EQ(paths(parsed(R"({"a.b": ["x"], "a": {"c.d": ["y"]}})").root()), "a.b a.c.d");
  EXPECT_EQ(paths(parsed(R"({"": {"": ["x"]}})").root()), ".");
  EXPECT_EQ(paths(parsed(R"({"\u0061\n": ["x"]})").root()), "a\n");
}

TEST(PatternParse, KeepsChoicesAsATree) {
  EXPECT_EQ(paths(parsed(R"({"$or": [{"a": ["x"]}, {"b": ["y"]}]})").root()), "(a | b)");
  EXPECT_EQ(paths(parsed(R"({"z": {"$or": [{"a": ["x"], "b": ["y"]}, {"b": ["z"]}], "c": [1]}, "d": [2]})").root()),
            "z.c d (z.a z.b | z.b)");
  EXPECT_EQ(paths(parsed(R"({"$or": [{"a": ["x"], "$or": [{"b": [1]}, {"c": [2]}]}, {"d": {"$or": [{"e": [1]},
                             {"f": [1]}]}}]})")
                      .root()),
            "(a (b | c) | (d.e | d.f))");
}

TEST(PatternParse, ReadsLiterals) {
  EXPECT_THAT(
      conditions(R"(["x", 5, 1.50e3, true, false, null, {"exactly": "y"}, ""])"),
      ElementsAre(is(literal("x")), is(literal("5", Value::Type::number)), is(literal("1.50e3", Value::Type::number)),
                  is(literal("true", Value::Type::boolean)), is(literal("false", Value::Type::boolean)),
                  is(literal("null", Value::Type::null)), is(literal("y")), is(literal(""))));
}

TEST(PatternParse, DecodesStrings) {
  EXPECT_THAT(conditions(R"(["\"\\\/\b\f\n\r\t", "\u0041\u00e9\u20ac", "\ud83d\ude00", "é€😀", "\u0000"])"),
              ElementsAre(is(literal("\"\\/\b\f\n\r\t")), is(literal("Aé€")), is(literal("😀")), is(literal("é€😀")),
                          is(literal(std::string(1, '\0')))));
}

TEST(PatternParse, ReadsTestsOfText) {
  EXPECT_THAT(conditions(R"([{"prefix": "Ab"}, {"suffix": "Cd"}, {"prefix": ""}, {"suffix": ""},
                             {"prefix": {"equals-ignore-case": "ÄB"}}, {"suffix": {"equals-ignore-case": "Straße"}},
                             {"equals-ignore-case": "ÄB"}, {"equals-ignore-case": ""}])"),
              ElementsAre(is(of_text(prefix, "Ab")), is(of_text(suffix, "Cd")), is(of_text(prefix, "")),
                          is(of_text(suffix, "")), is(of_text(prefix, "äb", true)),
                          is(of_text(suffix, "strasse", true)), is(folded("äb")), is(folded(""))));
}

TEST(PatternParse, ReadsWildcards) {
  EXPECT_THAT(conditions(R"([{"wildcard": "a*b*"}, {"wildcard": ""}, {"wildcard": "*"}, {"wildcard": "\\*\\*\\\\*"},
                             {"wildcard": "*\\**"}])"),
              ElementsAre(is(of_text(wildcard, "a*b*")), is(of_text(wildcard, "")), is(of_text(wildcard, "*")),
                          is(of_text(wildcard, R"(\*\*\\*)")), is(of_text(wildcard, R"(*\**)"))));
}

NumberRange range(std::string_view comparison) {
  return conditions(fmt::format(R"([{{"numeric": {}}}])", comparison)).at(0).tests.at(0).numbers;
}

TEST(PatternParse, ReadsNumericRanges) {
  EXPECT_EQ(range(R"(["=", 5])"), (NumberRange{5, 5}));
  EXPECT_EQ(range(R"(["=", 3.018e2])"), (NumberRange{301.8, 301.8}));
  EXPECT_EQ(range(R"(["<=", 5])"), (NumberRange{-infinity, 5}));
  EXPECT_EQ(range(R"([">=", -5.5])"), (NumberRange{-5.5, infinity}));
  EXPECT_EQ(range(R"(["<", 5])"), (NumberRange{-infinity, std::nextafter(5.0, 0.0)}));
  EXPECT_EQ(range(R"([">", 5])"), (NumberRange{std::nextafter(5.0, 6.0), infinity}));
  EXPECT_EQ(range(R"([">", 0, "<=", 5])"), (NumberRange{std::numeric_limits<double>::denorm_min(), 5}));
  EXPECT_EQ(range(R"([">=", 0, "<", 5])"), (NumberRange{0, std::nextafter(5.0, 0.0)}));
  EXPECT_EQ(range(R"([">=", 5, "<=", 5])"), (NumberRange{5, 5}));
  EXPECT_EQ(range(R"([">", 1.7976931348623157e308])"), (NumberRange{infinity, infinity}));
  EXPECT_FALSE(std::signbit(range(R"(["=", -0.0])").low));
}

TEST(PatternParse, ReadsAddressRanges) {
  const auto read = conditions(R"([{"cidr": "10.0.0.7/24"}, {"cidr": "2001:db8::/32"}])");
  EXPECT_EQ(read[0].tests[0].kind, Kind::cidr);
  EXPECT_EQ(read[0].tests[0].addresses, (AddressRange{0x0a000000, 0x0a0000ff, false}));
  EXPECT_TRUE(read[1].tests[0].addresses.v6);
}

TEST(PatternParse, ReadsExists) {
  const auto read = conditions(R"([{"exists": true}, {"exists": false}])");
  EXPECT_EQ(read[0].kind, Condition::Kind::exists);
  EXPECT_EQ(read[1].kind, Condition::Kind::absent);
  EXPECT_THAT(read[0].tests, IsEmpty());
}

TEST(PatternParse, ReadsAnythingBut) {
  EXPECT_THAT(
      conditions(R"([{"anything-but": "x"}, {"anything-but": 5}, {"anything-but": ["x", ""]},
                             {"anything-but": [1, 2.0]}, {"anything-but": {"prefix": "x"}},
                             {"anything-but": {"suffix": ["x", "y"]}}, {"anything-but": {"wildcard": ""}},
                             {"anything-but": {"wildcard": ["*x*"]}},
                             {"anything-but": {"equals-ignore-case": "X"}},
                             {"anything-but": {"equals-ignore-case": ["X", "Y"]}}])"),
      ElementsAre(but({literal("x")}), but({literal("5", Value::Type::number)}), but({literal("x"), literal("")}),
                  but({literal("1", Value::Type::number), literal("2.0", Value::Type::number)}),
                  but({of_text(prefix, "x")}), but({of_text(suffix, "x"), of_text(suffix, "y")}),
                  but({of_text(wildcard, "")}), but({of_text(wildcard, "*x*")}), but({folded("x")}),
                  but({folded("x"), folded("y")})));
}

TEST(PatternParse, KeepsWhatItWasMadeFrom) {
  const auto read = conditions(R"([ "a \" b",  {"anything-but" : [ 1.0 , 2 ]},{"prefix": "\u0041 " } ])");
  EXPECT_EQ(read[0].source, R"("a \" b")");
  EXPECT_EQ(read[1].source, R"({"anything-but":[1.0,2]})");
  EXPECT_EQ(read[2].source, R"({"prefix":"\u0041 "})");
  const std::string_view json = "{ \"type\": [\"x\"] }";
  const auto pattern = parsed(json, Scope::event);
  EXPECT_EQ(pattern.source(), json);
  EXPECT_EQ(pattern.scope(), Scope::event);
}

TEST(PatternParse, TakesThePartsOfAnEvent) {
  EXPECT_EQ(paths(parsed(R"({"id": ["x"], "source": ["x"], "type": ["x"], "subject": ["x"], "time": ["x"],
                             "datacontenttype": ["x"], "dataschema": ["x"], "specversion": ["1.0"], "key": ["x"],
                             "partitionkey": ["x"], "headers": {"Content-Type": ["x"], "a.b": ["x"]},
                             "headers.c": ["x"], "data": {"n": [1, true, null, {"numeric": [">", 5]}]}})",
                         Scope::event)
                      .root()),
            "id source type subject time datacontenttype dataschema specversion key partitionkey "
            "headers.Content-Type headers.a.b headers.c data.n");
  EXPECT_EQ(paths(parsed(R"({"data": [5]})", Scope::event).root()), "data");
  EXPECT_EQ(paths(parsed(R"({"data.$or": [5], "$or": [{"data.a": [5]}, {"key": ["k"]}]})", Scope::event).root()),
            "data.$or (data.a | key)");
}

TEST(PatternParse, LetsAlternativesTestTheSameField) {
  parsed(R"({"$or": [{"a": ["x"], "b": [1]}, {"a": ["y"], "b": [2]}]})");
  parsed(R"({"$or": [{"$or": [{"a": [1]}, {"b": [1]}]}, {"$or": [{"a": [2]}, {"b": [2]}]}]})");
  parsed(R"({"a": ["x"], "a.b": ["y"]})");
}

TEST(PatternParse, TakesNamesThatBeginWithADollar) {
  EXPECT_EQ(paths(parsed(R"({"$schema": ["x"], "$ref": {"$and": ["y"]}, "$orders": [{"prefix": "x"}]})").root()),
            "$schema $ref.$and $orders");
}

TEST(PatternParse, KeepsToItsLimits) {
  const auto refused = [](const std::string& json, const PatternLimits& limits) {
    const auto pattern = Pattern::parse(json, Scope::json, limits);
    return pattern ? std::string{} : pattern.error().detail;
  };
  EXPECT_EQ(refused(R"({"a":[1]})", {.bytes = 9}), "");
  EXPECT_EQ(refused(R"({"a":[1]})", {.bytes = 8}), "the pattern has more than 8 bytes");
  EXPECT_EQ(refused(R"({"a":{"b":[1]}})", {.depth = 2}), "");
  EXPECT_EQ(refused(R"({"a":{"b":[1]}})", {.depth = 1}), "nested deeper than 1 levels");
  EXPECT_EQ(refused(R"({"$or":[{"a":[1]},{"b":[1]}]})", {.depth = 2}), "");
  EXPECT_EQ(refused(R"({"$or":[{"a":[1]},{"b":[1]}]})", {.depth = 1}), "nested deeper than 1 levels");
  EXPECT_EQ(refused(R"({"a":[1],"$or":[{"b":[1]},{"b":[2]}]})", {.fields = 3}), "");
  EXPECT_EQ(refused(R"({"a":[1],"$or":[{"b":[1]},{"b":[2]}]})", {.fields = 2}), "more than 2 fields");
  EXPECT_EQ(refused(R"({"a":[1,{"anything-but":[1,2]},{"exists":true}]})", {.conditions = 4}), "");
  EXPECT_EQ(refused(R"({"a":[1,{"anything-but":[1,2]},{"exists":true}]})", {.conditions = 3}),
            "more than 3 conditions");
  EXPECT_EQ(refused(R"({"aa":{"bb":[1]}})", {.path_bytes = 5}), "");
  EXPECT_EQ(refused(R"({"aa":{"bb":[1]}})", {.path_bytes = 4}), "the field's path has more than 4 bytes");
}

TEST(PatternParse, EndsDeepTexts) {
  const auto nested = [](std::size_t levels, std::string_view open, std::string_view close) {
    std::string json;
    for (std::size_t i = 0; i < levels; ++i) json += open;
    json += "1";
    for (std::size_t i = 0; i < levels; ++i) json += close;
    return json;
  };
  EXPECT_FALSE(Pattern::parse(nested(10'000, R"({"a":)", "}"), Scope::json));
  EXPECT_FALSE(Pattern::parse(nested(30'000, "[", "]"), Scope::json));
  EXPECT_FALSE(Pattern::parse(nested(5'000, R"({"$or":[)", "]}"), Scope::json));
  EXPECT_TRUE(Pattern::parse(R"({"a":)" + nested(63, R"({"a":)", "}").replace(63 * 5, 1, "[1]") + "}", Scope::json));
}

}  // namespace
}  // namespace continuo::routing
