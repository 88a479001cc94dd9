// A release on a mean home: how far it is and what it released lie in different shards, and one may be written without
// the other. In the end all that was parked when it began was released.
#include "continuo/engines/order_homes_test.h"
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

using subscriptions_test::Machine;
using subscriptions_test::one;
using subscriptions_test::zero;

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}

  void park(std::uint64_t keys) {
    SubscriptionSettings settings;
    settings.topics = {"a"};
    settings.retry = {1, Millis{500}};
    const std::vector<std::pair<PartitionRef, Offset>> starts{{zero, Offset{0}}, {one, Offset{0}}};
    const auto defined = engine().decide_define("s", settings, {TopicId{1}}, starts);
    std::vector<Effect> effects{encode(defined->defined)};
    for (const CursorMoved& cursor : defined->cursors) effects.push_back(encode(cursor));
    home_.commit(effects, now_);
    id_ = defined->defined.id;
    for (const PartitionRef partition : {zero, one}) {
      Offer offer{id_, 1, partition, Offset{0}, Offset{0}, {}};
      for (; offer.next.value < static_cast<std::int64_t>(keys); offer.next = offer.next + 1)
        offer.events.push_back({offer.next, static_cast<std::uint64_t>(offer.next.value)});
      home_.commit(engine().decide_offer(offer)->effects, now_);
    }
    fail(1'000);
    home_.finish();
  }
  // One slice after the other: the next when the one before is written.
  void release() {
    const auto draft = engine().draft_release(id_, {}, random_.chance(1, 2) ? 0 : 50, false, {}, now());
    const auto begun = engine().decide_release(*draft);
    home_.commit({encode(*begun)}, now_);
    home_.finish();
    bool written = true;
    for (int step = 0; engine().release(id_)->state == ReleaseState::running; ++step) {
      ASSERT_LT(step, 10'000) << "it never ends";
      now_ = now_ + Millis{10};
      const auto slice = written ? engine().decide_due(now(), 3) : std::vector<Effect>{};
      if (!slice.empty()) {
        written = false;
        home_.commit(slice, now_, [&written] { written = true; });
      }
      if (random_.chance(1, 4)) fail(1);
      home_.pass();
      if (!random_.chance(1, 5)) continue;
      home_.stop();
      written = true;
    }
    home_.finish();
  }
  // What was released and not: it was parked from the beginning on.
  std::vector<ParkedKey> left() {
    std::vector<ParkedKey> all = engine().parked(id_, {.limit = 1'000});
    std::erase_if(all, [&](const ParkedKey& key) { return key.since > begun_; });
    return all;
  }

 private:
  const SubscriptionsEngine& engine() { return home_.live().engine; }
  Now now() const { return {WallTime{now_.ms}, now_}; }
  void fail(std::uint32_t most) {
    const auto decided = engine().decide_receive({id_, most, std::nullopt}, now_);
    home_.commit(decided->effects(), now_);
    for (const Delivery& each : decided->received.deliveries) {
      const Settle settle{id_, {}, {{each.lease, {"code", "why"}, std::nullopt, {}}}, {}};
      home_.commit(engine().decide_settle(settle, false, now())->effects, now_);
    }
  }

  SeededRandom random_;
  MeanHome<Machine, SubscriptionShards> home_{random_};
  SubscriptionId id_;
  Elapsed now_{1'000};
  WallTime begun_{now_.ms};
};

TEST(SubscriptionsRelease, TakesAllThatWasParkedAlsoWhereNothingIsAtomicAcrossShards) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story{seed};
    story.park(12);
    story.release();
    ASSERT_EQ(story.left().size(), 0u);
  }
}

}  // namespace
}  // namespace continuo::engines
