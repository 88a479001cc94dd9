// Idempotent producers: each batch once, in its producer's order, at the place that was answered.
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "continuo/engines/producers.h"
#include "continuo/simulator/oracle.h"

namespace continuo::simulator {

PartitionRef Oracle::partition_of(const Request& request) const { return events_.at(request.events.front()).partition; }

RequestNumber Oracle::sends_batch(std::vector<SentEvent> events, const BatchNumbers& numbers) {
  const PartitionRef partition = events.front().partition;
  const RequestNumber number = sends(std::move(events), std::nullopt);
  requests_.at(number).numbers = numbers;
  batches_[{partition, numbers.producer}].push_back(number);
  return number;
}

std::uint64_t Oracle::batches() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(requests_, [](const auto& each) {
    return each.second.numbers.has_value() && each.second.outcome == Outcome::done;
  }));
}

void Oracle::numbered(std::int64_t producer) {
  ++answers_;
  if (!producers_.insert(producer).second) breach(fmt::format("two producers have the number {}", producer));
}

// The batch whose numbers end where this one's begin; null: it is the first of its epoch, or a number was left out.
const Request* Oracle::batch_before(const Request& request) const {
  for (const RequestNumber number : batches_.at({partition_of(request), request.numbers->producer})) {
    const Request& other = requests_.at(number);
    const auto end = other.numbers->first_sequence + static_cast<std::int32_t>(other.events.size());
    if (other.numbers->epoch == request.numbers->epoch && end == request.numbers->first_sequence) return &other;
  }
  return nullptr;
}

// Among the batches that are there for certain; -1: there are none.
std::int16_t Oracle::newest_epoch(const Request& request) const {
  std::int16_t newest = -1;
  for (const RequestNumber number : batches_.at({partition_of(request), request.numbers->producer}))
    if (const Request& other = requests_.at(number); other.outcome == Outcome::done)
      newest = std::max(newest, other.numbers->epoch);
  return newest;
}

void Oracle::produced(RequestNumber number, const Result<node::BatchPlace>& answer) {
  ++answers_;
  Request& request = requests_.at(number);
  if (!answer) {
    const Code code = answer.error().code;
    if (code == Code::node_failed) return;
    --request.pending;
    check_refused(number, request, code);
    if (request.pending == 0 && request.outcome == Outcome::unanswered && !request.perhaps)
      request.outcome = Outcome::refused;
    return;
  }
  --request.pending;
  check_appended(number, request, *answer);
  request.outcome = Outcome::done;
  Offset at = answer->base;
  for (const EventNumber each : request.events) {
    SentEvent& event = events_.at(each);
    if (event.offset && *event.offset != at)
      breach(fmt::format("batch {} is at offset {}, but its repeat was answered {}", number, event.offset->value,
                         at.value));
    if (!event.offset) know(event, at);
    at = at + 1;
  }
}

void Oracle::check_appended(RequestNumber number, const Request& request, const node::BatchPlace& place) {
  const std::string what =
      fmt::format("batch {} of producer {}, epoch {}, number {}", number, request.numbers->producer,
                  request.numbers->epoch, request.numbers->first_sequence);
  const std::int16_t newest = newest_epoch(request);
  if (newest > request.numbers->epoch) return breach(fmt::format("{} is taken, epoch {} wrote before", what, newest));
  if (place.duplicate && request.outcome != Outcome::done && !request.perhaps)
    return breach(what + " was never sent before and is answered as a duplicate");
  if (place.duplicate) return;
  if (request.outcome == Outcome::done) return breach(what + " is appended a second time");
  const Request* before = batch_before(request);
  const bool begins = request.numbers->first_sequence == 0;
  if (before == nullptr && !begins) return breach(what + " is appended, a number before it is missing");
  if (before != nullptr && before->outcome == Outcome::refused)
    breach(what + " is appended before the one that comes before it");
}

void Oracle::check_refused(RequestNumber number, const Request& request, Code code) {
  const auto& own = *request.numbers;
  const std::string what =
      fmt::format("batch {} of producer {}, epoch {}, number {}", number, own.producer, own.epoch, own.first_sequence);
  const auto& all = batches_.at({partition_of(request), own.producer});
  if (code == Code::fenced) {
    const bool replaced = std::ranges::any_of(all, [&](RequestNumber each) {
      const Request& other = requests_.at(each);
      return other.numbers->epoch > own.epoch && other.outcome != Outcome::refused;
    });
    if (!replaced) breach(what + " is fenced, and nobody has a newer epoch");
    return;
  }
  if (code != Code::out_of_order) return;
  const auto later = std::ranges::count_if(all, [&](RequestNumber each) {
    const Request& other = requests_.at(each);
    return other.numbers->epoch == own.epoch && other.numbers->first_sequence > own.first_sequence &&
           other.outcome != Outcome::refused;
  });
  if (newest_epoch(request) > own.epoch) return breach(what + " is of an old epoch and called out of order");
  if (request.outcome == Outcome::done) {
    if (later < static_cast<std::ptrdiff_t>(engines::ProducerUnit::most_batches))
      breach(what + " is there, and its repeat is refused");
    return;
  }
  const Request* before = batch_before(request);
  const bool next = before != nullptr ? before->outcome == Outcome::done : own.first_sequence == 0;
  if (next && later == 0 && !request.perhaps) breach(what + " comes next and is refused");
}

// What is read says it all once more: a producer's numbers follow each other, and its epochs never go back.
void Oracle::read_batch(PartitionRef partition, const record::BatchHeader& header) {
  if (header.producer_id < 0) return;
  const std::string what = fmt::format("{}: producer {}, epoch {}, number {}", name_of(partition, header.base_offset),
                                       header.producer_id, header.producer_epoch, header.base_sequence);
  const auto next = static_cast<std::int32_t>(engines::sequence_after(static_cast<std::uint32_t>(header.base_sequence),
                                                                      static_cast<std::uint32_t>(header.record_count)));
  const auto [turn, first] = turns_.try_emplace({partition, header.producer_id});
  BatchNumbers& known = turn->second;
  if (!first && header.producer_epoch < known.epoch) breach(what + ", of an epoch that was over");
  if (!first && header.producer_epoch == known.epoch && header.base_sequence != known.first_sequence)
    breach(fmt::format("{}, and {} is next", what, known.first_sequence));
  if (!first && header.producer_epoch > known.epoch && header.base_sequence != 0)
    breach(what + ", the first of its epoch");
  known = {header.producer_id, header.producer_epoch, next};
}

}  // namespace continuo::simulator
