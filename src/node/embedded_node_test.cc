// The node with its threads, on a real folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <numeric>
#include <thread>

#include "continuo/log/thread_sanitizer_test.h"
#include "continuo/node/healing.h"
#include "continuo/node/record_finder.h"
#include "continuo/node/retention.h"
#include "continuo/node/running_node_test.h"
#include "continuo/record/partitioner.h"

namespace continuo::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Wall time as the test sets it, steady time as it is.
class ShiftedClock final : public Clock {
 public:
  WallTime wall() override { return {system_clock().wall().ms + shift_ms}; }
  Micros steady() override { return system_clock().steady() + Millis{shift_ms}; }
  std::atomic<std::int64_t> shift_ms{0};
};

class EmbeddedNodeTest : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    const auto started = running_.start(clock_);
    ASSERT_TRUE(started) << to_string(started.error());
  }
  // Until it holds, for a while.
  template <class Holds>
  static bool eventually(Holds holds) {
    for (int i = 0; i < 1'000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(Millis{10});
    }
    return false;
  }
  Node& node() { return *running_.node; }

  ShiftedClock clock_;
  RunningNode running_{testing::TempDir()};
};

TEST_F(EmbeddedNodeTest, WhatWasPublishedIsReadAlsoAfterARestart) {
  const TopicId topic = running_.make_topic("t", {.partitions = 2});
  const PartitionRef zero{topic, PartitionId{0}}, one{topic, PartitionId{1}};
  for (std::uint64_t i = 1; i <= 20; ++i)
    ASSERT_TRUE(running_.publish({node_record(topic, i), node_record(topic, 100 + i, "k", 1)}));
  std::vector<std::int64_t> all(20);
  std::iota(all.begin(), all.end(), 0);
  const auto secret = node().secret();
  EXPECT_NE(secret, 0u);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(running_.offsets(zero), all);
    EXPECT_EQ(running_.offsets(one), all);
    const auto again = running_.publish({node_record(topic, 7)});
    EXPECT_TRUE(again->places[0].duplicate);
    EXPECT_EQ(again->places[0].offset, Offset{6});
    EXPECT_EQ(node().secret(), secret);
    EXPECT_EQ(node().health(), Health::running);
    EXPECT_EQ(node().failure(), "");
    EXPECT_NE(node().catalogue()->find_topic("t"), nullptr);
    start();
  }
}

TEST_F(EmbeddedNodeTest, OneProcessAtATime) {
  const auto second = Node::open(running_.options, clock_, system_random());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::data_locked);
}

TEST_F(EmbeddedNodeTest, SingleRecordsAreReadByOffset) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic), node_record(topic)}));
  const PartitionRef ref{topic, PartitionId{0}};
  EXPECT_TRUE(node().read_one(ref, Offset{1}));
  EXPECT_FALSE(node().read_one(ref, Offset{2}));
  EXPECT_EQ(node().read_one({topic, PartitionId{5}}, Offset{0}).error().code, Code::unknown_partition);
  EXPECT_EQ(node().offset_at(ref, WallTime{0}).value(), Offset{0});
  EXPECT_EQ(node().partition_state(ref)->next, Offset{2});
}

TEST_F(EmbeddedNodeTest, OverloadIsRefusedAtOnceAndNothingIsLost) {
  running_.options.limits.publish_credit_items = 4;
  start();
  const TopicId topic = running_.make_topic();
  std::atomic<int> accepted{0}, refused{0}, answered{0};
  WaitingEdge edge;
  constexpr int requests = 3'000;
  for (int i = 0; i < requests; ++i)
    node().publish(edge, {node_record(topic)}, [&](Result<Published> result) {
      ++answered;
      if (result)
        ++accepted;
      else if (result.error().code == Code::overloaded && result.error().retry_after_s > 0)
        ++refused;
    });
  while (answered < requests) edge.run();
  EXPECT_GT(refused, 0);
  EXPECT_GT(accepted, 0);
  EXPECT_EQ(accepted + refused, requests);
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), static_cast<std::size_t>(accepted));
  EXPECT_EQ(node().stats().refused_overload, static_cast<std::uint64_t>(refused));
  EXPECT_TRUE(running_.publish({node_record(topic)})) << "credit comes back";
  start();
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), static_cast<std::size_t>(accepted) + 1);
}

TEST_F(EmbeddedNodeTest, ARequestTooLargeForOneCommitIsRefused) {
  const TopicId topic = running_.make_topic();
  EXPECT_EQ(running_.publish({node_record(topic, 0, "k", 0, 9u << 20)}).error().code, Code::too_large);
  Settle settle;
  settle.acks.resize(20'000);
  EXPECT_EQ(running_.edge.ask<Settled>([&](Edge& to, auto answer) { node().settle(to, settle, std::move(answer)); })
                .error()
                .code,
            Code::too_large);
  EXPECT_TRUE(running_.publish({node_record(topic, 0, "k", 0, 6u << 20)})) << "a large one goes by the journal thread";
  EXPECT_THAT(running_.offsets({topic, PartitionId{0}}), ElementsAre(0));
}

TEST_F(EmbeddedNodeTest, ADeletedTopicIsGoneForReadersAndFromTheDisk) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic, 0, "k", 0, 100'000)}));
  const std::string folder = running_.options.data + "/topics/00000001";
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder); }));
  ASSERT_TRUE(running_.edge.ask<void>([&](Edge& to, auto answer) { node().delete_topic(to, "t", std::move(answer)); }));
  EXPECT_EQ(node().read({topic, PartitionId{0}}, Offset{0}, 1).error().code, Code::unknown_topic);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(folder); }));
  EXPECT_EQ(node().catalogue()->find_topic("t"), nullptr);
  EXPECT_NE(running_.make_topic(), topic);
}

TEST_F(EmbeddedNodeTest, TrimsAreForGood) {
  const TopicId topic = running_.make_topic();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(running_.publish({node_record(topic)}));
  const auto trimmed = running_.edge.ask<PartitionState>(
      [&](Edge& to, auto answer) { node().trim(to, topic, PartitionId{0}, Offset{3}, std::move(answer)); });
  EXPECT_EQ(trimmed->first, Offset{3});
  start();
  EXPECT_THAT(running_.offsets({topic, PartitionId{0}}), ElementsAre(3, 4));
  EXPECT_EQ(node().read({topic, PartitionId{0}}, Offset{0}, 1).error().code, Code::offset_out_of_range);
}

TEST_F(EmbeddedNodeTest, RetentionByTimeTakesWhatIsOld) {
  const TopicId topic = running_.make_topic("t", {.retention_time = Millis{3'600'000}});
  const PartitionRef ref{topic, PartitionId{0}};
  ASSERT_TRUE(running_.publish({node_record(topic)}));
  clock_.shift_ms = 3'000'000;
  ASSERT_TRUE(running_.publish({node_record(topic)}));
  clock_.shift_ms = 4'000'000;
  EXPECT_TRUE(eventually([&] { return node().partition_state(ref)->first == Offset{1}; }));
  EXPECT_THAT(running_.offsets(ref), ElementsAre(1));
}

TEST_F(EmbeddedNodeTest, RetentionByBytesTakesWholeSegments) {
  const TopicId topic = running_.make_topic("t", {.retention_bytes = 100'000});
  const PartitionRef ref{topic, PartitionId{0}};
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(running_.publish({node_record(topic, 0, "k", 0, 10'000)}));
  EXPECT_TRUE(eventually([&] {
    const auto state = node().partition_state(ref);
    return state->first > Offset{0} && state->bytes < 250'000;
  }));
  EXPECT_GE(node().partition_state(ref)->bytes, 100'000u) << "never less than the setting";
}

TEST_F(EmbeddedNodeTest, SubscriptionsGoOnAfterARestart) {
  const TopicId topic = running_.make_topic();
  const SubscriptionId id = running_.subscribe();
  ASSERT_TRUE(running_.publish({node_record(topic), node_record(topic)}));
  Offer offer{id, 1, {topic, PartitionId{0}}, Offset{0}, Offset{2}, {{Offset{0}, 1}, {Offset{1}, 2}}};
  ASSERT_TRUE(
      running_.edge.ask<OfferCredit>([&](Edge& to, auto answer) { node().offer(to, offer, std::move(answer)); }));
  const auto first = running_.receive(id, 1);
  ASSERT_THAT(first->deliveries, SizeIs(1));
  start();
  EXPECT_EQ(running_.ack(id, {first->deliveries[0].lease})->settled, 1u) << "the lease holds";
  const auto second = running_.receive(id, 1);
  ASSERT_THAT(second->deliveries, SizeIs(1));
  EXPECT_EQ(second->deliveries[0].lease.offset, Offset{1});
  const auto state = running_.edge.ask<SubscriptionState>(
      [&](Edge& to, auto answer) { node().subscription_state(to, id, std::move(answer)); });
  EXPECT_EQ(state->lag, 1u);
  EXPECT_EQ(state->leased, 1u);
  EXPECT_TRUE(state->oldest);
  EXPECT_EQ(running_.receive(SubscriptionId{99}).error().code, Code::unknown_subscription);
}

TEST_F(EmbeddedNodeTest, CountsReadsOfRangesAndOfSingleRecords) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic), node_record(topic)}));
  const PartitionRef partition{topic, PartitionId{0}};
  ASSERT_TRUE(node().read(partition, Offset{0}, 1 << 20));
  ASSERT_TRUE(node().read_one(partition, Offset{1}));
  ASSERT_TRUE(node().read_one(partition, Offset{1})) << "from the cache, and a read all the same";
  EXPECT_EQ(node().stats().reads, 3u);
}

// What is told of a failure escapes each character in the worst case; all of it goes into the one commit.
TEST_F(EmbeddedNodeTest, ASettleOfManyLongFailuresIsRefusedOrFits) {
  constexpr std::uint32_t count = 1'000;
  const TopicId topic = running_.make_topic();
  SubscriptionSettings settings;
  settings.retry.attempts = 1;
  settings.concurrency = count;
  const SubscriptionId id = running_.subscribe("s", settings);
  for (std::uint32_t i = 0; i < count; i += 100)
    ASSERT_TRUE(running_.publish(std::vector<NewRecord>(100, node_record(topic))));
  Offer offer{id, 1, {topic, PartitionId{0}}, Offset{0}, Offset{count}, {}};
  for (std::uint32_t i = 0; i < count; ++i) offer.events.push_back({Offset{i}, i + 1});
  ASSERT_TRUE(
      running_.edge.ask<OfferCredit>([&](Edge& to, auto answer) { node().offer(to, offer, std::move(answer)); }));
  const auto received = running_.receive(id, count);
  ASSERT_THAT(received->deliveries, SizeIs(count));
  const auto refuse = [&](char letter, std::size_t from, std::size_t to) {
    Settle settle;
    settle.subscription = id;
    for (std::size_t i = from; i < to; ++i)
      settle.nacks.push_back({received->deliveries[i].lease,
                              {std::string(200, letter), std::string(4'096, letter)},
                              {},
                              "Paid",
                              std::string(128, letter)});
    return running_.edge.ask<Settled>([&](Edge& edge, auto answer) { node().settle(edge, settle, std::move(answer)); });
  };
  EXPECT_EQ(refuse('\x01', 0, count).error().code, Code::too_large);
  EXPECT_EQ(refuse('x', 0, count)->settled, count) << "plain text has room";
  EXPECT_EQ(node().health(), Health::running);
}

// Consumers held them while the topic was trimmed; what is told of each escapes every character.
TEST_F(EmbeddedNodeTest, DeadLettersOfWhatWasTrimmedAreMadeOfItsCopies) {
  constexpr std::uint32_t count = 100;
  const TopicId topic = running_.make_topic();
  const TopicId dead = running_.make_topic("t.dead");
  SubscriptionSettings settings;
  settings.retry.attempts = 1;
  settings.concurrency = count;
  settings.on_failure = engines::OnFailure::dead_letter;
  settings.dead_letter = "t.dead";
  const SubscriptionId id = running_.subscribe("s", settings);
  std::vector<NewRecord> records;
  for (std::uint32_t i = 0; i < count; ++i) records.push_back(node_record(topic, 0, std::to_string(i)));
  ASSERT_TRUE(running_.publish(std::move(records)));
  Offer offer{id, 1, {topic, PartitionId{0}}, Offset{0}, Offset{count}, {}};
  RecordFinder finder{[&](PartitionRef partition, Offset offset) { return node().read_one(partition, offset); }};
  for (std::uint32_t i = 0; i < count; ++i)
    offer.events.push_back({Offset{i}, record::key_hash(*finder.find(offer.partition, Offset{i}))});
  ASSERT_TRUE(
      running_.edge.ask<OfferCredit>([&](Edge& to, auto answer) { node().offer(to, offer, std::move(answer)); }));
  const auto received = running_.receive(id, count);
  ASSERT_THAT(received->deliveries, SizeIs(count));
  ASSERT_TRUE(running_.edge.ask<PartitionState>(
      [&](Edge& to, auto answer) { node().trim(to, topic, PartitionId{0}, Offset{count}, std::move(answer)); }));
  for (const Delivery& each : received->deliveries) {
    Settle settle;
    settle.subscription = id;
    settle.nacks.push_back({each.lease, {"broken", std::string(4'096, '\x01')}, {}, {}, {}});
    ASSERT_TRUE(
        running_.edge.ask<Settled>([&](Edge& edge, auto answer) { node().settle(edge, settle, std::move(answer)); }));
  }
  const auto letters = [&] { return running_.offsets({dead, PartitionId{0}}).size(); };
  for (int i = 0; i < 500 && letters() < count; ++i) std::this_thread::sleep_for(Millis{10});
  EXPECT_EQ(letters(), count);
  EXPECT_EQ(node().health(), Health::running);
}

TEST_F(EmbeddedNodeTest, TellsWhenARecordWasAppended) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic)}));
  EXPECT_TRUE(node().appended_at({topic, PartitionId{0}}, Offset{0}));
  EXPECT_EQ(node().appended_at({topic, PartitionId{0}}, Offset{1}).error().code, Code::not_found);
}

TEST_F(EmbeddedNodeTest, AStopAnswersWhatWasAskedBefore) {
  const TopicId topic = running_.make_topic();
  WaitingEdge edge;
  std::atomic<int> answered{0}, accepted{0};
  for (int i = 0; i < 50; ++i)
    node().publish(edge, {node_record(topic, 0, "k", 0, 200'000)}, [&](Result<Published> result) {
      ++answered;
      accepted += result ? 1 : 0;
    });
  running_.node.reset();
  while (answered < 50) edge.run();
  start();
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), static_cast<std::size_t>(accepted));
}

TEST_F(EmbeddedNodeTest, TheRingTurnsUnderLoad) {
  const TopicId topic = running_.make_topic();
  std::size_t accepted = 0;
  EXPECT_TRUE(eventually([&] {  // refused ones are asked again, as Retry-After says
    while (accepted < 100 && running_.publish({node_record(topic, 0, "k", 0, 1u << 20)})) ++accepted;
    return accepted == 100;
  })) << accepted;
  EXPECT_GT(node().stats().checkpoints, 0u) << "more than the ring holds went through it";
  start();
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), accepted);
}

TEST_F(EmbeddedNodeTest, AFailedJournalWriteStopsTheNode) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic)}));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 1;  // from here on no file of this process takes a byte
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  const auto failed = running_.publish({node_record(topic)});
  const auto later = running_.publish({node_record(topic)});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(failed.error().code, Code::node_failed);
  EXPECT_EQ(later.error().code, Code::node_failed) << "nothing is tried again";
  EXPECT_EQ(node().health(), Health::failed);
  EXPECT_THAT(node().failure(), testing::HasSubstr("journal"));
  EXPECT_THAT(running_.offsets({topic, PartitionId{0}}), ElementsAre(0)) << "reading goes on";
  start();
  EXPECT_THAT(running_.offsets({topic, PartitionId{0}}), ElementsAre(0));
  EXPECT_TRUE(running_.publish({node_record(topic)}));
}

TEST_F(EmbeddedNodeTest, SkippingNeedsDamage) {
  const TopicId topic = running_.make_topic();
  ASSERT_TRUE(running_.publish({node_record(topic)}));
  const auto skip = [&](Offset from) {
    return running_.edge.ask<void>([&](Edge& to, auto answer) {
      node().skip_damaged(to, {topic, PartitionId{0}}, from, from + 1, "why", std::move(answer));
    });
  };
  EXPECT_EQ(skip(Offset{0}).error().code, Code::bad_request) << "it can be read";
  EXPECT_EQ(skip(Offset{5}).error().code, Code::offset_out_of_range);
}

TEST(RunningNode, SaysThatMemoryDoesNotLast) {
  if (!std::filesystem::exists("/dev/shm")) GTEST_SKIP() << "there is no /dev/shm here";
  RunningNode running{"/dev/shm"};
  ASSERT_TRUE(running.start());
  EXPECT_FALSE(running.node->durable());
}

TEST_F(EmbeddedNodeTest, EightThreadsAtOnce) {
  const TopicId topic = running_.make_topic("t", {.partitions = 4});
  const SubscriptionId id = running_.subscribe();
  std::atomic<std::uint64_t> accepted{0};
  const auto hammer = [&](std::uint32_t thread) {
    WaitingEdge edge;
    node().add_edge(edge);
    edge.wants_news = thread % 2 == 0;
    for (std::uint64_t i = 1; i <= 60; ++i) {
      const std::uint32_t partition = thread % 4;
      const auto published = edge.ask<Published>([&](Edge& to, auto answer) {
        node().publish(to,
                       {node_record(topic, thread * 1'000 + i, "k", partition), node_record(topic, 0, "k", partition)},
                       std::move(answer));
      });
      ASSERT_TRUE(published) << to_string(published.error());
      accepted += 2;
      ASSERT_TRUE(node().read_one({topic, PartitionId{partition}}, published->places[0].offset));
      if (i % 10 == 0) {
        (void)node().stats();
        (void)node().catalogue()->find_topic("t");
        ASSERT_TRUE(edge.ask<SubscriptionState>(
            [&](Edge& to, auto answer) { node().subscription_state(to, id, std::move(answer)); }));
        ASSERT_TRUE(edge.ask<Put<Topic>>([&](Edge& to, auto answer) {
          node().create_topic(to, "t" + std::to_string(thread), {}, std::move(answer));
        }));
      }
    }
    node().remove_edge(edge);
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t thread = 0; thread < 8; ++thread) threads.emplace_back(hammer, thread);
  }
  std::size_t found = 0;
  for (std::uint32_t partition = 0; partition < 4; ++partition)
    found += running_.offsets({topic, PartitionId{partition}}).size();
  EXPECT_EQ(found, accepted);
  EXPECT_EQ(accepted, 960u);
}

TEST_F(EmbeddedNodeTest, ThreadsThatWorkInRoundsAndOthersGetAllTheirAnswers) {
  const TopicId topic = running_.make_topic();
  constexpr std::size_t rounds = 200;
  std::atomic<std::size_t> published{0};
  const auto work = [&](bool in_rounds) {
    WaitingEdge edge;
    if (in_rounds) running_.node->work_in_rounds();
    for (std::size_t round = 0; round < rounds; ++round) {
      std::size_t open = 0;
      for (std::size_t i = 0; i <= round % 4; ++i, ++open)
        running_.node->publish(edge, {node_record(topic)}, [&](Result<Published> answer) {
          --open;
          if (answer) ++published;
        });
      if (in_rounds) running_.node->end_round();
      while (open != 0) edge.run();
    }
    running_.node->remove_edge(edge);
  };
  {
    std::vector<std::jthread> threads;
    for (const bool in_rounds : {true, true, true, false}) threads.emplace_back(work, in_rounds);
  }
  EXPECT_EQ(published, 4 * rounds * 5 / 2);
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), published);
}

TEST_F(EmbeddedNodeTest, WhatAnEdgeWroteItselfIsSealedLikeTheRest) {
  const TopicId topic = running_.make_topic();
  const auto journal =
      std::filesystem::path{running_.options.data} / "journal/01";  // the first start ends the log it found, in 00
  std::jthread edge_thread{[&] {
    running_.node->work_in_rounds();
    WaitingEdge edge;
    bool answered = false;
    running_.node->publish(edge, {node_record(topic)},
                           [&](Result<Published> answer) { answered = answer.has_value(); });
    running_.node->end_round();
    while (!answered) edge.run();
    running_.node->remove_edge(edge);
  }};
  edge_thread.join();
  const auto written = std::filesystem::last_write_time(journal);
  for (int i = 0; i < 200 && std::filesystem::last_write_time(journal) == written; ++i)
    std::this_thread::sleep_for(Millis{10});
  EXPECT_GT(std::filesystem::last_write_time(journal), written);
}

// One that never had room would hold up all who come after it.
TEST_F(EmbeddedNodeTest, MoreRepairsThanOneCommitHoldsAreRefused) {
  running_.make_topic();
  const SubscriptionId id = running_.subscribe();
  for (const std::size_t count : {100u, 10'000u}) {
    std::vector<SettleRepair> repairs(count);
    for (SettleRepair& each : repairs) each.settle.outcome = engines::RepairSettle::Outcome::skip;
    const auto settled = running_.edge.ask<RepairsSettled>(
        [&](Edge& to, auto answer) { node().healing().settle(to, id, repairs, "kim", std::move(answer)); });
    if (count == 100)
      EXPECT_EQ(settled->refused.size(), count) << "nobody holds these leases";
    else
      EXPECT_EQ(settled.error().code, Code::too_large);
  }
}

TEST_F(EmbeddedNodeTest, ARemovedEdgeGetsNoMail) {
  const TopicId topic = running_.make_topic();
  for (int round = 0; round < 50; ++round) {
    auto edge = std::make_unique<WaitingEdge>();
    std::jthread other([&] {  // the asking thread is not the removing one
      for (int i = 0; i < 20; ++i) node().publish(*edge, {node_record(topic)}, [](auto) {});
    });
    other.join();
    node().remove_edge(*edge);
    edge.reset();  // AddressSanitizer would tell
  }
  ASSERT_TRUE(running_.publish({node_record(topic)}));  // by then all before it is visible
  EXPECT_EQ(running_.offsets({topic, PartitionId{0}}).size(), 1'001u);
}

}  // namespace
}  // namespace continuo::node
