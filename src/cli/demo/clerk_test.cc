#include "continuo/cli/demo/clerk.h"

#include <gtest/gtest.h>

namespace continuo::cli {
namespace {

TEST(Clerk, reads_amounts) {
  EXPECT_EQ(cents_of("42.00"), 4200);
  EXPECT_EQ(cents_of("0.05"), 5);
  EXPECT_EQ(cents_of("12.5"), 1250);
  EXPECT_EQ(cents_of("7"), 700);
  for (const char* none : {"", ".", "7.", ".5", "1.234", "-1", "1,50", "12 EUR", "1e3", "9999999999999999"})
    EXPECT_EQ(cents_of(none), std::nullopt) << none;
}

}  // namespace
}  // namespace continuo::cli
