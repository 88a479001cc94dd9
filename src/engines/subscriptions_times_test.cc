// Times of events in the subscriptions engine: what waits for its own, and what expires.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines::subscriptions_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TimesTest : public SubscriptionsTest {
 protected:
  struct Timed {
    std::uint64_t key = 1;
    std::int64_t not_before = 0, expires = 0;
  };
  void offer_timed(SubscriptionId id, const std::vector<Timed>& events) {
    Offer offer{id, 1, zero, engine().cursors(id).front().next, {}, {}};
    offer.next = offer.from;
    for (const Timed& each : events) {
      offer.events.push_back({offer.next, each.key, WallTime{each.not_before}, WallTime{each.expires}});
      offer.next = offer.next + 1;
    }
    commit(engine().decide_offer(offer)->effects);
  }
  // Wall time reaches `at`.
  std::size_t wall(std::int64_t at, bool expire = true) {
    const auto effects = engine().decide_times(WallTime{at}, 1'000, expire);
    commit(effects);
    return effects.size();
  }
  std::vector<std::int64_t> received(SubscriptionId id, std::uint32_t max = 100) {
    std::vector<std::int64_t> offsets;
    for (const Lease& lease : receive(id, max)) offsets.push_back(lease.offset.value);
    return offsets;
  }
  EventState state_of(SubscriptionId id, std::int64_t offset, std::uint64_t key = 1) {
    const std::vector<EventPlace> place{{zero, Offset{offset}, key}};
    return engine().states_of(id, place).front();
  }
};

TEST_F(TimesTest, ADelayedEventHoldsItsKeyUntilItsTimeAndOtherKeysFlow) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 500}, {1}, {2}});
  EXPECT_EQ(engine().next_time(true), WallTime{500});
  EXPECT_THAT(received(id), ElementsAre(2));
  EXPECT_EQ(engine().counts(id).delayed, 2u);
  recorded_.restart();
  EXPECT_EQ(wall(499), 0u);
  EXPECT_THAT(received(id), IsEmpty());
  EXPECT_EQ(wall(500), 1u);
  EXPECT_EQ(wall(500), 0u);
  EXPECT_THAT(received(id), ElementsAre(0, 1));
  EXPECT_EQ(engine().next_time(true), std::nullopt);
}

TEST_F(TimesTest, WithoutOrderADelayedEventHoldsNobody) {
  SubscriptionSettings wanted = settings();
  wanted.order_by = OrderBy::none;
  const SubscriptionId id = define(wanted);
  offer_timed(id, {{1, 500}, {1}, {1, 300}});
  EXPECT_THAT(received(id), ElementsAre(1));
  wall(300);
  EXPECT_THAT(received(id), ElementsAre(2));
  wall(900);
  EXPECT_THAT(received(id), ElementsAre(0));
}

TEST_F(TimesTest, ARunEndsBeforeAnEventWithATimeOfItsOwn) {
  const SubscriptionId id = define();
  offer_timed(id, {{1}, {1}, {1, 500}, {1}});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(2));
  EXPECT_EQ(engine().next_time(true), std::nullopt) << "it is not the head yet";
  settle({id, leases, {}, {}});
  EXPECT_THAT(received(id), IsEmpty());
  EXPECT_EQ(engine().next_time(true), WallTime{500});
  wall(500);
  EXPECT_THAT(received(id), ElementsAre(2, 3));
}

TEST_F(TimesTest, ATimeThatCameStaysSoThroughFailuresAndRestarts) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 500}, {1, 600}});
  wall(500);
  const auto first = receive(id);
  ASSERT_THAT(first, SizeIs(1));
  nack(first.front(), Millis{50});
  recorded_.checkpoint(100'000);
  recorded_.restart();
  now_ = now_ + Millis{50};
  due();
  const auto again = receive(id);
  ASSERT_THAT(again, SizeIs(1)) << "its own time is over; what counted was the retry's";
  settle({id, again, {}, {}});
  EXPECT_THAT(received(id), IsEmpty());
  EXPECT_EQ(engine().next_time(true), WallTime{600}) << "the next one's own";
}

TEST_F(TimesTest, ExpiredEventsArePassedOverAndTellWhy) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 0, 500}, {1, 0, 500}, {1, 0, 900}, {2, 0, 800}});
  EXPECT_EQ(engine().next_time(true), WallTime{500});
  const auto effects = engine().decide_times(WallTime{600}, 1'000, true);
  ASSERT_THAT(effects, SizeIs(2));
  const auto skipped = decode<KeySkipped>(effects.front().version, effects.front().payload);
  EXPECT_EQ(skipped->reason, "expired");
  EXPECT_EQ(skipped->by, "");
  commit(effects);
  EXPECT_THAT(received(id), ElementsAre(2, 3));
}

TEST_F(TimesTest, NothingExpiresUnderAConsumersHandsOrWhileParked) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 0, 500}, {1, 0, 500}});
  const auto leases = receive(id, 1);
  ASSERT_THAT(leases, SizeIs(1));
  EXPECT_EQ(wall(600), 0u);
  EXPECT_EQ(engine().next_time(true), std::nullopt);
  nack(leases.front());
  nack(receive(id, 1).front());
  EXPECT_EQ(engine().counts(id).parked_keys, 1u);
  EXPECT_EQ(wall(600), 0u);
  commit(*engine().decide_retry(id, 1));
  EXPECT_EQ(wall(600), 2u) << "released, it is as any other";
  EXPECT_EQ(engine().counts(id).queued, 0u);
}

TEST_F(TimesTest, WhatWaitsForItsTimeOrItsRetryExpiresToo) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 900, 500}, {2, 0, 500}});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(1));
  nack(leases.front(), Millis{60'000});
  EXPECT_EQ(engine().counts(id).delayed, 2u);
  EXPECT_EQ(wall(500), 2u);
  EXPECT_EQ(engine().counts(id).delayed, 0u);
}

TEST_F(TimesTest, AClockThatIsNotTrustedExpiresNothing) {
  const SubscriptionId id = define();
  offer_timed(id, {{1, 0, 500}, {2, 400, 500}});
  EXPECT_EQ(engine().next_time(false), WallTime{400});
  EXPECT_EQ(wall(10'000, false), 1u);
  EXPECT_THAT(received(id), ElementsAre(0, 1));
}

TEST_F(TimesTest, TimesBehindTheFrontCountWhenTheyReachIt) {
  const SubscriptionId id = define();
  std::vector<Timed> events(300);
  events[299].not_before = 700;
  offer_timed(id, events);
  recorded_.checkpoint(100'000);
  recorded_.restart();
  for (int seen = 0; seen < 299;) {
    const auto leases = receive(id);
    ASSERT_FALSE(leases.empty());
    seen += static_cast<int>(leases.size());
    ASSERT_LE(seen, 299);
    settle({id, leases, {}, {}});
  }
  EXPECT_THAT(received(id), IsEmpty());
  EXPECT_EQ(engine().next_time(true), WallTime{700});
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(TimesTest, VeryManyThatExpireGoPieceByPiece) {
  const SubscriptionId id = define();
  offer_timed(id, std::vector<Timed>(900, Timed{1, 0, 500}));
  std::size_t skipped = 0;
  for (auto effects = engine().decide_times(WallTime{600}, 50, true); !effects.empty();
       effects = engine().decide_times(WallTime{600}, 50, true)) {
    ASSERT_LE(effects.size(), 52u);
    for (const Effect& effect : effects) skipped += effect.type == EffectType::key_skipped ? 1 : 0;
    commit(effects);
  }
  EXPECT_EQ(skipped, 900u);
  EXPECT_EQ(engine().counts(id).queued, 0u);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(TimesTest, WhatWaitsForItsTimeLeavesCreditToTheOthers) {
  const SubscriptionId id = define();
  const auto credit = [&] { return engine().feed_positions().front().credit; };
  const std::uint32_t before = credit();
  offer_timed(id, {{1, 500}, {2, 500}, {3, 500}});
  EXPECT_EQ(credit(), before);
  wall(500);
  EXPECT_EQ(credit(), before - 3);
}

// ---- queues ---------------------------------------------------------------------------------------------------------

TEST_F(TimesTest, TellsHowEachEventStands) {
  const SubscriptionId id = define();
  offer_timed(id, {{1}, {1}, {1}, {2, 500}, {3}});
  const auto leases = receive(id, 5);
  settle({id, {leases.front()}, {}, {}});
  nack(leases.back(), Millis{10});
  EXPECT_EQ(state_of(id, 0).state, EventState::Is::settled);
  EXPECT_EQ(state_of(id, 1).state, EventState::Is::leased);
  EXPECT_EQ(state_of(id, 1).attempts, 1u);
  EXPECT_EQ(state_of(id, 3, 2).state, EventState::Is::delayed);
  EXPECT_EQ(state_of(id, 3, 2).attempts, 0u);
  EXPECT_EQ(state_of(id, 4, 3).state, EventState::Is::delayed);
  EXPECT_EQ(state_of(id, 4, 3).attempts, 1u);
  EXPECT_EQ(state_of(id, 17).state, EventState::Is::waiting) << "not considered yet";
}

TEST_F(TimesTest, APurgeTakesWhatNobodyHolds) {
  const SubscriptionId id = define();
  offer_timed(id, {{1}, {1}, {2, 500}, {3}, {4}});
  const auto leases = receive(id, 3);  // 0, 3, 4
  nack(leases[2]);
  nack(receive(id, 1).front());  // 4 is parked
  TrimPass pass{zero, Offset{0}, Offset{7}, id};
  std::uint64_t gone = 0;
  for (bool complete = false; !complete;) {
    const TrimSlice slice = engine().decide_purge(pass, 2);
    commit(slice.effects);
    for (const TrimLoss& loss : slice.losses) gone += loss.waiting + loss.unread_at_most;
    pass = slice.next;
    complete = slice.complete;
  }
  EXPECT_EQ(gone, 4u) << "1, 2, and two that were not considered";
  EXPECT_EQ(engine().counts(id).leased, 2u);
  EXPECT_EQ(engine().counts(id).parked_events, 1u);
  EXPECT_EQ(engine().counts(id).queued + engine().counts(id).delayed, 0u);
  EXPECT_EQ(settle({id, {leases[0], leases[1]}, {}, {}})->settled, 2u);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(TimesTest, TheSlowestReaderSaysWhereSettledEventsEnd) {
  const SubscriptionId id = define();
  EXPECT_EQ(engine().settled_below(zero), Offset{0});
  EXPECT_EQ(engine().settled_below({TopicId{9}, PartitionId{0}}), std::nullopt);
  offer_timed(id, {{1}, {2}, {3}});
  const auto leases = receive(id);
  settle({id, {leases[0], leases[2]}, {}, {}});
  EXPECT_EQ(engine().settled_below(zero), Offset{1});
  settle({id, {leases[1]}, {}, {}});
  EXPECT_EQ(engine().settled_below(zero), Offset{3});
  define(settings(), "t");
  EXPECT_EQ(engine().settled_below(zero), Offset{0}) << "it reads the same events";
}

}  // namespace
}  // namespace continuo::engines::subscriptions_test
