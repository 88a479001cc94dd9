// Queues in the core: made and removed as one, purged, trimmed; and events whose time comes by the wall clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/core_test.h"
#include "continuo/node/queue_work.h"

namespace continuo::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CoreQueuesTest : public CoreTest {
 protected:
  static QueueSettings settings(const std::string& name = "mail") {
    QueueSettings made = dead_letter_queue(name);
    made.subscription.retry.attempts = 3;
    return made;
  }
  Result<Put<Subscription>> put(const QueueSettings& settings, const std::string& name = "mail") {
    return ask<Put<Subscription>>([&](auto answer) { core_->queues().put(edge_, name, settings, std::move(answer)); });
  }
  Result<Subscription> change(const QueueChange& wanted, const std::string& name = "mail") {
    return ask<Subscription>([&](auto answer) { core_->queues().change(edge_, name, wanted, std::move(answer)); });
  }
  TopicId topic_of(const std::string& name = "mail") { return core_->topics().find(name)->definition.id; }
  PartitionRef partition() { return {topic_of(), PartitionId{0}}; }
  void send(int count) {
    std::vector<NewRecord> records;
    for (int i = 0; i < count; ++i) records.push_back(sample_record(topic_of()));
    CHECK(publish(std::move(records)).has_value());
  }
  // As the feeder does it: all from `from` on, the first with these times.
  void feed(SubscriptionId id, std::int64_t from, int count, std::int64_t not_before = 0, std::int64_t expires = 0) {
    Offer offer{id, 1, partition(), Offset{from}, Offset{from + count}, {}};
    for (std::int64_t at = from; at < from + count; ++at) offer.events.push_back({Offset{at}});
    offer.events.front().not_before = WallTime{not_before};
    offer.events.front().expires = WallTime{expires};
    CHECK(ask<OfferCredit>([&](auto answer) { core_->offer(edge_, offer, std::move(answer)); }).has_value());
  }
  std::vector<std::int64_t> received(SubscriptionId id) {
    std::vector<std::int64_t> offsets;
    for (const Lease& lease : leases_ = receive(id)) offsets.push_back(lease.offset.value);
    return offsets;
  }
  void ack(SubscriptionId id, std::vector<Lease> leases) {
    Settle settle;
    settle.subscription = id;
    settle.acks = std::move(leases);
    ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); });
  }
  void pass(std::int64_t ms) {
    clock_.pass(ms);
    for (int i = 0; i < 5; ++i) {
      core_->tick();
      flush();
    }
    edge_.open();
  }
  std::string told() {
    std::string all;
    const auto* events = core_->topics().find("continuo.events");
    for (const log::AppendedBatch& batch : home_.visible)
      if (events != nullptr && batch.partition.topic == events->definition.id) all += *batch.bytes;
    return all;
  }
  std::vector<Lease> leases_;
};

TEST_F(CoreQueuesTest, AreMadeAsOneAndAgainWithTheSameIsTheSame) {
  const std::size_t before = home_.groups.size();
  const auto made = put(settings());
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_TRUE(made->created);
  EXPECT_TRUE(made->value.settings.queue);
  EXPECT_EQ(home_.groups.size(), before + 1) << "one commit";
  EXPECT_NE(core_->topics().find("mail"), nullptr);
  EXPECT_FALSE(put(settings())->created);
  start();
  EXPECT_FALSE(put(settings())->created);
  QueueSettings other = settings();
  other.subscription.lease = Millis{5'000};
  EXPECT_EQ(put(other).error().code, Code::subscription_exists);
  other = settings();
  other.topic.partitions = 2;
  EXPECT_EQ(put(other).error().code, Code::topic_exists);
}

TEST_F(CoreQueuesTest, ChangeInOneCommitAndWithEverythingTheyHold) {
  ASSERT_TRUE(put(settings()));
  send(2);
  const SubscriptionId id = core_->subscriptions().find("mail")->definition.id;
  feed(id, 0, 2);
  ASSERT_THAT(received(id), ElementsAre(0, 1));
  const std::size_t before = home_.groups.size();
  QueueChange wanted;
  wanted.subscription.lease = Millis{5'000};
  wanted.subscription.dead_letter = "mail.dead";
  wanted.subscription.on_failure = engines::OnFailure::dead_letter;
  wanted.topic.dedup_window = Millis{60'000};
  wanted.topic.partitions = 3;
  wanted.receives = 9;
  const auto changed = change(wanted);
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(home_.groups.size(), before + 1) << "one commit";
  EXPECT_EQ(changed->settings.lease, Millis{5'000});
  ack(id, leases_);
  for (int round = 0; round < 2; ++round) {
    const auto& stands = core_->subscriptions().find("mail")->definition;
    EXPECT_EQ(stands.id, id);
    EXPECT_EQ(stands.settings.retry.attempts, 9u);
    EXPECT_EQ(core_->topics().find("mail")->definition.settings.dedup_window, Millis{60'000});
    EXPECT_THAT(core_->subscriptions().cursors(id), SizeIs(3)) << "it reads the new partitions";
    EXPECT_NE(core_->subscriptions().find("mail.dead"), nullptr);
    EXPECT_EQ(core_->subscriptions().counts(id).leased, 0u) << "the leases held";
    start();
  }
  wanted = {};
  wanted.subscription.retry.emplace().base = Millis{77};
  ASSERT_TRUE(change(wanted));
  EXPECT_EQ(core_->subscriptions().find("mail")->definition.settings.retry.attempts, 9u)
      << "nobody said another number";
  EXPECT_EQ(core_->subscriptions().find("mail")->definition.settings.retry.base, Millis{77});
}

TEST_F(CoreQueuesTest, ChangeWhollyOrNotAtAll) {
  ASSERT_TRUE(put(settings()));
  const auto refused = [&](const QueueChange& wanted, const std::string& name = "mail") {
    const auto changed = change(wanted, name);
    return changed ? "done" : to_string(changed.error());
  };
  QueueChange wanted;
  wanted.fifo = false;
  EXPECT_TRUE(change(wanted)) << "that it is what it is changes nothing";
  wanted.fifo = true;
  EXPECT_THAT(refused(wanted), HasSubstr("fifo"));
  wanted = {};
  wanted.topic.dedup_window = Millis{60'000};
  wanted.subscription.lease = Millis{1};
  EXPECT_THAT(refused(wanted), HasSubstr("lease"));
  EXPECT_NE(core_->topics().find("mail")->definition.settings.dedup_window, Millis{60'000});
  QueueSettings fifo = settings("steps");
  fifo.subscription.order_by = engines::OrderBy::key;
  ASSERT_TRUE(put(fifo, "steps"));
  wanted = {};
  wanted.topic.partitions = 2;
  EXPECT_THAT(refused(wanted, "steps"), HasSubstr("overtake"));
  make_topic("t");
  subscribe();
  EXPECT_THAT(refused(wanted, "s"), HasSubstr("no queue"));
  EXPECT_THAT(refused(wanted, "nobody"), HasSubstr("no queue"));
}

TEST_F(CoreQueuesTest, MakeTheQueueOfTheirDeadLetters) {
  QueueSettings wanted = settings();
  wanted.subscription.on_failure = engines::OnFailure::dead_letter;
  wanted.subscription.dead_letter = "mail.dead";
  ASSERT_TRUE(put(wanted));
  const auto* dead = core_->subscriptions().find("mail.dead");
  ASSERT_NE(dead, nullptr);
  EXPECT_TRUE(dead->definition.settings.queue);
  EXPECT_THAT(dead->definition.topics, ElementsAre(topic_of("mail.dead")));
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->queues().remove(edge_, "mail.dead", std::move(answer)); }));
  EXPECT_FALSE(put(wanted)->created);
  EXPECT_NE(core_->subscriptions().find("mail.dead"), nullptr) << "asking again mends what is missing";
}

TEST_F(CoreQueuesTest, TakeNoTopicThatIsInUse) {
  const TopicId used = make_topic("mail");
  ASSERT_TRUE(publish({sample_record(used)}));
  const auto refused = put(settings());
  EXPECT_EQ(refused.error().code, Code::topic_exists);
  EXPECT_EQ(core_->subscriptions().find("mail"), nullptr);
  make_topic("empty");
  EXPECT_TRUE(put(settings("empty"), "empty")) << "one that was made and never used will do";
}

TEST_F(CoreQueuesTest, GoWithTheirTopicInOneCommit) {
  ASSERT_TRUE(put(settings()));
  make_topic("t");
  subscribe({}, "s");
  const auto remove = [&](const std::string& name) {
    return ask<void>([&](auto answer) { core_->queues().remove(edge_, name, std::move(answer)); });
  };
  EXPECT_EQ(remove("s").error().code, Code::unknown_queue) << "an ordinary subscription";
  ASSERT_TRUE(remove("mail"));
  EXPECT_EQ(core_->topics().find("mail"), nullptr);
  EXPECT_EQ(core_->subscriptions().find("mail"), nullptr);
  EXPECT_EQ(remove("mail").error().code, Code::unknown_queue);
  EXPECT_TRUE(put(settings())->created);
}

TEST_F(CoreQueuesTest, AnEventComesWhenTheWallClockReachesItsTimeAlsoOverAStart) {
  const SubscriptionId id = put(settings())->value.id;
  send(2);
  const std::int64_t now = clock_.wall().ms;
  feed(id, 0, 2, now + 3'000);
  EXPECT_THAT(received(id), ElementsAre(1));
  pass(0);
  EXPECT_EQ(core_->next_due(), Millis{3'000});
  start();
  EXPECT_THAT(received(id), IsEmpty());
  pass(2'999);
  EXPECT_THAT(received(id), IsEmpty());
  pass(1);
  EXPECT_THAT(received(id), ElementsAre(0));
}

TEST_F(CoreQueuesTest, OneThatWaitsForAMessageGetsItWhenItsTimeComes) {
  const SubscriptionId id = put(settings())->value.id;
  send(1);
  feed(id, 0, 1, clock_.wall().ms + 500);
  std::optional<Result<Received>> got;
  core_->receive(edge_, receive_of(id, 20'000), into(got));
  pass(499);
  EXPECT_FALSE(got);
  pass(1);
  ASSERT_TRUE(got);
  EXPECT_THAT((*got)->deliveries, SizeIs(1));
}

TEST_F(CoreQueuesTest, WhatExpiresIsPassedOverAndTold) {
  const SubscriptionId id = put(settings())->value.id;
  send(2);
  feed(id, 0, 2, 0, clock_.wall().ms + 500);
  pass(500);
  EXPECT_THAT(received(id), ElementsAre(1));
  EXPECT_THAT(told(), HasSubstr("continuo.subscription.events_expired"));
  EXPECT_THAT(told(), HasSubstr(R"({"count":1,"events":[{"topic":"mail","partition":0,"offset":"0"}]})"));
}

TEST_F(CoreQueuesTest, WhatExpiredIsNotHandedOutBetweenTwoTicks) {
  const SubscriptionId id = put(settings())->value.id;
  send(2);
  feed(id, 0, 2, 0, clock_.wall().ms - 1);
  EXPECT_THAT(received(id), ElementsAre(1));
}

TEST_F(CoreQueuesTest, NothingExpiresByAClockThatJustJumped) {
  const SubscriptionId id = put(settings())->value.id;
  send(1);
  feed(id, 0, 1, 0, clock_.wall().ms + 3'600'000);
  clock_.wall_ms += 100'000'000;
  pass(1);
  EXPECT_EQ(core_->subscriptions().counts(id).queued, 1u);
  EXPECT_GT(*core_->next_due(), Millis{0}) << "it does not look again and again";
  pass(700'000);
  EXPECT_EQ(core_->subscriptions().counts(id).queued, 0u) << "after ten minutes it is believed";
}

TEST_F(CoreQueuesTest, TheirTopicIsTrimmedBehindWhatIsNotSettled) {
  const SubscriptionId id = put(settings())->value.id;
  send(4);
  feed(id, 0, 4);
  EXPECT_THAT(received(id), SizeIs(4));
  const auto first = [&] { return core_->topics().head(partition())->first.value; };
  ack(id, {leases_[0], leases_[1], leases_[3]});
  pass(1);
  EXPECT_EQ(first(), 0) << "not at every settle";
  pass(6'000);
  EXPECT_EQ(first(), 2);
  EXPECT_EQ(told(), "") << "nobody lost anything";
  ack(id, {leases_[2]});
  start();
  pass(0);
  pass(6'000);
  EXPECT_EQ(first(), 4) << "also what was settled before the start";
}

TEST_F(CoreQueuesTest, AnotherReaderKeepsWhatItHasNotSettled) {
  const SubscriptionId id = put(settings())->value.id;
  SubscriptionSettings other;
  other.topics = {"mail"};
  other.from = engines::StartFrom::earliest;
  ask<Put<Subscription>>([&](auto answer) { core_->put_subscription(edge_, "audit", other, {}, std::move(answer)); });
  send(2);
  feed(id, 0, 2);
  received(id);
  ack(id, leases_);
  pass(6'000);
  EXPECT_EQ(core_->topics().head(partition())->first, Offset{0});
}

TEST_F(CoreQueuesTest, APurgeTakesAllThatNobodyHasAndIsTold) {
  const SubscriptionId id = put(settings())->value.id;
  send(8);
  feed(id, 0, 5, clock_.wall().ms + 60'000);
  Receive one = receive_of(id);
  one.max = 1;
  const auto held = ask<Received>([&](auto answer) { core_->receive(edge_, one, std::move(answer)); });
  ASSERT_THAT(held->deliveries, SizeIs(1));
  std::optional<Result<std::uint64_t>> purged;
  core_->queues().purge(edge_, id, {"kim", "sent twice"}, into(purged));
  EXPECT_EQ(core_->next_due(), Millis{0});
  pass(0);
  ASSERT_TRUE(purged);
  EXPECT_EQ(**purged, 7u) << "four of those offered, three that were not";
  EXPECT_THAT(told(), HasSubstr("continuo.queue.purged"));
  EXPECT_THAT(told(), HasSubstr(R"({"events":7,"by":"kim","reason":"sent twice"})"));
  ack(id, {held->deliveries.front().lease});
  pass(6'000);
  EXPECT_EQ(core_->topics().head(partition())->first, Offset{8});
}

TEST_F(CoreQueuesTest, TellHowTheirEventsStand) {
  const SubscriptionId id = put(settings())->value.id;
  send(3);
  feed(id, 0, 2, clock_.wall().ms + 60'000);
  received(id);
  const std::vector<EventPlace> places{{partition(), Offset{0}}, {partition(), Offset{1}}, {partition(), Offset{2}}};
  const auto states =
      ask<std::vector<EventState>>([&](auto answer) { core_->queues().states(edge_, id, places, std::move(answer)); });
  EXPECT_EQ(states->at(0).state, EventState::Is::delayed);
  EXPECT_EQ(states->at(1).state, EventState::Is::leased);
  EXPECT_EQ(states->at(1).attempts, 1u);
  EXPECT_EQ(states->at(2).state, EventState::Is::waiting);
}

}  // namespace
}  // namespace continuo::node
