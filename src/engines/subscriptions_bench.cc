#include <benchmark/benchmark.h>

#include "continuo/engines/subscriptions.h"

namespace continuo::engines {
namespace {

// One event's whole way through a subscription: offered, leased, acknowledged; a hundred at a time, over so many keys,
// while so many others wait.
void OfferLeaseSettle(benchmark::State& state) {
  constexpr std::int64_t batch = 100;
  Ledger ledger;
  const SubscriptionLimits limits;
  SubscriptionsEngine engine{ledger, limits};
  const PartitionRef partition{TopicId{1}, PartitionId{0}};
  const SubscriptionId id{1};
  const auto apply = [&](const Effect& effect) { CHECK(engine.apply(effect, Elapsed{1}).has_value()); };
  SubscriptionSettings settings;
  settings.topics = {"t"};
  apply(encode(SubscriptionDefined{id, "s", 1, false, settings, {TopicId{1}}}));
  apply(encode(CursorMoved{id, partition, Offset{0}}));
  Offset next{0};
  const auto offer_batch = [&] {
    Offer offer{id, 1, partition, next, next + batch, {}};
    for (; next < offer.next; next = next + 1)
      offer.events.push_back({next, static_cast<std::uint64_t>(next.value % state.range(0)) * 0x9e3779b97f4a7c15u});
    const auto offered = engine.decide_offer(offer);
    for (const Effect& effect : offered->effects) apply(effect);
  };
  while (next.value < state.range(1)) offer_batch();
  for (auto _ : state) {
    offer_batch();
    for (std::int64_t left = batch; left > 0;) {
      const auto received = engine.decide_receive({id, 100, std::nullopt}, Elapsed{1});
      for (const Effect& effect : received->effects()) apply(effect);
      Settle settle{id, {}, {}, {}};
      for (const Delivery& delivery : received->received.deliveries) settle.acks.push_back(delivery.lease);
      const auto settled = engine.decide_settle(settle, false, {});
      for (const Effect& effect : settled->effects) apply(effect);
      left -= static_cast<std::int64_t>(settle.acks.size());
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * batch);
}
BENCHMARK(OfferLeaseSettle)
    ->ArgNames({"keys", "waiting"})
    ->Args({1, 0})
    ->Args({10, 0})
    ->Args({10'000, 0})
    ->Args({100'000, 19'000});

}  // namespace
}  // namespace continuo::engines
