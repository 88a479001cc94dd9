#include <benchmark/benchmark.h>

#include "continuo/engines/topics.h"

namespace continuo::engines {
namespace {

// Deciding and applying publishes of so many events, all of them deduplicated; a request every millisecond.
void PublishDeduplicated(benchmark::State& state) {
  Ledger ledger;
  TopicsEngine engine{ledger, TopicLimits{}};
  engine.apply(TopicDefined{TopicId{1}, "t", {}, {}});
  engine.partitions_made(TopicId{1}, 1);
  const PartitionRef partition{TopicId{1}, PartitionId{0}};
  std::vector<NewId> events(static_cast<std::size_t>(state.range(0)), NewId{partition, {}, 1});
  std::uint64_t id = 0;
  Elapsed now{0};
  for (auto _ : state) {
    now = now + Millis{1};
    for (NewId& event : events) {
      ++id;
      event.identity = {id * 0x9e3779b97f4a7c15u, id};
    }
    const auto decision = engine.decide_publish(events, now);
    CHECK(decision.has_value());
    for (const IdsRemembered& remembered : decision->remembered) engine.apply(remembered, now);
    for (const IdsDropped& dropped : decision->dropped) engine.apply(dropped, now);
    engine.appended(partition, decision->places.back().offset + 1);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(PublishDeduplicated)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace continuo::engines
