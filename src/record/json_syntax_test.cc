#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/record/json_scan.h"
#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

Result<void> checked(std::string_view json, std::size_t max_depth = 512) {
  return validate_json(PaddedText{json}.view(), max_depth);
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ValidateJson, TakesWhatIsJson) {
  for (const std::string_view json :
       {"{}", "[]", "0", "-0", "-1.5e+10", "\"\"", "null", "true", " { \"a\" : [ 1 , \"\\u00e9\\n\" ] } \n",
        "\"\\ud83d\\ude00\"", "[1,[2,[3]]]", "{\"a\":1,\"a\":2}"})
    EXPECT_TRUE(checked(json)) << json;
}

// Numbers that no 64-bit type holds are JSON too.
TEST(ValidateJson, TakesNumbersOfAnySize) {
  for (const std::string_view json : {"123456789012345678901234567890", "[-99999999999999999999999]", "1e999",
                                      "{\"a\":1e-999}", "18446744073709551616", "0e8888888888", "1e99999999999999",
                                      "-0E-0", "0.00000000000000000000000000000000000000001"}) {
    EXPECT_TRUE(checked(json)) << json;
    EXPECT_FALSE(find_json_error(json, 512)) << json;
  }
}

TEST(ValidateJson, RefusesWhatIsNot) {
  for (const std::string_view json :
       {"",           " ",          "{",        "[1,]",  "{\"a\"}",     "{\"a\":}",
        "{a:1}",      "'a'",        "01",       "1.",    ".5",          "+1",
        "1e",         "-",          "nul",      "nulll", "True",        "\"",
        "\"\\x\"",    "\"\\u12\"",  "\"a\nb\"", "[1}",   "1 2",         "{} {}",
        "[1 2]",      "{\"a\":1,}", "/**/1",    "NaN",   "\"\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\\udc00\""}) {
    const auto ok = checked(json);
    ASSERT_FALSE(ok) << json;
    EXPECT_EQ(ok.error().code, Code::bad_json) << json;
    EXPECT_THAT(ok.error().at, testing::StartsWith("line 1, column ")) << json;
  }
}

TEST(ValidateJson, RefusesWhatIsNotUtf8) {
  for (const std::string_view json : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\xef\xbb\xbf\xff"}) {
    const auto ok = checked(json);
    ASSERT_FALSE(ok) << json;
    EXPECT_EQ(ok.error().code, Code::bad_utf8) << json;
  }
}

TEST(ValidateJson, SaysWhere) {
  EXPECT_EQ(checked("{\"a\":1,\n \"b\":x}").error().at, "line 2, column 6");
  EXPECT_EQ(checked("[1]\n\n]").error().at, "line 3, column 1");
  EXPECT_EQ(checked("[\"\xc3\xa9\xff\"]").error().at, "line 1, column 5");
}

TEST(ValidateJson, BoundsTheDepth) {
  EXPECT_TRUE(checked(nested(512)));
  EXPECT_FALSE(checked(nested(513)));
  EXPECT_TRUE(checked(nested(2), 2));
  EXPECT_FALSE(checked(nested(3), 2));
  EXPECT_TRUE(checked("1", 2));
  EXPECT_FALSE(checked(std::string(1'000'000, '[')));
}

// Three parsers that know nothing of each other: simdjson's, the scan, Boost.JSON's.
TEST(ValidateJson, AgreesWithOtherParsers) {
  EXPECT_TRUE(rc::check([] {
    const auto pieces =
        rc::gen::element<std::string>("{", "}", "[", "]", "\"a\"", ":", ",", "1", "-0.5e2", "true", "nul", " ",
                                      "\"\\ud83d\\ude00\"", "\"\\u12\"", "[1,2]", "{\"a\":{}}", "\n");
    std::string json;
    for (const std::string& piece : *rc::gen::container<std::vector<std::string>>(pieces)) json += piece;
    boost::json::error_code ec;
    boost::json::parse(json, ec);
    RC_ASSERT(checked(json).has_value() == !ec);
    RC_ASSERT(checked(json).has_value() == !find_json_error(json, 512).has_value());
  }));
}

TEST(FindJsonError, SaysWhatIsWrong) {
  const auto wrong = [](std::string_view json) { return find_json_error(json, 4)->detail; };
  EXPECT_EQ(wrong("[1 2]"), "',' or ']' is expected");
  EXPECT_EQ(wrong("{\"a\":1 \"b\":2}"), "',' or '}' is expected");
  EXPECT_EQ(wrong("{\"a\" 1}"), "':' is expected");
  EXPECT_EQ(wrong("{a:1}"), "the name of a member is expected");
  EXPECT_EQ(wrong("[1,]"), "a value is expected");
  EXPECT_EQ(wrong("[1"), "the text ends too early");
  EXPECT_EQ(wrong("\"a"), "the text ends too early");
  EXPECT_EQ(wrong("\"\t\""), "a string holds a control character");
  EXPECT_EQ(wrong("\"\\x\""), "there is no such escape");
  EXPECT_EQ(wrong("\"\\u12\""), "four hexadecimal digits are expected");
  EXPECT_EQ(wrong("\"\\ud800\""), "half a surrogate pair");
  EXPECT_EQ(wrong("1.x"), "a digit is expected");
  EXPECT_EQ(wrong("[[[[[]]]]]"), "nested deeper than 4 levels");
  EXPECT_EQ(wrong("1 1"), "text after the end of the value");
}

TEST(LineAndColumn, CountFromOne) {
  EXPECT_EQ(line_and_column("", 0), "line 1, column 1");
  EXPECT_EQ(line_and_column("ab\ncd", 2), "line 1, column 3");
  EXPECT_EQ(line_and_column("ab\ncd", 3), "line 2, column 1");
  EXPECT_EQ(line_and_column("ab\ncd", 99), "line 2, column 3");
}

}  // namespace
}  // namespace continuo::record
