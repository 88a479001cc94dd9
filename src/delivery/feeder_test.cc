#include "continuo/delivery/feeder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/base/hash.h"
#include "continuo/log/thread_sanitizer_test.h"
#include "continuo/node/running_node_test.h"

namespace continuo::delivery {
namespace {

using node::node_record;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// ---- collecting -----------------------------------------------------------------------------------------------------

std::shared_ptr<const std::string> batch_of(Offset base, int records, bool keyed = true) {
  record::BatchBuilder builder;
  for (int i = 0; i < records; ++i) {
    std::string body;
    record::BodyWriter{body}
        .key(keyed ? std::optional<std::string_view>{"key"} : std::nullopt)
        .value("v")
        .header_count(0);
    builder.add(body, 1'000);
  }
  return std::make_shared<const std::string>(builder.finish(base));
}

std::shared_ptr<const std::string> control_batch(Offset base) {
  std::string batch = *batch_of(base, 1);
  store(batch.data() + record::BatchLayout::attributes, big_endian(std::uint16_t{32}));
  store(batch.data() + record::BatchLayout::crc,
        big_endian(crc32c(std::string_view{batch}.substr(record::BatchLayout::attributes))));
  return std::make_shared<const std::string>(std::move(batch));
}

node::Batches batches_of(std::vector<std::shared_ptr<const std::string>> batches, Offset next) {
  node::Batches all;
  all.batches = std::move(batches);
  all.next = next;
  return all;
}

std::vector<std::int64_t> offsets(const node::Offer& offer) {
  std::vector<std::int64_t> all;
  for (const auto& event : offer.events) all.push_back(event.offset.value);
  return all;
}

TEST(Collect, TakesRecordsFromTheOffsetOn) {
  node::Offer offer;
  ASSERT_TRUE(
      collect(batches_of({batch_of(Offset{5}, 3), batch_of(Offset{10}, 2)}, Offset{12}), Offset{6}, 100, true, offer));
  EXPECT_THAT(offsets(offer), ElementsAre(6, 7, 10, 11)) << "from the middle of a batch, over a gap";
  EXPECT_EQ(offer.next, Offset{12});
  for (const auto& event : offer.events) EXPECT_EQ(event.key_hash, hash64("key"));
}

TEST(Collect, StopsAtTheLimitAndGoesOnThere) {
  const auto batches = batches_of({batch_of(Offset{0}, 5)}, Offset{5});
  node::Offer first, second;
  ASSERT_TRUE(collect(batches, Offset{0}, 2, true, first));
  EXPECT_THAT(offsets(first), ElementsAre(0, 1));
  EXPECT_EQ(first.next, Offset{2});
  ASSERT_TRUE(collect(batches, first.next, 3, true, second));
  EXPECT_THAT(offsets(second), ElementsAre(2, 3, 4));
  EXPECT_EQ(second.next, Offset{5});
}

TEST(Collect, PassesOverControlBatches) {
  node::Offer offer;
  ASSERT_TRUE(
      collect(batches_of({control_batch(Offset{0}), batch_of(Offset{1}, 1), control_batch(Offset{2})}, Offset{3}),
              Offset{0}, 10, true, offer));
  EXPECT_THAT(offsets(offer), ElementsAre(1));
  EXPECT_EQ(offer.next, Offset{3});
}

TEST(Collect, RecordsWithoutAKeyAreKeysOfTheirOwn) {
  node::Offer offer;
  ASSERT_TRUE(collect(batches_of({batch_of(Offset{0}, 3, false)}, Offset{3}), Offset{0}, 10, true, offer));
  std::set<std::uint64_t> hashes;
  for (const auto& event : offer.events) hashes.insert(event.key_hash);
  EXPECT_THAT(hashes, SizeIs(3));
  node::Offer unordered;
  ASSERT_TRUE(collect(batches_of({batch_of(Offset{0}, 3)}, Offset{3}), Offset{0}, 10, false, unordered));
  for (const auto& event : unordered.events) EXPECT_EQ(event.key_hash, 0u);
}

TEST(Collect, DamageIsAnError) {
  node::Offer offer;
  EXPECT_EQ(collect(batches_of({std::make_shared<const std::string>("short")}, Offset{1}), Offset{0}, 10, true, offer)
                .error()
                .code,
            Code::damaged_data);
  std::string cut = *batch_of(Offset{0}, 3);
  cut[record::BatchLayout::records] = 0x7f;
  EXPECT_EQ(collect(batches_of({std::make_shared<const std::string>(cut)}, Offset{3}), Offset{0}, 10, true, offer)
                .error()
                .code,
            Code::damaged_data);
}

TEST(Collect, NothingMatchedMovesOn) {
  node::Offer offer;
  ASSERT_TRUE(collect(batches_of({}, Offset{9}), Offset{5}, 10, true, offer));
  EXPECT_THAT(offer.events, IsEmpty());
  EXPECT_EQ(offer.next, Offset{9}) << "over records that were given up";
}

// ---- feeding --------------------------------------------------------------------------------------------------------

class FeederTest : public testing::Test {
 protected:
  void restart_with_credit(std::uint32_t events) {
    feeder_.reset();
    running_.options.limits.outstanding_per_subscription = events;
    ASSERT_TRUE(running_.start());
    feeder_.emplace(*running_.node);
    feeder_->start();
  }
  void SetUp() override {
    ASSERT_TRUE(running_.start());
    topic_ = running_.make_topic();
    feeder_.emplace(*running_.node);
    feeder_->start();
  }
  void TearDown() override { feeder_.reset(); }
  void publish(int count, const std::string& key = "k") {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(running_.publish({node_record(topic_, 0, key)}));
  }
  // Receives and acknowledges until so many came; gives their offsets.
  std::vector<std::int64_t> take(SubscriptionId id, std::size_t count) {
    std::vector<std::int64_t> all;
    while (all.size() < count) {
      const auto received = running_.receive(id, 100);
      if (!received || received->deliveries.empty()) break;
      std::vector<Lease> leases;
      for (const auto& delivery : received->deliveries) {
        leases.push_back(delivery.lease);
        all.push_back(delivery.lease.offset.value);
      }
      EXPECT_EQ(running_.ack(id, leases)->settled, leases.size());
    }
    return all;
  }
  using Lease = node::Lease;

  node::RunningNode running_{testing::TempDir()};
  TopicId topic_;
  std::optional<Feeder> feeder_;
};

TEST_F(FeederTest, ALateSubscriptionReadsFromTheBeginning) {
  publish(5);
  const SubscriptionId id = running_.subscribe();
  EXPECT_THAT(take(id, 5), ElementsAre(0, 1, 2, 3, 4));
  publish(2);
  EXPECT_THAT(take(id, 2), ElementsAre(5, 6));
}

TEST_F(FeederTest, TwoSubscriptionsEachGetEverything) {
  const SubscriptionId one = running_.subscribe("one"), two = running_.subscribe("two");
  publish(3);
  EXPECT_THAT(take(one, 3), ElementsAre(0, 1, 2));
  publish(1);
  EXPECT_THAT(take(two, 4), ElementsAre(0, 1, 2, 3));
}

TEST_F(FeederTest, GoesOnAfterARestart) {
  const SubscriptionId id = running_.subscribe();
  publish(3);
  EXPECT_THAT(take(id, 3), SizeIs(3));
  feeder_.reset();
  ASSERT_TRUE(running_.start());
  feeder_.emplace(*running_.node);
  feeder_->start();
  publish(2);
  EXPECT_THAT(take(id, 2), ElementsAre(3, 4));
}

TEST_F(FeederTest, WhatWasTrimmedIsPassedOver) {
  publish(5);
  ASSERT_TRUE(running_.edge.ask<node::PartitionState>([&](node::Edge& to, auto answer) {
    running_.node->trim(to, topic_, PartitionId{0}, Offset{3}, std::move(answer));
  }));
  const SubscriptionId id = running_.subscribe();
  EXPECT_THAT(take(id, 2), ElementsAre(3, 4));
}

TEST_F(FeederTest, ADeletedTopicLeavesOthersInPeace) {
  const TopicId other = running_.make_topic("other");
  node::SubscriptionSettings settings;
  settings.topics = {"t", "other"};
  const SubscriptionId id = running_.subscribe("s", settings);
  publish(2);
  EXPECT_THAT(take(id, 2), SizeIs(2));
  ASSERT_TRUE(running_.edge.ask<void>(
      [&](node::Edge& to, auto answer) { running_.node->delete_topic(to, "t", std::move(answer)); }));
  ASSERT_TRUE(running_.publish({node_record(other)}));
  const auto received = running_.receive(id);
  ASSERT_TRUE(received);
  ASSERT_THAT(received->deliveries, SizeIs(1));
  EXPECT_EQ(received->deliveries[0].lease.partition.topic, other);
}

TEST_F(FeederTest, PartitionsThatCameLaterAreReadToo) {
  const SubscriptionId id = running_.subscribe();
  publish(1);
  EXPECT_THAT(take(id, 1), SizeIs(1));
  ASSERT_TRUE(running_.edge.ask<node::Topic>([&](node::Edge& to, auto answer) {
    running_.node->change_topic(to, "t", {.partitions = 3}, false, std::move(answer));
  }));
  ASSERT_TRUE(running_.publish({node_record(topic_, 0, "k", 2)}));
  const auto received = running_.receive(id);
  ASSERT_TRUE(received);
  ASSERT_THAT(received->deliveries, SizeIs(1));
  EXPECT_EQ(received->deliveries[0].lease.partition.partition, PartitionId{2});
}

TEST_F(FeederTest, DeletedAndMadeAgainItReadsFromTheBeginning) {
  EXPECT_THAT((publish(2), take(running_.subscribe(), 2)), ElementsAre(0, 1));
  for (int again = 0; again < 3; ++again) {
    ASSERT_TRUE(running_.edge.ask<void>(
        [&](node::Edge& to, auto answer) { running_.node->delete_subscription(to, "s", std::move(answer)); }));
    EXPECT_THAT(take(running_.subscribe(), 2), ElementsAre(0, 1));
  }
}

TEST_F(FeederTest, SubscriptionsThatComeAndGoDoNotDisturbOthers) {
  const SubscriptionId id = running_.subscribe("stays");
  std::vector<std::int64_t> expected;
  for (int i = 0; i < 100; ++i) {
    running_.subscribe("comes-" + std::to_string(i));
    publish(1);
    expected.push_back(i);
    if (i % 3 != 0) continue;
    ASSERT_TRUE(running_.edge.ask<void>([&](node::Edge& to, auto answer) {
      running_.node->delete_subscription(to, "comes-" + std::to_string(i), std::move(answer));
    }));
  }
  EXPECT_EQ(take(id, 100), expected);
  for (int i = 1; i < 100; i += 33)
    EXPECT_EQ(take(running_.node->catalogue()->find_subscription("comes-" + std::to_string(i))->id, 100), expected);
}

TEST_F(FeederTest, CreditBoundsWhatIsOutstanding) {
  restart_with_credit(5);
  const SubscriptionId id = running_.subscribe();
  publish(23);
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 23; ++i) expected.push_back(i);
  EXPECT_EQ(take(id, 23), expected);
}

TEST_F(FeederTest, SleepsWithoutCreditUntilSomeComesBack) {
  restart_with_credit(5);
  const SubscriptionId id = running_.subscribe();
  publish(8);
  const auto received = running_.receive(id, 1);
  ASSERT_THAT(received->deliveries, SizeIs(1));
  std::this_thread::sleep_for(Millis{500});  // all is offered, and the counters are told
  const auto groups = running_.node->stats().groups;
  std::this_thread::sleep_for(Millis{500});
  EXPECT_EQ(running_.node->stats().groups, groups) << "nobody asks again and again";
  ASSERT_TRUE(running_.ack(id, {received->deliveries[0].lease}));
  EXPECT_THAT(take(id, 7), ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(FeederTest, MayBeStoppedAtAnyMoment) {
  running_.subscribe();
  for (int round = 0; round < 20; ++round) {
    publish(5);
    feeder_.emplace(*running_.node);
    feeder_->start();
    if (round % 2 == 0) std::this_thread::yield();
  }
  feeder_->stop();
  feeder_->stop();
}

}  // namespace
}  // namespace continuo::delivery
