// The verbs of repair in the core: however long the words and however many the keys, what is done and told fits into
// the room that was kept for it, and every word is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/core_test.h"
#include "continuo/node/healing.h"

namespace continuo::node {
namespace {

// Each character takes six bytes in what is told.
const Asked longest{std::string(200, '\1'), std::string(4'096, '\2')};

class CoreHealingTest : public CoreTest {
 protected:
  // Each of these keys parked in each of so many partitions, with another event behind it.
  void park(std::uint32_t partitions, std::uint64_t keys) {
    const TopicId topic = make_topic("t", {.partitions = partitions});
    SubscriptionSettings settings;
    settings.retry.attempts = 1;
    settings.concurrency = 100'000;
    id_ = subscribe(settings);
    for (std::uint32_t partition = 0; partition < partitions; ++partition) {
      Offer offer{id_, 1, {topic, PartitionId{partition}}, Offset{0}, Offset{0}, {}};
      for (std::uint64_t event = 0; event < 2 * keys; ++event, offer.next = offer.next + 1)
        offer.events.push_back({offer.next, 1 + event % keys});
      ASSERT_TRUE(ask<OfferCredit>([&](auto answer) { core_->offer(edge_, offer, std::move(answer)); }));
    }
    fail_all();
    ASSERT_EQ(core_->subscriptions().counts(id_).parked_keys, partitions * keys);
  }
  void fail_all() {
    for (auto leases = receive(id_); !leases.empty(); leases = receive(id_)) {
      Settle settle;
      settle.subscription = id_;
      std::set<std::pair<PartitionRef, std::uint64_t>> seen;
      for (const Lease& lease : leases)
        if (seen.emplace(lease.partition, lease.key_hash).second) settle.nacks.push_back({lease, {"code", "why"}, {}});
      ASSERT_TRUE(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }));
    }
  }
  // One event of each key.
  std::vector<Lease> receive_all() {
    Receive many = receive_of(id_);
    many.max = 1'000;
    many.run = 1;
    std::vector<Lease> all;
    for (;;) {
      const auto got = ask<Received>([&](auto answer) { core_->receive(edge_, many, std::move(answer)); });
      if (!got || got->deliveries.empty()) return all;
      for (const Delivery& each : got->deliveries) all.push_back(each.lease);
    }
  }
  // How much a request adds to what is written.
  template <class T, class Ask>
  std::size_t taken_by(std::optional<Result<T>>& answer, Ask ask) {
    const std::size_t before = core_->open_size();
    ask(into(answer));
    const std::size_t after = core_->open_size();
    flush();
    edge_.open();
    return after - before;
  }
  std::size_t told(std::string_view type) {
    std::size_t count = 0;
    for (const log::AppendedBatch& batch : home_.visible)
      for (auto at = batch.bytes->find(type); at != std::string::npos; at = batch.bytes->find(type, at + 1)) ++count;
    return count;
  }
  // All that was said, in what is told.
  std::size_t told_why() {
    std::string why;
    for (std::size_t i = 0; i < longest.reason.size(); ++i) why += "\\u0002";
    return told(why);
  }

  SubscriptionId id_;
};

TEST_F(CoreHealingTest, AKeyOfManyPartitionsIsSkippedWithinTheRoomForIt) {
  park(20, 1);
  std::size_t rounds = 0;
  for (std::optional<Result<void>> skipped; !skipped || *skipped; ++rounds) {
    const std::size_t taken =
        taken_by<void>(skipped, [&](auto answer) { core_->skip_parked(edge_, id_, 1, longest, std::move(answer)); });
    ASSERT_LE(taken, engines::verb_room);
    ASSERT_LT(rounds, 20u) << "each round does something";
  }
  EXPECT_EQ(told("continuo.event.skipped"), 20u);
  EXPECT_EQ(told("continuo.key.released"), 20u);
  EXPECT_EQ(told_why(), 40u);
}

TEST_F(CoreHealingTest, AKeyOfManyPartitionsIsTriedAgainWithinTheRoomForIt) {
  park(20, 1);
  for (std::optional<Result<void>> tried; !tried || *tried;)
    ASSERT_LE(
        taken_by<void>(tried, [&](auto answer) { core_->retry_parked(edge_, id_, 1, longest, std::move(answer)); }),
        engines::verb_room);
  EXPECT_EQ(told("continuo.key.released"), 20u);
  EXPECT_EQ(told_why(), 20u);
}

TEST_F(CoreHealingTest, WithFewWordsAHundredPartitionsAreDoneAtOnce) {
  park(100, 1);
  std::optional<Result<void>> skipped;
  EXPECT_LE(taken_by<void>(skipped,
                           [&](auto answer) { core_->skip_parked(edge_, id_, 1, {"kim", "why"}, std::move(answer)); }),
            engines::verb_room);
  EXPECT_EQ(told("continuo.event.skipped"), 100u);
}

// As many as there are keys, the words each time.
TEST_F(CoreHealingTest, AReleaseOfManyKeysFitsIntoItsCommits) {
  park(1, 2'000);
  const ReleaseParked all{id_, {}, 0, false, false, longest};
  ASSERT_TRUE(ask<Release>([&](auto answer) { core_->release_parked(edge_, all, std::move(answer)); }));
  for (int i = 0; i < 500 && told("continuo.key.released") < 2'000; ++i) {
    clock_.pass(100);
    core_->tick();
    auto group = core_->close();
    if (!group) continue;
    ASSERT_LE(group->log.size(), log::max_group_body);
    ASSERT_TRUE(home_.write(group->log));
    core_->written(std::move(group));
  }
  EXPECT_EQ(told("continuo.key.released"), 2'000u);
}

// A release says its reason in each of its changes: in one decision it changes once.
TEST_F(CoreHealingTest, ManyRelapsesInOneSettleAreOneChangeOfTheirRelease) {
  park(1, 200);
  const ReleaseParked all{id_, {}, 0, false, false, longest};
  ASSERT_TRUE(ask<Release>([&](auto answer) { core_->release_parked(edge_, all, std::move(answer)); }));
  for (int i = 0; i < 20; ++i) clock_.pass(100), core_->tick(), flush();
  ASSERT_EQ(core_->subscriptions().counts(id_).parked_keys, 0u);
  Receive many = receive_of(id_);
  many.max = 1'000;
  many.run = 1;
  Settle settle;
  settle.subscription = id_;
  const auto got = ask<Received>([&](auto answer) { core_->receive(edge_, many, std::move(answer)); });
  for (const Delivery& each : got->deliveries) settle.nacks.push_back({each.lease, {"code", "why"}, {}});
  ASSERT_EQ(settle.nacks.size(), 200u);
  std::optional<Result<Settled>> settled;
  EXPECT_LE(taken_by<Settled>(settled, [&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }),
            200'000u + engines::words_room(longest));
  EXPECT_EQ(core_->subscriptions().release(id_)->relapsed, 200u);
}

// Each is told; a settle that would tell more than a commit holds is refused, and the leases stay.
TEST_F(CoreHealingTest, KeysThatDrainInOneSettleAreToldInOneCommit) {
  constexpr std::size_t keys = 8'000;
  park(1, keys);
  const ReleaseParked all{id_, {}, 0, false, false, {"kim", "why"}};
  ASSERT_TRUE(ask<Release>([&](auto answer) { core_->release_parked(edge_, all, std::move(answer)); }));
  for (int i = 0; i < 100; ++i) clock_.pass(100), core_->tick(), flush();
  ASSERT_EQ(core_->subscriptions().counts(id_).parked_keys, 0u);
  Settle settle;
  settle.subscription = id_;
  const auto settled = [&](std::vector<Lease> leases) {
    settle.acks = std::move(leases);
    std::optional<Result<Settled>> answer;
    const std::size_t taken = taken_by<Settled>(answer, [&](auto to) { core_->settle(edge_, settle, std::move(to)); });
    EXPECT_LE(taken, log::max_group_body);
    return *answer ? (*answer)->settled : 0;
  };
  EXPECT_EQ(settled(receive_all()), keys);
  const std::vector<Lease> last = receive_all();
  ASSERT_EQ(last.size(), keys);
  EXPECT_EQ(settled(last), 0u) << "refused";
  const auto middle = last.begin() + keys / 2;
  EXPECT_EQ(settled({last.begin(), middle}), keys / 2);
  EXPECT_EQ(settled({middle, last.end()}), keys / 2);
  EXPECT_EQ(told("continuo.key.drained"), keys);
}

}  // namespace
}  // namespace continuo::node
