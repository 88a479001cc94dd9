// A subscription's filter as the engine sees it: text with a version, and offers that passed another one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines::subscriptions_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* paid = R"({"type":["OrderPaid"]})";

class SubscriptionFilter : public SubscriptionsTest {
 protected:
  static SubscriptionSettings filtered(const std::string& filter = paid) {
    SubscriptionSettings made = settings();
    made.filter = filter;
    return made;
  }
  void change(const std::string& filter, bool keep_parked = false) {
    const auto decision = engine().decide_change("s", {.filter = filter, .keep_parked = keep_parked});
    ASSERT_TRUE(decision && *decision);
    commit({encode(**decision)});
  }
  Result<SubscriptionsEngine::OfferDecision> offer_under(SubscriptionId id, std::uint32_t filter) {
    Offer wanted{id, 1, zero, Offset{0}, Offset{2}, {{Offset{1}, 7}}};
    wanted.filter = filter;
    return engine().decide_offer(wanted);
  }
};

TEST_F(SubscriptionFilter, IsPartOfTheDefinition) {
  const SubscriptionId id = define(filtered());
  EXPECT_EQ(engine().find(id)->definition.settings.filter, paid);
  EXPECT_EQ(engine().find(id)->definition.filter_version, 1u);
  EXPECT_EQ(engine().decide_define("s", filtered(), {TopicId{1}, TopicId{2}}, {})->existing, engine().find(id));
  const auto other = engine().decide_define("s", filtered(R"({"type":["OrderSent"]})"), {}, {});
  EXPECT_EQ(other.error().code, Code::subscription_exists);
  EXPECT_EQ(other.error().at, "filter");
  EXPECT_THAT(other.error().hint, HasSubstr("PATCH /v1/subscriptions/s"));
  SubscriptionSettings more = filtered(R"({"type":["OrderSent"]})");
  more.concurrency = 1;
  EXPECT_THAT(engine().decide_define("s", more, {}, {}).error().hint, IsEmpty()) << "that cannot be changed";
  const auto large = engine().decide_define("t", filtered(std::string(most_filter_bytes + 1, ' ')), {}, {});
  EXPECT_EQ(large.error().code, Code::too_large);
  EXPECT_EQ(large.error().at, "filter");
}

TEST_F(SubscriptionFilter, IsChangedUnderAnotherVersion) {
  const SubscriptionId id = define(filtered());
  const auto same = engine().decide_change("s", {.filter = paid});
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->has_value()) << "nothing is to be done";
  change("");
  EXPECT_EQ(engine().find(id)->definition.settings.filter, "");
  EXPECT_EQ(engine().find(id)->definition.filter_version, 2u);
  EXPECT_EQ(engine().feed_positions().front().filter, 2u);
  change(paid);
  EXPECT_EQ(engine().find(id)->definition.filter_version, 3u) << "never one that was";
  EXPECT_EQ(engine().decide_change("none", {.filter = paid}).error().code, Code::unknown_subscription);
  EXPECT_EQ(engine().decide_change("s", {.filter = std::string(most_filter_bytes + 1, ' ')}).error().code,
            Code::too_large);
}

TEST_F(SubscriptionFilter, OffersUnderAnotherOneAreRefusedAndToldThePlace) {
  const SubscriptionId id = define(filtered());
  change(R"({"type":["OrderSent"]})");
  for (const std::uint32_t outdated : {0u, 1u, 3u}) {
    const auto refused = offer_under(id, outdated);
    ASSERT_TRUE(refused);
    EXPECT_THAT(refused->effects, IsEmpty());
    EXPECT_EQ(refused->credit.next, Offset{0});
    EXPECT_EQ(refused->credit.filter, 2u);
  }
  const auto taken = offer_under(id, 2);
  EXPECT_EQ(taken->credit.next, Offset{2});
  EXPECT_EQ(taken->credit.filter, 2u);
  EXPECT_THAT(taken->effects, SizeIs(2));
}

TEST_F(SubscriptionFilter, WhatIsOutstandingStaysUnderTheOneItPassed) {
  const SubscriptionId id = define(filtered());
  offer(id, {1, 2});
  change(R"({"type":["OrderSent"]})");
  EXPECT_EQ(engine().counts(id).queued, 2u);
  EXPECT_THAT(receive(id), SizeIs(2));
  for (const CursorMoved& cursor : engine().cursors(id))
    if (cursor.partition == zero) {
      EXPECT_EQ(cursor.next, Offset{2}) << "and the other one begins here";
    }
}

TEST_F(SubscriptionFilter, ParkedKeysStandInTheWayUnlessTheyMayStay) {
  SubscriptionSettings wanted = filtered();
  wanted.retry.attempts = 1;
  const SubscriptionId id = define(wanted);
  offer(id, {1});
  nack(receive(id).at(0));
  ASSERT_EQ(engine().counts(id).parked_keys, 1u);
  const auto refused = engine().decide_change("s", {.filter = ""});
  EXPECT_EQ(refused.error().code, Code::keys_parked);
  EXPECT_EQ(refused.error().at, "parked");
  EXPECT_TRUE(engine().decide_change("s", {.filter = paid})) << "no change, no question";
  change("", true);
  EXPECT_EQ(engine().counts(id).parked_keys, 1u);
}

TEST_F(SubscriptionFilter, OutlivesCheckpointsAndReplay) {
  const SubscriptionId id = define(filtered());
  recorded_.checkpoint(~std::size_t{0});
  change(R"({"type":["OrderSent"]})");
  recorded_.restart();
  EXPECT_EQ(engine().find(id)->definition.settings.filter, R"({"type":["OrderSent"]})");
  EXPECT_EQ(engine().find(id)->definition.filter_version, 2u);
  EXPECT_EQ(offer_under(id, 1)->credit.filter, 2u);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(SubscriptionFilter, UnitsFromBeforeThereWereFiltersAreRead) {
  const std::string key = [&] {
    SubscriptionUnit unit;
    unit.definition.id = SubscriptionId{7};
    return unit.unit_key();
  }();
  // Version 1 of effect 32, as in the golden tests: id 7, "s", epoch 1, topic 1 of that name "a".
  constexpr char bytes[] =
      "\x07\x01s\x01\x00\x01\x01"
      "a\x00\x00\x40\xe0\xd4\x03\x05\xd0\x0f\x00\x01\x01";
  Machine machine;
  ASSERT_TRUE(machine.restore(key, std::string_view{bytes, sizeof bytes - 1}, Sequence{1}));
  const SubscriptionUnit* found = machine.engine.find("s");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->definition.settings.filter, "");
  EXPECT_EQ(found->definition.filter_version, 1u);
  EXPECT_EQ(found->definition.settings.concurrency, 64u);
}

}  // namespace
}  // namespace continuo::engines::subscriptions_test
