// Subscriptions as the core changes them: another filter, who hears of it, and offers to many at once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "continuo/node/core_test.h"

namespace continuo::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* paid = R"({"type":["OrderPaid"]})";

class CoreSubscriptions : public CoreTest {
 protected:
  void SetUp() override {
    CoreTest::SetUp();
    topic_ = make_topic();
    publish({sample_record(topic_), sample_record(topic_), sample_record(topic_)});
  }
  Result<ChangedSubscription> change(const std::string& filter, bool keep_parked = false) {
    return ask<ChangedSubscription>([&](auto answer) {
      core_->change_subscription(edge_, "s", {.filter = filter, .keep_parked = keep_parked}, std::move(answer));
    });
  }
  Offer offer_of(SubscriptionId id, std::int64_t from, std::int64_t next, std::uint32_t filter = 1) {
    Offer made{id, 1, {topic_, PartitionId{0}}, Offset{from}, Offset{next}, {}};
    made.filter = filter;
    return made;
  }
  std::vector<Result<OfferCredit>> offer_all(std::vector<Offer> offers) {
    return *ask<std::vector<Result<OfferCredit>>>(
        [&](auto answer) { core_->offer_all(edge_, std::move(offers), std::move(answer)); });
  }
  const Subscription& told(const std::string& name = "s") { return *core_->catalogue()->find_subscription(name); }

  TopicId topic_;
};

TEST_F(CoreSubscriptions, AnotherFilterHoldsFromWhereTheSubscriptionStands) {
  const SubscriptionId id = subscribe();
  ASSERT_EQ(offer(id, topic_, 0, {1, 2})->next, Offset{2});
  const auto changed = change(paid);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->subscription.settings.filter, paid);
  EXPECT_THAT(changed->from, ElementsAre(std::pair{PartitionRef{topic_, PartitionId{0}}, Offset{2}}));
  EXPECT_EQ(told().settings.filter, paid);
  EXPECT_EQ(told().filter_version, 2u);
  const auto refused = offer_all({offer_of(id, 2, 3)});
  EXPECT_EQ(refused[0]->next, Offset{2});
  EXPECT_EQ(refused[0]->filter, 2u);
  EXPECT_EQ(offer_all({offer_of(id, 2, 3, 2)})[0]->next, Offset{3});
  EXPECT_EQ(receive(id).size(), 2u) << "what was taken before stays";
}

TEST_F(CoreSubscriptions, TheSameFilterAgainChangesNothing) {
  subscribe();
  ASSERT_TRUE(change(paid));
  const auto before = core_->catalogue();
  EXPECT_EQ(change(paid)->subscription.filter_version, 2u);
  EXPECT_EQ(core_->catalogue(), before);
  EXPECT_EQ(change("")->subscription.filter_version, 3u);
}

TEST_F(CoreSubscriptions, AFilterOutlivesARestart) {
  const SubscriptionId id = subscribe();
  offer(id, topic_, 0, {1});
  ASSERT_TRUE(change(paid));
  start();
  EXPECT_EQ(told().settings.filter, paid);
  EXPECT_EQ(offer_all({offer_of(id, 1, 2, 1)})[0]->next, Offset{1}) << "replay refuses as it did live";
  EXPECT_EQ(offer_all({offer_of(id, 1, 2, 2)})[0]->next, Offset{2});
}

TEST_F(CoreSubscriptions, AFeederThatWaitsForCreditHearsOfAnotherFilter) {
  limits_.outstanding_per_subscription = 1;
  start();
  const SubscriptionId id = subscribe();
  offer(id, topic_, 0, {1});
  std::optional<Result<OfferCredit>> waiting;
  core_->offer(edge_, offer_of(id, 1, 1), into(waiting));
  core_->tick();
  flush();
  edge_.open();
  ASSERT_FALSE(waiting) << "there is no credit";
  ASSERT_TRUE(change(paid));
  core_->tick();
  flush();
  edge_.open();
  ASSERT_TRUE(waiting && *waiting);
  EXPECT_EQ((*waiting)->filter, 2u);
}

TEST_F(CoreSubscriptions, ManyOffersAreOneCommitWithAnOutcomeEach) {
  const SubscriptionId one = subscribe({}, "one"), two = subscribe({}, "two");
  const Sequence before = core_->last_written();
  Offer matched = offer_of(one, 0, 3);
  matched.events = {{Offset{0}, 1}, {Offset{2}, 2}};
  const auto outcomes =
      offer_all({matched, offer_of(two, 0, 3), offer_of(two, 0, 3), offer_of(SubscriptionId{99}, 0, 1)});
  ASSERT_THAT(outcomes, SizeIs(4));
  EXPECT_EQ(core_->last_written(), next(before));
  EXPECT_EQ(outcomes[0]->next, Offset{3});
  EXPECT_EQ(outcomes[1]->next, Offset{3}) << "nothing matched";
  EXPECT_EQ(outcomes[2]->next, Offset{3}) << "refused: it stands there already";
  EXPECT_EQ(outcomes[3].error().code, Code::unknown_subscription);
  EXPECT_THAT(receive(one), SizeIs(2));
  EXPECT_THAT(receive(two), IsEmpty());
  EXPECT_EQ(told("one").matched->load(), 2u);
  EXPECT_EQ(told("two").matched->load(), 0u);
}

TEST_F(CoreSubscriptions, WhatDidNotChangeIsSharedBetweenCatalogues) {
  subscribe({}, "a");
  const auto first = core_->catalogue();
  subscribe({}, "b");
  const auto second = core_->catalogue();
  EXPECT_EQ(first->subscriptions.get("a"), second->subscriptions.get("a"));
  ask<void>([&](auto answer) { core_->pause(edge_, told("a").id, true, std::move(answer)); });
  EXPECT_NE(core_->catalogue()->subscriptions.get("a"), second->subscriptions.get("a"));
  EXPECT_EQ(core_->catalogue()->subscriptions.get("b"), second->subscriptions.get("b"));
  ask<void>([&](auto answer) { core_->delete_subscription(edge_, "a", std::move(answer)); });
  subscribe({}, "a");
  EXPECT_NE(told("a").id, first->subscriptions.get("a")->id);
  EXPECT_FALSE(told("a").paused);
}

TEST_F(CoreSubscriptions, AreSurveyedPieceByPiece) {
  constexpr int all = 1'000;
  for (int i = 0; i < all; ++i) subscribe({}, fmt::format("s{:04}", i));
  std::vector<std::string> names;
  SurveySubscriptions wanted;
  int pieces = 0;
  for (bool more = true; more; ++pieces) {
    const auto piece =
        ask<SubscriptionsSurvey>([&](auto answer) { core_->survey_subscriptions(edge_, wanted, std::move(answer)); });
    ASSERT_TRUE(piece);
    EXPECT_LE(piece->subscriptions.size(), wanted.subscriptions) << "others have their turn then";
    for (const auto& each : piece->subscriptions) {
      names.push_back(each.name);
      EXPECT_EQ(each.lag, 3u);
      EXPECT_THAT(each.unsettled, ElementsAre(std::pair{PartitionRef{topic_, PartitionId{0}}, Offset{0}}));
    }
    more = !piece->all;
    wanted.after = names.back();
  }
  EXPECT_EQ(pieces, 4);
  EXPECT_THAT(names, SizeIs(all));
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST_F(CoreSubscriptions, OfManyPartitionsAreSurveyedFewAtATime) {
  for (const char* name : {"a", "b", "c"}) subscribe({}, name);
  const auto piece = ask<SubscriptionsSurvey>([&](auto answer) {
    core_->survey_subscriptions(edge_, {.after = "a", .subscriptions = 250, .partitions = 1}, std::move(answer));
  });
  ASSERT_THAT(piece->subscriptions, SizeIs(1));
  EXPECT_EQ(piece->subscriptions[0].name, "b");
  EXPECT_FALSE(piece->all);
}

}  // namespace
}  // namespace continuo::node
