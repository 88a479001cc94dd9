// Checkpoints of the core, and what it is after a restart.
#include <gmock/gmock.h>

#include "continuo/node/core_test.h"

namespace continuo::node {
namespace {

using testing::IsEmpty;

TEST_F(CoreTest, ACheckpointThatWouldFreeNothingIsNotBegun) {
  home_.numbers = {.slots = 4, .used_slots = 1, .free_slots = 3};
  EXPECT_FALSE(core_->checkpoint(false));
  EXPECT_FALSE(core_->checkpointing()) << "the slot being written is a quarter of the ring, and stays";
  home_.numbers.used_slots = 2;
  EXPECT_TRUE(core_->checkpoint(false));
}

TEST_F(CoreTest, ACheckpointIsHandedOutWhenAllInItIsDurable) {
  const TopicId topic = make_topic();
  EXPECT_FALSE(core_->checkpoint(false)) << "the ring is far from a quarter full";
  home_.numbers.used_slots = 4;
  std::optional<Result<Published>> answer;
  core_->publish(edge_, {sample_record(topic)}, into(answer));
  EXPECT_FALSE(core_->checkpoint(false)) << "not while a group is open";
  auto flying = core_->close();
  EXPECT_FALSE(core_->checkpoint(false)) << "the newest state is still in flight";
  EXPECT_TRUE(core_->checkpointing());
  ASSERT_TRUE(home_.write(flying->log));
  core_->written(std::move(flying));
  auto job = core_->checkpoint(false);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->upto, core_->last_written());
  EXPECT_FALSE(core_->checkpoint(false)) << "one at a time";
  core_->checkpoint_done(false, std::move(job->units));
  job = core_->checkpoint(true);
  ASSERT_TRUE(job);
  EXPECT_FALSE(job->units.empty()) << "what found no space is in the next one";
  ASSERT_TRUE(home_.checkpoint(job->upto, job->units, job->now));
  core_->checkpoint_done(true, {});
}

TEST_F(CoreTest, RecoversTheSameStateWithAndWithoutACheckpoint) {
  const TopicId topic = make_topic("t", {.partitions = 2});
  const SubscriptionId id = subscribe();
  ASSERT_TRUE(publish({sample_record(topic, 1), sample_record(topic, 2, "k", 1)}));
  ASSERT_TRUE(offer(id, topic, 0, {1}));
  const auto lease = receive(id).at(0);
  for (const bool with_checkpoint : {false, true}) {
    if (with_checkpoint) {
      auto job = core_->checkpoint(true);
      ASSERT_TRUE(job && home_.checkpoint(job->upto, job->units, job->now));
      core_->checkpoint_done(true, {});
    }
    const auto secret = core_->secret();
    clock_.pass(1'000'000);  // the wall clock ran on while the node was down
    start();
    EXPECT_EQ(core_->secret(), secret);
    EXPECT_TRUE(publish({sample_record(topic, 1)})->places[0].duplicate) << "elapsed time stood still";
    EXPECT_EQ(core_->subscriptions().counts(id).leased, 1u);
    EXPECT_EQ(core_->topics().head({topic, PartitionId{1}})->next, Offset{1});
    EXPECT_NE(core_->catalogue()->find_subscription("s"), nullptr);
  }
  Settle settle;
  settle.subscription = id;
  settle.acks = {lease};
  EXPECT_EQ(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); })->settled, 1u)
      << "a lease outlives the restart";
}

TEST_F(CoreTest, DeletedThingsAreClearedAwayAlsoAfterARestart) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe(), second = subscribe({}, "s2");
  ASSERT_TRUE(offer(id, topic, 0, {1, 2}));
  ASSERT_TRUE(offer(second, topic, 0, {1, 2}));
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_subscription(edge_, "s", std::move(answer)); }));
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_topic(edge_, "t", std::move(answer)); }));
  start();
  EXPECT_EQ(core_->next_due(), Millis{0});
  for (int i = 0; i < 6; ++i) {
    core_->tick();
    flush();
  }
  EXPECT_EQ(core_->next_due(), std::nullopt);
  EXPECT_THAT(core_->subscriptions().read_topics(), IsEmpty());
  EXPECT_EQ(core_->subscriptions().counts(second).queued, 0u);
}

}  // namespace
}  // namespace continuo::node
