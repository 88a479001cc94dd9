// Patterns and events that somebody made to cost as much as they can. Each test would take hours, or end in a stack
// overflow, with what first comes to mind; the answers are known beforehand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/routing/explain.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/oracle_test.h"

namespace continuo::routing {
namespace {

using oracle::Json;

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string json_string(std::string_view text) { return oracle::write(Json::string(text)); }

std::string operation(std::string_view name, const std::string& operand) {
  return "{" + json_string(name) + ":" + operand + "}";
}

class Set {
 public:
  explicit Set(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto pattern = Pattern::parse(text, Scope::json);
      EXPECT_TRUE(pattern) << text.substr(0, 200) << '\n' << to_string(pattern.error());
      if (pattern) patterns_.push_back(std::make_unique<Pattern>(std::move(*pattern)));
    }
    std::vector<const Pattern*> pointers;
    for (const auto& each : patterns_) pointers.push_back(each.get());
    matching_.emplace(Matcher::compile(pointers));
  }

  std::vector<std::uint32_t> match(std::string_view json) {
    const auto found = matching_->match_json(json);
    return {found.begin(), found.end()};
  }
  std::size_t count(std::string_view json) { return matching_->match_json(json).size(); }
  bool explained(std::size_t pattern, std::string_view json) const {
    return explain_json(*patterns_[pattern], json).matches;
  }
  std::size_t bytes() const { return matching_->matcher().bytes(); }

 private:
  std::vector<std::unique_ptr<Pattern>> patterns_;
  std::optional<Matching> matching_;
};

// --- Wildcards ------------------------------------------------------------------------------------------------------

// Random pieces of few letters between stars.
std::vector<std::string> overlapping_wildcards(std::size_t count) {
  SeededRandom random{7};
  std::vector<std::string> wildcards;
  while (wildcards.size() < count) {
    std::string wildcard = random.chance(1, 2) ? "*" : "";
    for (std::uint64_t pieces = 2 + random.below(3); pieces > 0; --pieces) {
      for (std::uint64_t letters = 1 + random.below(3); letters > 0; --letters) wildcard += "abcd"[random.below(4)];
      if (pieces > 1 || random.chance(1, 2)) wildcard += '*';
    }
    wildcards.push_back(std::move(wildcard));
  }
  return wildcards;
}

std::string letters(Random& random, std::size_t count) {
  std::string out;
  while (out.size() < count) out += "abcd"[random.below(4)];
  return out;
}

TEST(Hostile, TenThousandWildcardsThatOverlap) {
  const auto wildcards = overlapping_wildcards(10'000);
  std::vector<std::string> patterns;
  for (const std::string& wildcard : wildcards)
    patterns.push_back(R"({"a":[)" + operation("wildcard", json_string(wildcard)) + "]}");
  Set set{patterns};
  EXPECT_LT(set.bytes(), 100u << 20);
  SeededRandom random{8};
  for (const std::size_t size : {0, 1, 3, 10, 30, 100, 200}) {
    const std::string text = letters(random, size);
    std::vector<std::uint32_t> right;
    for (std::uint32_t i = 0; i < wildcards.size(); ++i) {
      Json condition = Json::object();
      condition.add("wildcard", Json::string(wildcards[i]));
      if (oracle::meets(condition, Json::string(text))) right.push_back(i);
    }
    EXPECT_EQ(set.match(R"({"a":")" + text + "\"}"), right) << text;
  }
  // A long text has everything; only how it begins and ends decides.
  const std::string text = letters(random, 50'000);
  const auto fits = [&](const std::string& wildcard) {
    const auto first = wildcard.find('*'), last = wildcard.rfind('*');
    return text.starts_with(wildcard.substr(0, first)) && text.ends_with(wildcard.substr(last + 1));
  };
  EXPECT_EQ(set.count(R"({"a":")" + text + "\"}"), static_cast<std::size_t>(std::ranges::count_if(wildcards, fits)));
}

TEST(Hostile, AMegabyteAgainstWildcardsThatNearlyFit) {
  std::vector<std::string> patterns;
  for (std::size_t stars = 1; stars <= 100; ++stars)
    patterns.push_back(R"({"a":[)" + operation("wildcard", json_string(repeated("*a", stars) + "*b")) + "]}");
  Set set{patterns};
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(set.count(R"({"a":")" + text + "\"}"), 0u);
  EXPECT_EQ(set.count(R"({"a":")" + text + "b\"}"), 100u);
  EXPECT_FALSE(set.explained(99, R"({"a":")" + text + "\"}"));
  EXPECT_TRUE(set.explained(99, R"({"a":")" + text + "b\"}"));
}

TEST(Hostile, AMegabyteAgainstEveryOtherOperator) {
  const std::string end = std::string(30'000, 'a') + "b";
  Set set{{R"({"a":[)" + operation("suffix", json_string(end)) + "]}",
           R"({"a":[)" + operation("prefix", json_string(end)) + "]}",
           R"({"a":[{"suffix":{"equals-ignore-case":")" + end + "\"}}]}",
           R"({"a":[{"prefix":{"equals-ignore-case":")" + end + "\"}}]}",
           R"({"a":[)" + operation("equals-ignore-case", json_string(end)) + "]}",
           R"({"a":[{"anything-but":{"suffix":")" + end + "\"}}]}",
           R"({"a":[{"anything-but":{"wildcard":"*)" + end + "*\"}}]}"}};
  EXPECT_EQ(set.match(R"({"a":")" + std::string(1 << 20, 'a') + "\"}"), (std::vector<std::uint32_t>{5, 6}));
  EXPECT_EQ(set.match(R"({"a":")" + std::string(1 << 20, 'a') + "b\"}"), (std::vector<std::uint32_t>{0, 2}));
  const std::string digits(1 << 20, '1');
  EXPECT_EQ(set.match(R"({"a":)" + digits + "}"), (std::vector<std::uint32_t>{5, 6}));
  EXPECT_EQ(set.match(R"({"a":")" + repeated("\\u0130", 1 << 17) + "\"}"), (std::vector<std::uint32_t>{5, 6}));
}

// --- Depth ----------------------------------------------------------------------------------------------------------

constexpr std::size_t levels = 100'000;

TEST(Hostile, DeepObjects) {
  const std::string deep = repeated(R"({"a":)", levels) + "1" + repeated("}", levels);
  std::string wanted = "[1]";
  for (int level = 0; level < 60; ++level) wanted = R"({"a":)" + wanted + "}";
  std::string absent = R"([{"exists":false}])";
  for (int level = 0; level < 60; ++level) absent = R"({"a":)" + absent + "}";
  Set set{{wanted, absent, R"({"b":[2]})", R"({"x":[1]})"}};
  EXPECT_EQ(set.match(deep), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(set.match(R"({"x":)" + deep + R"(,"b":2})"), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(set.match(R"({"a":)" + deep + R"(,"b":2})"), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(set.match(repeated(R"({"a":)", levels)), (std::vector<std::uint32_t>{1}));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(set.explained(i, deep), i == 1);
}

TEST(Hostile, DeepArrays) {
  const auto nested = [](std::size_t depth, std::string_view inner) {
    return repeated("[", depth) + std::string{inner} + repeated("]", depth);
  };
  Set set{{R"({"a":[1]})", R"({"b":[2]})", R"({"c":{"d":[3],"e":[4]}})"}};
  EXPECT_EQ(set.match(R"({"x":)" + nested(levels, "1") + R"(,"b":2})"), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(set.match(R"({"a":)" + nested(500, "1") + R"(,"b":2})"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(set.match(R"({"c":)" + nested(500, R"({"d":3,"e":4})") + R"(,"b":2})"), (std::vector<std::uint32_t>{1, 2}));
  // Deeper than anything is looked into: as if the text broke there.
  EXPECT_EQ(set.match(R"({"b":2,"a":)" + nested(levels, "1") + "}"), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(set.match(R"({"a":)" + repeated("[", levels)), (std::vector<std::uint32_t>{}));
  const std::string mixed = repeated(R"([{"d":)", levels) + "3" + repeated("}]", levels);
  EXPECT_EQ(set.match(R"({"b":2,"c":)" + mixed + "}"), (std::vector<std::uint32_t>{1}));
  EXPECT_FALSE(set.explained(2, R"({"b":2,"c":)" + mixed + "}"));
}

TEST(Hostile, DottedNamesWithoutEnd) {
  Set set{{R"({"a":{"b":[1]}})", R"({"b":[2]})"}};
  EXPECT_EQ(set.match(R"({")" + repeated("a.", levels) + R"(b":1,"b":2})"), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(set.match(R"({")" + std::string(levels, '.') + R"(":1,"a.b":1})"), (std::vector<std::uint32_t>{0}));
}

// --- Arrays ---------------------------------------------------------------------------------------------------------

// Each element has all the fields but one: every field is met thousands of times, and never all together.
std::string elements_without_one(std::size_t count, std::size_t fields, std::string_view value = "1") {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    out += i == 0 ? "{" : ",{";
    for (std::size_t field = 0, written = 0; field < fields; ++field)
      if (field != i % fields)
        out += (written++ == 0 ? "\"f" : ",\"f") + std::to_string(field) + "\":" + std::string{value};
    out += '}';
  }
  return out + "]";
}

std::string pattern_of_fields(std::size_t fields, const std::string& conditions) {
  std::string out = R"({"r":{)";
  for (std::size_t field = 0; field < fields; ++field)
    out += (field == 0 ? "\"f" : ",\"f") + std::to_string(field) + "\":[" + conditions + "]";
  return out + "}}";
}

TEST(Hostile, ElementsThatNeverHaveAll) {
  constexpr std::size_t fields = 10;
  std::vector<std::string> patterns;
  for (std::size_t i = 0; i < 5; ++i) patterns.push_back(pattern_of_fields(fields, "1," + std::to_string(1000 + i)));
  Set set{patterns};
  const std::string elements = elements_without_one(100'000, fields);
  EXPECT_EQ(set.count(R"({"r":)" + elements + "}"), 0u);
  EXPECT_FALSE(set.explained(0, R"({"r":)" + elements + "}"));
  std::string whole = elements;
  whole.back() = ',';
  whole += R"({"f0":1,"f1":1,"f2":1,"f3":1,"f4":1,"f5":1,"f6":1,"f7":1,"f8":1,"f9":1}])";
  EXPECT_EQ(set.count(R"({"r":)" + whole + "}"), 5u);
  EXPECT_TRUE(set.explained(0, R"({"r":)" + whole + "}"));
}

TEST(Hostile, ElementsOfElements) {
  constexpr std::size_t fields = 4, outer = 300;
  Set set{{pattern_of_fields(fields, "1"), R"({"r":{"f0":[1],"f1":[1]}})"}};
  const std::string inner = elements_without_one(outer, fields);
  std::string nested = "[";
  for (std::size_t i = 0; i < outer; ++i) nested += (i == 0 ? "" : ",") + inner;
  nested += ']';
  EXPECT_EQ(set.match(R"({"r":)" + nested + "}"), (std::vector<std::uint32_t>{1}));
  EXPECT_FALSE(set.explained(0, R"({"r":)" + nested + "}"));
}

TEST(Hostile, EveryElementMeetsAnother) {
  constexpr std::size_t count = 30'000, kinds = 1'000;
  std::vector<std::string> patterns;
  for (std::size_t i = 0; i < kinds; ++i)
    for (const std::size_t other : {i % 7, (i + 1) % 7})
      patterns.push_back(R"({"r":{"x":[)" + std::to_string(i) + R"(],"y":[)" + std::to_string(other) + "]}}");
  std::string event = R"({"r":[)";
  for (std::size_t i = 0; i < count; ++i)
    event += (i == 0 ? R"({"x":)" : R"(,{"x":)") + std::to_string(i % kinds) + R"(,"y":)" +
             std::to_string(i % kinds % 7) + "}";
  event += "]}";
  Set set{patterns};
  std::vector<std::uint32_t> right;
  for (std::uint32_t i = 0; i < 2 * kinds; i += 2) right.push_back(i);
  EXPECT_EQ(set.match(event), right);
}

// --- Choices --------------------------------------------------------------------------------------------------------

constexpr std::size_t choices = 20, groups = 20;

// Twenty `$or` of twenty, each under a name of its own, for an object has one: 20^20 combinations.
std::string pattern_of_choices() {
  std::string out = "{";
  for (std::size_t choice = 0; choice < choices; ++choice) {
    out += (choice == 0 ? "\"c" : ",\"c") + std::to_string(choice) + R"(":{"$or":[)";
    for (std::size_t group = 0; group < groups; ++group)
      out += (group == 0 ? "{\"g" : ",{\"g") + std::to_string(group) + "\":[1]}";
    out += "]}";
  }
  return out + "}";
}

std::string chosen(std::size_t without) {
  std::string out = "{";
  for (std::size_t choice = 0; choice < choices; ++choice) {
    out += (choice == 0 ? "\"c" : ",\"c") + std::to_string(choice) + "\":{\"g" + std::to_string(groups - 1 - choice) +
           "\":" + (choice == without ? "2" : "1") + "}";
  }
  return out + "}";
}

TEST(Hostile, TwentyChoicesOfTwenty) {
  Set set{std::vector{pattern_of_choices()}};
  EXPECT_LT(set.bytes(), 4u << 20);
  EXPECT_EQ(set.count(chosen(choices)), 1u);
  EXPECT_TRUE(set.explained(0, chosen(choices)));
  for (std::size_t without = 0; without < choices; ++without) {
    EXPECT_EQ(set.count(chosen(without)), 0u);
    EXPECT_FALSE(set.explained(0, chosen(without)));
  }
}

TEST(Hostile, TwentyChoicesOfTwentyInElements) {
  Set set{std::vector{R"({"r":)" + pattern_of_choices() + "}"}};
  std::string event = R"({"r":[)";
  for (std::size_t i = 0; i < 2'000; ++i) event += (i == 0 ? "" : ",") + chosen(i % choices);
  EXPECT_EQ(set.count(event + "]}"), 0u);
  EXPECT_FALSE(set.explained(0, event + "]}"));
  EXPECT_EQ(set.count(event + "," + chosen(choices) + "]}"), 1u);
  EXPECT_TRUE(set.explained(0, event + "," + chosen(choices) + "]}"));
}

// Choices that share arrays can say whatever propositional logic can: an array of two elements is a variable, and a
// clause holds by what one of them has. All `$or` have one prefix, which can be written in many ways.
struct Formula {
  std::size_t variables = 0;
  struct Literal {
    std::size_t variable;
    bool positive;
  };
  std::vector<std::array<Literal, 3>> clauses;
};

constexpr std::string_view segments = "abcdefgh";  // of the prefix; with dots or without between each two

std::string literal_name(std::size_t variable) { return "v" + std::to_string(variable); }
std::string clause_name(std::size_t clause) { return "c" + std::to_string(clause); }

Json choice_of(const Formula& formula, std::size_t clause) {
  Json choice = Json::array();
  for (const auto& literal : formula.clauses[clause]) {
    Json one = Json::array();
    one.add(Json::number(literal.positive ? "1" : "0"));
    Json element = Json::object();
    element.add(clause_name(clause), std::move(one));
    choice.add(Json::object()).add(literal_name(literal.variable), std::move(element));
  }
  Json object = Json::object();
  object.add("$or", std::move(choice));
  return object;
}

Json pattern_of(const Formula& formula, std::size_t from, std::size_t& clause) {
  Json object = Json::object();
  std::string name;
  for (std::size_t to = from; to < segments.size() && clause < formula.clauses.size(); ++to) {
    if (to > from) name += '.';
    name += segments[to];
    object.add(name, to + 1 == segments.size() ? choice_of(formula, clause++) : pattern_of(formula, to + 1, clause));
  }
  return object;
}

// The first element of a variable's array has what holds when it is true.
std::string event_of(const Formula& formula) {
  Json variables = Json::object();
  for (std::size_t variable = 0; variable < formula.variables; ++variable) {
    Json& array = variables.add(literal_name(variable), Json::array());
    for (const bool positive : {true, false}) {
      Json& element = array.add(Json::object());
      for (std::size_t clause = 0; clause < formula.clauses.size(); ++clause)
        for (const auto& literal : formula.clauses[clause])
          if (literal.variable == variable && literal.positive == positive)
            element.add(clause_name(clause), Json::number(positive ? "1" : "0"));
    }
  }
  for (const char segment : std::views::reverse(segments)) {
    Json outer = Json::object();
    outer.add(std::string_view{&segment, 1}, std::move(variables));
    variables = std::move(outer);
  }
  return oracle::write(variables);
}

std::string pattern_of(const Formula& formula) {
  std::size_t clause = 0;
  const std::string pattern = oracle::write(pattern_of(formula, 0, clause));
  EXPECT_EQ(clause, formula.clauses.size());
  return pattern;
}

Formula random_formula(std::size_t variables, std::size_t clauses) {
  SeededRandom random{11};
  Formula formula{variables, {}};
  while (formula.clauses.size() < clauses) {
    const auto first = random.below(variables - 2), second = first + 1 + random.below(variables - first - 2);
    const auto third = second + 1 + random.below(variables - second - 1);
    formula.clauses.push_back(
        {{{first, random.chance(1, 2)}, {second, random.chance(1, 2)}, {third, random.chance(1, 2)}}});
  }
  return formula;
}

TEST(Hostile, ChoicesThatContradict) {
  Formula formula{3, {}};
  for (unsigned signs = 0; signs < 8; ++signs)
    formula.clauses.push_back({{{0, (signs & 1) != 0}, {1, (signs & 2) != 0}, {2, (signs & 4) != 0}}});
  Set never{std::vector{pattern_of(formula)}};
  EXPECT_EQ(never.count(event_of(formula)), 0u);
  EXPECT_FALSE(never.explained(0, event_of(formula)));
  formula.clauses.pop_back();
  Set once{std::vector{pattern_of(formula)}};
  EXPECT_EQ(once.count(event_of(formula)), 1u);
  EXPECT_TRUE(once.explained(0, event_of(formula)));
}

bool can_be_true(const Formula& formula) {
  for (std::uint32_t assigned = 0; assigned < 1u << formula.variables; ++assigned)
    if (std::ranges::all_of(formula.clauses, [&](const auto& clause) {
          return std::ranges::any_of(
              clause, [&](const auto& each) { return ((assigned >> each.variable & 1) != 0) == each.positive; });
        }))
      return true;
  return false;
}

// Random ones as small as anybody may write, and some for which nobody is known to have a fast way. Of those only an
// end is promised, and one answer.
TEST(Hostile, ChoicesThatAreHardToSatisfy) {
  for (std::size_t variables = 4; variables <= 12; ++variables) {
    for (const std::size_t clauses : {3 * variables, 5 * variables, 7 * variables}) {
      const Formula formula = random_formula(variables, clauses);
      Set set{std::vector{pattern_of(formula)}};
      EXPECT_EQ(set.count(event_of(formula)) == 1, can_be_true(formula)) << variables << ' ' << clauses;
    }
  }
  for (const std::size_t variables : {8, 29}) {
    const Formula formula = random_formula(variables, std::min<std::size_t>(7 * variables, 128));
    Set set{std::vector{pattern_of(formula)}};
    EXPECT_EQ(set.count(event_of(formula)) == 1, set.explained(0, event_of(formula))) << variables;
  }
}

// Three choices of ten in one array: a thousand ways to combine them, and more elements.
TEST(Hostile, ChoicesInManyElements) {
  std::string pattern = "{";
  for (const std::string_view choice : {"r", "r.x", "r.y"}) {
    pattern += (pattern.size() > 1 ? "," : "") + json_string(choice) + R"(:{"$or":[)";
    for (int group = 0; group < 10; ++group)
      pattern += (group == 0 ? "" : ",") + operation("g" + std::to_string(group), "[1]");
    pattern += "]}";
  }
  Set set{std::vector{pattern + "}"}};
  const auto element = [](int first, int second, int third) {
    const auto group = [](int number) { return "\"g" + std::to_string(number) + "\":1"; };
    return "{" + group(first) + R"(,"x":{)" + group(second) + R"(},"y":{)" + group(third) + "}}";
  };
  std::string event = R"({"r":[{})";
  for (int i = 0; i < 20'000; ++i) {
    const int missing = i % 3, first = i / 3 % 10, second = i / 30 % 10;
    event += "," + element(missing == 0 ? 10 : first, missing == 1 ? 10 : second, missing == 2 ? 10 : i / 300 % 10);
  }
  EXPECT_EQ(set.count(event + "]}"), 0u);
  EXPECT_FALSE(set.explained(0, event + "]}"));
  EXPECT_EQ(set.count(event + "," + element(4, 5, 6) + "]}"), 1u);
  EXPECT_TRUE(set.explained(0, event + "," + element(4, 5, 6) + "]}"));
}

// --- Many values ----------------------------------------------------------------------------------------------------

TEST(Hostile, ThousandsOfValuesInAField) {
  std::vector<std::string> patterns;
  for (std::size_t pattern = 0; pattern < 20; ++pattern) {
    std::string values;
    for (std::size_t i = 0; i < 9'000; ++i) values += (i == 0 ? "" : ",") + std::to_string(i * 20 + pattern);
    patterns.push_back(R"({"a":[)" + values + "]}");
    patterns.push_back(R"({"a":[{"anything-but":[)" + values + "]}]}");
  }
  Set set{patterns};
  EXPECT_EQ(set.count(R"({"a":100})"), 20u);  // one by its value, nineteen by theirs not being it
  EXPECT_EQ(set.count(R"({"a":180000})"), 20u);
  EXPECT_EQ(set.count(R"({"a":"x"})"), 20u);
  std::string all = R"({"a":[0)";
  for (std::size_t i = 1; i < 180'000; ++i) all += ',' + std::to_string(i);
  EXPECT_EQ(set.count(all + "]}"), 40u);
}

}  // namespace
}  // namespace continuo::routing
