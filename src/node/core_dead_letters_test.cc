// Events given up to a topic of dead letters, while whatever they are of comes and goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/core_test.h"
#include "continuo/node/healing.h"

namespace continuo::node {
namespace {

using testing::HasSubstr;

class CoreDeadLettersTest : public CoreTest {
 protected:
  void SetUp() override {
    CoreTest::SetUp();
    topic_ = make_topic();
    CHECK(publish({sample_record(topic_), sample_record(topic_)}).has_value());
    SubscriptionSettings settings;
    settings.retry.attempts = 1;
    settings.on_failure = engines::OnFailure::dead_letter;
    settings.dead_letter = "t.dead";
    id_ = subscribe(settings);
    CHECK(offer(id_, topic_, 0, {7, 7}).has_value());
  }
  // The head fails, and the core wants to read it.
  std::optional<KeepJob> give_up() {
    Settle settle;
    settle.subscription = id_;
    settle.nacks.push_back({receive(id_).at(0), {"broken", "it is not 5"}, {}, {}});
    CHECK(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); })->refused.empty());
    core_->tick();
    flush();
    return core_->keep_job();
  }
  void keep(const KeepJob& job, bool readable = true) {
    std::vector<ReadRecord> records;
    for (const Offset offset : job.offsets)
      records.push_back({offset, readable, 7, 7, 1'000, readable ? sample_record(topic_).body : std::string{}});
    core_->keep(job, std::move(records));
    flush();
  }
  std::int64_t letters() {
    const auto* topic = core_->topics().find("t.dead");
    return topic == nullptr ? 0 : core_->topics().head({topic->definition.id, PartitionId{0}})->next.value;
  }

  // The head cannot be read: the key is parked, and what fails from there on can.
  void park_unreadable() {
    keep(*give_up(), false);
    ASSERT_EQ(core_->subscriptions().counts(id_).parked_keys, 1u);
  }
  void retry() {
    ASSERT_TRUE(ask<void>([&](auto answer) { core_->retry_parked(edge_, id_, 7, {"kim", "why"}, std::move(answer)); }));
  }
  std::size_t told(std::string_view type) {
    std::size_t count = 0;
    for (const log::AppendedBatch& batch : home_.visible)
      for (auto at = batch.bytes->find(type); at != std::string::npos; at = batch.bytes->find(type, at + 1)) ++count;
    return count;
  }

  static constexpr std::string_view drained = "continuo.key.drained";
  TopicId topic_;
  SubscriptionId id_;
};

TEST_F(CoreDeadLettersTest, TheLetterAndTheEventsEndAreOneCommit) {
  const auto job = give_up();
  ASSERT_TRUE(job && job->dead_letters);
  EXPECT_EQ(letters(), 0);
  EXPECT_TRUE(receive(id_).empty()) << "what is behind it waits for it";
  const std::size_t before = home_.visible.size();
  keep(*job);
  EXPECT_EQ(letters(), 1);
  const auto lease = receive(id_);
  ASSERT_EQ(lease.size(), 1u);
  EXPECT_EQ(lease[0].offset, Offset{1});
  std::string told;
  for (std::size_t i = before; i < home_.visible.size(); ++i) told += *home_.visible[i].bytes;
  EXPECT_THAT(told, HasSubstr("continuo.event.dead_lettered"));
}

TEST_F(CoreDeadLettersTest, ATopicDeletedWhileItsRecordIsReadTakesItAlong) {
  const auto job = give_up();
  ASSERT_TRUE(job);
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->delete_topic(edge_, "t", std::move(answer)); }));
  keep(*job);
  EXPECT_EQ(letters(), 0);
  for (int i = 0; i < 5; ++i) core_->tick(), flush();
  EXPECT_EQ(core_->subscriptions().counts(id_).delayed, 0u);
}

TEST_F(CoreDeadLettersTest, ASubscriptionMovedWhileItsRecordIsReadGetsItAgain) {
  const auto job = give_up();
  ASSERT_TRUE(job);
  const Seek back{id_, {{{topic_, PartitionId{0}}, Offset{0}}}, ParkedFate::discard, {}};
  const auto moved = ask<Subscription>([&](auto answer) { core_->seek(edge_, back, std::move(answer)); });
  keep(*job);
  EXPECT_EQ(letters(), 0);
  EXPECT_EQ(core_->subscriptions().cursors(moved->id).at(0).next, Offset{0});
}

// ---- keys that were released, and whose last event does not end well ------------------------------------------------

TEST_F(CoreDeadLettersTest, AReleasedKeyWhoseEventsBecomeDeadLettersIsDrainedOnce) {
  park_unreadable();
  clock_.pass(5'000);
  retry();
  keep(*give_up());
  EXPECT_EQ(letters(), 1);
  EXPECT_EQ(told(drained), 0u) << "the second one still waits";
  start();
  const auto last = give_up();
  EXPECT_EQ(told(drained), 0u) << "it is not written yet";
  keep(*last);
  EXPECT_EQ(letters(), 2);
  EXPECT_EQ(told(drained), 1u);
  EXPECT_EQ(told(R"("after":"5s")"), 1u) << "counted from when it was parked, not from when it failed again";
  EXPECT_EQ(core_->subscriptions().tally(id_).drained, 1u);
  ASSERT_TRUE(offer(id_, topic_, 2, {7}));
  keep(*give_up());
  EXPECT_EQ(told(drained), 1u) << "the key was well again";
}

TEST_F(CoreDeadLettersTest, AReleaseIsDoneWhenItsKeysAreDeadLetters) {
  park_unreadable();
  const ReleaseParked all{id_, {}, 0, false, false, {"kim", "why"}};
  ASSERT_TRUE(ask<Release>([&](auto answer) { core_->release_parked(edge_, all, std::move(answer)); }));
  const auto pass_time = [&] {
    for (int i = 0; i < 5; ++i) clock_.pass(100), core_->tick(), flush();
  };
  pass_time();
  keep(*give_up());
  const auto last = give_up();
  ASSERT_TRUE(last);
  pass_time();
  EXPECT_EQ(core_->subscriptions().release(id_)->state, engines::ReleaseState::running);
  keep(*last);
  pass_time();
  EXPECT_EQ(told(drained), 1u);
  EXPECT_EQ(core_->subscriptions().release(id_)->state, engines::ReleaseState::done);
  EXPECT_EQ(core_->subscriptions().release(id_)->relapsed, 2u);
}

TEST_F(CoreDeadLettersTest, AReleasedKeyThatCannotBeReadAgainIsParkedAgain) {
  park_unreadable();
  retry();
  park_unreadable();
  EXPECT_EQ(core_->subscriptions().tally(id_).relapsed, 1u) << "it failed once more, not twice";
  EXPECT_EQ(told(drained), 0u);
  EXPECT_EQ(core_->subscriptions().parked(id_, {.key_hash = 7})[0].healing, engines::Healing::parked);
  retry();
  keep(*give_up());
  keep(*give_up());
  EXPECT_EQ(told(drained), 1u);
}

TEST_F(CoreDeadLettersTest, AReleasedKeyWhoseEventsAreDroppedIsDrainedOnce) {
  park_unreadable();
  SubscriptionChange change;
  change.on_failure = engines::OnFailure::drop;
  change.dead_letter = "";
  ASSERT_TRUE(ask<ChangedSubscription>(
      [&](auto answer) { core_->change_subscription(edge_, "s", change, std::move(answer)); }));
  retry();
  give_up();
  EXPECT_EQ(told(drained), 0u);
  give_up();
  EXPECT_EQ(told(drained), 1u);
}

TEST_F(CoreDeadLettersTest, AReleasedKeyWhoseLastEventExpiresIsDrainedOnce) {
  Offer last{id_, 1, {topic_, PartitionId{0}}, Offset{2}, Offset{3}, {{Offset{2}, 7}}};
  last.events[0].expires = WallTime{clock_.wall().ms + 10'000};
  ASSERT_TRUE(ask<OfferCredit>([&](auto answer) { core_->offer(edge_, last, std::move(answer)); }));
  park_unreadable();
  retry();
  keep(*give_up());
  keep(*give_up());
  EXPECT_EQ(told(drained), 0u);
  clock_.pass(20'000);
  for (int i = 0; i < 3; ++i) core_->tick(), flush();
  EXPECT_EQ(told("continuo.subscription.events_expired"), 1u);
  EXPECT_EQ(told(drained), 1u);
}

}  // namespace
}  // namespace continuo::node
