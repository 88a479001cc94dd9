// Subscriptions with filters on a running node: each gets exactly what matches, in order, whatever the others do.
#include "continuo/delivery/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "continuo/delivery/feeder.h"
#include "continuo/node/running_node_test.h"
#include "continuo/record/cloudevents.h"

namespace continuo::delivery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

node::NewRecord typed(TopicId topic, const std::string& type, const std::string& key = "k",
                      const std::string& data = "", std::uint32_t partition = 0) {
  record::Event event;
  event.id = "1";
  event.source = "/test";
  event.type = type;
  event.extensions = {{"partitionkey", key}};
  event.data = data;
  if (!data.empty()) event.data_kind = record::DataKind::json;
  node::NewRecord made{topic, PartitionId{partition}, {}, 1'000, {}};
  record::encode_record_body(event, made.body);
  return made;
}

std::string of_type(const std::string& type) { return R"({"type":[")" + type + R"("]})"; }

class RouterTest : public testing::Test {
 protected:
  void SetUp() override { restart(); }
  void TearDown() override { feeder_.reset(); }
  void restart() {
    feeder_.reset();
    ASSERT_TRUE(running_.start());
    if (topic_ == TopicId{}) topic_ = running_.make_topic();
    feeder_.emplace(*running_.node);
    feeder_->start();
  }
  void restart_with_credit(std::uint32_t events) {
    running_.options.limits.outstanding_per_subscription = events;
    restart();
  }
  SubscriptionId subscribe(const std::string& name, const std::string& filter,
                           engines::OrderBy order = engines::OrderBy::key) {
    node::SubscriptionSettings settings;
    settings.filter = filter;
    settings.order_by = order;
    return running_.subscribe(name, settings);
  }
  void publish(const std::vector<std::string>& types) {
    std::vector<node::NewRecord> records;
    for (const std::string& type : types) records.push_back(typed(topic_, type));
    ASSERT_TRUE(running_.publish(std::move(records)));
  }
  // Acknowledges until so many came; gives their offsets.
  std::vector<std::int64_t> take(SubscriptionId id, std::size_t count) {
    std::vector<std::int64_t> all;
    while (all.size() < count) {
      const auto received = running_.receive(id, 100);
      if (!received || received->deliveries.empty()) break;
      std::vector<node::Lease> leases;
      for (const auto& delivery : received->deliveries) {
        leases.push_back(delivery.lease);
        all.push_back(delivery.lease.offset.value);
      }
      EXPECT_EQ(running_.ack(id, leases)->settled, leases.size());
    }
    return all;
  }
  Result<node::ChangedSubscription> change(const std::string& name, const std::string& filter) {
    return running_.edge.ask<node::ChangedSubscription>([&](node::Edge& to, auto answer) {
      running_.node->change_subscription(to, name, {.filter = filter}, std::move(answer));
    });
  }
  std::uint64_t lag(SubscriptionId id) {
    return running_.edge
        .ask<node::SubscriptionState>(
            [&](node::Edge& to, auto answer) { running_.node->subscription_state(to, id, std::move(answer)); })
        ->lag;
  }
  bool lag_becomes(SubscriptionId id, std::uint64_t wanted) {
    for (int i = 0; i < 500; ++i) {
      if (lag(id) == wanted) return true;
      std::this_thread::sleep_for(Millis{10});
    }
    return false;
  }

  node::RunningNode running_{testing::TempDir()};
  TopicId topic_;
  std::optional<Feeder> feeder_;
};

TEST_F(RouterTest, EachGetsWhatMatches) {
  const SubscriptionId a = subscribe("a", of_type("A")), b = subscribe("b", of_type("B")), all = subscribe("all", ""),
                       both = subscribe("both", R"({"type":["A","B"]})");
  publish({"A", "B", "C", "A", "C"});
  EXPECT_THAT(take(a, 2), ElementsAre(0, 3));
  EXPECT_THAT(take(b, 1), ElementsAre(1));
  EXPECT_THAT(take(both, 3), ElementsAre(0, 1, 3));
  EXPECT_THAT(take(all, 5), ElementsAre(0, 1, 2, 3, 4));
  publish({"B", "A"});
  EXPECT_THAT(take(a, 1), ElementsAre(6));
  EXPECT_THAT(take(b, 1), ElementsAre(5));
}

TEST_F(RouterTest, DataHeadersAndKeysAreLookedAt) {
  const SubscriptionId rich = subscribe("rich", R"({"data":{"amount":[{"numeric":[">",100]}]}})"),
                       mine = subscribe("mine", R"({"key":["c42"]})"),
                       traced = subscribe("traced", R"({"headers":{"trace":[{"prefix":"x-"}]}})");
  node::NewRecord foreign{topic_, PartitionId{0}, {}, 1'000, {}};
  record::BodyWriter{foreign.body}.key("c42").value(R"({"amount":101})").header_count(1).header("trace", "x-1");
  ASSERT_TRUE(running_.publish(
      {typed(topic_, "T", "c1", R"({"amount":100})"), typed(topic_, "T", "c42", R"({"amount":7e2})"), foreign}));
  EXPECT_THAT(take(rich, 2), ElementsAre(1, 2)) << "a record of Kafka too";
  EXPECT_THAT(take(mine, 2), ElementsAre(1, 2));
  EXPECT_THAT(take(traced, 1), ElementsAre(2));
}

TEST_F(RouterTest, WhatNothingMatchesIsNoLagForLong) {
  const SubscriptionId none = subscribe("none", of_type("N"));
  publish({"A", "B", "C"});
  EXPECT_TRUE(lag_becomes(none, 0));
  publish({"N"});
  EXPECT_THAT(take(none, 1), ElementsAre(3));
}

TEST_F(RouterTest, NoOffersForWhatNothingMatches) {
  for (int i = 0; i < 50; ++i) subscribe("s" + std::to_string(i), of_type("N" + std::to_string(i)));
  publish({"A"});
  std::this_thread::sleep_for(Millis{2'500});  // all that is to be told was told
  const auto before = running_.node->stats().frames;
  for (int i = 0; i < 200; ++i) publish({"A"});
  std::this_thread::sleep_for(Millis{2'500});
  // A frame for each publish, and one now and then for all fifty.
  EXPECT_LT(running_.node->stats().frames - before, 200u + 10);
}

TEST_F(RouterTest, SleepsWhenThereIsNothing) {
  subscribe("s", of_type("A"));
  publish({"B"});
  std::this_thread::sleep_for(Millis{2'500});
  const auto groups = running_.node->stats().groups;
  std::this_thread::sleep_for(Millis{1'500});
  EXPECT_EQ(running_.node->stats().groups, groups);
}

TEST_F(RouterTest, GoesOnAfterARestart) {
  const SubscriptionId a = subscribe("a", of_type("A"));
  publish({"A", "B", "A"});
  EXPECT_THAT(take(a, 2), ElementsAre(0, 2));
  restart();
  publish({"B", "A"});
  EXPECT_THAT(take(a, 1), ElementsAre(4));
}

// Each stands where its last match left it: as many places as there are subscriptions.
TEST_F(RouterTest, ManyPlacesAfterARestartLoseAndRepeatNothing) {
  constexpr int count = 200, rounds = 20;
  std::vector<SubscriptionId> all;
  for (int i = 0; i < count; ++i)
    all.push_back(subscribe("s" + std::to_string(i), of_type("T" + std::to_string(i)), engines::OrderBy::none));
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < count; i += 10) {
      std::vector<std::string> types;
      for (int j = i; j < i + 10; ++j) types.push_back("T" + std::to_string(j));
      publish(types);
    }
  restart();
  publish({"T0"});
  for (int i = 0; i < count; ++i) {
    const auto taken = take(all[static_cast<std::size_t>(i)], i == 0 ? rounds + 1 : rounds);
    ASSERT_THAT(taken, SizeIs(i == 0 ? rounds + 1 : rounds));
    for (int round = 0; round < rounds; ++round) ASSERT_EQ(taken[static_cast<std::size_t>(round)], round * count + i);
  }
  EXPECT_TRUE(lag_becomes(all.back(), 0));
  EXPECT_THAT(running_.receive(all.back(), 1, Millis{0})->deliveries, IsEmpty()) << "each once";
}

TEST_F(RouterTest, ASlowSubscriptionStandsStillAloneAndMissesNothing) {
  restart_with_credit(5);
  const SubscriptionId slow = subscribe("slow", of_type("A")), quick = subscribe("quick", of_type("B"));
  for (int i = 0; i < 40; ++i) publish({"A", "B", "C"});
  std::vector<std::int64_t> of_a, of_b;
  for (int i = 0; i < 40; ++i) of_a.push_back(3 * i), of_b.push_back(3 * i + 1);
  EXPECT_EQ(take(quick, 40), of_b);
  EXPECT_EQ(take(slow, 40), of_a);
  EXPECT_TRUE(lag_becomes(slow, 0));
  publish({"A", "B"});
  EXPECT_THAT(take(slow, 1), ElementsAre(120));
  EXPECT_THAT(take(quick, 1), ElementsAre(121));
}

TEST_F(RouterTest, LateOnesReadFromTheBeginningAndMeetTheOthers) {
  const SubscriptionId first = subscribe("first", of_type("A"));
  for (int i = 0; i < 30; ++i) publish({"A", "B"});
  EXPECT_THAT(take(first, 30), SizeIs(30));
  std::vector<SubscriptionId> late;
  for (int i = 0; i < 40; ++i) late.push_back(subscribe("late" + std::to_string(i), of_type(i % 2 == 0 ? "A" : "B")));
  publish({"A", "B"});
  for (std::size_t i = 0; i < late.size(); ++i) {
    const auto taken = take(late[i], 31);
    ASSERT_THAT(taken, SizeIs(31));
    for (std::size_t j = 0; j < taken.size(); ++j)
      ASSERT_EQ(taken[j], static_cast<std::int64_t>(2 * j + (i % 2))) << "in order, each once";
  }
  EXPECT_THAT(take(first, 1), ElementsAre(60));
}

TEST_F(RouterTest, MoreThanOneOfferHoldsGoesOutInSeveral) {
  const SubscriptionId all = subscribe("all", R"({"type":[{"exists":true}]})", engines::OrderBy::none);
  constexpr std::size_t count = 9'000;
  for (std::size_t done = 0; done < count; done += 1'000) publish(std::vector<std::string>(1'000, "A"));
  auto taken = take(all, count);
  ASSERT_THAT(taken, SizeIs(count));
  std::ranges::sort(taken);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(taken[i], static_cast<std::int64_t>(i));
}

TEST_F(RouterTest, AChangedFilterDecidesFromTheRecordedPlaceOn) {
  const SubscriptionId id = subscribe("s", of_type("A"), engines::OrderBy::none);
  std::atomic<bool> over{false};
  node::WaitingEdge other;
  std::int64_t published = 0;
  std::jthread publisher{[&] {
    while (!over) {
      std::vector<node::NewRecord> records;
      for (const char* type : {"A", "B"}) records.push_back(typed(topic_, type));
      ASSERT_TRUE(other.ask<node::Published>(
          [&](node::Edge& to, auto answer) { running_.node->publish(to, std::move(records), std::move(answer)); }));
      published += 2;
    }
  }};
  std::set<std::int64_t> wanted;
  std::int64_t decided = 0;
  std::string filter = "A";
  const auto note = [&](std::int64_t upto) {
    for (; decided < upto; ++decided)
      if (filter.empty() || (decided % 2 == 0) == (filter == "A")) wanted.insert(decided);
  };
  std::set<std::int64_t> got;
  for (const char* next : {"B", "", "A", "B"}) {
    for (const std::int64_t offset : take(id, 20)) got.insert(offset);
    const auto changed = change("s", *next == '\0' ? "" : of_type(next));
    ASSERT_TRUE(changed);
    note(changed->from.at(0).second.value);
    filter = next;
  }
  over = true;
  publisher.join();
  note(published);
  while (got.size() < wanted.size()) {
    const auto taken = take(id, 1);
    ASSERT_THAT(taken, testing::Not(IsEmpty()));
    for (const std::int64_t offset : taken) ASSERT_TRUE(got.insert(offset).second) << offset << " came twice";
  }
  EXPECT_EQ(got, wanted);
}

TEST_F(RouterTest, TrimmedRecordsArePassedOver) {
  publish({"A", "B", "A", "A", "B"});
  ASSERT_TRUE(running_.edge.ask<node::PartitionState>([&](node::Edge& to, auto answer) {
    running_.node->trim(to, topic_, PartitionId{0}, Offset{3}, std::move(answer));
  }));
  const SubscriptionId id = subscribe("s", of_type("A"));
  EXPECT_THAT(take(id, 1), ElementsAre(3));
  publish({"A"});
  EXPECT_THAT(take(id, 1), ElementsAre(5));
}

TEST_F(RouterTest, ATrimUnderAnIdleSubscriptionStopsNothing) {
  const SubscriptionId id = subscribe("s", of_type("N"));
  publish({"A", "B", "A"});
  ASSERT_TRUE(running_.edge.ask<node::PartitionState>([&](node::Edge& to, auto answer) {
    running_.node->trim(to, topic_, PartitionId{0}, Offset{2}, std::move(answer));
  }));
  publish({"N"});
  EXPECT_THAT(take(id, 1), ElementsAre(3));
}

TEST_F(RouterTest, DeletedAndMadeAgainItBeginsAnew) {
  const SubscriptionId gone = subscribe("s", of_type("A"));
  publish({"A", "B"});
  EXPECT_THAT(take(gone, 1), ElementsAre(0));
  ASSERT_TRUE(running_.edge.ask<void>(
      [&](node::Edge& to, auto answer) { running_.node->delete_subscription(to, "s", std::move(answer)); }));
  const SubscriptionId again = subscribe("s", of_type("B"));
  publish({"A", "B"});
  EXPECT_THAT(take(again, 2), ElementsAre(1, 3));
}

TEST_F(RouterTest, SeveralTopicsAndPartitions) {
  node::TopicSettings two;
  two.partitions = 2;
  const TopicId other = running_.make_topic("other", two);
  node::SubscriptionSettings settings;
  settings.topics = {"t", "other"};
  settings.filter = of_type("A");
  const SubscriptionId id = running_.subscribe("s", settings);
  publish({"A", "B"});
  ASSERT_TRUE(running_.publish({typed(other, "B"), typed(other, "A", "k", "", 1), typed(other, "A", "j", "", 0)}));
  EXPECT_THAT(take(id, 3), SizeIs(3));
  EXPECT_TRUE(lag_becomes(id, 0));
}

// ---- at random ------------------------------------------------------------------------------------------------------

// Many of them, little credit, filters that come and go, feeders that stop anywhere: in the end each got what its
// filters matched, each event once.
class AtRandom : public RouterTest {
 protected:
  struct Known {
    SubscriptionId id;
    std::set<std::string> types;  // empty: all
    std::int64_t decided = 0;     // what of the offsets below is wanted is in `wanted`
    std::set<std::int64_t> wanted, got;
  };
  std::string any_type() { return std::string(1, static_cast<char>('A' + random_.below(8))); }
  std::set<std::string> any_types() {
    std::set<std::string> types;
    for (auto left = random_.below(4); left > 0; --left) types.insert(any_type());
    return types;
  }
  static std::string filter_of(const std::set<std::string>& types) {
    std::string list;
    for (const std::string& type : types) list += (list.empty() ? "\"" : ",\"") + type + "\"";
    return list.empty() ? "" : R"({"type":[)" + list + "]}";
  }
  void decide(Known& known, std::int64_t upto) {
    for (; known.decided < upto; ++known.decided)
      if (known.types.empty() || known.types.contains(published_[static_cast<std::size_t>(known.decided)]))
        known.wanted.insert(known.decided);
  }
  void subscribe_one() {
    if (all_.size() == 30) return;
    Known known;
    known.types = any_types();
    known.id = subscribe("s" + std::to_string(all_.size()), filter_of(known.types), engines::OrderBy::none);
    all_.push_back(known);
  }
  void change_one() {
    if (all_.empty()) return;
    const std::size_t chosen = random_.below(all_.size());
    const auto types = any_types();
    const auto changed = change("s" + std::to_string(chosen), filter_of(types));
    ASSERT_TRUE(changed);
    decide(all_[chosen], changed->from.at(0).second.value);
    all_[chosen].types = types;
  }
  void publish_some() {
    std::vector<std::string> types(1 + random_.below(12));
    for (std::string& type : types) type = any_type();
    publish(types);
    published_.insert(published_.end(), types.begin(), types.end());
  }
  void take_some() {
    if (all_.empty()) return;
    Known& known = all_[random_.below(all_.size())];
    const auto received = running_.receive(known.id, static_cast<std::uint32_t>(1 + random_.below(10)), Millis{0});
    ASSERT_TRUE(received);
    std::vector<node::Lease> leases;
    for (const auto& delivery : received->deliveries) {
      leases.push_back(delivery.lease);
      ASSERT_TRUE(known.got.insert(delivery.lease.offset.value).second) << "each once";
    }
    if (!leases.empty()) running_.ack(known.id, leases);
  }
  void take_the_rest(Known& known) {
    decide(known, static_cast<std::int64_t>(published_.size()));
    while (known.got.size() < known.wanted.size()) {
      const auto taken = take(known.id, 1);
      ASSERT_THAT(taken, testing::Not(IsEmpty()));
      for (const std::int64_t offset : taken) ASSERT_TRUE(known.got.insert(offset).second) << offset;
    }
    EXPECT_EQ(known.got, known.wanted);
  }

  SeededRandom random_{1};
  std::vector<std::string> published_;  // by offset: the event's type
  std::vector<Known> all_;
};

TEST_F(AtRandom, EachGetsExactlyWhatMatches) {
  restart_with_credit(7);
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    const auto die = random_.below(20);
    if (die == 0)
      subscribe_one();
    else if (die == 1)
      change_one();
    else if (die == 2 && step % 5 == 0)
      restart();
    else if (die < 10)
      publish_some();
    else
      take_some();
  }
  for (Known& known : all_) take_the_rest(known);
}

}  // namespace
}  // namespace continuo::delivery
