// The subscriptions engine, rule by rule. subscriptions_model_test.cc plays everything at random.
#include "continuo/engines/subscriptions_test.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace continuo::engines::subscriptions_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// ---- definitions ----------------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, IsDefinedOnceAndBeginsWhereItIsTold) {
  const SubscriptionId id = define();
  EXPECT_EQ(engine().find("s")->definition.id, id);
  EXPECT_EQ(engine().find(id)->definition.name, "s");
  const auto cursors = engine().cursors(id);
  ASSERT_THAT(cursors, SizeIs(3));
  EXPECT_EQ(cursors[2].next, Offset{5});
  EXPECT_EQ(engine().decide_define("s", settings(), {TopicId{1}, TopicId{2}}, {})->existing, engine().find(id));
  const auto other_topic = engine().decide_define("s", settings(), {TopicId{1}, TopicId{3}}, {});
  EXPECT_EQ(other_topic.error().code, Code::subscription_exists) << "it reads one that was deleted";
  EXPECT_FALSE(other_topic.error().hint.empty());
  SubscriptionSettings changed = settings();
  changed.concurrency = 1;
  EXPECT_EQ(engine().decide_define("s", changed, {}, {}).error().code, Code::subscription_exists);
  EXPECT_THAT(engine().read_topics(), ElementsAre(TopicId{1}, TopicId{2}));
  define(settings(), "s2");
  define(settings(), "s3");
  EXPECT_EQ(engine().decide_define("s4", settings(), {}, {}).error().code, Code::limit_reached);
}

TEST_F(SubscriptionsTest, RefusesSettingsThatCannotBe) {
  const auto refused = [&](auto change, std::string_view at) {
    SubscriptionSettings wanted = settings();
    change(wanted);
    const auto decision = engine().decide_define("s", wanted, {}, {});
    ASSERT_FALSE(decision) << at;
    EXPECT_EQ(decision.error().code, Code::bad_setting);
    EXPECT_EQ(decision.error().at, at);
  };
  refused([](auto& s) { s.topics.clear(); }, "topics");
  refused([](auto& s) { s.concurrency = 0; }, "concurrency");
  refused([](auto& s) { s.concurrency = 100'001; }, "concurrency");
  refused([](auto& s) { s.lease = Millis{99}; }, "lease");
  refused([](auto& s) { s.lease = Millis{12 * 3'600'000 + 1}; }, "lease");
  refused([](auto& s) { s.retry.attempts = 0; }, "retry.attempts");
  refused([](auto& s) { s.retry.attempts = 1'001; }, "retry.attempts");
  refused([](auto& s) { s.retry.base = Millis{12 * 3'600'000 + 1}; }, "retry.base");
  EXPECT_EQ(engine().decide_define("a b", settings(), {}, {}).error().code, Code::bad_name);
  EXPECT_EQ(engine().decide_define("continuo.s", settings(), {}, {}).error().code, Code::system_name);
}

TEST_F(SubscriptionsTest, AnUnknownOneIsRefusedEverywhere) {
  const SubscriptionId none{9};
  EXPECT_EQ(engine().decide_delete("none").error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_pause(none, true).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_offer({none, 1, zero, {}, {}, {}}).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_receive({none, 1, {}}, now_).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_settle({none, {}, {}, {}}, false, {}).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_retry(none, 1).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_skip(none, 1, {}).error().code, Code::unknown_subscription);
  EXPECT_THAT(engine().decide_remember(none, {1, 1}, ""), IsEmpty());
  EXPECT_EQ(engine().remembered(none, {1, 1}), nullptr);
  EXPECT_THAT(engine().parked(none, {.limit = 1}), IsEmpty());
  EXPECT_THAT(engine().oldest(none), IsEmpty());
  EXPECT_THAT(engine().cursors(none), IsEmpty());
  EXPECT_FALSE(engine().has_ready(none));
}

TEST_F(SubscriptionsTest, WhatADeletedOneLeavesGoesInPieces) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 3, 4, 5});
  offer(id, {1, 2}, one);
  receive(id, 2);
  commit(engine().decide_remember(id, {1, 1}, "outcome"));
  commit({encode(*engine().decide_delete("s"))});
  EXPECT_EQ(engine().find("s"), nullptr);
  EXPECT_EQ(engine().decide_receive({id, 1, {}}, now_).error().code, Code::unknown_subscription);
  EXPECT_THAT(engine().feed_positions(), IsEmpty());
  recorded_.checkpoint(40);
  int pieces = 0;
  for (auto effects = engine().decide_remains(2); !effects.empty(); effects = engine().decide_remains(2), ++pieces) {
    ASSERT_LE(effects.size(), 2u) << "a decision is bounded";
    commit(effects);
    recorded_.checkpoint(40);
    if (pieces == 2) recorded_.restart();
  }
  EXPECT_EQ(pieces, 6) << "7 keys, 3 cursors, 1 page";
  EXPECT_FALSE(engine().next_due());
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
  EXPECT_EQ(recorded_.content().size(), 2u) << "only the counters of numbers are left";
  EXPECT_GT(define(), id) << "numbers are never used again";
}

TEST_F(SubscriptionsTest, ATopicThatGoesTakesItsKeysAndCursors) {
  const SubscriptionId id = define();
  offer(id, {1, 2});
  offer(id, {3}, other);
  receive(id);
  for (auto effects = engine().decide_topic_gone(TopicId{1}, 2); !effects.empty();
       effects = engine().decide_topic_gone(TopicId{1}, 2)) {
    ASSERT_LE(effects.size(), 2u);
    commit(effects);
  }
  EXPECT_THAT(engine().cursors(id), SizeIs(1));
  EXPECT_EQ(engine().counts(id).leased, 1u) << "the other topic's event";
  EXPECT_THAT(engine().read_topics(), ElementsAre(TopicId{2}));
}

// ---- offers ---------------------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, TakesOffersAtItsCursorWithinItsCredit) {
  const SubscriptionId id = define();
  offer(id, {1, 1});
  const auto position = engine().feed_positions().front();
  EXPECT_EQ(position.next, Offset{2});
  EXPECT_EQ(position.credit, 998u);
  EXPECT_TRUE(position.by_key);
  EXPECT_EQ(engine().decide_offer({id, 1, {TopicId{3}, PartitionId{0}}, {}, {}, {}}).error().code,
            Code::unknown_partition);
  const auto refused = [&](Offer offer) {
    const auto decision = engine().decide_offer(offer);
    ASSERT_TRUE(decision);
    EXPECT_THAT(decision->effects, IsEmpty());
    EXPECT_EQ(decision->credit.next, Offset{2}) << "says where it stands";
    EXPECT_EQ(decision->credit.credit, 998u);
  };
  refused({id, 1, zero, Offset{1}, Offset{3}, {}});
  refused({id, 2, zero, Offset{2}, Offset{3}, {}});
  refused({id, 1, zero, Offset{2}, Offset{1}, {}});
  refused({id, 1, zero, Offset{2}, Offset{2'000}, std::vector<Offer::Event>(999)});
  EXPECT_THAT(engine().decide_offer({id, 1, zero, Offset{2}, Offset{9}, {}})->effects, SizeIs(1))
      << "nothing matched: the cursor moves";
}

TEST_F(SubscriptionsTest, ParkedEventsTakeNoCredit) {
  const SubscriptionId id = define();
  offer(id, {1});
  for (int attempt = 0; attempt < 2; ++attempt) ASSERT_TRUE(nack(receive(id).front()));
  EXPECT_EQ(engine().counts(id).parked_keys, 1u);
  offer(id, {1, 1, 2});
  EXPECT_EQ(engine().counts(id).parked_events, 3u);
  EXPECT_EQ(engine().feed_positions().front().credit, 999u);
}

// ---- leases ---------------------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, OneLeaseAKeyInRunsOfItsEvents) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1, 1});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(4));
  EXPECT_THAT(receive(id), IsEmpty());
  offer(id, {1, 3});
  const auto more = receive(id);
  ASSERT_THAT(more, SizeIs(1)) << "later events of a leased key wait";
  EXPECT_EQ(more.front().key_hash, 3u);
}

TEST_F(SubscriptionsTest, ConcurrencyBoundsTheKeysLeased) {
  SubscriptionSettings wanted = settings();
  wanted.concurrency = 2;
  const SubscriptionId id = define(wanted);
  offer(id, {1, 2, 3});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(2));
  EXPECT_FALSE(engine().has_ready(id));
  ASSERT_TRUE(settle({id, {leases[0]}, {}, {}}));
  EXPECT_TRUE(engine().has_ready(id));
  EXPECT_THAT(receive(id), SizeIs(1));
}

TEST_F(SubscriptionsTest, WithoutOrderEveryEventIsItsOwnKey) {
  SubscriptionSettings wanted = settings();
  wanted.order_by = OrderBy::none;
  const SubscriptionId id = define(wanted);
  offer(id, {7, 7, 7});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(3));
  EXPECT_EQ(settle({id, {leases[2]}, {}, {}})->settled, 1u) << "in any order";
  EXPECT_FALSE(engine().feed_positions().front().by_key);
}

TEST_F(SubscriptionsTest, PausedGivesNothingAndKeepsWhatIsLeased) {
  const SubscriptionId id = define();
  offer(id, {1, 2});
  const auto leases = receive(id, 1);
  commit({encode(*engine().decide_pause(id, true))});
  EXPECT_THAT(receive(id), IsEmpty());
  EXPECT_EQ(settle({id, leases, {}, {}})->settled, 1u);
  commit({encode(*engine().decide_pause(id, false))});
  EXPECT_THAT(receive(id), SizeIs(1));
}

TEST_F(SubscriptionsTest, ALeaseMayBeAskedShorterOrLonger) {
  const SubscriptionId id = define();
  offer(id, {1});
  EXPECT_EQ(engine().decide_receive({id, 1, Millis{99}}, now_).error().code, Code::bad_setting);
  EXPECT_EQ(engine().decide_receive({id, 1, Millis{13 * 3'600'000}}, now_).error().code, Code::bad_setting);
  EXPECT_EQ(engine().decide_receive({id, 1, Millis{100}}, now_)->leases.front().until, now_ + Millis{100});
}

TEST_F(SubscriptionsTest, RunsMayBeAskedShorterAndStillOneKeyIsInOneLease) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 1, 2});
  const auto received = engine().decide_receive({id, 100, std::nullopt, 1}, now_)->received;
  ASSERT_THAT(received.deliveries, SizeIs(2)) << "of a busy key one event, so that it keeps no place from others";
  EXPECT_NE(received.deliveries[0].lease.key_hash, received.deliveries[1].lease.key_hash);
}

TEST_F(SubscriptionsTest, WhatWasNeverHandedOutIsOpenAgainInOrderAndCountsNoAttempt) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 1, 2});
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(4));
  commit(engine().decide_return(std::span{leases}.subspan(1)));
  EXPECT_EQ(engine().counts(id).leased, 1u);
  const auto second = engine().decide_receive({id, 100, std::nullopt}, now_);
  ASSERT_THAT(second->received.deliveries, SizeIs(1)) << "what is left of a run waits for its beginning";
  EXPECT_EQ(second->received.deliveries[0].lease.key_hash, 2u);
  EXPECT_EQ(second->received.deliveries[0].attempt, 1u);
  EXPECT_EQ(settle({id, {leases[1]}, {}, {}})->refused.size(), 1u);
  EXPECT_EQ(settle({id, {leases[0]}, {}, {}})->settled, 1u);
  const auto rest = receive(id);
  ASSERT_THAT(rest, SizeIs(3));
  EXPECT_EQ(rest[0].offset, leases[1].offset);
  EXPECT_EQ(rest[1].offset, leases[2].offset);
  EXPECT_GT(rest[0].number, leases[1].number);
  commit(engine().decide_return(leases));
  EXPECT_EQ(engine().counts(id).leased, 3u) << "leases that no longer hold give nothing back";
}

TEST_F(SubscriptionsTest, AFeederGoesOnWhenMuchCreditIsBackOrLittleIsReady) {
  const SubscriptionId id = define();
  for (int i = 0; i < 100; ++i) offer(id, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_FALSE(engine().wants_more(id));
  const auto some = receive(id, 1);
  ASSERT_THAT(some, SizeIs(1));
  ASSERT_TRUE(settle({id, some, {}, {}}));
  EXPECT_FALSE(engine().wants_more(id)) << "a read for one event";
  const auto all = receive(id, 1'000);
  EXPECT_TRUE(engine().wants_more(id)) << "nothing is ready";
  ASSERT_TRUE(settle({id, all, {}, {}}));
  EXPECT_TRUE(engine().wants_more(id));
}

// ---- settling -------------------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, ARunIsSettledInOrder) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 1});
  const auto leases = receive(id);
  const auto early = settle({id, {leases[1]}, {}, {}});
  EXPECT_EQ(early->settled, 0u);
  EXPECT_EQ(early->refused.front().code, Code::lease_lost);
  EXPECT_EQ(settle({id, {leases[1], leases[0]}, {}, {}})->settled, 2u) << "in one request the order does not matter";
  EXPECT_EQ(settle({id, {leases[0]}, {}, {}})->settled, 0u) << "once";
  EXPECT_EQ(settle({id, {leases[2]}, {}, {}})->settled, 1u);
  EXPECT_EQ(engine().counts(id).queued + engine().counts(id).leased, 0u);
}

TEST_F(SubscriptionsTest, TheFirstFailureReturnsTheRest) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 1});
  const auto leases = receive(id);
  const auto settled = settle({id, {leases[0]}, {{leases[1], {"code", "why"}, std::nullopt}}, {}});
  EXPECT_EQ(settled->settled, 2u);
  EXPECT_EQ(engine().counts(id).delayed, 2u);
  EXPECT_THAT(receive(id), IsEmpty());
  now_ = now_ + Millis{500};
  due();
  const auto again = receive(id);
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again.front().offset, leases[1].offset) << "in order";
}

TEST_F(SubscriptionsTest, WhatIsNotSettledComesAgainAndLateSettlesAreRefused) {
  const SubscriptionId id = define();
  offer(id, {1});
  const auto late = receive(id);
  now_ = now_ + Millis{30'000};
  due();
  now_ = now_ + Millis{500};
  due();
  const auto current = receive(id);
  ASSERT_THAT(current, SizeIs(1));
  EXPECT_EQ(settle({id, late, {}, {}})->refused.size(), 1u);
  const auto publishing = settle({id, late, {}, {}}, true);
  EXPECT_EQ(publishing.error().code, Code::settle_refused) << "and nothing is published";
  EXPECT_THAT(publishing.error().detail, testing::HasSubstr("an earlier request with the same leases may have done so"))
      << "this may be its repeat, which is not remembered any more";
  EXPECT_EQ(nack(late.front())->refused.size(), 1u);
  EXPECT_EQ(settle({id, {}, {}, {{late.front(), Millis{1'000}}}})->refused.size(), 1u);
  EXPECT_EQ(settle({id, current, {}, {}}, true)->settled, 1u);
}

TEST_F(SubscriptionsTest, AnExtendedLeaseLastsLonger) {
  const SubscriptionId id = define();
  offer(id, {1});
  const auto leases = receive(id);
  now_ = now_ + Millis{29'000};
  EXPECT_THAT(settle({id, {}, {}, {{leases[0], Millis{10'000}}}})->refused, IsEmpty());
  now_ = now_ + Millis{9'000};
  due();
  EXPECT_EQ(engine().counts(id).leased, 1u);
  now_ = now_ + Millis{1'000};
  due();
  EXPECT_EQ(engine().counts(id).leased, 0u);
}

TEST_F(SubscriptionsTest, TokensOfARunExtendItsLeaseByTheLongest) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 1});
  const auto leases = receive(id);
  const auto by = [&](std::size_t place, std::int64_t ms) { return Extend{leases[place], Millis{ms}}; };
  const auto until = [&](Millis ms) { return std::optional{now_ + ms}; };
  EXPECT_THAT(settle({id, {}, {}, {by(0, 40'000), by(1, 90'000), by(2, 60'000)}})->refused, IsEmpty());
  EXPECT_EQ(engine().next_due(), until(Millis{90'000}));
  EXPECT_EQ(settle({id, {leases[0]}, {}, {by(0, 200'000), by(2, 50'000)}})->refused.size(), 1u) << "one is done";
  EXPECT_EQ(engine().next_due(), until(Millis{50'000}));
  EXPECT_EQ(settle({id, {}, {}, {by(1, 1'000), by(1, 2'000)}}).error().code, Code::bad_request) << "which of them?";
  const auto nacked = settle({id, {}, {{leases[1], {"code", "why"}, Millis{0}}}, {by(1, 1'000), by(2, 1'000)}});
  EXPECT_EQ(nacked->refused.size(), 2u) << "the failure returned the rest of the run";
}

TEST_F(SubscriptionsTest, ContradictionsAreBadRequests) {
  const SubscriptionId id = define();
  offer(id, {1, 1});
  const auto leases = receive(id);
  const Nack first{leases[0], {}, {}}, second{leases[1], {}, {}};
  EXPECT_EQ(settle({id, {leases[0], leases[0]}, {}, {}}).error().code, Code::bad_request);
  EXPECT_EQ(settle({id, {}, {first, second}, {}}).error().code, Code::bad_request);
  EXPECT_EQ(settle({id, {leases[0]}, {first}, {}}).error().code, Code::bad_request);
}

TEST_F(SubscriptionsTest, TokensOfAnotherEpochOrSubscriptionDoNotHold) {
  const SubscriptionId id = define(), second = define(settings(), "s2");
  offer(id, {1});
  offer(second, {1});
  Lease lease = receive(id).front();
  EXPECT_EQ(settle({second, {lease}, {}, {}})->settled, 0u);
  lease.epoch = 2;
  EXPECT_EQ(settle({id, {lease}, {}, {}})->settled, 0u);
}

// ---- giving up ------------------------------------------------------------------------------------------------------

TEST_F(SubscriptionsTest, AKeyThatIsGivenUpWaitsAndOthersFlow) {
  const SubscriptionId id = define();
  offer(id, {1, 2, 1});
  for (int attempt = 1; attempt <= 2; ++attempt) {
    for (const Lease& lease : receive(id, 1)) {
      ASSERT_EQ(lease.key_hash, 1u);
      ASSERT_TRUE(nack(lease));
    }
  }
  const auto parked = engine().parked(id, {.limit = 10});
  ASSERT_THAT(parked, SizeIs(1));
  EXPECT_EQ(parked[0].key_hash, 1u);
  EXPECT_EQ(parked[0].head, Offset{0});
  EXPECT_EQ(parked[0].attempts, 2u);
  EXPECT_EQ(parked[0].failure, (Failure{"code", "why"}));
  EXPECT_EQ(parked[0].waiting, 1u);
  EXPECT_EQ(parked[0].since, WallTime{77});
  EXPECT_THAT(engine().parked(id, {.limit = 0}), IsEmpty());
  const auto flowing = receive(id);
  ASSERT_THAT(flowing, SizeIs(1));
  EXPECT_EQ(flowing[0].key_hash, 2u);

  commit(*engine().decide_retry(id, 1));
  const auto again = receive(id);
  ASSERT_THAT(again, SizeIs(2)) << "released in order";
  EXPECT_EQ(again[0].offset, Offset{0});
  ASSERT_TRUE(nack(again[0]));
  EXPECT_THAT(engine().parked(id, {.limit = 10}), IsEmpty()) << "attempts count anew";
  ASSERT_TRUE(nack(receive(id)[0]));
  commit(*engine().decide_skip(id, 1, {"ann", "by hand"}));
  const auto next = receive(id);
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(next[0].offset, Offset{2});
}

TEST_F(SubscriptionsTest, DropPassesOverTheFailedEventWithAReason) {
  SubscriptionSettings wanted = settings();
  wanted.on_failure = OnFailure::drop;
  wanted.retry.attempts = 1;
  const SubscriptionId id = define(wanted);
  offer(id, {1, 1});
  const auto leases = receive(id, 1);
  const auto decision = engine().decide_settle({id, {}, {{leases[0], {"bad", ""}, {}}}, {}}, false, {});
  ASSERT_THAT(decision->effects, SizeIs(2));
  EXPECT_EQ(decode<KeySkipped>(2, decision->effects[1].payload)->reason, "dropped after 1 attempts: bad");
  commit(decision->effects);
  EXPECT_EQ(receive(id)[0].offset, Offset{1});
}

TEST_F(SubscriptionsTest, AKeyParkedInSeveralPartitionsIsHealedInAll) {
  SubscriptionSettings wanted = settings();
  wanted.retry.attempts = 1;
  const SubscriptionId id = define(wanted);
  for (const PartitionRef partition : {zero, one, other}) offer(id, {1, 2, 1}, partition);
  for (int heal = 0; heal < 2; ++heal) {
    for (const Lease& lease : receive(id, 9)) {
      if (lease.key_hash != 1 || lease.offset.value % 5 != 0) continue;
      ASSERT_TRUE(nack(lease));
    }
    ASSERT_EQ(engine().counts(id).parked_keys, 3u);
    if (heal == 0) commit(*engine().decide_retry(id, 1));
    if (heal == 1) commit(*engine().decide_skip(id, 1, {"ann", "by hand"}));
    EXPECT_EQ(engine().counts(id).parked_keys, 0u);
  }
  const auto rest = receive(id, 9);
  ASSERT_THAT(rest, SizeIs(3));
  for (const Lease& lease : rest) EXPECT_EQ(lease.offset.value % 5, 2) << "the heads were passed over";
}

// ---- units ----------------------------------------------------------------------------------------------------------

// As docs/formats/checkpoint.md shows them. For ever, like the bytes of effects.
TEST(SubscriptionUnits, GoldenBytes) {
  const auto hex = [](std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
  };
  const auto encoded = [&](const Unit& unit) {
    std::string bytes;
    unit.encode(bytes);
    return hex(unit.unit_key()) + " " + hex(bytes);
  };
  KeyUnit key{{SubscriptionId{7}, {TopicId{300}, PartitionId{2}}, 0x1122334455667788}};
  key.queue = {Offset{1000}, Offset{1005}};
  EXPECT_EQ(encoded(key),
            "6b000000070000012c000000021122334455667788 0100000000000000000"
            "2e80705");
  key.times = {{Offset{1005}, WallTime{9}, WallTime{300}}};
  key.drain_to = Offset{1005};
  key.release = 3;
  key.edited = Offset{9};
  key.event_type = "paid";
  key.repair_by = RepairBy::person;
  key.repair_lease = 300;
  key.repair_until = Elapsed{35'000};
  key.repairs = 2;
  EXPECT_EQ(encoded(key),
            "6b000000070000012c000000021122334455667788 "
            "02000000000000000002e8070501ed0712d8040001ed07030109047061696402ac02f0a20"
            "402");
  key.key_text = "ann";
  EXPECT_EQ(encoded(key),
            "6b000000070000012c000000021122334455667788 "
            "03000000000000000002e8070501ed0712d8040001ed07030109047061696402ac02f0a20"
            "40203616e6e");
  CursorUnit cursor;
  cursor.subscription = SubscriptionId{7};
  cursor.partition = {TopicId{300}, PartitionId{2}};
  cursor.next = Offset{1000};
  EXPECT_EQ(encoded(cursor), "63000000070000012c00000002 01e807");
  KeyPage page{key.ref, Offset{3}};
  page.offsets = {Offset{1000}, Offset{1005}};
  EXPECT_EQ(encoded(page), "77000000070000012c0000000211223344556677880000000000000003 0102e80705");
}

TEST_F(SubscriptionsTest, UnitsThatCannotBeReadAreRefused) {
  const SubscriptionId id = define();
  offer(id, {1, 1, 2});
  ASSERT_TRUE(nack(receive(id)[0], Millis{100}));
  commit(engine().decide_remember(id, {1, 1}, "outcome"));
  for (const auto& [key, bytes] : recorded_.content()) {
    EXPECT_TRUE(Machine{}.restore(key, bytes, Sequence{1})) << key[0];
    EXPECT_FALSE(Machine{}.restore(key, bytes.substr(0, bytes.size() - 1), Sequence{1})) << key[0];
    EXPECT_FALSE(Machine{}.restore(key, bytes + "x", Sequence{1})) << key[0];
  }
  EXPECT_FALSE(Machine{}.apply({EffectType::topic_defined, 1, ""}, {})) << "an effect of another engine";
  EXPECT_FALSE(Machine{}.apply({EffectType::key_leased, 1, ""}, {}));
}

TEST_F(SubscriptionsTest, EffectsOnWhatIsNotThereChangeNothing) {
  const KeyRef key{SubscriptionId{5}, zero, 1};
  commit({encode(KeyLeased{key, 1, 1, {}}), encode(KeySettled{key, 1}), encode(KeyReturned{key, {}, {}}),
          encode(KeyParked{key, {}, {}}), encode(KeyReleased{key}), encode(KeySkipped{key, ""}),
          encode(KeyDropped{key}), encode(LeaseExtended{key, {}}), encode(LeaseCut{key, 0}),
          encode(SubscriptionDeleted{SubscriptionId{5}}), encode(CursorDropped{SubscriptionId{5}, zero}),
          encode(SettlesDropped{SubscriptionId{5}, 0}), encode(KeyQueued{key, {}})});
  EXPECT_THAT(recorded_.content(), IsEmpty());
}

}  // namespace
}  // namespace continuo::engines::subscriptions_test
