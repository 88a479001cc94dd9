// The core without threads and without a disk: what waits for what, and what a failure does.
#include "continuo/node/core_test.h"

#include <gmock/gmock.h>

namespace continuo::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// ---- answers wait ---------------------------------------------------------------------------------------------------

TEST_F(CoreTest, NothingLeavesBeforeItsGroupIsWritten) {
  const TopicId topic = make_topic();
  std::optional<Result<Published>> answer;
  core_->publish(edge_, {sample_record(topic)}, into(answer));
  EXPECT_THAT(edge_.mails, IsEmpty());
  auto group = core_->close();
  ASSERT_TRUE(group);
  EXPECT_THAT(edge_.mails, IsEmpty());
  EXPECT_THAT(home_.visible, IsEmpty());
  ASSERT_TRUE(home_.write(group->log));
  EXPECT_THAT(edge_.mails, IsEmpty()) << "durable, but not yet told";
  core_->written(std::move(group));
  EXPECT_EQ(edge_.open(), 1u);
  EXPECT_EQ((*answer)->places[0].offset, Offset{0});
  EXPECT_THAT(home_.visible, SizeIs(1));
}

TEST_F(CoreTest, RefusalsAndQuestionsWaitForTheGroupInFlight) {
  const TopicId topic = make_topic();
  std::optional<Result<Published>> first, refused, duplicate;
  std::optional<Result<std::vector<FeedPosition>>> question;
  core_->publish(edge_, {sample_record(topic, 7)}, into(first));
  auto flying = core_->close();
  NewRecord reused = sample_record(topic, 7);
  reused.fingerprint.content = 2;
  core_->publish(edge_, {reused}, into(refused));
  core_->publish(edge_, {sample_record(topic, 7)}, into(duplicate));
  core_->feed_positions(edge_, {}, into(question));
  EXPECT_FALSE(core_->close()) << "nothing to write";
  EXPECT_EQ(edge_.open(), 0u) << "what they say is not durable yet";
  ASSERT_TRUE(home_.write(flying->log));
  core_->written(std::move(flying));
  EXPECT_EQ(edge_.open(), 4u);
  EXPECT_EQ(refused->error().code, Code::id_reused);
  EXPECT_TRUE((*duplicate)->places[0].duplicate);
}

TEST_F(CoreTest, WithNothingInFlightARefusalLeavesAtOnce) {
  std::optional<Result<Published>> refused;
  core_->publish(edge_, {sample_record(TopicId{99})}, into(refused));
  EXPECT_FALSE(core_->close());
  EXPECT_EQ(edge_.open(), 1u);
  EXPECT_EQ(refused->error().code, Code::unknown_topic);
  EXPECT_TRUE(core_->idle());
}

TEST_F(CoreTest, ManyRequestsShareAGroupAndABatch) {
  const TopicId topic = make_topic();
  const auto groups = home_.groups.size();
  std::vector<std::optional<Result<Published>>> answers(10);
  for (auto& answer : answers) core_->publish(edge_, {sample_record(topic)}, into(answer));
  EXPECT_GT(core_->open_size(), 10 * 10u);
  flush();
  EXPECT_EQ(edge_.open(), 10u);
  EXPECT_EQ(home_.groups.size(), groups + 1);
  ASSERT_THAT(home_.visible, SizeIs(1));
  EXPECT_EQ(home_.visible[0].next, Offset{10});
  EXPECT_TRUE(record::check_batch(*home_.visible[0].bytes));
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ((*answers[static_cast<std::size_t>(i)])->places[0].offset, Offset{i});
}

TEST_F(CoreTest, TheOpenGroupNeverPromisesLessThanItTakes) {
  const TopicId topic = make_topic("t", {.partitions = 3});
  std::optional<Result<Published>> answer;
  for (std::uint64_t i = 1; i < 200; ++i)
    core_->publish(edge_, {sample_record(topic, i, "k", i % 3, i * 50), sample_record(topic, i + 1'000)}, into(answer));
  const std::size_t promised = core_->open_size();
  auto group = core_->close();
  EXPECT_LE(group->log.size(), promised);
  EXPECT_TRUE(core_->has_room(1));
  EXPECT_FALSE(core_->has_room(log::max_group_body));
  ASSERT_TRUE(home_.write(group->log));
  core_->written(std::move(group));
}

TEST_F(CoreTest, EdgesThatWantNewsHearOfRecordsAndDefinitions) {
  MailBox watcher;
  watcher.wants_news = true;
  core_->add_edge(watcher);
  const TopicId topic = make_topic();
  EXPECT_THAT(watcher.mails, SizeIs(1)) << "definitions changed";
  watcher.mails.clear();
  ASSERT_TRUE(publish({sample_record(topic)}));
  ASSERT_THAT(watcher.mails, SizeIs(1));
  EXPECT_THAT(*watcher.mails[0].advanced, ElementsAre(PartitionRef{topic, PartitionId{0}}));
  core_->remove_edge(watcher);
  ASSERT_TRUE(publish({sample_record(topic)}));
  EXPECT_THAT(watcher.mails, SizeIs(1));
}

TEST_F(CoreTest, EdgesThatWantDefinitionsHearOfNothingElse) {
  MailBox follower;
  follower.wants_definitions = true;
  core_->add_edge(follower);
  const TopicId topic = make_topic();
  ASSERT_THAT(follower.mails, SizeIs(1));
  EXPECT_EQ(follower.mails[0].advanced, nullptr);
  ASSERT_TRUE(publish({sample_record(topic)}));
  EXPECT_THAT(follower.mails, SizeIs(1));
  core_->remove_edge(follower);
}

TEST_F(CoreTest, ARemovedEdgeGetsNoMail) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  MailBox gone;
  std::optional<Result<Published>> first, second;
  std::optional<Result<Received>> waiting;
  core_->publish(gone, {sample_record(topic)}, into(first));
  auto flying = core_->close();
  core_->feed_positions(gone, {}, [](auto) {});
  core_->close();
  core_->publish(gone, {sample_record(topic)}, into(second));
  core_->receive(gone, receive_of(id, 1'000), into(waiting));
  core_->remove_edge(gone);
  ASSERT_TRUE(home_.write(flying->log));
  flying->answers.erase(&gone);  // the driver's own affair: the group in flight is not the core's
  core_->written(std::move(flying));
  flush();
  EXPECT_THAT(gone.mails, IsEmpty());
}

// ---- publishing and definitions -------------------------------------------------------------------------------------

TEST_F(CoreTest, ATopicIsMadeOnceAndInTheCatalogueWhenAnswered) {
  const TopicId topic = make_topic("orders", {.partitions = 2});
  EXPECT_EQ(core_->catalogue()->find_topic("orders")->id, topic);
  const auto again = ask<Put<Topic>>(
      [&](auto answer) { core_->create_topic(edge_, "orders", {.partitions = 2}, false, std::move(answer)); });
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->value.id, topic);
  const auto other =
      ask<Put<Topic>>([&](auto answer) { core_->create_topic(edge_, "orders", {}, false, std::move(answer)); });
  EXPECT_EQ(other.error().code, Code::topic_exists);
}

TEST_F(CoreTest, ADeletedTopicTakesItsUnwrittenRecordsAlong) {
  const TopicId topic = make_topic();
  std::optional<Result<Published>> published;
  std::optional<Result<void>> deleted;
  core_->publish(edge_, {sample_record(topic)}, into(published));
  core_->delete_topic(edge_, "t", into(deleted));
  flush();
  edge_.open();
  EXPECT_TRUE(*published && *deleted);
  EXPECT_THAT(home_.visible, IsEmpty());
  EXPECT_EQ(publish({sample_record(topic)}).error().code, Code::unknown_topic);
  EXPECT_NE(make_topic(), topic) << "a later topic of that name is another";
}

TEST_F(CoreTest, TrimsAndSkips) {
  const TopicId topic = make_topic();
  ASSERT_TRUE(publish({sample_record(topic), sample_record(topic), sample_record(topic)}));
  const auto trim = [&](Offset before) {
    return ask<PartitionState>(
        [&](auto answer) { core_->trim(edge_, topic, PartitionId{0}, before, std::move(answer)); });
  };
  EXPECT_EQ(trim(Offset{2})->first, Offset{2});
  EXPECT_EQ(trim(Offset{1})->first, Offset{2});
  EXPECT_EQ(trim(Offset{9}).error().code, Code::offset_out_of_range);
  const auto skip = [&](PartitionRef ref, Offset from, Offset next) {
    return ask<void>([&](auto answer) { core_->skip_damaged(edge_, ref, from, next, "why", std::move(answer)); });
  };
  const PartitionRef ref{topic, PartitionId{0}};
  EXPECT_TRUE(skip(ref, Offset{2}, Offset{3}));
  EXPECT_EQ(skip(ref, Offset{1}, Offset{3}).error().code, Code::offset_out_of_range);
  EXPECT_EQ(skip(ref, Offset{2}, Offset{4}).error().code, Code::offset_out_of_range);
  EXPECT_EQ(skip(ref, Offset{2}, Offset{2}).error().code, Code::offset_out_of_range);
  EXPECT_EQ(skip({topic, PartitionId{1}}, Offset{0}, Offset{1}).error().code, Code::unknown_partition);
}

TEST_F(CoreTest, RefusesPublishesWhenTheRingOrTheDiskIsFull) {
  const TopicId topic = make_topic();
  home_.numbers.used_slots = 12;
  const auto crowded = publish({sample_record(topic)});
  EXPECT_EQ(crowded.error().code, Code::overloaded);
  EXPECT_EQ(crowded.error().retry_after_s, 1);
  home_.numbers = {.slots = 16, .used_slots = 1, .free_slots = 15, .disk_full = true};
  EXPECT_EQ(publish({sample_record(topic)}).error().code, Code::disk_full);
  EXPECT_TRUE(ask<void>([&](auto answer) { core_->delete_topic(edge_, "t", std::move(answer)); })) << "deletes go on";
}

TEST_F(CoreTest, IdsLeaveWhenTheirWindowIsOverAlsoWhenNothingIsPublished) {
  ASSERT_TRUE(publish({sample_record(make_topic("t", {.dedup_window = Millis{10'000}}), 7)}));
  core_->tick();
  for (const std::uint64_t left : {1, 0}) {
    clock_.pass(core_->next_due()->count() - static_cast<std::int64_t>(left));
    core_->tick();
    flush();
    EXPECT_EQ(core_->topics().remembered_ids(), left);
  }
  EXPECT_EQ(core_->next_due(), std::nullopt);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

TEST_F(CoreTest, AReceiverWaitsUntilSomethingIsReady) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  std::optional<Result<Received>> answer;
  core_->tick();
  EXPECT_EQ(core_->next_due(), std::nullopt);
  core_->receive(edge_, receive_of(id, 1'000), into(answer));
  flush();
  edge_.open();
  EXPECT_FALSE(answer);
  EXPECT_EQ(core_->next_due(), Millis{1'000});
  ASSERT_TRUE(offer(id, topic, 0, {1, 2}));
  core_->tick();
  flush();
  edge_.open();
  ASSERT_TRUE(answer && *answer);
  EXPECT_THAT((*answer)->deliveries, SizeIs(2));
}

TEST_F(CoreTest, AReceiverThatWaitedLongEnoughGetsNothing) {
  make_topic();
  const SubscriptionId id = subscribe();
  std::optional<Result<Received>> answer;
  core_->receive(edge_, receive_of(id, 1'000), into(answer));
  clock_.pass(999);
  core_->tick();
  flush();
  edge_.open();
  EXPECT_FALSE(answer);
  clock_.pass(1);
  core_->tick();
  flush();
  edge_.open();
  ASSERT_TRUE(answer && *answer);
  EXPECT_THAT((*answer)->deliveries, IsEmpty());
}

TEST_F(CoreTest, ACancelledReceiverTakesNothing) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  std::optional<Result<Received>> gone, here;
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  Receive receive = receive_of(id, 1'000);
  receive.cancelled = cancelled;
  core_->receive(edge_, receive, into(gone));
  core_->receive(edge_, receive_of(id, 1'000), into(here));
  *cancelled = true;
  ASSERT_TRUE(offer(id, topic, 0, {1}));
  core_->tick();
  flush();
  edge_.open();
  EXPECT_FALSE(gone);
  ASSERT_TRUE(here && *here);
  EXPECT_THAT((*here)->deliveries, SizeIs(1));
}

TEST_F(CoreTest, WaitersOfADeletedSubscriptionAreTold) {
  make_topic();
  const SubscriptionId id = subscribe();
  std::optional<Result<Received>> answer;
  core_->receive(edge_, receive_of(id, 60'000), into(answer));
  ASSERT_TRUE(ask<void>([&](auto reply) { core_->delete_subscription(edge_, "s", std::move(reply)); }));
  core_->tick();
  flush();
  edge_.open();
  EXPECT_EQ(answer->error().code, Code::unknown_subscription);
}

// ---- settling -------------------------------------------------------------------------------------------------------

TEST_F(CoreTest, SettleAndPublishAreOneCommit) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  ASSERT_TRUE(publish({sample_record(topic)}));
  ASSERT_TRUE(offer(id, topic, 0, {1}));
  const auto leases = receive(id);
  ASSERT_THAT(leases, SizeIs(1));
  Settle settle;
  settle.subscription = id;
  settle.acks = leases;
  settle.publish = {sample_record(topic, 5)};
  settle.body_hash = {1, 1};
  const auto groups = home_.groups.size();
  const auto run = [&] { return ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }); };
  const auto settled = run();
  ASSERT_TRUE(settled);
  EXPECT_EQ(home_.groups.size(), groups + 1);
  EXPECT_EQ(settled->settled, 1u);
  EXPECT_EQ(settled->places[0].offset, Offset{1});
  const auto repeated = run();
  EXPECT_EQ(encode_settled(settle, *repeated), encode_settled(settle, *settled)) << "a repeat gets the first answer";
  EXPECT_EQ(home_.groups.size(), groups + 1);
  settle.body_hash = {2, 2};
  EXPECT_EQ(run().error().code, Code::settle_refused) << "another request with the same lease does not";
  EXPECT_EQ(home_.visible.back().next, Offset{2});
}

TEST_F(CoreTest, ARefusedPublishLeavesTheLeases) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  ASSERT_TRUE(offer(id, topic, 0, {1}));
  Settle settle;
  settle.subscription = id;
  settle.acks = receive(id);
  settle.publish = {sample_record(TopicId{99})};
  EXPECT_EQ(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }).error().code,
            Code::unknown_topic);
  settle.publish.clear();
  EXPECT_EQ(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); })->settled, 1u);
}

TEST_F(CoreTest, ParkedKeysAreShownRetriedAndSkipped) {
  const TopicId topic = make_topic();
  SubscriptionSettings settings;
  settings.retry.attempts = 1;
  const SubscriptionId id = subscribe(settings);
  ASSERT_TRUE(publish({sample_record(topic), sample_record(topic)}));
  ASSERT_TRUE(offer(id, topic, 0, {1, 1}));
  const auto fail_head = [&] {
    Settle settle;
    settle.subscription = id;
    settle.nacks = {{receive(id).at(0), {"c", "m"}, {}}};
    ASSERT_TRUE(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }));
  };
  fail_head();
  EXPECT_THAT(
      *ask<std::vector<ParkedKey>>([&](auto answer) { core_->parked(edge_, id, {.limit = 10}, std::move(answer)); }),
      SizeIs(1));
  const auto state =
      ask<SubscriptionState>([&](auto answer) { core_->subscription_state(edge_, id, std::move(answer)); });
  EXPECT_EQ(state->parked_keys, 1u);
  EXPECT_EQ(state->parked_events, 2u);
  EXPECT_EQ(state->lag, 2u);
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->retry_parked(edge_, id, 1, {}, std::move(answer)); }));
  fail_head();
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->skip_parked(edge_, id, 1, {"ann", "by hand"}, std::move(answer)); }));
  EXPECT_EQ(receive(id).at(0).offset, Offset{1});
  EXPECT_EQ(ask<void>([&](auto answer) { core_->retry_parked(edge_, id, 1, {}, std::move(answer)); }).error().code,
            Code::not_parked);
  EXPECT_EQ(ask<void>([&](auto answer) { core_->skip_parked(edge_, id, 1, {}, std::move(answer)); }).error().code,
            Code::not_parked);
  ASSERT_TRUE(ask<void>([&](auto answer) { core_->pause(edge_, id, true, std::move(answer)); }));
  EXPECT_TRUE(core_->catalogue()->find_subscription("s")->paused);
}

TEST_F(CoreTest, ManyDueKeysWithLongFailuresNeverOverfillAGroup) {
  const TopicId topic = make_topic();
  SubscriptionSettings settings;
  settings.retry = {10, Millis{100}};
  settings.concurrency = 5'000;
  const SubscriptionId id = subscribe(settings);
  const std::string message(4'000, 'm');
  for (std::int64_t base = 0; base < 3'000; base += 10) {
    Offer offer{id, 1, {topic, PartitionId{0}}, Offset{base}, Offset{base + 10}, {}};
    for (std::int64_t at = base; at < base + 10; ++at)
      offer.events.push_back({Offset{at}, static_cast<std::uint64_t>(at)});
    ASSERT_TRUE(ask<OfferCredit>([&](auto answer) { core_->offer(edge_, offer, std::move(answer)); }));
    Settle settle;
    settle.subscription = id;
    for (const Lease& lease : receive(id)) settle.nacks.push_back({lease, {"code", message}, Millis{60'000}});
    ASSERT_TRUE(ask<Settled>([&](auto answer) { core_->settle(edge_, settle, std::move(answer)); }));
  }
  clock_.pass(70'000);
  std::optional<Result<Published>> answer;
  while (core_->has_room(1'000'000)) core_->publish(edge_, {sample_record(topic, 0, "k", 0, 900'000)}, into(answer));
  for (int i = 0; i < 20; ++i) {
    core_->tick();
    auto group = core_->close();
    if (!group) break;
    ASSERT_LE(group->log.size(), log::max_group_body);
    ASSERT_TRUE(home_.write(group->log));
    core_->written(std::move(group));
  }
  EXPECT_EQ(core_->subscriptions().counts(id).delayed, 0u) << "and all of them became ready";
}

// ---- failure --------------------------------------------------------------------------------------------------------

TEST_F(CoreTest, AFailedWriteAnswersEverybodyAndNothingIsDoneAnyMore) {
  const TopicId topic = make_topic();
  const SubscriptionId id = subscribe();
  std::optional<Result<Published>> flying_answer, open_answer, late;
  std::optional<Result<Received>> waiting;
  std::optional<Result<std::vector<FeedPosition>>> question;
  core_->receive(edge_, receive_of(id, 60'000), into(waiting));
  core_->publish(edge_, {sample_record(topic)}, into(flying_answer));
  auto flying = core_->close();
  core_->feed_positions(edge_, {}, into(question));
  core_->close();
  core_->publish(edge_, {sample_record(topic)}, into(open_answer));
  home_.fails = true;
  const auto written = home_.write(flying->log);
  core_->fail(written.error(), std::move(flying));
  core_->publish(edge_, {sample_record(topic)}, into(late));
  edge_.open();
  for (const auto* answer : {&flying_answer, &open_answer, &late})
    EXPECT_EQ((*answer)->error().code, Code::node_failed);
  EXPECT_EQ(waiting->error().code, Code::node_failed);
  EXPECT_EQ(question->error().code, Code::node_failed);
  EXPECT_THAT(home_.visible, IsEmpty());
  EXPECT_FALSE(core_->close());
  core_->tick();
  EXPECT_FALSE(core_->checkpoint(true));
}

TEST_F(CoreTest, EveryCommandOfAFailedCoreIsRefused) {
  core_->fail({Code::io_error, "the disk failed", {}, {}}, nullptr);
  int refused = 0;
  const auto counts = [&](auto result) { refused += !result && result.error().code == Code::node_failed ? 1 : 0; };
  const SubscriptionId id{1};
  core_->create_topic(edge_, "t", {}, false, counts);
  core_->delete_topic(edge_, "t", counts);
  core_->trim(edge_, TopicId{1}, PartitionId{0}, Offset{0}, counts);
  core_->skip_damaged(edge_, {}, {}, {}, "", counts);
  core_->publish(edge_, {}, counts);
  core_->put_subscription(edge_, "s", {}, {}, counts);
  core_->delete_subscription(edge_, "s", counts);
  core_->pause(edge_, id, true, counts);
  core_->receive(edge_, receive_of(id), counts);
  core_->settle(edge_, {}, counts);
  core_->subscription_state(edge_, id, counts);
  core_->parked(edge_, id, {.limit = 1}, counts);
  core_->retry_parked(edge_, id, 1, {}, counts);
  core_->skip_parked(edge_, id, 1, {}, counts);
  core_->feed_positions(edge_, {}, counts);
  core_->offer(edge_, {}, counts);
  EXPECT_EQ(edge_.open(), 16u);
  EXPECT_EQ(refused, 16);
}

// ---- time -----------------------------------------------------------------------------------------------------------

TEST_F(CoreTest, AWallClockThatJumpsIsNotTrustedForAWhile) {
  make_topic();
  EXPECT_TRUE(core_->wall_trusted());
  clock_.wall_ms += 3'600'000;
  make_topic("b");
  EXPECT_FALSE(core_->wall_trusted());
  Stats stats;
  core_->fill(stats);
  EXPECT_EQ(stats.wall_jumps, 1u);
  EXPECT_EQ(stats.topics, 2u);
  EXPECT_GT(stats.units, 2u);
  clock_.wall_ms -= 7'200'000;
  const WallTime before = home_.groups.back().now.wall;
  make_topic("c");
  EXPECT_GE(home_.groups.back().now.wall, before) << "never back in the log";
  clock_.pass(600'001);
  make_topic("d");
  EXPECT_TRUE(core_->wall_trusted());
}

}  // namespace
}  // namespace continuo::node
