#include "price.h"

#include <gtest/gtest.h>

#include <map>

#include "order.h"

namespace shop {
namespace {

TEST(Price, is_spoiled_in_four_ways_and_always_the_same) {
  std::map<std::string, int> faults;
  for (std::uint64_t number = 1; number <= 1'000; ++number) {
    const auto whole = make_order(1, number);
    EXPECT_FALSE(price_fault(whole));
    EXPECT_EQ(spoil(whole, 0), whole);
    const auto spoiled = spoil(whole, 20);
    EXPECT_EQ(spoil(whole, 20), spoiled);
    const auto fault = price_fault(spoiled);
    EXPECT_EQ(fault.has_value(), spoiled != whole);
    if (fault) ++faults[fault->code + text_of(spoiled, "currency")];
  }
  ASSERT_EQ(faults.size(), 4u);  // no_amount, bad_amount; bad_currency of "euro" and of "?"
  int all = 0;
  for (const auto& [way, count] : faults) {
    EXPECT_GT(count, 20) << way;
    all += count;
  }
  EXPECT_NEAR(all, 200, 60);
}

TEST(Price, says_what_is_wrong_with_it) {
  const auto fault = [](std::string_view text) {
    return price_fault(boost::json::parse({text.data(), text.size()}).as_object());
  };
  EXPECT_EQ(fault(R"({"total":7})")->code, "no_amount");
  EXPECT_EQ(fault(R"({"amount":"42.00"})")->message, R"(the amount is "42.00", and should be a number of cents)");
  EXPECT_EQ(fault(R"({"amount":null})")->code, "bad_amount");
  EXPECT_EQ(fault(R"({"amount":7,"currency":"?"})")->message, R"(the currency is "?", and should be three letters)");
  EXPECT_EQ(fault(R"({"amount":7,"currency":978})")->code, "bad_currency");
  EXPECT_FALSE(fault(R"({"amount":7})"));
  EXPECT_FALSE(fault(R"({"amount":7.5,"currency":"sek"})"));
}

}  // namespace
}  // namespace shop
