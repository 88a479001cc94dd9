// Producers that number their batches.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

constexpr std::int32_t last_sequence = std::numeric_limits<std::int32_t>::max();

void numbered(Run& run) {
  InitProducerIdRequest request;
  run.settle(request, 4, [](const InitProducerIdResponse& answer) { return answer.error_code == 0; });
  run.ask_in_all("a number", request);
  request.transaction_timeout_ms = 2'000'000'000;
  run.ask("a long timeout", request);
  request.transaction_timeout_ms = -1;
  run.ask("a negative timeout", request);
  request.transaction_timeout_ms = 1'000;
  const auto first = run.ask("again", request);
  request.producer_id = first.producer_id;
  request.producer_epoch = first.producer_epoch;
  run.ask("with its number and epoch", request);
  request.producer_epoch = 5;
  run.ask("with another epoch", request);
  request.producer_id = -1;
  run.ask("an epoch and no number", request);
  request.producer_id = 1'000'000;
  request.producer_epoch = -1;
  run.ask("a number and no epoch", request);
  request = {};
  request.transactional_id = "";
  run.ask("an empty transactional id", request);
}

void in_order(Run& run) {
  make_topic(run, "ordered");
  const std::int64_t id = run.ask("a number", InitProducerIdRequest{}).producer_id;
  const auto send = [&](std::string_view step, const std::vector<std::string>& values, record::ProducedBy by) {
    run.ask(step, produce_to("ordered", 0, batch_of(values, by)));
  };
  send("0 to 1", {"a", "b"}, {id, 0, 0});
  send("2", {"c"}, {id, 0, 2});
  send("2 again", {"c"}, {id, 0, 2});
  send("0 to 1 again", {"a", "b"}, {id, 0, 0});
  send("0 to 0, part of the first", {"a"}, {id, 0, 0});
  send("1 to 2, over two", {"b", "c"}, {id, 0, 1});
  send("4, one left out", {"e"}, {id, 0, 4});
  for (std::int32_t sequence = 3; sequence < 9; ++sequence) send("on", {"x"}, {id, 0, sequence});
  send("0 to 1, six batches ago", {"a", "b"}, {id, 0, 0});
  send("4, the fifth ago", {"x"}, {id, 0, 4});
  send("a new epoch from 1", {"n"}, {id, 1, 1});
  send("a new epoch from 0", {"n"}, {id, 1, 0});
  send("the old epoch", {"o"}, {id, 0, 9});
  send("the old epoch, sent before", {"x"}, {id, 0, 8});
  send("two epochs on", {"p"}, {id, 3, 0});
  run.ask("what was written", fetch_from("ordered", 0, 0));
}

void unknown(Run& run) {
  make_topic(run, "strangers", 3);
  const std::int64_t id = run.ask("a number", InitProducerIdRequest{}).producer_id;
  run.ask("the first is 7", produce_to("strangers", 0, batch_of({"a"}, {id, 0, 7})));
  run.ask("then 8", produce_to("strangers", 0, batch_of({"b"}, {id, 0, 8})));
  run.ask("then 10", produce_to("strangers", 0, batch_of({"c"}, {id, 0, 10})));
  run.ask("epoch 4 first", produce_to("strangers", 1, batch_of({"a"}, {id, 4, 0})));
  run.ask("a number nobody gave", produce_to("strangers", 2, batch_of({"a"}, {9'999'999, 0, 0})));
  run.ask("a number without an epoch", produce_to("strangers", 2, batch_of({"a"}, {id, -1, 0})));
  run.ask("a number without a sequence", produce_to("strangers", 2, batch_of({"a"}, {id, 0, -1})));
  run.ask("a sequence without a number", produce_to("strangers", 2, batch_of({"a"}, {-1, -1, 4})));
}

void around(Run& run) {
  make_topic(run, "around");
  const std::int64_t id = run.ask("a number", InitProducerIdRequest{}).producer_id;
  const auto send = [&](std::string_view step, const std::vector<std::string>& values, std::int32_t sequence) {
    run.ask(step, produce_to("around", 0, batch_of(values, {id, 0, sequence})));
  };
  send("near the end", {"a"}, last_sequence - 2);
  send("over the end", {"b", "c", "d"}, last_sequence - 1);
  send("over the end again", {"b", "c", "d"}, last_sequence - 1);
  send("on from 1", {"e"}, 1);
  send("on from 3", {"f"}, 3);
}

void several_partitions(Run& run) {
  make_topic(run, "apart", 2);
  const std::int64_t id = run.ask("a number", InitProducerIdRequest{}).producer_id;
  const std::string batch = batch_of({"a"}, {id, 0, 0});
  ProduceRequest both = produce_to("apart", 0, batch);
  both.topics[0].partitions.push_back({1, {batch}});
  run.ask("one sequence for each", both);
  run.ask("both again", both);
  const std::string wrong = batch_of({"b"}, {id, 0, 5}), right = batch_of({"b"}, {id, 0, 1});
  ProduceRequest mixed = produce_to("apart", 0, wrong);
  mixed.topics[0].partitions.push_back({1, {right}});
  run.ask("one wrong, one right", mixed);
  const std::string third = batch_of({"c"}, {id, 0, 2});
  ProduceRequest twice = produce_to("apart", 0, right);
  twice.topics[0].partitions.push_back({1, {third}});
  run.ask("both right", twice);
}

}  // namespace

void producers(Run& run) {
  run.play("InitProducerId", numbered);
  run.play("Idempotent producer", in_order);
  run.play("Unknown producer", unknown);
  run.play("Sequence around its end", around);
  run.play("Idempotent producer, two partitions", several_partitions);
}

}  // namespace continuo::conformance
