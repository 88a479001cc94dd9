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
  void keep(const KeepJob& job) {
    std::vector<ReadRecord> records;
    for (const Offset offset : job.offsets) records.push_back({offset, true, 7, 7, 1'000, sample_record(topic_).body});
    core_->keep(job, std::move(records));
    flush();
  }
  std::int64_t letters() {
    const auto* topic = core_->topics().find("t.dead");
    return topic == nullptr ? 0 : core_->topics().head({topic->definition.id, PartitionId{0}})->next.value;
  }

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

}  // namespace
}  // namespace continuo::node
