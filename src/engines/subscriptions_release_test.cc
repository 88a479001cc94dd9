// Releases of many keys: what they count when much fails again at once.
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

class ReleaseTest : public subscriptions_test::SubscriptionsTest {
 protected:
  // So many keys parked, each with one event.
  SubscriptionId park(std::uint64_t count) {
    SubscriptionSettings wanted = settings();
    wanted.retry = {1, Millis{500}};
    wanted.concurrency = 1'000;
    const SubscriptionId id = define(wanted);
    std::vector<std::uint64_t> keys;
    for (std::uint64_t key = 1; key <= count; ++key) keys.push_back(key);
    offer(id, keys, subscriptions_test::zero);
    fail_all(id, receive(id, 1'000));
    EXPECT_EQ(engine().counts(id).parked_keys, count);
    return id;
  }
  // Keys 1, 2, 3 parked, and a release of them begun.
  SubscriptionId begin(bool stop_at_relapse, std::uint32_t rate = 0) {
    const SubscriptionId id = park(3);
    begin(id, stop_at_relapse, rate);
    return id;
  }
  void begin(SubscriptionId id, bool stop_at_relapse, std::uint32_t rate) {
    const auto draft = engine().draft_release(id, {}, rate, stop_at_relapse, {"ann", "why"}, {WallTime{77}, now_});
    CHECK(draft.has_value());
    const auto begun = engine().decide_release(*draft);
    CHECK(begun.has_value());
    commit({encode(*begun)});
  }
  void fail_all(SubscriptionId id, const std::vector<Lease>& leases) {
    Settle all{id, {}, {}, {}};
    for (const Lease& lease : leases) all.nacks.push_back({lease, {"code", "why"}, Millis{0}});
    ASSERT_TRUE(settle(all));
  }
};

TEST_F(ReleaseTest, counts_every_key_that_fails_again_in_one_settle) {
  const SubscriptionId id = begin(false);
  due();
  const std::vector<Lease> leases = receive(id);
  ASSERT_EQ(leases.size(), 3u);
  fail_all(id, leases);
  ASSERT_NE(engine().release(id), nullptr);
  EXPECT_EQ(engine().release(id)->released, 3u);
  EXPECT_EQ(engine().release(id)->relapsed, 3u);
}

TEST_F(ReleaseTest, counts_every_key_whose_lease_runs_out_at_one_time) {
  const SubscriptionId id = begin(false);
  due();
  ASSERT_EQ(receive(id).size(), 3u);
  now_ = now_ + Millis{60'000};
  due();
  EXPECT_EQ(engine().release(id)->relapsed, 3u);
}

// The next keys and the end of the first one's lease are due at one time.
TEST_F(ReleaseTest, stops_at_a_relapse_that_comes_with_its_next_keys) {
  const SubscriptionId id = begin(true, 1);
  due();
  ASSERT_EQ(receive(id).size(), 1u);
  now_ = now_ + Millis{60'000};
  due();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::relapsed);
  EXPECT_EQ(engine().release(id)->relapsed, 1u);
}

TEST_F(ReleaseTest, is_done_when_its_keys_are_drained) {
  const SubscriptionId id = begin(true);
  due();
  now_ = now_ + Millis{1'000};
  due();
  EXPECT_EQ(engine().release(id)->released, 3u);
  EXPECT_EQ(engine().release(id)->state, ReleaseState::running) << "nobody handled anything";
  EXPECT_NE(engine().next_due(), Elapsed{0}) << "it waits without being asked again and again";
  const std::vector<Lease> leases = receive(id);
  ASSERT_TRUE(settle({id, {leases[0], leases[1]}, {}, {}}));
  due();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::running);
  recorded_.restart();
  ASSERT_TRUE(settle({id, {leases[2]}, {}, {}}));
  EXPECT_EQ(engine().next_due(), Elapsed{0});
  due();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::done);
}

TEST_F(ReleaseTest, is_relapsed_when_the_last_key_fails_again_after_all_were_released) {
  const SubscriptionId id = begin(true);
  due();
  now_ = now_ + Millis{1'000};
  due();
  const std::vector<Lease> leases = receive(id);
  ASSERT_TRUE(settle({id, {leases[0], leases[1]}, {}, {}}));
  fail_all(id, {leases[2]});
  due();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::relapsed);
}

TEST_F(ReleaseTest, is_done_when_one_key_failed_again_and_it_goes_on) {
  const SubscriptionId id = begin(false);
  due();
  fail_all(id, receive(id));
  now_ = now_ + Millis{1'000};  // it looks once more whether there is something to release
  due();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::done);
  EXPECT_EQ(engine().release(id)->relapsed, 3u);
}

// Without a rate: else all would be released before the first is tried.
TEST_F(ReleaseTest, lets_a_hundred_keys_drain_at_once_when_it_stops_at_a_relapse) {
  const SubscriptionId id = park(300);
  begin(id, true, 0);
  const auto go_on = [&] {
    for (int i = 0; i < 10; ++i) due(), now_ = now_ + Millis{10};
  };
  go_on();
  EXPECT_EQ(engine().release(id)->released, 100u);
  const std::vector<Lease> leases = receive(id, 60);
  ASSERT_TRUE(settle({id, leases, {}, {}}));
  go_on();
  EXPECT_EQ(engine().release(id)->released, 160u);
  fail_all(id, receive(id, 1));
  go_on();
  EXPECT_EQ(engine().release(id)->state, ReleaseState::relapsed);
  EXPECT_EQ(engine().counts(id).parked_keys, 141u) << "140 that were never tried, and the one that failed";
}

TEST_F(ReleaseTest, can_be_drafted_while_one_runs) {
  const SubscriptionId id = begin(true, 1);
  const auto draft = engine().draft_release(id, {}, 0, true, {}, {WallTime{77}, now_});
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->total, 3u);
  EXPECT_EQ(draft->number, 0u);
  EXPECT_EQ(engine().decide_release(*draft).error().code, Code::release_running);
}

TEST_F(ReleaseTest, knows_the_key_that_is_parked_longest_also_while_somebody_repairs_it) {
  const SubscriptionId id = park(2);
  EXPECT_EQ(engine().oldest_parked(id), WallTime{77});
  const auto repair = engine().decide_repair(id, RepairBy::workflow, 1, Millis{1'000}, now_);
  ASSERT_EQ(repair->deliveries.size(), 1u);
  commit(repair->effects);
  commit(*engine().decide_retry(id, 2));
  EXPECT_EQ(engine().oldest_parked(id), WallTime{77});
  recorded_.restart();
  EXPECT_EQ(engine().oldest_parked(id), WallTime{77});
  commit(*engine().decide_retry(id, 1));
  EXPECT_EQ(engine().oldest_parked(id), std::nullopt);
}

// Whoever refuses the event may know what its key is called; the engine itself knows hashes.
TEST_F(ReleaseTest, keys_are_called_what_whoever_refused_them_called_them) {
  SubscriptionSettings wanted = settings();
  wanted.retry = {1, Millis{500}};
  const SubscriptionId id = define(wanted);
  offer(id, {1, 1, 2}, subscriptions_test::zero);
  const auto refuse = [&](const Lease& lease, std::string key_text) {
    ASSERT_TRUE(settle({id, {}, {{lease, {"code", "why"}, Millis{0}, {}, std::move(key_text)}}, {}}));
  };
  const auto called = [&](std::uint64_t key) {
    return engine().look_at({id, subscriptions_test::zero, key})->key_text;
  };
  const std::vector<Lease> leases = receive(id);
  refuse(leases[0], "ann");
  refuse(leases.back(), std::string(129, 'x'));
  EXPECT_EQ(called(1), "ann");
  EXPECT_EQ(called(2), "") << "too long to be told";
  commit(*engine().decide_retry(id, 1));
  recorded_.restart();
  EXPECT_EQ(called(1), "ann") << "while it drains";
  refuse(receive(id)[0], {});
  EXPECT_EQ(called(1), "ann") << "and when nobody said it again";
  commit(*engine().decide_retry(id, 1));
  ASSERT_TRUE(settle({id, receive(id), {}, {}}));
  offer(id, {1}, subscriptions_test::zero);
  EXPECT_EQ(called(1), "") << "well again";
}

// All of it goes into one commit.
TEST_F(ReleaseTest, keys_with_long_failures_are_too_much_to_be_kept_by_a_seek) {
  SubscriptionSettings wanted = settings();
  wanted.retry = {1, Millis{500}};
  wanted.concurrency = 1'000;
  const SubscriptionId id = define(wanted);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 1; key <= 300; ++key) keys.push_back(key);
  offer(id, keys, subscriptions_test::zero);
  Settle all{id, {}, {}, {}};
  for (const Lease& lease : receive(id, 300))
    all.nacks.push_back({lease, {"code", std::string(4'000, 'm')}, Millis{0}});
  ASSERT_TRUE(settle(all));
  const std::vector<std::pair<PartitionRef, Offset>> to{{subscriptions_test::zero, Offset{1'000}}};
  EXPECT_EQ(engine().decide_seek(id, to, true).error().code, Code::limit_reached);
  EXPECT_TRUE(engine().decide_seek(id, to, false));
}

}  // namespace
}  // namespace continuo::engines
