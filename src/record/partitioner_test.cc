#include "continuo/record/partitioner.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace continuo::record {
namespace {

std::int32_t as_java(std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); }

// The cases of Kafka's own UtilsTest.testMurmur2.
TEST(Murmur2, GivesWhatKafkaGives) {
  EXPECT_EQ(as_java("21"), -973932308);
  EXPECT_EQ(as_java("foobar"), -790332482);
  EXPECT_EQ(as_java("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(as_java("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(as_java("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(as_java("abc"), 479470107);
}

// Checked against kafka-python's default partitioner.
TEST(Partitioner, SendsAKeyWhereKafkaSendsIt) {
  EXPECT_EQ(partition_of("c42", 6), PartitionId{0});
  EXPECT_EQ(partition_of("", 6), PartitionId{3});
  EXPECT_EQ(partition_of("ключ", 6), PartitionId{2});
}

TEST(Partitioner, AnEventGoesByItsKey) {
  Event event{.id = "e-1", .source = "/shop", .type = "t", .subject = "c42"};
  EXPECT_EQ(partition_of(event, 12), partition_of("c42", 12));
  event.extensions = {{.name = "partitionkey", .value = "ключ"}};
  EXPECT_EQ(partition_of(event, 12), partition_of("ключ", 12));
}

TEST(Partitioner, AnEventWithoutAKeyGoesBySourceAndId) {
  const Event event{.id = "e-1", .source = "/shop", .type = "t"};
  EXPECT_EQ(partition_of(event, 12), PartitionId{2});
  EXPECT_EQ(partition_of(event, 12), partition_of(std::string_view{"/shop\0e-1", 9}, 12));
}

TEST(Partitioner, IsAlwaysOneOfThePartitions) {
  EXPECT_TRUE(rc::check([](const std::string& key) {
    const auto partitions = *rc::gen::inRange<std::uint32_t>(1, 10'000);
    RC_ASSERT(partition_of(key, partitions).value < partitions);
  }));
}

}  // namespace
}  // namespace continuo::record
