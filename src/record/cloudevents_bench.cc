#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

constexpr int batch_events = 100;

// An object of about `size` bytes as applications write them: short names, numbers, some text.
std::string sample_data(std::size_t size) {
  std::string data = R"({"orderId":"o-1234567","amount":129.95,"currency":"EUR","paid":true,"items":[)";
  for (int i = 0; data.size() + 60 < size; ++i)
    data += fmt::format(R"({}{{"sku":"sku-{:05}","name":"Grüner Tee, lose","count":{}}})", i == 0 ? "" : ",", i, i % 7);
  return data + "]}";
}

std::string sample_event(int number, std::size_t size) {
  const std::string front = fmt::format(
      R"({{"specversion":"1.0","id":"5f1d2c9e-{:08}","source":"/shop/checkout","type":"com.example.OrderPaid",)"
      R"("subject":"order-{}","time":"2026-11-21T08:30:00.123Z","datacontenttype":"application/json",)"
      R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":)",
      number, number % 1000);
  return front + sample_data(size - std::min(size, front.size() + 1)) + "}";
}

std::string sample_batch(std::size_t size) {
  std::string json = "[";
  for (int i = 0; i < batch_events; ++i) json += (i == 0 ? "" : ",") + sample_event(i, size);
  return json + "]";
}

void count(benchmark::State& state, std::size_t bytes, std::size_t events) {
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(rounds * static_cast<std::int64_t>(events));
}

void ParseBatch(benchmark::State& state) {
  const PaddedText json{sample_batch(static_cast<std::size_t>(state.range(0)))};
  EventParser parser;
  for (auto _ : state) {
    std::size_t bytes = 0;
    const auto done = parser.parse_batch(json.view(), [&](const Event& event) {
      bytes += event.data.size();
      return Result<void>{};
    });
    CHECK(done.has_value());
    benchmark::DoNotOptimize(bytes);
  }
  count(state, json.view().size(), batch_events);
}
BENCHMARK(ParseBatch)->Arg(300)->Arg(1024)->Arg(16 * 1024);

// What a door does with a batch: JSON to record bodies, with fingerprints.
void ParseAndEncodeBatch(benchmark::State& state) {
  const PaddedText json{sample_batch(static_cast<std::size_t>(state.range(0)))};
  EventParser parser;
  std::string bodies;
  for (auto _ : state) {
    bodies.clear();
    const auto done = parser.parse_batch(json.view(), [&](const Event& event) {
      benchmark::DoNotOptimize(fingerprint(event, 42));
      encode_record_body(event, bodies);
      return Result<void>{};
    });
    CHECK(done.has_value());
    benchmark::DoNotOptimize(bodies.data());
  }
  count(state, json.view().size(), batch_events);
}
BENCHMARK(ParseAndEncodeBatch)->Arg(1024);

void ParseOne(benchmark::State& state) {
  const PaddedText json{sample_event(1, static_cast<std::size_t>(state.range(0)))};
  EventParser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(json.view()));
  count(state, json.view().size(), 1);
}
BENCHMARK(ParseOne)->Arg(1024);

void ValidateJson(benchmark::State& state) {
  const PaddedText json{sample_data(static_cast<std::size_t>(state.range(0)))};
  for (auto _ : state) benchmark::DoNotOptimize(validate_json(json.view()));
  count(state, json.view().size(), 1);
}
BENCHMARK(ValidateJson)->Arg(1024)->Arg(100 * 1024);

// The slow way of an error: the whole text is read again to say where.
void RefuseBatch(benchmark::State& state) {
  std::string text = sample_batch(1024);
  text.back() = '}';
  const PaddedText json{text};
  EventParser parser;
  for (auto _ : state)
    benchmark::DoNotOptimize(parser.parse_batch(json.view(), [](const Event&) { return Result<void>{}; }));
  count(state, json.view().size(), 1);
}
BENCHMARK(RefuseBatch);

std::string sample_record_batch() {
  EventParser parser;
  BatchBuilder builder;
  const PaddedText json{sample_batch(1024)};
  const auto done = parser.parse_batch(json.view(), [&](const Event& event) {
    std::string body;
    encode_record_body(event, body);
    builder.add(body, 1'763'713'800'000);
    return Result<void>{};
  });
  CHECK(done.has_value());
  return builder.finish(Offset{0});
}

// What a reader does with a batch: records to structured JSON.
void ReadBatchAsJson(benchmark::State& state) {
  const std::string batch = sample_record_batch();
  const RecordPlace place{"orders", PartitionId{0}};
  std::string scratch, json;
  for (auto _ : state) {
    json.clear();
    RecordWalk walk{batch};
    while (const auto record = walk.next()) write_json(event_of(*record, place, scratch), &place, record->offset, json);
    benchmark::DoNotOptimize(json.data());
  }
  count(state, json.size(), batch_events);
}
BENCHMARK(ReadBatchAsJson);

void EventsOfBatch(benchmark::State& state) {
  const std::string batch = sample_record_batch();
  std::string scratch;
  for (auto _ : state) {
    RecordWalk walk{batch};
    while (const auto record = walk.next())
      benchmark::DoNotOptimize(event_of(*record, {"orders", PartitionId{0}}, scratch));
  }
  count(state, batch.size(), batch_events);
}
BENCHMARK(EventsOfBatch);

}  // namespace
}  // namespace continuo::record
