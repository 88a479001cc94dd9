// What idempotent producers ask.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/producers.h"
#include "continuo/record/produced_batch_test.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {
namespace {

constexpr std::size_t batch_room = 256;  // beside its bytes
constexpr std::string_view batch_key = "k";

std::string words(const Result<node::BatchPlace>& place) {
  if (!place) return to_string(place.error());
  return fmt::format("@{}{}", place->base.value, place->duplicate ? " again" : "");
}

}  // namespace

void World::number_producer(const std::string& name) {
  Producer& producer = producers_[name];
  if (producer.asking || !admit(batch_room)) return;
  producer.asking = true;
  node_->core().number_producer(node_->edge(), [this, name](Result<std::int64_t> id) {
    tell([&] { return fmt::format("producer {} is {}", name, id ? *id : -1); });
    Producer& numbered = producers_[name];
    numbered.asking = false;
    if (!id) return;
    oracle_.numbered(*id);
    numbered = {};
    numbered.id = *id;
  });
}

// ---- sending --------------------------------------------------------------------------------------------------------

RequestNumber World::number_batch(Producer& producer, std::vector<SentEvent> events, std::int32_t left_out) {
  auto& next = producer.lanes[events.front().partition].next_sequence;
  const BatchNumbers numbers{producer.id, producer.epoch, next + left_out};
  if (left_out == 0) next += static_cast<std::int32_t>(events.size());
  for (SentEvent& event : events) {
    event.key = batch_key;
    event.deduplicated = false;
  }
  return oracle_.sends_batch(std::move(events), numbers);
}

void World::produce(const std::string& name, const std::vector<Draft>& drafts) {
  Producer& producer = producers_[name];
  if (!running() || producer.id < 0) return;
  std::map<PartitionRef, std::vector<Draft>> by_partition;
  for (const Draft& draft : drafts)
    if (const auto topic = oracle_.topic(draft.topic))
      by_partition[{*topic, PartitionId{draft.partition}}].push_back(draft);
  std::vector<RequestNumber> batches;
  for (const auto& [ref, own] : by_partition) {
    Producer::Lane& lane = producer.lanes[ref];
    // Of a producer that a partition does not know any number is taken: its first batch goes alone.
    if (lane.sent.size() >= (lane.known.empty() ? 1 : engines::ProducerUnit::most_batches)) continue;
    batches.push_back(number_batch(producer, events_of(own), 0));
    lane.sent.push_back({batches.back()});
  }
  send_batches(name, batches);
}

void World::send_batches(const std::string& name, const std::vector<RequestNumber>& batches) {
  if (batches.empty()) return;
  std::vector<node::NewBatch> made;
  std::size_t room = batch_room;
  for (const RequestNumber number : batches) {
    const Request& request = oracle_.requests().at(number);
    std::vector<std::string> values;
    for (const EventNumber each : request.events) values.push_back(*oracle_.events().at(each).value);
    const record::ProducedBy by{request.numbers->producer, request.numbers->epoch, request.numbers->first_sequence};
    made.push_back({oracle_.events().at(request.events.front()).partition,
                    record::produced_batch(values, static_cast<std::int64_t>(request.events.front()), by)});
    room += made.back().bytes.size() + batch_room;
  }
  if (!admit(room)) {
    for (const RequestNumber number : batches) oracle_.produced(number, fail(Code::overloaded, "not sent"));
    return;
  }
  node_->core().produce(node_->edge(), std::move(made),
                        [this, name, batches](Result<std::vector<Result<node::BatchPlace>>> places) {
                          for (std::size_t i = 0; i < batches.size(); ++i)
                            batch_answered(name, batches[i], places ? (*places)[i] : std::unexpected(places.error()));
                        });
}

void World::batch_answered(const std::string& name, RequestNumber number, const Result<node::BatchPlace>& answer) {
  tell([&] { return fmt::format("batch {} of {}: {}", number, name, words(answer)); });
  oracle_.produced(number, answer);
  const PartitionRef ref = oracle_.events().at(oracle_.requests().at(number).events.front()).partition;
  const auto lane = producers_[name].lanes.find(ref);
  if (lane == producers_[name].lanes.end()) return;
  if (!answer && answer.error().code == Code::unknown_partition) {
    producers_[name].lanes.erase(lane);  // the topic is gone
    return;
  }
  auto& sent = lane->second.sent;
  const auto own = std::ranges::find(sent, number, &Producer::Sent::batch);
  if (!answer || own == sent.end() || own->acknowledged) return;
  own->acknowledged = true;
  sent.erase(sent.begin(), std::ranges::find(sent, false, &Producer::Sent::acknowledged));
  auto& known = lane->second.known;
  known.push_back(number);
  if (known.size() > engines::ProducerUnit::most_batches) known.erase(known.begin());
}

// ---- again, and wrongly ---------------------------------------------------------------------------------------------

void World::resend(const std::string& name) {
  if (!running()) return;
  std::vector<RequestNumber> batches;
  for (const auto& [ref, lane] : producers_[name].lanes)
    for (const Producer::Sent& each : lane.sent)
      if (!each.acknowledged) batches.push_back(each.batch);
  for (const RequestNumber number : batches) {
    oracle_.repeats(number);
    send_batches(name, {number});
  }
}

void World::resend_known(const std::string& name) {
  if (!running()) return;
  std::vector<RequestNumber> batches;
  for (const auto& [ref, lane] : producers_[name].lanes)
    batches.insert(batches.end(), lane.known.begin(), lane.known.end());
  for (const RequestNumber number : batches) {
    oracle_.repeats(number);
    send_batches(name, {number});
  }
}

void World::raise_epoch(const std::string& name) {
  Producer& producer = producers_[name];
  if (!running() || producer.id < 0) return;
  ++producer.epoch;
  for (auto& [ref, lane] : producer.lanes) {
    producer.outlived.insert(producer.outlived.end(), lane.known.begin(), lane.known.end());
    for (const Producer::Sent& each : lane.sent)
      if (!each.acknowledged) producer.outlived.push_back(each.batch);
    lane = {};
  }
}

void World::resend_outlived(const std::string& name) {
  Producer& producer = producers_[name];
  if (!running() || producer.outlived.empty()) return;
  const RequestNumber number = producer.outlived.back();
  producer.outlived.pop_back();
  oracle_.repeats(number);
  send_batches(name, {number});
}

void World::produce_too_early(const std::string& name, const Draft& draft) {
  Producer& producer = producers_[name];
  if (!running() || producer.id < 0) return;
  const auto topic = oracle_.topic(draft.topic);
  if (!topic) return;
  const auto lane = producer.lanes.find({*topic, PartitionId{draft.partition}});
  // As above: one that is not known may begin anywhere.
  if (lane == producer.lanes.end() || lane->second.known.empty()) return;
  send_batches(name, {number_batch(producer, events_of({draft}), 7'000)});
}

// ---- at the end -----------------------------------------------------------------------------------------------------

// Nothing stays without an answer, and what has one keeps it.
void World::drain_producers() {
  for (const auto& [name, producer] : producers_) {
    for (int round = 0; round < 20 && running(); ++round) {
      const bool done = std::ranges::all_of(producer.lanes, [](const auto& lane) { return lane.second.sent.empty(); });
      if (done) break;
      if (round == 19) oracle_.breach(fmt::format("producer '{}' is never done", name));
      if (node_->home().stats().free_slots < 2) checkpoint();
      resend(name);
      flush();
      work();
    }
    resend_known(name);
    flush();
  }
}

}  // namespace continuo::simulator
