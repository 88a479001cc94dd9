#include <benchmark/benchmark.h>

#include <string>

#include "continuo/record/batch.h"
#include "continuo/record/partitioner.h"

namespace continuo::record {
namespace {

constexpr int batch_records = 100;

std::string sample_body(std::size_t value_size) {
  std::string body;
  const std::string value(value_size, 'x');
  BodyWriter{body}
      .key("order-42")
      .value(value)
      .header_count(2)
      .header("ce_id", "5f1d2c9e")
      .header("ce_type", "OrderPaid");
  return body;
}

std::string sample_batch(std::size_t value_size) {
  BatchBuilder builder;
  for (int i = 0; i < batch_records; ++i) builder.add(sample_body(value_size), 1'763'713'800'000 + i);
  return builder.finish(Offset{0});
}

void count(benchmark::State& state, std::size_t bytes) {
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(rounds * batch_records);
}

void BuildBatch(benchmark::State& state) {
  const std::string body = sample_body(static_cast<std::size_t>(state.range(0)));
  BatchBuilder builder;
  std::size_t size = 0;
  for (auto _ : state) {
    for (int i = 0; i < batch_records; ++i) builder.add(body, 1'763'713'800'000 + i);
    size = builder.finish(Offset{0}).size();
  }
  count(state, size);
}
BENCHMARK(BuildBatch)->Arg(100)->Arg(1024);

void CheckBatch(benchmark::State& state) {
  const std::string batch = sample_batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(check_batch(batch));
  count(state, batch.size());
}
BENCHMARK(CheckBatch)->Arg(100)->Arg(1024);

void WalkBatch(benchmark::State& state) {
  const std::string batch = sample_batch(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    RecordWalk walk{batch};
    while (auto record = walk.next()) benchmark::DoNotOptimize(record);
  }
  count(state, batch.size());
}
BENCHMARK(WalkBatch)->Arg(100)->Arg(1024);

void Murmur2(benchmark::State& state) {
  const std::string key(static_cast<std::size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(murmur2(key));
}
BENCHMARK(Murmur2)->Arg(8)->Arg(36);

}  // namespace
}  // namespace continuo::record
