#include "continuo/node/requests.h"

#include <gtest/gtest.h>

#include "continuo/base/random.h"

namespace continuo::node {
namespace {

Lease sample_lease(std::uint64_t number = 9) {
  return {SubscriptionId{7}, 2, {TopicId{300}, PartitionId{2}}, 0x1122334455667788, Offset{1000}, number};
}

TEST(LeaseToken, GoldenText) { EXPECT_EQ(lease_token(sample_lease()), "AQcCrAICiHdmVUQzIhHoBwk"); }

TEST(LeaseToken, IsReadBackAndSafeInAUrl) {
  SeededRandom random{1};
  for (int round = 0; round < 2'000; ++round) {
    const auto small = [&] { return static_cast<std::uint32_t>(random.next() >> (32 + random.below(32))); };
    const Lease lease{SubscriptionId{small()},
                      small(),
                      {TopicId{small()}, PartitionId{small()}},
                      random.next(),
                      Offset{static_cast<std::int64_t>(random.next() >> (1 + random.below(63)))},
                      random.next() >> random.below(64)};
    const std::string token = lease_token(lease);
    ASSERT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    const auto read = parse_lease_token(token);
    ASSERT_TRUE(read);
    ASSERT_EQ(*read, lease);
  }
}

TEST(LeaseToken, AnythingElseIsRefused) {
  const std::string token = lease_token(sample_lease());
  for (std::size_t size = 0; size < token.size(); ++size)
    EXPECT_FALSE(parse_lease_token(token.substr(0, size))) << size;
  for (const std::string& other :
       {token + "A", token + "AAAA", std::string{"!"}, std::string{"Ag"}, std::string{"\xff\xff"}}) {
    const auto read = parse_lease_token(other);
    ASSERT_FALSE(read) << other;
    EXPECT_EQ(read.error().code, Code::bad_request);
  }
}

TEST(Settled, IsReadBack) {
  Settled settled;
  settled.settled = 3;
  settled.refused = {{sample_lease(), Code::lease_lost}, {sample_lease(10), Code::settle_refused}};
  settled.places = {{TopicId{1}, PartitionId{2}, Offset{3}, false}, {TopicId{1}, PartitionId{0}, Offset{300}, true}};
  const auto read = decode_settled(encode_settled(settled));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_settled(*read), encode_settled(settled));
  EXPECT_EQ(read->settled, 3u);
  EXPECT_EQ(read->refused[1].code, Code::settle_refused);
  EXPECT_EQ(read->refused[1].lease, sample_lease(10));
  EXPECT_TRUE(read->places[1].duplicate);
  EXPECT_EQ(read->places[1].offset, Offset{300});
}

TEST(Settled, WhatCannotBeReadIsRefused) {
  Settled settled;
  settled.refused = {{sample_lease(), Code::lease_lost}};
  settled.places = {{TopicId{1}, PartitionId{2}, Offset{3}, false}};
  const std::string bytes = encode_settled(settled);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_settled(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode_settled(bytes + "x"));
  EXPECT_FALSE(decode_settled("\x02" + bytes.substr(1))) << "another version";
}

TEST(Catalogue, FindsByName) {
  Catalogue catalogue;
  catalogue.topics["a"] = std::make_shared<const Topic>(Topic{TopicId{1}, "a", {}, {}});
  EXPECT_EQ(catalogue.find_topic("a")->id, TopicId{1});
  EXPECT_EQ(catalogue.find_topic("b"), nullptr);
  EXPECT_EQ(catalogue.find_subscription("a"), nullptr);
}

}  // namespace
}  // namespace continuo::node
