// Trimming under consumers' hands: what is copied, when it is given up, what is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/core_test.h"

namespace continuo::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CoreRetentionTest : public CoreTest {
 protected:
  void SetUp() override {
    start();
    topic_ = make_topic();
    id_ = subscribe("s");
    std::vector<NewRecord> records;
    for (int i = 0; i < 6; ++i) records.push_back(sample_record(topic_));
    CHECK(publish(std::move(records)).has_value());
  }
  void run_jobs() {
    for (int i = 0; i < 20; ++i) {
      core_->tick();
      flush();
    }
    edge_.open();
  }
  SubscriptionId subscribe(const std::string& name) {
    SubscriptionSettings settings;
    settings.retry.attempts = 1;
    return CoreTest::subscribe(settings, name);
  }
  // One event for each of these keys, from offset 0 on.
  void offer(SubscriptionId id, std::initializer_list<std::uint64_t> keys) {
    CHECK(CoreTest::offer(id, topic_, 0, keys).has_value());
  }
  std::vector<Lease> receive(SubscriptionId id, std::uint32_t most) {
    Receive receive;
    receive.subscription = id;
    receive.max = most;
    std::vector<Lease> leases;
    const auto received = ask<Received>([&](auto answer) { core_->receive(edge_, receive, std::move(answer)); });
    for (const Delivery& each : received->deliveries) leases.push_back(each.lease);
    return leases;
  }
  void settle(SubscriptionId id, std::vector<Lease> acks, std::vector<Nack> nacks) {
    Settle settle;
    settle.subscription = id;
    settle.acks = std::move(acks);
    settle.nacks = std::move(nacks);
    CHECK(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); })->refused.empty());
  }
  void trim(Offset before) {
    core_->trim(edge_, topic_, PartitionId{0}, before,
                [this](Result<PartitionState> result) { trimmed_.emplace(std::move(result)); });
    run_jobs();
  }
  // Does the write-behind thread's part: gives the records that are asked for.
  std::vector<Offset> keep(bool readable = true) {
    const auto job = core_->keep_job();
    if (!job) return {};
    std::vector<ReadRecord> records;
    for (const Offset offset : job->offsets)
      records.push_back({offset, readable, 7, 7, 1'000, readable ? sample_record(topic_).body : std::string{}});
    core_->keep(*job, std::move(records));
    run_jobs();
    return job->offsets;
  }
  PartitionRef partition() const { return {topic_, PartitionId{0}}; }
  std::optional<Offset> copy_of(std::int64_t offset) {
    std::optional<Offset> copy;
    core_->tell_kept([&](const KeptChange& kept) {
      if (kept.partition == partition() && kept.offset == Offset{offset}) copy = kept.copy;
    });
    return copy;
  }
  // What was told, all of it.
  std::string told() {
    std::string all;
    const auto* events = core_->topics().find("continuo.events");
    for (const log::AppendedBatch& batch : home_.visible)
      if (events != nullptr && batch.partition.topic == events->definition.id) all += *batch.bytes;
    return all;
  }
  const engines::HeadUnit& copies() {
    return *core_->topics().head({core_->topics().find(kept_topic)->definition.id, PartitionId{0}});
  }

  TopicId topic_;
  SubscriptionId id_;
  std::optional<Result<PartitionState>> trimmed_;
};

TEST_F(CoreRetentionTest, WithNothingInTheWayATrimIsDoneAtOnce) {
  trim(Offset{3});
  EXPECT_EQ((*trimmed_)->first, Offset{3});
  EXPECT_EQ(core_->topics().find(kept_topic), nullptr) << "nothing was ever kept";
  EXPECT_EQ(core_->next_due(), std::nullopt);
}

TEST_F(CoreRetentionTest, ATrimWaitsUntilWhatIsHeldIsCopied) {
  offer(id_, {7, 7, 8, 9});
  const auto leases = receive(id_, 2);  // keys 7 and 8: offsets 0 and 2, or a run of 7
  settle(id_, {}, {{leases[0], {"c", "m"}, {}}});
  trim(Offset{4});
  EXPECT_FALSE(trimmed_);
  EXPECT_EQ(core_->topics().head(partition())->first, Offset{0});
  const auto kept = keep();
  EXPECT_THAT(kept, testing::Contains(Offset{0}));
  EXPECT_THAT(kept, testing::Contains(Offset{1})) << "it waits behind the parked head";
  EXPECT_EQ((*trimmed_)->first, Offset{4});
  EXPECT_EQ(copy_of(0), Offset{0});
  EXPECT_EQ(copy_of(1), Offset{1});
  EXPECT_EQ(copy_of(3), std::nullopt);
  EXPECT_THAT(told(), HasSubstr(R"("waiting":1,"unread_at_most":0,"events_at_most":1)")) << "key 9 was only queued";
}

TEST_F(CoreRetentionTest, CopiesLastOverARestartAndGoWhenNobodyWaits) {
  offer(id_, {7, 7, 8});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  trim(Offset{3});
  keep();
  ASSERT_EQ(core_->kept_records(), 2u);
  start();
  run_jobs();
  EXPECT_EQ(core_->kept_records(), 2u);
  EXPECT_EQ(copy_of(1), Offset{1});
  std::vector<Offset> told_to_readers;
  core_->tell_kept([&](const KeptChange& kept) { told_to_readers.push_back(kept.offset); });
  EXPECT_THAT(told_to_readers, ElementsAre(Offset{0}, Offset{1}));
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->retry_parked(edge_, id_, 7, {}, std::move(answer)); }));
  settle(id_, {receive(id_, 1).at(0)}, {});
  run_jobs();
  EXPECT_EQ(copy_of(0), std::nullopt);
  EXPECT_EQ(copies().first, Offset{1});
  settle(id_, {receive(id_, 1).at(0)}, {});
  run_jobs();
  EXPECT_EQ(core_->kept_records(), 0u);
  EXPECT_EQ(copies().first, copies().next);
}

TEST_F(CoreRetentionTest, ACopyLastsWhenItsKeyIsRetried) {
  offer(id_, {7, 8});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  trim(Offset{1});
  keep();
  ASSERT_EQ(copy_of(0), Offset{0});
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->retry_parked(edge_, id_, 7, {}, std::move(answer)); }));
  trim(Offset{2});
  EXPECT_THAT(told(), HasSubstr(R"("waiting":1,"unread_at_most":0,"events_at_most":1)")) << "key 8, not key 7";
  EXPECT_EQ(copy_of(0), Offset{0});
  EXPECT_EQ(receive(id_, 1).at(0).offset, Offset{0});
}

TEST_F(CoreRetentionTest, WhatDrainsIsCopiedToo) {
  offer(id_, {7, 8});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->retry_parked(edge_, id_, 7, {}, std::move(answer)); }));
  trim(Offset{1});
  keep();
  EXPECT_EQ(copy_of(0), Offset{0});
  EXPECT_EQ((*trimmed_)->first, Offset{1});
  EXPECT_EQ(receive(id_, 1).at(0).offset, Offset{0}) << "it was promised to come again";
}

TEST_F(CoreRetentionTest, ACrashBetweenCopyAndTrimLosesNothing) {
  offer(id_, {7, 7});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  trim(Offset{2});
  const auto job = core_->keep_job();
  ASSERT_TRUE(job);
  core_->keep(*job, {{Offset{0}, true, 7, 7, 1'000, sample_record(topic_).body}});
  flush();
  start();  // one of two is copied, and nothing trimmed
  run_jobs();
  EXPECT_EQ(core_->topics().head(partition())->first, Offset{0});
  trim(Offset{2});
  EXPECT_THAT(keep(), ElementsAre(Offset{1})) << "the other was copied before";
  EXPECT_EQ((*trimmed_)->first, Offset{2});
  EXPECT_EQ(core_->kept_records(), 2u);
}

TEST_F(CoreRetentionTest, ACopyServesAllWhoWait) {
  const SubscriptionId other = subscribe("other");
  offer(id_, {7});
  offer(other, {7});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  settle(other, {}, {{receive(other, 1)[0], {"c", "m"}, {}}});
  trim(Offset{1});
  keep();
  EXPECT_EQ(core_->kept_records(), 1u);
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->skip_parked(edge_, id_, 7, {"ann", "done"}, std::move(answer)); }));
  run_jobs();
  EXPECT_EQ(core_->kept_records(), 1u) << "the other still waits";
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_subscription(edge_, "other", std::move(answer)); }));
  run_jobs();
  EXPECT_EQ(core_->kept_records(), 0u);
}

TEST_F(CoreRetentionTest, WhatWasSettledMeanwhileIsNotCopied) {
  offer(id_, {7});
  const auto leases = receive(id_, 1);
  trim(Offset{1});
  EXPECT_FALSE(trimmed_);
  settle(id_, leases, {});
  keep();
  EXPECT_TRUE(trimmed_->has_value());
  EXPECT_EQ(core_->kept_records(), 0u);
}

TEST_F(CoreRetentionTest, WhatCannotBeReadDoesNotHoldTheTrim) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{1});
  keep(false);
  EXPECT_EQ((*trimmed_)->first, Offset{1});
  EXPECT_EQ(core_->kept_records(), 0u);
  EXPECT_EQ(core_->subscriptions().counts(id_).leased, 1u) << "its consumer, or a person, decides what becomes of it";
}

TEST_F(CoreRetentionTest, ALossIsToldOnceWithItsCounts) {
  offer(id_, {7, 8});
  trim(Offset{5});
  EXPECT_THAT(told(), HasSubstr("continuo.subscription.events_lost"));
  EXPECT_THAT(told(), HasSubstr(R"("topic":"t","partition":0,"reason":"trimmed","from":"0","next":"5",)"
                                R"("waiting":2,"unread_at_most":3,"events_at_most":5)"));
  EXPECT_EQ(core_->subscriptions().counts(id_).queued, 0u);
  const std::string before = told();
  trim(Offset{5});
  EXPECT_EQ(told(), before);
}

TEST_F(CoreRetentionTest, WhatADeletedTopicTakesIsTold) {
  offer(id_, {7, 7, 8});
  settle(id_, {}, {{receive(id_, 1)[0], {"c", "m"}, {}}});
  trim(Offset{1});
  keep();
  ASSERT_EQ(core_->kept_records(), 1u);
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_topic(edge_, "t", std::move(answer)); }));
  run_jobs();
  EXPECT_THAT(told(), HasSubstr(R"("topic":"t","partition":0,"reason":"topic_deleted","waiting":3)"));
  EXPECT_EQ(core_->kept_records(), 0u) << "nobody waits for it any more";
}

TEST_F(CoreRetentionTest, ATopicDeletedUnderATrimEndsIt) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{1});
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_topic(edge_, "t", std::move(answer)); }));
  keep();
  EXPECT_EQ(trimmed_->error().code, Code::unknown_topic);
}

TEST_F(CoreRetentionTest, TrimsWaitForEachOther) {
  offer(id_, {7, 8});
  receive(id_, 1);
  trim(Offset{1});
  std::optional<Result<PartitionState>> second;
  core_->trim(edge_, topic_, PartitionId{0}, Offset{2}, [&](Result<PartitionState> result) { second = result; });
  run_jobs();
  EXPECT_FALSE(second);
  keep();
  EXPECT_EQ((*trimmed_)->first, Offset{1});
  EXPECT_EQ((*second)->first, Offset{2});
}

TEST_F(CoreRetentionTest, ANewSubscriptionBeginsBehindATrimThatIsUnderWay) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{4});
  const SubscriptionId late = subscribe("late");
  EXPECT_EQ(core_->subscriptions().cursors(late).at(0).next, Offset{4});
}

TEST_F(CoreRetentionTest, OneThatStartsAtATimeDoesToo) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{4});
  SubscriptionSettings settings;
  settings.topics = {"t"};
  const auto late = ask<Put<Subscription>>([&](auto answer) {
    core_->put_subscription(edge_, "late", settings, {{partition(), Offset{1}}}, std::move(answer));
  });
  EXPECT_EQ(core_->subscriptions().cursors(late->value.id).at(0).next, Offset{4});
}

// What it read there would be gone under its consumers' hands.
TEST_F(CoreRetentionTest, NobodyIsMovedBeforeATrimThatIsUnderWay) {
  offer(id_, {7});
  receive(id_, 1);
  const SubscriptionId other = subscribe("other");
  trim(Offset{4});
  const Seek back{other, {{partition(), Offset{1}}}, ParkedFate::refuse, {}};
  const auto moved = ask<Subscription>([&](auto answer) { core_->seek(edge_, back, std::move(answer)); });
  EXPECT_EQ(core_->subscriptions().cursors(moved->id).at(0).next, Offset{4});
}

TEST_F(CoreRetentionTest, CopiesAreTheNodesOwnAffair) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{1});
  keep();
  const TopicId copies = core_->topics().find(kept_topic)->definition.id;
  EXPECT_EQ(ask<void>([&](auto answer) { core_->delete_topic(edge_, std::string{kept_topic}, std::move(answer)); })
                .error()
                .code,
            Code::system_name);
  EXPECT_EQ(ask<PartitionState>(
                [&](auto answer) { core_->trim(edge_, copies, PartitionId{0}, max_offset, std::move(answer)); })
                .error()
                .code,
            Code::system_name);
}

TEST_F(CoreRetentionTest, AFailedNodeAnswersTheTrimThatWaits) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{1});
  core_->fail({Code::io_error, "the disk failed", {}, {}}, nullptr);
  edge_.open();
  EXPECT_EQ(trimmed_->error().code, Code::node_failed);
  EXPECT_FALSE(core_->keep_job());
}

TEST_F(CoreRetentionTest, AnEdgeThatLeavesDoesNotStopItsTrim) {
  offer(id_, {7});
  receive(id_, 1);
  trim(Offset{1});
  core_->remove_edge(edge_);
  keep();
  EXPECT_FALSE(trimmed_);
  EXPECT_EQ(core_->topics().head(partition())->first, Offset{1});
}

}  // namespace
}  // namespace continuo::node
