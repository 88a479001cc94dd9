#include "continuo/wire/kafka/assignment.h"

#include <gtest/gtest.h>

#include <string>

namespace continuo::wire::kafka {
namespace {

using namespace std::string_literals;

const std::string whole =
    "\0\1"
    "\0\0\0\2"
    "\0\1a"
    "\0\0\0\2"
    "\0\0\0\0"
    "\0\0\0\5"
    "\0\2bc"
    "\0\0\0\0"s;

TEST(KafkaAssignment, IsReadWhateverTheAssignorAdds) {
  for (const std::string& rest : {""s, "\xff\xff\xff\xff"s, "\0\0\0\1x"s}) {
    const auto read = read_assignment(whole + rest);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->assigned_partitions.size(), 2u);
    EXPECT_EQ(read->assigned_partitions[0].topic, "a");
    EXPECT_EQ(read->assigned_partitions[0].partitions, (std::vector<std::int32_t>{0, 5}));
    EXPECT_EQ(read->assigned_partitions[1].topic, "bc");
    EXPECT_TRUE(read->assigned_partitions[1].partitions.empty());
  }
}

TEST(KafkaAssignment, ThatIsNoneIsRefused) {
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read_assignment(whole.substr(0, size))) << size;
  EXPECT_FALSE(read_assignment("\xff\xff\0\0\0\0"s)) << "a version below zero";
  EXPECT_FALSE(read_assignment("\0\0\x7f\xff\xff\xff"s)) << "more topics than bytes";
}

}  // namespace
}  // namespace continuo::wire::kafka
