#include "continuo/base/errors.h"

#include <gtest/gtest.h>

namespace continuo {
namespace {

std::string within(std::string_view whole, std::string at) {
  Error error{Code::bad_event, "it is wrong", std::move(at), {}};
  place_within(error, whole);
  return error.at;
}

TEST(Errors, APlaceLiesWithinAnother) {
  EXPECT_EQ(within("publish[0].event", "id"), "publish[0].event.id");
  EXPECT_EQ(within("patch", "[1].path"), "patch[1].path");
  EXPECT_EQ(within("filter", "line 2, column 5"), "filter (line 2, column 5)");
  EXPECT_EQ(within("repaired[0]", ""), "repaired[0]") << "what has no place of its own ends with no dot";
}

}  // namespace
}  // namespace continuo
