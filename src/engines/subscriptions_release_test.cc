// Releases of many keys: what they count when much fails again at once.
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

class ReleaseTest : public subscriptions_test::SubscriptionsTest {
 protected:
  // Keys 1, 2, 3 parked, and a release of them begun.
  SubscriptionId begin(bool stop_at_relapse, std::uint32_t rate = 0) {
    SubscriptionSettings wanted = settings();
    wanted.retry = {1, Millis{500}};
    const SubscriptionId id = define(wanted);
    offer(id, {1, 2, 3}, subscriptions_test::zero);
    fail_all(id, receive(id));
    EXPECT_EQ(engine().counts(id).parked_keys, 3u);
    const auto begun = engine().decide_release(id, {}, rate, stop_at_relapse, {"ann", "why"}, {WallTime{77}, now_});
    CHECK(begun.has_value());
    commit({encode(*begun)});
    return id;
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

}  // namespace
}  // namespace continuo::engines
