#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

using Type = Value::Type;

// Whether a value passes the only condition of {"a": [...]}, which has one test.
bool passes_one(const std::string& condition, Type type, std::string_view text) {
  const auto pattern = Pattern::parse(R"({"a": [)" + condition + "]}", Scope::json);
  EXPECT_TRUE(pattern) << condition;
  return pattern && passes(pattern->root().fields[0].conditions[0].tests.at(0), Value{type, text});
}

TEST(Passes, NothingOfAnotherType) {
  struct Row {
    std::string condition;
    std::string_view passed;  // of the string x, the string 5, the number 5, true, false, null
  };
  const Row rows[] = {
      {R"("5")", " 5    "},
      {"5", "  n   "},
      {"true", "   t  "},
      {"false", "    f "},
      {"null", "     0"},
      {R"({"equals-ignore-case": "X"})", "x     "},
      {R"({"prefix": ""})", "x5    "},
      {R"({"suffix": ""})", "x5    "},
      {R"({"wildcard": "*"})", "x5    "},
      {R"({"numeric": [">", -1]})", "  n   "},
      {R"({"cidr": "0.0.0.0/0"})", "      "},
  };
  for (const Row& row : rows) {
    std::string passed;
    passed += passes_one(row.condition, Type::string, "x") ? 'x' : ' ';
    passed += passes_one(row.condition, Type::string, "5") ? '5' : ' ';
    passed += passes_one(row.condition, Type::number, "5") ? 'n' : ' ';
    passed += passes_one(row.condition, Type::boolean, "true") ? 't' : ' ';
    passed += passes_one(row.condition, Type::boolean, "false") ? 'f' : ' ';
    passed += passes_one(row.condition, Type::null, "null") ? '0' : ' ';
    EXPECT_EQ(passed, row.passed) << row.condition;
  }
}

TEST(Passes, BoundsOfRanges) {
  const auto numeric = [](const std::string& operand, std::string_view number) {
    return passes_one(R"({"numeric": )" + operand + "}", Type::number, number);
  };
  EXPECT_TRUE(numeric(R"([">=", 1, "<", 2])", "1"));
  EXPECT_TRUE(numeric(R"([">=", 1, "<", 2])", "1.9999999999999998"));
  EXPECT_FALSE(numeric(R"([">=", 1, "<", 2])", "2"));
  EXPECT_FALSE(numeric(R"([">=", 1, "<", 2])", "0.9999999999999999"));
  EXPECT_FALSE(numeric(R"([">", 1.7976931348623157e308])", "1.7976931348623157e308"));
  EXPECT_TRUE(numeric(R"([">", 1.7976931348623157e308])", "1e309"));
  EXPECT_TRUE(numeric(R"(["<", 0])", "-5e-324"));
  EXPECT_FALSE(numeric(R"(["<", 0])", "-1e-400")) << "as a double it is zero";
}

// From the definition: a `*` takes none or one byte more, any other byte itself.
bool fits(std::string_view wildcard, std::string_view text) {
  if (wildcard.empty()) return text.empty();
  if (wildcard[0] == '*') return fits(wildcard.substr(1), text) || (!text.empty() && fits(wildcard, text.substr(1)));
  if (wildcard[0] == '\\') wildcard.remove_prefix(1);
  return !text.empty() && text[0] == wildcard[0] && fits(wildcard.substr(1), text.substr(1));
}

TEST(Passes, WildcardsByTheirDefinition) {
  rc::check("of few letters", [](const std::vector<std::uint8_t>& picks) {
    const std::string_view pieces[] = {"a", "b", "*", "\\*", "\\\\", "ab"};
    std::string wildcard;
    for (const std::uint8_t pick : picks) {
      const std::string_view piece = pieces[pick % std::size(pieces)];
      if (piece != "*" || !wildcard.ends_with('*') || wildcard.ends_with("\\*")) wildcard += piece;
    }
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '*', '\\'));
    routing::Test test;
    test.kind = routing::Test::Kind::wildcard;
    test.text = wildcard;
    RC_ASSERT(passes(test, Value{Type::string, text}) == fits(wildcard, text));
    // A text that was made to fit.
    std::string made;
    for (std::size_t i = 0; i < wildcard.size(); ++i) {
      if (wildcard[i] == '*')
        made += text;
      else
        made += wildcard[i] == '\\' ? wildcard[++i] : wildcard[i];
    }
    RC_ASSERT(passes(test, Value{Type::string, made}));
  });
}

TEST(Passes, WildcardsInLinearTime) {
  routing::Test test;
  test.kind = routing::Test::Kind::wildcard;
  for (int i = 0; i < 1'000; ++i) test.text += "*" + std::string(30, 'a');
  test.text += "*b*";
  EXPECT_FALSE(passes(test, Value{Type::string, std::string(4'000'000, 'a')}));
}

}  // namespace
}  // namespace continuo::routing
