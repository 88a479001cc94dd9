#include "continuo/record/decimal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace continuo::record {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string form(std::string_view text) {
  std::string out = "something that was there before";
  canonical_number(text, out);
  return out;
}

TEST(CanonicalNumber, IsOneForAllWaysToWriteANumber) {
  const std::vector<std::vector<std::string_view>> same{
      {"0", "-0", "0.0", "-0.000", "0e5", "0E-999999999999999999999", "-0e99999999999999999999"},
      {"5", "5.0", "5e0", "5E+0", "0.5e1", "0.05e2", "50e-1", "500e-02", "5e-0"},
      {"-5", "-5.0", "-0.5e1"},
      {"100", "1e2", "1E+2", "100.00", "0.1e3", "1000e-1"},
      {"1e20", "100000000000000000000"},
      {"0.001", "1e-3", "0.1e-2", "0.00100"},
      {"12.5", "125e-1", "1.25e1", "0.125e0002"},
      {"1e999999999", "10e999999998", "0.1e1000000000"},
      {"12345678901234567890", "1234567890123456789e1"},
  };
  for (const auto& forms : same)
    for (const std::string_view each : forms) {
      EXPECT_EQ(form(each), form(forms[0])) << each;
      for (const auto& others : same)
        EXPECT_EQ(form(each) == form(others[0]), &others == &forms) << each << " and " << others[0];
    }
}

TEST(CanonicalNumber, TellsNumbersApartThatDoublesDoNot) {
  EXPECT_NE(form("12345678901234567890"), form("12345678901234567891"));
  EXPECT_NE(form("0.1"), form("0.1000000000000000055511151231257827"));
  EXPECT_NE(form("1e400"), form("1e401"));
  EXPECT_NE(form("1e-400"), form("0"));
  EXPECT_NE(form("9007199254740993"), form("9007199254740992"));
}

TEST(CanonicalNumber, TakesNoMemoryForExponents) {
  EXPECT_LT(form("1e999999999999999999").size(), 40u);
  EXPECT_LT(form("1e-999999999999999999999999999999").size(), 60u);
  const std::string zeros(100'000, '0');
  EXPECT_EQ(form("1" + zeros), form("1e100000"));
  EXPECT_EQ(form("0." + zeros + "1"), form("1e-100001"));
}

TEST(CanonicalNumber, ComparesOverlongExponentsAsWritten) {
  EXPECT_EQ(form("1e1234567890123456789"), form("1e0001234567890123456789"));
  EXPECT_EQ(form("10e1234567890123456789"), form("10.0e+1234567890123456789"));
  EXPECT_NE(form("1e1234567890123456789"), form("1e-1234567890123456789"));
  EXPECT_NE(form("1e1234567890123456789"), form("1e1234567890123456780"));
}

TEST(CanonicalNumber, GivesWhatIsNoNumberAFormOfItsOwn) {
  for (const std::string_view text : {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "1x", "0x1", "NaN", "1 ", "--1"}) {
    EXPECT_TRUE(form(text).starts_with('?')) << text;
    EXPECT_EQ(form(text), form(text));
  }
}

// digits * 10^power, written in a random way.
std::string written(std::int64_t digits, int power, int point, bool upper) {
  std::string text = std::to_string(std::abs(digits));
  if (point > 0) {
    if (text.size() <= static_cast<std::size_t>(point))
      text.insert(0, static_cast<std::size_t>(point) + 1 - text.size(), '0');
    text.insert(text.size() - static_cast<std::size_t>(point), 1, '.');
  }
  return fmt::format("{}{}{}{}", digits < 0 ? "-" : "", text, upper ? 'E' : 'e', power + point);
}

TEST(CanonicalNumber, IsTheSameForEqualNumbersOnly) {
  rc::check("of numbers written at random", [](std::int32_t digits, bool upper) {
    const int power = *rc::gen::inRange(-30, 30), left = *rc::gen::inRange(0, 12), right = *rc::gen::inRange(0, 12);
    RC_ASSERT(form(written(digits, power, left, upper)) == form(written(digits, power, right, !upper)));
    RC_ASSERT(form(written(std::int64_t{digits} * 100, power - 2, left, upper)) ==
              form(written(digits, power, right, upper)));
    RC_ASSERT(form(written(std::int64_t{digits} + 1, power, left, upper)) !=
              form(written(digits, power, right, upper)));
  });
}

TEST(NumberOf, IsTheNearestDouble) {
  EXPECT_EQ(number_of("5"), 5.0);
  EXPECT_EQ(number_of("-17"), -17.0);
  EXPECT_EQ(number_of("999999999999999"), 999999999999999.0);
  EXPECT_EQ(number_of("12345678901234567890"), 12345678901234567890.0);
  EXPECT_EQ(number_of("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(number_of("0.1"), 0.1);
  EXPECT_EQ(number_of("3.018e2"), 301.8);
  EXPECT_EQ(number_of("-2.5E-3"), -0.0025);
  EXPECT_EQ(number_of("1E+2"), 100.0);
  EXPECT_EQ(number_of("4.9e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(number_of("1.7976931348623157e308"), std::numeric_limits<double>::max());
}

TEST(NumberOf, IsTheNearestDoubleOfNumbersWrittenAtRandom) {
  rc::check("what strtod reads", [](std::int64_t digits) {
    const int places = *rc::gen::inRange(0, 19), point = *rc::gen::inRange(0, 19), power = *rc::gen::inRange(-25, 25);
    for (int i = 0; i < places; ++i) digits /= 10;
    std::string text = written(digits, power, point, false);
    if (power % 2 == 0) text.erase(text.find('e'));
    RC_ASSERT(number_of(text) == std::strtod(text.c_str(), nullptr));
  });
}

TEST(NumberInFront, EndsWhereTheNumberDoes) {
  const auto size = [](std::string_view text) { return number_in_front(text).size; };
  EXPECT_EQ(size("12,"), 2u);
  EXPECT_EQ(size("-0.25}"), 5u);
  EXPECT_EQ(size("12345678,12345678"), 8u);
  EXPECT_EQ(size("1234567.12345678901234567890123 "), 31u);
  EXPECT_EQ(size("1e5]"), 3u);
  EXPECT_EQ(size("1E-07]"), 5u);
  EXPECT_EQ(size("0x"), 1u);
  for (const std::string_view none : {"", "-", "x", "01", "-01", "1.", "1.x", "1e", "1e+,", ".5", "+1", "null"})
    EXPECT_EQ(size(none), 0u) << none;
}

TEST(NumberInFront, KnowsTheValueOfWhatIsShort) {
  EXPECT_EQ(number_in_front("-122.4837195372760,").value, -122.4837195372760);
  EXPECT_EQ(number_in_front("9007199254740992").value, 9007199254740992.0);
  EXPECT_FALSE(std::signbit(number_in_front("-0.0").value));
  for (const std::string_view other : {"1e5", "9007199254740993", "1.000000000000000000", "12345678901234567890", "x"})
    EXPECT_TRUE(std::isnan(number_in_front(other).value)) << other;
}

TEST(NumberOf, IsInfiniteOrZeroWhereDoublesEnd) {
  EXPECT_EQ(number_of("1e400"), infinity);
  EXPECT_EQ(number_of("-1e400"), -infinity);
  EXPECT_EQ(number_of("1e-400"), 0.0);
  EXPECT_EQ(number_of("-0.00001e-400"), 0.0);
  EXPECT_EQ(number_of("1e99999999999999999999"), infinity);
  EXPECT_EQ(number_of("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(number_of("0e99999999999999999999"), 0.0);
  EXPECT_EQ(number_of("1" + std::string(400, '0') + "e-10"), infinity);
  EXPECT_EQ(number_of("1" + std::string(400, '0') + "e-400"), 1.0);
  EXPECT_EQ(number_of("0." + std::string(400, '0') + "1e10"), 0.0);
  EXPECT_EQ(number_of("0." + std::string(400, '0') + "1e401"), 1.0);
}

TEST(NumberOf, IsNeverMinusZero) {
  for (const std::string_view text : {"-0", "-0.0", "-0e5", "-1e-400"})
    EXPECT_FALSE(std::signbit(number_of(text).value_or(-1))) << text;
}

TEST(NumberOf, IsNothingOfWhatIsNoNumber) {
  for (const std::string_view text :
       {"", "-", "01", "-01", "1.", ".5", "1e", "+1", "1x", "inf", "-inf", "nan", "0x10", "1 "})
    EXPECT_EQ(number_of(text), std::nullopt) << text;
}

}  // namespace
}  // namespace continuo::record
