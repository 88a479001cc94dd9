// The subscriptions engine when a partition is trimmed: what is held, what is lost, what is left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr PartitionRef zero{TopicId{1}, PartitionId{0}}, other{TopicId{2}, PartitionId{0}};
constexpr std::size_t plenty = 1'000;

// Small: keys of a few events already have pages behind their front.
const SubscriptionLimits limits{.run = 4, .front = 5, .page = 3};
using Machine = subscriptions_test::MachineOf<limits>;

class SubscriptionsTrimTest : public testing::Test {
 protected:
  const SubscriptionsEngine& engine() { return recorded_.live().engine; }
  void commit(std::vector<Effect> effects) { recorded_.commit(std::move(effects), Elapsed{1'000}); }
  SubscriptionId define(const std::string& name = "s", OrderBy order_by = OrderBy::key) {
    SubscriptionSettings settings;
    settings.topics = {"a"};
    settings.order_by = order_by;
    settings.retry = {1, Millis{500}};
    const std::vector<std::pair<PartitionRef, Offset>> starts{{zero, Offset{0}}, {other, Offset{0}}};
    auto decision = engine().decide_define(name, settings, {TopicId{1}}, starts);
    std::vector<Effect> effects{encode(decision->defined)};
    for (const CursorMoved& cursor : decision->cursors) effects.push_back(encode(cursor));
    commit(std::move(effects));
    return decision->defined.id;
  }
  // One event for each of these keys, from offset 0 on.
  void offer(SubscriptionId id, std::initializer_list<std::uint64_t> keys, PartitionRef partition = zero) {
    Offer offer{id, 1, partition, Offset{0}, Offset{0}, {}};
    for (const std::uint64_t key : keys) {
      offer.events.push_back({offer.next, key});
      offer.next = offer.next + 1;
    }
    commit(engine().decide_offer(offer)->effects);
  }
  std::vector<Lease> receive(SubscriptionId id, std::uint32_t max) {
    auto decision = engine().decide_receive({id, max, std::nullopt}, Elapsed{1'000});
    commit(decision->effects());
    std::vector<Lease> leases;
    for (const Delivery& delivery : decision->received.deliveries) leases.push_back(delivery.lease);
    return leases;
  }
  void park(const Lease& lease) {
    Settle settle{lease.subscription, {}, {{lease, {"code", "why"}, std::nullopt}}, {}};
    commit(engine().decide_settle(settle, false, {WallTime{77}, Elapsed{1'000}})->effects);
  }

  struct Passed {
    std::vector<Offset> held;
    std::map<SubscriptionId, TrimLoss> losses;
    int slices = 0;
  };
  // The whole pass, in slices.
  Passed trim(Offset before, std::set<Offset> copied = {}, std::size_t most = plenty, Offset first = Offset{0}) {
    Passed all;
    TrimSlice slice{.next = {zero, first, before}};
    while (!slice.complete) {
      slice = engine().decide_trim(slice.next, [&](Offset offset) { return copied.contains(offset); }, most);
      EXPECT_LE(slice.effects.size() + slice.held.size(), most + 1);
      commit(slice.effects);
      copied.insert(slice.held.begin(), slice.held.end());
      all.held.insert(all.held.end(), slice.held.begin(), slice.held.end());
      for (const TrimLoss& loss : slice.losses) {
        TrimLoss& sum = all.losses[loss.subscription];
        sum.waiting += loss.waiting;
        sum.unread_at_most += loss.unread_at_most;
      }
      if (++all.slices > 1'000) break;
    }
    return all;
  }

  Recorded<Machine> recorded_;
};

TEST_F(SubscriptionsTrimTest, WhatWaitsIsLostAndCounted) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1, 2});
  const Passed passed = trim(Offset{3});
  EXPECT_THAT(passed.held, IsEmpty());
  EXPECT_EQ(passed.losses.at(id).waiting, 3u);
  EXPECT_EQ(passed.losses.at(id).unread_at_most, 0u);
  EXPECT_EQ(engine().counts(id).queued, 1u);
  EXPECT_EQ(receive(id, 9).at(0).offset, Offset{3});
}

TEST_F(SubscriptionsTrimTest, TheCursorMovesOverWhatWasNotRead) {
  const SubscriptionId id = define();
  offer(id, {1, 2});
  const Passed passed = trim(Offset{10});
  EXPECT_EQ(passed.losses.at(id).waiting, 2u);
  EXPECT_EQ(passed.losses.at(id).unread_at_most, 8u);
  EXPECT_EQ(engine().cursors(id).at(0).next, Offset{10});
  EXPECT_EQ(engine().cursors(id).at(1).next, Offset{0}) << "of another topic";
  EXPECT_THAT(trim(Offset{10}).losses, IsEmpty()) << "told once";
}

TEST_F(SubscriptionsTrimTest, LeasedAndParkedEventsAreHeld) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1, 2, 3});
  const auto leases = receive(id, 3);  // one of each key
  ASSERT_THAT(leases, SizeIs(3));
  park(leases[0]);  // key 1: offsets 0 and 2
  const Passed passed = trim(Offset{4});
  EXPECT_THAT(passed.held, testing::UnorderedElementsAre(Offset{0}, Offset{2}, Offset{1}));
  EXPECT_EQ(passed.losses.at(id).waiting, 1u) << "offset 3 waited behind a lease, which is no promise";
  EXPECT_EQ(engine().counts(id).parked_events, 2u);
  EXPECT_EQ(engine().counts(id).leased, 2u);
  commit(engine().decide_settle({id, {leases[1]}, {}, {}}, false, {})->effects);
  EXPECT_EQ(engine().counts(id).leased, 1u) << "the lease still holds";
}

TEST_F(SubscriptionsTrimTest, WhatIsCopiedIsLeftAlone) {
  const SubscriptionId id = define();
  offer(id, {1, 2});
  park(receive(id, 1).at(0));
  const Passed passed = trim(Offset{2}, {Offset{0}, Offset{1}});
  EXPECT_THAT(passed.held, IsEmpty());
  EXPECT_THAT(passed.losses, IsEmpty()) << "another subscription's copy serves this one too";
  EXPECT_EQ(engine().counts(id).queued, 1u);
}

TEST_F(SubscriptionsTrimTest, WhatEarlierTrimsLeftIsNotAskedForAgain) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1, 2});
  park(receive(id, 1).at(0));
  EXPECT_THAT(trim(Offset{4}, {}, plenty, Offset{2}).held, ElementsAre(Offset{2}));
}

TEST_F(SubscriptionsTrimTest, ADelayedHeadIsLostAndItsKeyGoesOn) {
  const SubscriptionId id = define();
  offer(id, {1, 1});
  const Lease lease = receive(id, 1).at(0);
  commit({encode(KeyReturned{{id, zero, 1}, Elapsed{9'000}, {"code", "why"}})});
  EXPECT_EQ(engine().counts(id).delayed, 2u);
  EXPECT_EQ(trim(Offset{1}).losses.at(id).waiting, 1u);
  EXPECT_EQ(engine().counts(id).delayed, 0u);
  const auto next = receive(id, 1);
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(next[0].offset, Offset{1});
  EXPECT_GT(next[0].number, lease.number);
}

TEST_F(SubscriptionsTrimTest, NothingIsTakenOfAKeyThatDrains) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1});
  const auto leases = receive(id, 2);  // one of each key
  park(leases[0]);
  park(leases[1]);
  commit(*engine().decide_retry(id, 1));
  const Passed passed = trim(Offset{2});
  EXPECT_THAT(passed.held, ElementsAre(Offset{0}, Offset{1})) << "of the released key, and of the one that is parked";
  EXPECT_TRUE(passed.losses.empty());
  EXPECT_EQ(receive(id, 1).at(0).offset, Offset{0});
}

TEST_F(SubscriptionsTrimTest, ThePassIsMadeInSlicesThatLoseNothing) {
  const SubscriptionId a = define("a"), b = define("b", OrderBy::none), c = define("c");
  offer(a, {1, 1, 1, 1, 2, 3});
  offer(b, {0, 0, 0, 0, 0, 0});
  park(receive(a, 1).at(0));
  receive(b, 2);
  const Passed passed = trim(Offset{6}, {}, 1);
  EXPECT_GE(passed.slices, 8);
  EXPECT_THAT(std::set(passed.held.begin(), passed.held.end()),
              ElementsAre(Offset{0}, Offset{1}, Offset{2}, Offset{3}));
  EXPECT_EQ(passed.losses.at(a).waiting, 2u);
  EXPECT_EQ(passed.losses.at(b).waiting, 2u) << "two are held for the other subscription, and stay";
  EXPECT_EQ(passed.losses.at(c).unread_at_most, 6u);
  EXPECT_EQ(engine().counts(a).parked_events, 4u);
  EXPECT_EQ(engine().counts(b).leased + engine().counts(b).queued, 4u);
}

TEST_F(SubscriptionsTrimTest, KnowsWhoWaitsForAnEvent) {
  const SubscriptionId by_key = define("a"), unordered = define("b", OrderBy::none);
  offer(by_key, {7, 7});
  offer(unordered, {0});
  EXPECT_TRUE(engine().waits_for(zero, Offset{0}, 7));
  EXPECT_TRUE(engine().waits_for(zero, Offset{1}, 7));
  EXPECT_FALSE(engine().waits_for(zero, Offset{1}, 8));
  EXPECT_FALSE(engine().waits_for(other, Offset{0}, 7));
  const auto leases = receive(by_key, 2);
  const Effect settled = encode(KeySettled{{by_key, zero, 7}, 1});
  EXPECT_THAT(engine().leaving(settled), ElementsAre(Pair(zero, Offset{0})));
  commit({settled});
  EXPECT_TRUE(engine().waits_for(zero, Offset{0}, 7)) << "the other subscription still has it";
  EXPECT_THAT(engine().leaving(encode(KeyDropped{{unordered, zero, 0}})), ElementsAre(Pair(zero, Offset{0})));
  commit({*std::optional{encode(engine().decide_delete("b").value())}});
  EXPECT_FALSE(engine().waits_for(zero, Offset{0}, 7)) << "a deleted subscription waits for nothing";
  EXPECT_THAT(engine().leaving(encode(KeySkipped{{by_key, zero, 7}, "why"})), ElementsAre(Pair(zero, Offset{1})));
}

TEST_F(SubscriptionsTrimTest, IsTheSameAfterARestart) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1, 2, 3});
  park(receive(id, 1).at(0));
  recorded_.checkpoint(1'000'000);
  trim(Offset{4});
  const auto before = recorded_.content();
  recorded_.restart();
  EXPECT_EQ(recorded_.content(), before);
  EXPECT_EQ(recorded_.replayed_content(), before);
}

}  // namespace
}  // namespace continuo::engines
