#include <benchmark/benchmark.h>

#include "continuo/node/core.h"
#include "continuo/node/memory_home_test.h"

namespace continuo::node {
namespace {

// Takes groups and forgets them.
class NullHome final : public MemoryHome {
 public:
  Result<void> write(log::Group& group) override {
    benchmark::DoNotOptimize(group.seal());
    group.sequence = last_ = next(last_);
    return {};
  }
  void publish(const log::Group&) override {}
  Sequence last() const override { return last_; }

 private:
  Sequence last_{0};
};

class NullEdge final : public Edge {
 public:
  void deliver(Mail mail) override {
    for (auto& answer : mail.answers) answer();
  }
};

// Publishes of so many events of 1 KB each, 64 requests to a group, deduplicated; from the command to the answer,
// without a disk.
void PublishThroughCore(benchmark::State& state) {
  NullHome home;
  SeededRandom random{1};
  NullEdge edge;
  Core core{home, system_clock(), random, {}};
  CHECK(core.recover().has_value());
  TopicId topic;
  core.create_topic(edge, "t", {}, false, [&](Result<Put<Topic>> made) { topic = made->value.id; });
  const auto flush = [&] {
    auto group = core.close();
    CHECK(group && home.write(group->log).has_value());
    core.written(std::move(group));
  };
  flush();
  const std::vector<NewRecord> records(static_cast<std::size_t>(state.range(0)),
                                       sample_record(topic, 0, "key", 0, 1'000));
  std::uint64_t id = 0;
  int open = 0;
  for (auto _ : state) {
    auto request = records;
    for (NewRecord& record : request) {
      ++id;
      record.fingerprint = {{id * 0x9e3779b97f4a7c15u, id}, 1};
    }
    core.publish(edge, std::move(request), [](Result<Published> published) { CHECK(published.has_value()); });
    if (++open % 64 == 0 || !core.has_room(1u << 20)) flush();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(PublishThroughCore)->Arg(1)->Arg(100);

}  // namespace
}  // namespace continuo::node
