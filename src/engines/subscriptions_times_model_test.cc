// Times of events against a slow and obvious model: nothing comes before its time or out of its key's order, what
// expires leaves and nothing else does, and restarts change nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

const SubscriptionLimits small{.subscriptions = 10, .outstanding = 60, .run = 4, .front = 5, .page = 3};
using Machine = subscriptions_test::MachineOf<small>;

constexpr SubscriptionId id{1};
constexpr PartitionRef partition{TopicId{1}, PartitionId{0}};

struct ModelEvent {
  Offset offset;
  std::int64_t not_before = 0, expires = 0;
};

struct ModelKey {
  enum class Is { open, leased, backoff, parked };
  std::vector<ModelEvent> events;
  Is state = Is::open;
  bool time_came = false;  // the head's
  std::uint32_t leased = 0, attempts = 0;
  Elapsed until;

  bool scheduled() const { return state == Is::open && !time_came && events.front().not_before != 0; }
  void pass(std::size_t count) {
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count));
    time_came = false;
  }
};

class Play {
 public:
  Play(std::uint64_t seed, OrderBy order) : random_(seed), order_(order) {
    SubscriptionSettings settings;
    settings.topics = {"t"};
    settings.order_by = order;
    settings.lease = Millis{1'000};
    settings.retry = {2, Millis{300}};
    const std::vector<std::pair<PartitionRef, Offset>> starts{{partition, Offset{0}}};
    const auto decision = engine().decide_define("s", settings, {TopicId{1}}, starts);
    commit({encode(decision->defined), encode(decision->cursors.front())});
  }

  void offer() {
    Offer offer{id, 1, partition, next_, next_, {}};
    for (auto left = random_.below(8); left > 0; --left) {
      const ModelEvent event{offer.next, random_time(3), random_time(3)};
      const std::uint64_t key =
          order_ == OrderBy::key ? random_.below(4) : static_cast<std::uint64_t>(offer.next.value);
      offer.events.push_back({event.offset, key, WallTime{event.not_before}, WallTime{event.expires}});
      offer.next = offer.next + 1;
    }
    const auto decision = engine().decide_offer(offer);
    ASSERT_TRUE(decision);
    if (decision->effects.empty()) return;
    commit(decision->effects);
    for (const Offer::Event& event : offer.events)
      keys_[event.key_hash].events.push_back({event.offset, event.not_before.ms, event.expires.ms});
    next_ = offer.next;
  }

  void receive() {
    const auto decision = engine().decide_receive({id, static_cast<std::uint32_t>(1 + random_.below(9)), {}}, now_);
    ASSERT_TRUE(decision);
    commit(decision->effects());
    std::map<std::uint64_t, std::size_t> places;
    for (const Delivery& delivery : decision->received.deliveries) {
      ModelKey& key = keys_.at(delivery.lease.key_hash);
      const std::size_t place = places[delivery.lease.key_hash]++;
      if (place == 0) {
        ASSERT_EQ(key.state, ModelKey::Is::open);
        ASSERT_FALSE(key.scheduled()) << "its time did not come";
        key.state = ModelKey::Is::leased;
        key.until = now_ + Millis{1'000};
        ++key.attempts;
      } else {
        ASSERT_EQ(key.events[place].not_before, 0);
      }
      ASSERT_EQ(key.events[place].offset, delivery.lease.offset) << "in order";
      ASSERT_TRUE(key.events[place].expires == 0 || key.events[place].expires > wall_) << "expired";
      ASSERT_TRUE(place == 0 || key.events[place].not_before == 0);
      key.leased = static_cast<std::uint32_t>(place + 1);
      leases_[delivery.lease.key_hash] = delivery.lease;
    }
  }

  // The head of a leased key: done, or failed.
  void settle() {
    for (auto& [hash, key] : keys_) {
      if (key.state != ModelKey::Is::leased || !random_.chance(1, 2)) continue;
      Lease head = leases_.at(hash);
      head.offset = key.events.front().offset;
      Settle request{id, {}, {}, {}};
      const bool done = random_.chance(2, 3);
      if (done)
        request.acks.push_back(head);
      else
        request.nacks.push_back({head, {"code", "why"}, std::nullopt, {}});
      const auto decision = engine().decide_settle(request, false, {WallTime{wall_}, now_});
      ASSERT_EQ(decision->settled.settled, 1u);
      commit(decision->effects);
      if (done) {
        key.pass(1);
        key.attempts = --key.leased == 0 ? 0 : 1;
        if (key.leased == 0) key.state = ModelKey::Is::open;
      } else {
        fail(key);
      }
    }
    std::erase_if(keys_, [](const auto& each) { return each.second.events.empty(); });
  }

  void fail(ModelKey& key) {
    key.leased = 0;
    key.state = key.attempts < 2 ? ModelKey::Is::backoff : ModelKey::Is::parked;
    key.until = now_ + Millis{300};
  }

  void heal() {
    for (auto& [hash, key] : keys_) {
      if (key.state != ModelKey::Is::parked) continue;
      commit(*engine().decide_retry(id, hash));
      key.state = ModelKey::Is::open;
      key.attempts = 0;
      return;
    }
  }

  void pass_time() {
    now_ = now_ + Millis{static_cast<std::int64_t>(random_.below(400))};
    wall_ += static_cast<std::int64_t>(random_.below(400));
    const Now now{WallTime{wall_}, now_};
    for (auto effects = engine().decide_due(now, 3); !effects.empty(); effects = engine().decide_due(now, 3))
      commit(effects);
    for (auto& [hash, key] : keys_) {
      if (key.until > now_) continue;
      if (key.state == ModelKey::Is::leased)
        fail(key);
      else if (key.state == ModelKey::Is::backoff)
        key.state = ModelKey::Is::open;
    }
  }

  // Always before anybody receives, as the node does it.
  void times_pass() {
    const WallTime wall{wall_};
    for (auto effects = engine().decide_times(wall, 3, true); !effects.empty();
         effects = engine().decide_times(wall, 3, true))
      commit(effects);
    for (auto& [hash, key] : keys_) {
      while (!key.events.empty() && (key.state == ModelKey::Is::open || key.state == ModelKey::Is::backoff) &&
             key.events.front().expires != 0 && key.events.front().expires <= wall_) {
        key.pass(1);
        key.state = ModelKey::Is::open;
        key.attempts = 0;
      }
      if (!key.events.empty() && key.scheduled() && key.events.front().not_before <= wall_) key.time_came = true;
    }
    std::erase_if(keys_, [](const auto& each) { return each.second.events.empty(); });
    const auto next = engine().next_time(true);
    ASSERT_TRUE(!next || next->ms > wall_);
  }

  void checkpoint() { recorded_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(120)); }
  void restart() { recorded_.restart(); }

  void check() {
    std::uint64_t queued = 0, leased = 0, delayed = 0, parked = 0;
    for (const auto& [hash, key] : keys_) {
      leased += key.leased;
      if (key.state == ModelKey::Is::parked)
        parked += key.events.size();
      else if (key.state == ModelKey::Is::backoff || key.scheduled())
        delayed += key.events.size();
      else
        queued += key.events.size() - key.leased;
    }
    const auto counts = engine().counts(id);
    ASSERT_EQ(counts.queued, queued);
    ASSERT_EQ(counts.leased, leased);
    ASSERT_EQ(counts.delayed, delayed);
    ASSERT_EQ(counts.parked_events, parked);
  }
  void check_log() { ASSERT_EQ(recorded_.content(), recorded_.replayed_content()); }
  SeededRandom& random() { return random_; }

 private:
  const SubscriptionsEngine& engine() { return recorded_.live().engine; }
  void commit(std::vector<Effect> effects) { recorded_.commit(std::move(effects), now_); }
  std::int64_t random_time(std::uint64_t one_in) {
    return random_.chance(1, one_in) ? wall_ + static_cast<std::int64_t>(random_.below(1'500)) - 200 : 0;
  }

  SeededRandom random_;
  const OrderBy order_;
  Recorded<Machine> recorded_;
  std::map<std::uint64_t, ModelKey> keys_;
  std::map<std::uint64_t, Lease> leases_;
  Offset next_{0};
  Elapsed now_{1};
  std::int64_t wall_ = 1'000;
};

TEST(SubscriptionTimesModel, EngineAndModelAgreeOverRestarts) {
  for (std::uint64_t seed = 1; seed <= 400 && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play{seed, seed % 4 == 0 ? OrderBy::none : OrderBy::key};
    for (int step = 0; step < 120 && !testing::Test::HasFatalFailure(); ++step) {
      play.times_pass();
      switch (play.random().below(12)) {
        case 0:
        case 1: play.offer(); break;
        case 2:
        case 3:
        case 4: play.receive(); break;
        case 5:
        case 6: play.settle(); break;
        case 7:
        case 8: play.pass_time(); break;
        case 9: play.checkpoint(); break;
        case 10: play.restart(); break;
        default: play.heal(); break;
      }
      if (testing::Test::HasFatalFailure()) return;
      play.check();
    }
    play.check_log();
  }
}

}  // namespace
}  // namespace continuo::engines
