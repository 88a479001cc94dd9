// The commands of producers that make their own batches.
#include <fmt/format.h>

#include "continuo/node/admission.h"
#include "continuo/node/core_state.h"

namespace continuo::node {
namespace {

engines::NumberedBatch numbered(PartitionRef partition, const record::BatchHeader& header) {
  const auto first = static_cast<std::uint32_t>(header.base_sequence);
  return {partition, engines::ProducerId{header.producer_id}, static_cast<std::uint32_t>(header.producer_epoch), first,
          engines::sequence_after(first, static_cast<std::uint32_t>(header.last_offset_delta))};
}

}  // namespace

void Core::number_producer(Edge& edge, Answer<std::int64_t> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  const std::int64_t id = producers_.next().value;
  begin_frame();
  const engines::ProducersNumbered numbered = producers_.decide_number();
  effect(numbered);
  producers_.apply(numbered);
  end_frame();
  reply<std::int64_t>(edge, std::move(answer), id);
}

// Each batch has an outcome of its own: one that is refused leaves the others alone.
void Core::produce(Edge& edge, std::vector<NewBatch> batches, Answer<std::vector<Result<BatchPlace>>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  std::vector<Result<BatchPlace>> places;
  places.reserve(batches.size());
  const auto open_for_publishes = may_publish(home_.stats());
  for (NewBatch& batch : batches)
    places.push_back(open_for_publishes ? append(std::move(batch)) : std::unexpected(open_for_publishes.error()));
  reply<std::vector<Result<BatchPlace>>>(edge, std::move(answer), std::move(places));
}

Result<BatchPlace> Core::append(NewBatch batch) {
  const engines::HeadUnit* head = topics_.head(batch.partition);
  if (head == nullptr) return continuo::fail(Code::unknown_partition, "the topic was deleted");
  const auto header = record::read_batch_header(batch.bytes);
  CHECK(header.has_value(), "the edge checked the batch");
  const Offset base = head->next;
  if (header->producer_id >= 0) {
    const engines::NumberedBatch number = numbered(batch.partition, *header);
    const auto known = producers_.decide(number);
    if (!known) return std::unexpected(known.error());
    if (*known) {
      duplicates_ += static_cast<std::uint64_t>(header->record_count);
      return BatchPlace{**known, head->first, true, {}};
    }
    const engines::BatchProduced produced{number.partition,
                                          number.producer,
                                          number.epoch,
                                          number.first_sequence,
                                          number.last_sequence,
                                          base,
                                          WallTime{header->max_timestamp}};
    begin_frame();
    effect(produced);
    producers_.apply(produced, now_.elapsed);
    end_frame();
  }
  std::optional<WallTime> appended;
  if (stamps_appends(batch.partition.topic)) record::set_append_time(batch.bytes, (appended = now_.wall)->ms);
  // What was laid for the partition before comes before it.
  if (open_->builders.contains(batch.partition)) finish_batch(batch.partition);
  record::set_place(batch.bytes.data(), base, 0);
  const Offset next = base + header->last_offset_delta + 1;
  open_->laid += batch.bytes.size() + log::Group::batch_overhead;
  open_->group.log.append({batch.partition, base, next, appended ? appended->ms : header->max_timestamp,
                           std::make_shared<const std::string>(std::move(batch.bytes))});
  topics_.appended(batch.partition, next);
  published_ += static_cast<std::uint64_t>(header->record_count);
  return BatchPlace{base, topics_.head(batch.partition)->first, false, appended};
}

void Core::producers_of(Edge& edge, PartitionRef partition, Answer<std::vector<ProducerState>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  using States = std::vector<ProducerState>;
  if (topics_.head(partition) == nullptr)
    return reply<States>(edge, std::move(answer), continuo::fail(Code::unknown_partition, "the topic was deleted"));
  States all;
  for (const engines::ProducerUnit* unit : producers_.of(partition)) {
    ProducerState& state = all.emplace_back();
    state.producer = unit->producer.value;
    state.epoch = unit->epoch;
    if (!unit->batches.empty()) state.last_sequence = unit->batches.back().last_sequence;
    state.last_timestamp = unit->last_timestamp;
  }
  reply<States>(edge, std::move(answer), std::move(all));
}

}  // namespace continuo::node
