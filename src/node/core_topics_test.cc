// Settings of topics that change, on a home in memory.
#include <gmock/gmock.h>

#include "continuo/node/core_test.h"
#include "continuo/node/running_node_test.h"
#include "continuo/record/produced_batch_test.h"

namespace continuo::node {
namespace {

using engines::Timestamps;
using testing::ElementsAre;

class CoreTopicsTest : public CoreTest {
 protected:
  Result<Topic> change(const TopicChange& change, bool only_checked = false, const std::string& name = "t") {
    return ask<Topic>([&](auto answer) { core_->change_topic(edge_, name, change, only_checked, std::move(answer)); });
  }
  std::vector<FeedPosition> positions() {
    std::vector<SubscriptionId> ids;
    for (const auto& [name, subscription] : core_->catalogue()->subscriptions) ids.push_back(subscription->id);
    return *ask<std::vector<FeedPosition>>([&](auto answer) { core_->feed_positions(edge_, ids, std::move(answer)); });
  }
  const TopicSettings& settings() { return core_->catalogue()->find_topic("t")->settings; }
  std::vector<std::int64_t> visible_times() {
    std::vector<std::int64_t> times;
    for (const log::AppendedBatch& batch : home_.visible) {
      EXPECT_TRUE(record::check_batch(*batch.bytes).has_value()) << "the CRC holds";
      EXPECT_EQ(record::read_batch_header(*batch.bytes)->max_timestamp, batch.max_timestamp_ms);
      record::RecordWalk walk{*batch.bytes};
      while (const auto record = walk.next()) times.push_back(record->timestamp_ms);
    }
    return times;
  }
};

TEST_F(CoreTopicsTest, AChangeIsInTheCatalogueAndOutlivesARestart) {
  make_topic();
  const auto changed = change({.retention_time = Millis{60'000}, .max_batch_bytes = 2'000'000});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->settings.max_batch_bytes, 2'000'000u);
  EXPECT_EQ(settings(), changed->settings);
  start();
  EXPECT_EQ(settings().max_batch_bytes, 2'000'000u);
  EXPECT_EQ(settings().retention_time, Millis{60'000});
}

TEST_F(CoreTopicsTest, WhatIsOnlyCheckedDoesNotChange) {
  make_topic();
  const auto groups = home_.groups.size();
  EXPECT_EQ(change({.partitions = 3}, true)->settings.partitions, 3u);
  EXPECT_EQ(settings().partitions, 1u);
  EXPECT_EQ(change({.partitions = 0}, true).error().code, Code::bad_setting);
  EXPECT_TRUE(change({.partitions = 1})) << "as it is";
  EXPECT_EQ(home_.groups.size(), groups) << "nothing was written";
}

TEST_F(CoreTopicsTest, WhatIsNotThereOrNotTheirsIsRefused) {
  EXPECT_EQ(change({}, false, "none").error().code, Code::unknown_topic);
  EXPECT_EQ(change({}, false, std::string{kept_topic}).error().code, Code::system_name);
}

TEST_F(CoreTopicsTest, SubscriptionsReadNewPartitionsFromTheirBeginning) {
  const TopicId topic = make_topic();
  const SubscriptionId reader = subscribe();
  ASSERT_TRUE(publish({node_record(topic)}));
  ASSERT_TRUE(offer(reader, topic, 0, {1}));
  ASSERT_TRUE(change({.partitions = 3}));
  for (int round = 0; round < 2; ++round) {
    const auto all = positions();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].next, Offset{1});
    EXPECT_EQ(all[1].next, Offset{0});
    EXPECT_EQ(all[2].partition, (PartitionRef{topic, PartitionId{2}}));
    start();
  }
  EXPECT_TRUE(publish({node_record(topic, 0, "k", 2)}));
}

TEST_F(CoreTopicsTest, MoreThanOneCommitCanBringIsRefused) {
  limits_.partitions_per_topic = 20'000;
  limits_.partitions = 100'000;
  start();
  make_topic();
  subscribe();
  subscribe({}, "s2");
  EXPECT_EQ(change({.partitions = 10'002}).error().code, Code::limit_reached);
  EXPECT_TRUE(change({.partitions = 10'001}));
}

TEST_F(CoreTopicsTest, TheHomeIsToldHowLargeFilesAre) {
  const TopicId topic = make_topic("t", {.segment_bytes = 1 << 20});
  EXPECT_EQ(home_.segment_bytes.at(topic), 1u << 20);
  ASSERT_TRUE(change({.segment_bytes = std::optional<std::uint64_t>{2 << 20}}));
  EXPECT_EQ(home_.segment_bytes.at(topic), 2u << 20);
  home_.segment_bytes.clear();
  start();
  EXPECT_EQ(home_.segment_bytes.at(topic), 2u << 20) << "again after a restart";
  ASSERT_TRUE(change({.segment_bytes = std::optional<std::uint64_t>{}}));
  EXPECT_EQ(home_.segment_bytes.at(topic), std::nullopt);
}

TEST_F(CoreTopicsTest, RecordsHaveTheTimeOfTheirAppendingWhereTheTopicSaysSo) {
  const PartitionRef partition{make_topic("t", {.timestamps = Timestamps::appended}), PartitionId{0}};
  const auto produce = [&] {
    std::vector<NewBatch> batches{{partition, record::produced_batch({"a", "b"}, 1'000, {})}};
    return ask<std::vector<Result<BatchPlace>>>(
        [&](auto answer) { core_->produce(edge_, std::move(batches), std::move(answer)); });
  };
  const std::int64_t now = core_->now().wall.ms;
  const auto placed = produce();
  ASSERT_TRUE(placed && placed->at(0));
  EXPECT_EQ(placed->at(0)->appended, WallTime{now});
  ASSERT_TRUE(publish({node_record(partition.topic)}));
  EXPECT_THAT(visible_times(), ElementsAre(now, now, now)) << "from both doors";

  home_.visible.clear();
  ASSERT_TRUE(change({.timestamps = Timestamps::created}));
  EXPECT_EQ(produce()->at(0)->appended, std::nullopt);
  ASSERT_TRUE(publish({node_record(partition.topic)}));
  EXPECT_THAT(visible_times(), ElementsAre(1'000, 1'000, 1'000)) << "what their producers said";
}

}  // namespace
}  // namespace continuo::node
