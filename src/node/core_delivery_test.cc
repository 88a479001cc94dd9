// The core between feeders and consumers: whose turn it is, what comes back, who is woken, what is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/core.h"
#include "continuo/node/memory_home_test.h"

namespace continuo::node {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

template <class T>
using Place = std::optional<Result<T>>;

class CoreDelivery : public testing::Test {
 protected:
  void SetUp() override {
    limits_.outstanding_per_subscription = 4;
    core_.emplace(home_, clock_, random_, limits_);
    ASSERT_TRUE(core_->recover());
    Place<Put<Topic>> topic;
    core_->create_topic(edge_, "t", {}, false, into(topic));
    settle_down();
    topic_ = (*topic)->value.id;
    Place<Put<Subscription>> subscription;
    core_->put_subscription(edge_, "s",
                            {.topics = {"t"}, .from = engines::StartFrom::earliest, .retry = {{.attempts = 1}, {}}}, {},
                            into(subscription));
    settle_down();
    id_ = (*subscription)->value.id;
    Place<Published> published;
    core_->publish(edge_, std::vector<NewRecord>(8, sample_record(topic_)), into(published));
    settle_down();
  }
  template <class T>
  static Answer<T> into(Place<T>& place) {
    return [&place](Result<T> result) { place.emplace(std::move(result)); };
  }
  // As the driver does it: timers, then the group, then the mail; until nothing moves.
  void settle_down() {
    do {
      core_->tick();
      while (auto group = core_->close()) {
        ASSERT_TRUE(home_.write(group->log));
        core_->written(std::move(group));
      }
    } while (edge_.open() != 0);
  }
  void receive(Place<Received>& place, std::uint32_t max, std::int64_t wait_ms) {
    Receive receive;
    receive.subscription = id_;
    receive.max = max;
    receive.wait = Millis{wait_ms};
    core_->receive(edge_, receive, into(place));
  }
  void offer(Place<OfferCredit>& place, std::int64_t from, std::initializer_list<std::uint64_t> keys) {
    Offer offer{id_, 1, {topic_, PartitionId{0}}, Offset{from}, Offset{from}, {}};
    for (const std::uint64_t key : keys) {
      offer.events.push_back({offer.next, key});
      offer.next = offer.next + 1;
    }
    core_->offer(edge_, offer, into(place));
  }
  void settle(std::vector<Lease> acks, std::vector<Nack> nacks = {}) {
    Settle settle;
    settle.subscription = id_;
    settle.acks = std::move(acks);
    settle.nacks = std::move(nacks);
    Place<Settled> settled;
    core_->settle(edge_, settle, into(settled));
    settle_down();
    ASSERT_TRUE(settled && *settled);
  }
  static std::vector<Lease> leases(const Place<Received>& place) {
    std::vector<Lease> all;
    for (const Delivery& each : (*place)->deliveries) all.push_back(each.lease);
    return all;
  }
  // What was told on continuo.events.
  std::string events() const {
    std::string all;
    for (const log::AppendedBatch& batch : home_.visible) {
      if (batch.partition.topic == topic_) continue;
      record::RecordWalk walk{*batch.bytes};
      while (const auto record = walk.next())
        all += std::string{record->headers} + std::string{record->value.value_or("")};
    }
    return all;
  }

  Limits limits_;
  MemoryHome home_;
  StandingClock clock_;
  SeededRandom random_{1};
  MailBox edge_;
  std::optional<Core> core_;
  TopicId topic_;
  SubscriptionId id_;
};

TEST_F(CoreDelivery, WhoWaitsIsServedBeforeWhoDoesNotAndWhatIsLeftIsForThem) {
  Place<Received> waits, asks, asks_too;
  receive(waits, 1, 1'000);
  settle_down();
  EXPECT_FALSE(waits);
  Place<OfferCredit> offered;
  offer(offered, 0, {1, 2});
  receive(asks, 10, 0);
  receive(asks_too, 10, 0);
  settle_down();
  ASSERT_TRUE(waits && asks && asks_too);
  ASSERT_THAT((*waits)->deliveries, SizeIs(1));
  EXPECT_EQ((*waits)->deliveries[0].lease.offset, Offset{0});
  ASSERT_THAT((*asks)->deliveries, SizeIs(1)) << "something was ready";
  EXPECT_EQ((*asks)->deliveries[0].lease.offset, Offset{1});
  EXPECT_THAT((*asks_too)->deliveries, SizeIs(0));
}

TEST_F(CoreDelivery, WhatDidNotReachItsConsumerGoesToTheNextAtOnce) {
  Place<OfferCredit> offered;
  offer(offered, 0, {1, 1, 2});
  Place<Received> first, second;
  receive(first, 10, 0);
  settle_down();
  ASSERT_THAT(leases(first), SizeIs(3));
  receive(second, 10, 1'000);
  settle_down();
  EXPECT_FALSE(second);
  Place<void> returned;
  core_->return_leases(edge_, {leases(first)[1], leases(first)[2]}, into(returned));
  settle_down();
  ASSERT_TRUE(returned && second);
  ASSERT_THAT((*second)->deliveries, SizeIs(1)) << "the rest of key 1 waits for its beginning";
  EXPECT_EQ((*second)->deliveries[0].lease.offset, Offset{2});
  EXPECT_EQ((*second)->deliveries[0].attempt, 1u);
}

TEST_F(CoreDelivery, AFeederOutOfCreditHearsWhenThereIsSome) {
  Place<OfferCredit> offered, asked;
  offer(offered, 0, {1, 2, 3, 4});
  settle_down();
  EXPECT_EQ((*offered)->credit, 0u);
  const auto groups = home_.groups.size();
  offer(asked, 4, {});
  settle_down();
  EXPECT_FALSE(asked);
  EXPECT_EQ(home_.groups.size(), groups) << "a question is not written";
  EXPECT_EQ(core_->next_due(), std::nullopt) << "and nobody looks again and again";
  Place<Received> received;
  receive(received, 1, 0);
  settle_down();
  EXPECT_FALSE(asked);
  settle(leases(received));
  ASSERT_TRUE(asked && *asked);
  EXPECT_EQ((*asked)->credit, 1u);
  EXPECT_EQ((*asked)->next, Offset{4});
}

TEST_F(CoreDelivery, AFeederHearsOfCreditThatComesWithTime) {
  Place<OfferCredit> offered, asked;
  offer(offered, 0, {1, 2, 3, 4});
  Place<Received> received;
  receive(received, 10, 0);
  settle_down();
  offer(asked, 4, {});
  clock_.pass(60'000);  // the leases run out, and with one attempt the keys are parked
  settle_down();
  ASSERT_TRUE(asked && *asked);
  EXPECT_EQ((*asked)->credit, 4u);
}

TEST_F(CoreDelivery, AFeederOutOfCreditHearsWhenItsSubscriptionOrTopicGoes) {
  Place<OfferCredit> offered, asked, asked_again, elsewhere;
  offer(offered, 0, {1, 2, 3, 4});
  offer(asked, 4, {});
  offer(elsewhere, 3, {});
  settle_down();
  EXPECT_FALSE(asked);
  ASSERT_TRUE(elsewhere) << "it stands elsewhere";
  EXPECT_EQ((*elsewhere)->next, Offset{4});
  Place<void> deleted;
  core_->delete_topic(edge_, "t", into(deleted));
  settle_down();
  settle_down();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->error().code, Code::unknown_partition);
  core_->delete_subscription(edge_, "s", into(deleted));
  offer(asked_again, 4, {});
  settle_down();
  EXPECT_EQ(asked_again->error().code, Code::unknown_subscription);
}

TEST_F(CoreDelivery, AFeederThatGoesOrACoreThatFailsLeavesNoQuestionBehind) {
  Place<OfferCredit> offered, asked, of_another;
  offer(offered, 0, {1, 2, 3, 4});
  settle_down();
  MailBox feeder;
  core_->offer(feeder, {id_, 1, {topic_, PartitionId{0}}, Offset{4}, Offset{4}, {}}, into(of_another));
  core_->remove_edge(feeder);
  offer(asked, 4, {});
  core_->fail({Code::io_error, "the disk failed", {}, {}}, nullptr);
  edge_.open();
  feeder.open();
  EXPECT_EQ(asked->error().code, Code::node_failed);
  EXPECT_FALSE(of_another);
}

TEST_F(CoreDelivery, AWorkflowThatGoesOrACoreThatFailsLeavesNoQuestionBehind) {
  Place<std::vector<RepairDelivery>> asked, of_another;
  MailBox workflow;
  const ReceiveRepairs wanted{.subscription = id_, .wait = Millis{1'000}};
  core_->receive_repairs(workflow, wanted, into(of_another));
  core_->remove_edge(workflow);
  core_->receive_repairs(edge_, wanted, into(asked));
  Place<OfferCredit> offered;
  offer(offered, 0, {0xabc});
  Place<Received> received;
  receive(received, 1, 0);
  settle_down();
  EXPECT_FALSE(asked) << "nothing is to be repaired";
  settle({}, {{leases(received)[0], {"declined", "no"}, {}}});
  ASSERT_TRUE(asked) << "the one who is there gets the head";
  EXPECT_EQ((*asked)->size(), 1u);

  Place<std::vector<RepairDelivery>> failed;
  core_->receive_repairs(edge_, wanted, into(failed));
  core_->fail({Code::io_error, "the disk failed", {}, {}}, nullptr);
  edge_.open();
  workflow.open();
  EXPECT_EQ(failed->error().code, Code::node_failed);
  EXPECT_FALSE(of_another);
}

TEST_F(CoreDelivery, AWorkflowThatWaitsHearsWhenItsSubscriptionGoes) {
  Place<std::vector<RepairDelivery>> asked;
  core_->receive_repairs(edge_, {.subscription = id_, .wait = Millis{60'000}}, into(asked));
  settle_down();
  EXPECT_FALSE(asked);
  Place<void> deleted;
  core_->delete_subscription(edge_, "s", into(deleted));
  settle_down();
  ASSERT_TRUE(asked) << "at once, not when its time is over";
  EXPECT_EQ(asked->error().code, Code::unknown_subscription);
}

TEST_F(CoreDelivery, WhatSomebodyPassesOverIsToldWithTheReason) {
  Place<OfferCredit> offered;
  offer(offered, 0, {0xabc, 0xabc});
  Place<Received> received;
  receive(received, 1, 0);
  settle_down();
  settle({}, {{leases(received)[0], {"declined", "no"}, {}}});
  Place<void> skipped, damaged;
  core_->skip_parked(edge_, id_, 0xabc, {"ann", "paid \"by hand\""}, into(skipped));
  core_->skip_damaged(edge_, {topic_, PartitionId{0}}, Offset{5}, Offset{7}, "ticket 12", into(damaged));
  settle_down();
  ASSERT_TRUE(*skipped && *damaged);
  EXPECT_THAT(events(), HasSubstr("continuo.event.skipped"));
  EXPECT_THAT(events(),
              HasSubstr(R"({"key":"~0000000000000abc","id":"~0000000000000abc","topic":"t","partition":0,"offset":"0",)"
                        R"("by":"ann","reason":"paid \"by hand\""})"));
  EXPECT_THAT(events(), HasSubstr("continuo.topic.records_skipped"));
  EXPECT_THAT(events(), HasSubstr(R"({"topic":"t","partition":0,"from":"5","next":"7","reason":"ticket 12"})"));
}

}  // namespace
}  // namespace continuo::node
