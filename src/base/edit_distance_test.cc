#include "continuo/base/edit_distance.h"

#include <gtest/gtest.h>

namespace continuo {
namespace {

TEST(EditDistance, CountsLettersPutInLeftOutAndChanged) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("topic", "topic"), 0u);
  EXPECT_EQ(edit_distance("topic", ""), 5u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("topics", "topic"), 1u);
  EXPECT_EQ(edit_distance("topc", "topic"), 1u);
  EXPECT_EQ(edit_distance("tonic", "topic"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(EditDistance, CountsTwoSwappedNeighboursAsOne) {
  EXPECT_EQ(edit_distance("tpoic", "topic"), 1u);
  EXPECT_EQ(edit_distance("cieling", "ceiling"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u) << "what was swapped is not edited again";
}

}  // namespace
}  // namespace continuo
