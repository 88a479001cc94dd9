// What the subscriptions engine keeps: keys with very many events, and answers to settles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines::subscriptions_test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// ---- keys with many events ------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, AKeyWithAMillionEventsIsMadeOfSmallUnits) {
  constexpr std::int64_t count = 1'000'000, piece = 500;
  SubscriptionSettings wanted = settings();
  wanted.retry.attempts = 1;
  const SubscriptionId id = define(wanted);
  offer(id, {1});
  ASSERT_TRUE(nack(receive(id).front()));
  for (std::int64_t from = 1; from < count; from += piece) {
    Offer offer{id, 1, zero, Offset{from}, Offset{std::min(count, from + piece)}, {}};
    for (Offset at = offer.from; at < offer.next; at = at + 1) offer.events.push_back({at, 1});
    commit(engine().decide_offer(offer)->effects);
  }
  EXPECT_EQ(engine().counts(id).parked_events, std::uint64_t{count});
  EXPECT_EQ(engine().parked(id, {.limit = 1}).front().waiting, std::uint64_t{count} - 1);
  for (const auto& [key, bytes] : recorded_.content()) ASSERT_LE(bytes.size(), 64u * 1024);
  recorded_.restart();
  EXPECT_EQ(engine().counts(id).parked_events, std::uint64_t{count});

  offer(id, {1, 2});
  EXPECT_THAT(receive(id), SizeIs(1)) << "other keys flow";
  std::vector<TakenUnit> taken;
  recorded_.live().ledger.begin_round();
  recorded_.live().ledger.take(~std::size_t{0}, taken);
  EXPECT_LE(taken.size(), 6u) << "a page of it, the other key, the cursor, the counter";

  commit(*engine().decide_retry(id, 1));
  std::int64_t next = 0;
  while (next < 10'000) {
    const auto leases = receive(id);
    ASSERT_FALSE(leases.empty());
    for (const Lease& lease : leases) ASSERT_EQ(lease.offset.value, next++) << "all, in order";
    ASSERT_EQ(settle({id, leases, {}, {}})->settled, leases.size());
  }
  EXPECT_EQ(engine().counts(id).queued, static_cast<std::uint64_t>(count + 1 - next));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose heaps are others
TEST(SubscriptionsMemory, AMillionParkedEventsOfTenThousandKeysTakeLessThan64MiB) {
  constexpr std::uint64_t keys = 10'000, each = 100;
  const auto heap = [] {
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
  };
  const std::size_t before = heap();
  Ledger ledger;
  SubscriptionsEngine engine{ledger, {.outstanding = 100'000}};
  const auto apply = [&](const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) ASSERT_TRUE(engine.apply(effect, Elapsed{1}));
  };
  const SubscriptionId id{1};
  apply({encode(SubscriptionDefined{id, "s", 1, false, {}, {zero.topic}}), encode(CursorMoved{id, zero, Offset{0}})});
  for (std::uint64_t round = 0; round < each; ++round) {
    Offer made = offer_at(engine.feed_positions().front());
    for (std::uint64_t key = 0; key < keys; ++key, made.next = made.next + 1) made.events.push_back({made.next, key});
    apply(engine.decide_offer(made)->effects);
    for (std::uint64_t key = 0; round == 0 && key < keys; ++key)
      apply({encode(KeyParked{{id, zero, key}, {"card_declined", "no funds"}, WallTime{1}})});
  }
  ASSERT_EQ(engine.counts(id).parked_events, keys * each);
  EXPECT_LT(heap() - before, 64u << 20);
}
#endif

// docs/decisions/0006: what the engine holds is so many bytes an event at most, and this bounds the events.
TEST(SubscriptionLimits, BoundWhatIsOutstandingForASubscriptionAndForAll) {
  Ledger ledger;
  SubscriptionsEngine engine{ledger, {.outstanding = 10, .parked = 15, .all = 30, .run = 4, .front = 5, .page = 3}};
  const auto apply = [&](const Effect& effect) { ASSERT_TRUE(engine.apply(effect, Elapsed{1})); };
  const auto credit = [&](SubscriptionId id) {
    for (const FeedPosition& position : engine.feed_positions())
      if (position.subscription == id) return position.credit;
    return ~0u;
  };
  const auto offer = [&](SubscriptionId id, std::int64_t count, std::uint64_t key) {
    Offer made{id, 1, zero, engine.cursors(id).front().next, {}, {}};
    made.next = made.from + count;
    for (Offset at = made.from; at < made.next; at = at + 1) made.events.push_back({at, key});
    const auto decision = engine.decide_offer(made);
    for (const Effect& effect : decision->effects) apply(effect);
  };
  const SubscriptionId first{1}, second{2}, third{3};
  for (const SubscriptionId id : {first, second, third}) {
    apply(
        encode(SubscriptionDefined{id, std::string(1, static_cast<char>('a' + id.value)), 1, false, {}, {zero.topic}}));
    apply(encode(CursorMoved{id, zero, Offset{0}}));
    EXPECT_EQ(credit(id), 10u);
  }
  offer(first, 10, 1);
  EXPECT_EQ(credit(first), 0u) << "as many as may be outstanding";
  apply(encode(KeyParked{{first, zero, 1}, {}, {}}));
  EXPECT_EQ(credit(first), 5u) << "what is parked has a limit of its own";
  offer(first, 5, 1);
  EXPECT_EQ(engine.counts(first).parked_events, 15u);
  EXPECT_EQ(credit(first), 0u);
  offer(second, 10, 7);
  EXPECT_EQ(credit(third), 5u) << "of all together";
  offer(third, 5, 7);
  EXPECT_EQ(credit(second) + credit(third), 0u);
  apply(encode(KeySkipped{{first, zero, 1}, ""}));
  EXPECT_EQ(credit(third), 1u) << "the log keeps the rest until then";
  apply(encode(KeyParked{{first, zero, 1}, {"code", std::string(600, 'm')}, {}}));
  EXPECT_EQ(credit(third), 0u) << "long texts count";
}

TEST_F(SubscriptionsTest, AKeyWithManyEventsGoesInPiecesWithItsSubscription) {
  const SubscriptionId id = define();
  for (int i = 0; i < 9; ++i) offer(id, std::vector<std::uint64_t>(100, 1));
  commit({encode(*engine().decide_delete("s"))});
  int pieces = 0;
  for (auto effects = engine().decide_remains(3); !effects.empty(); effects = engine().decide_remains(3), ++pieces) {
    ASSERT_LE(effects.size(), 3u);
    commit(effects);
    recorded_.checkpoint(40);
    if (pieces == 2) recorded_.restart();
  }
  EXPECT_GT(pieces, 4);
  EXPECT_EQ(recorded_.content().size(), 1u) << "only the counter of numbers is left";
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(SubscriptionsTest, ALeaseNumberIsNeverGivenAgain) {
  const SubscriptionId id = define();
  std::uint64_t last = 0;
  for (int round = 0; round < 6; ++round) {
    offer(id, {1});
    const auto leases = receive(id);
    ASSERT_THAT(leases, SizeIs(1));
    EXPECT_GT(leases[0].number, last) << "the key was gone meanwhile";
    last = leases[0].number;
    ASSERT_EQ(settle({id, leases, {}, {}})->settled, 1u);
    if (round == 2) recorded_.checkpoint(100'000);
    if (round % 2 == 1) recorded_.restart();
  }
}

// ---- repeated settles -----------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, RemembersAnswersInPagesForFiveMinutes) {
  const SubscriptionId id = define();
  const auto outcome = [](std::uint64_t i) { return std::string(100, static_cast<char>('a' + i % 26)); };
  for (std::uint64_t i = 1; i <= 2'000; ++i) commit(engine().decide_remember(id, {i, i}, outcome(i)));
  for (const std::uint64_t i : {1, 400, 700, 2'000}) EXPECT_EQ(*engine().remembered(id, {i, i}), outcome(i));
  EXPECT_EQ(engine().remembered(id, {2'000, 1}), nullptr);
  recorded_.checkpoint(10'000);
  recorded_.restart();
  EXPECT_EQ(*engine().remembered(id, {700, 700}), outcome(700));
  for (const auto& [key, bytes] : recorded_.content()) EXPECT_LE(bytes.size(), 64u * 1024);
  now_ = now_ + Millis{300'000};
  due();
  EXPECT_NE(engine().remembered(id, {1, 1}), nullptr);
  EXPECT_TRUE(engine().next_due());
  now_ = now_ + Millis{1'000};
  due();
  EXPECT_EQ(engine().remembered(id, {1, 1}), nullptr) << "also when nothing is settled any more";
  EXPECT_FALSE(engine().next_due());
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(SubscriptionsTest, APageOfLargeAnswersIsNotLargerThanAUnitMayBe) {
  const SubscriptionId id = define();
  for (std::uint64_t i = 1; i <= 20; ++i) commit(engine().decide_remember(id, {i, i}, std::string(i * 2'500, 'x')));
  for (const auto& [key, bytes] : recorded_.content()) EXPECT_LE(bytes.size(), 64u * 1024);
  for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_EQ(engine().remembered(id, {i, i})->size(), i * 2'500);
}

TEST_F(SubscriptionsTest, TheMemoryOfAnswersIsBoundedForEachSubscription) {
  const SubscriptionId id = define(), quiet = define(settings(), "quiet");
  commit(engine().decide_remember(quiet, {1, 1}, "o"));
  for (std::uint64_t i = 1; i <= 40'000; ++i) commit(engine().decide_remember(id, {i, i}, "o"));
  EXPECT_EQ(engine().remembered(id, {1, 1}), nullptr);
  EXPECT_NE(engine().remembered(id, {16'384, 16'384}), nullptr) << "so many fit";
  EXPECT_NE(engine().remembered(quiet, {1, 1}), nullptr) << "nobody pays for another";
}

TEST_F(SubscriptionsTest, TheMemoryOfAnswersIsBoundedForAllSubscriptions) {
  const SubscriptionId first = define(), second = define(settings(), "s2"), third = define(settings(), "s3");
  std::uint64_t i = 0;
  for (const SubscriptionId id : {first, second, third}) {
    for (int times = 0; times < 12'000; ++times) commit(engine().decide_remember(id, {++i, i}, "o"));
    now_ = now_ + Millis{2'000};
  }
  EXPECT_EQ(engine().next_due(), Elapsed{0}) << "at once";
  recorded_.restart();
  EXPECT_EQ(engine().next_due(), Elapsed{0});
  commit(engine().decide_due({WallTime{77}, now_}, 1));
  due();
  EXPECT_NE(engine().next_due(), Elapsed{0});
  EXPECT_EQ(engine().remembered(first, {1, 1}), nullptr) << "the oldest of all goes";
  EXPECT_NE(engine().remembered(second, {12'001, 12'001}), nullptr);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

}  // namespace
}  // namespace continuo::engines::subscriptions_test
