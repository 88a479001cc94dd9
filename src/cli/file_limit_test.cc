#include "continuo/cli/file_limit.h"

#include <gtest/gtest.h>

namespace continuo::cli {
namespace {

TEST(FileLimit, IsRaisedAsFarAsItMay) {
  raise_file_limit();
  EXPECT_EQ(file_limit().now, file_limit().most);
}

TEST(FileLimit, TopicsGetHalfOfIt) {
  EXPECT_EQ(topic_files({1'024, 4'096}), 512u);
  EXPECT_EQ(topic_files({1'000'000, 1'000'000}), max_topic_files);
}

}  // namespace
}  // namespace continuo::cli
