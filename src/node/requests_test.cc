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

Settle sample_settle() {
  Settle request;
  for (std::uint64_t number = 1; number <= 5; ++number) request.acks.push_back(sample_lease(number));
  request.nacks = {{sample_lease(6), {}, {}}};
  request.extends = {{sample_lease(7), Millis{1}}, {sample_lease(2), Millis{1}}};
  request.publish.resize(6);
  return request;
}

Settled sample_settled() {
  Settled settled;
  settled.settled = 3;
  for (const std::uint64_t number : {7, 3, 4, 1}) settled.refused.push_back({sample_lease(number)});
  settled.places = {{TopicId{1}, PartitionId{2}, Offset{3}, false},   {TopicId{1}, PartitionId{2}, Offset{4}, false},
                    {TopicId{1}, PartitionId{0}, Offset{300}, true},  {TopicId{1}, PartitionId{2}, Offset{5}, false},
                    {TopicId{1}, PartitionId{0}, Offset{299}, false}, {TopicId{1}, PartitionId{0}, Offset{300}, false}};
  return settled;
}

TEST(Settled, IsReadBack) {
  const Settle request = sample_settle();
  const Settled settled = sample_settled();
  const auto read = decode_settled(request, encode_settled(request, settled));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->settled, 3u);
  ASSERT_EQ(read->refused.size(), settled.refused.size());
  for (std::size_t i = 0; i < settled.refused.size(); ++i) {
    EXPECT_EQ(read->refused[i].lease, settled.refused[i].lease);
    EXPECT_EQ(read->refused[i].code, Code::lease_lost);
  }
  ASSERT_EQ(read->places.size(), settled.places.size());
  for (std::size_t i = 0; i < settled.places.size(); ++i) {
    EXPECT_EQ(read->places[i].partition, settled.places[i].partition);
    EXPECT_EQ(read->places[i].offset, settled.places[i].offset);
    EXPECT_EQ(read->places[i].duplicate, settled.places[i].duplicate);
  }
}

TEST(Settled, IsSmallHoweverMuchWasSettled) {
  Settle request;
  Settled settled;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    request.acks.push_back(sample_lease(i));
    settled.refused.push_back({sample_lease(i)});
    settled.places.push_back({TopicId{1}, PartitionId{i % 1'000}, Offset{1'000'000 + i / 1'000}, false});
  }
  request.publish.resize(10'000);
  EXPECT_LT(encode_settled(request, settled).size(), 60'000u) << "less than a page";
  EXPECT_LE(encode_settled(request, {{10'000, {}}, {}}).size(), 6u);
  settled.refused.clear();
  for (Place& place : settled.places) place = {TopicId{1}, {}, Offset{&place - settled.places.data()}, false};
  EXPECT_LE(encode_settled(request, settled).size(), 16u);
}

TEST(Settled, WhatCannotBeReadIsRefused) {
  const Settle request = sample_settle();
  const std::string bytes = encode_settled(request, sample_settled());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_settled(request, bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode_settled(request, bytes + "x"));
  EXPECT_FALSE(decode_settled(request, "\x02" + bytes.substr(1))) << "another version";
  EXPECT_FALSE(decode_settled({}, bytes)) << "of another request";
}

TEST(Catalogue, FindsByName) {
  Catalogue catalogue;
  catalogue.topics.set("a", std::make_shared<const Topic>(Topic{TopicId{1}, "a", {}, {}}));
  EXPECT_EQ(catalogue.find_topic("a")->id, TopicId{1});
  EXPECT_EQ(catalogue.find_topic("b"), nullptr);
  EXPECT_EQ(catalogue.find_subscription("a"), nullptr);
}

}  // namespace
}  // namespace continuo::node
