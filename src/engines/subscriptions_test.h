// A subscriptions engine with the log it would stand on, and the steps of a test in a line each.
#pragma once

#include <gtest/gtest.h>

#include "continuo/engines/recorded_test.h"
#include "continuo/engines/subscriptions.h"

namespace continuo::engines::subscriptions_test {

inline const SubscriptionLimits limits{.subscriptions = 3,
                                       .outstanding = 1'000,
                                       .parked = 1'100'000,
                                       .all = 1'200'000,
                                       .run = 100,
                                       .settle_bytes_each = 500'000,
                                       .settle_bytes = 600'000};
constexpr PartitionRef zero{TopicId{1}, PartitionId{0}}, one{TopicId{1}, PartitionId{1}},
    other{TopicId{2}, PartitionId{0}};

/// The engine alone, under such limits.
template <const SubscriptionLimits& its_limits>
struct MachineOf {
  Ledger ledger;
  SubscriptionsEngine engine{ledger, its_limits};
  Result<void> apply(const Effect& effect, Elapsed now) { return engine.apply(effect, now); }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(static_cast<UnitKind>(key.front()), key, bytes, stamp);
  }
};
using Machine = MachineOf<limits>;

class SubscriptionsTest : public testing::Test {
 protected:
  const SubscriptionsEngine& engine() { return recorded_.live().engine; }
  void commit(std::vector<Effect> effects) { recorded_.commit(std::move(effects), now_); }
  static SubscriptionSettings settings() {
    SubscriptionSettings made;
    made.topics = {"a", "b"};
    made.retry = {2, Millis{500}};
    return made;
  }
  SubscriptionId define(const SubscriptionSettings& wanted = settings(), const std::string& name = "s") {
    const std::vector<std::pair<PartitionRef, Offset>> starts{{zero, Offset{0}}, {one, Offset{0}}, {other, Offset{5}}};
    auto decision = engine().decide_define(name, wanted, {TopicId{1}, TopicId{2}}, starts);
    CHECK(decision.has_value());
    std::vector<Effect> effects{encode(decision->defined)};
    for (const CursorMoved& cursor : decision->cursors) effects.push_back(encode(cursor));
    commit(std::move(effects));
    return decision->defined.id;
  }
  // Offers one event for each of these keys, one after the other.
  void offer(SubscriptionId id, const std::vector<std::uint64_t>& keys, PartitionRef partition = zero) {
    for (const CursorMoved& cursor : engine().cursors(id)) {
      if (cursor.partition != partition) continue;
      Offer offer{id, 1, partition, cursor.next, cursor.next, {}};
      for (const std::uint64_t key : keys) {
        offer.events.push_back({offer.next, key});
        offer.next = offer.next + 1;
      }
      commit(engine().decide_offer(offer)->effects);
      return;
    }
  }
  std::vector<Lease> receive(SubscriptionId id, std::uint32_t max = 100) {
    auto decision = engine().decide_receive({id, max, std::nullopt}, now_);
    commit(decision->effects());
    std::vector<Lease> leases;
    for (const Delivery& delivery : decision->received.deliveries) leases.push_back(delivery.lease);
    return leases;
  }
  Result<Settled> settle(const Settle& request, bool publishes = false) {
    auto decision = engine().decide_settle(request, publishes, {WallTime{77}, now_});
    if (!decision) return pass(decision);
    commit(decision->effects);
    return std::move(decision->settled);
  }
  Result<Settled> nack(const Lease& lease, std::optional<Millis> delay = Millis{0}) {
    return settle({lease.subscription, {}, {{lease, {"code", "why"}, delay}}, {}});
  }
  void due() { commit(engine().decide_due({WallTime{77}, now_}, 1'000)); }

  Recorded<Machine> recorded_;
  Elapsed now_{1'000};
};

}  // namespace continuo::engines::subscriptions_test
