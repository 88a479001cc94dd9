// Records in, in the batches their producers made.
#include <algorithm>

#include "continuo/base/checksum.h"
#include "continuo/record/batch.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

// What goes into the log in one command, about: the rest of a large request follows in the next.
constexpr std::size_t command_bytes = 4u << 20;

constexpr std::int16_t first_with_zstd = 7;

KafkaError error_of(const Error& error) {
  switch (error.code) {
    case Code::damaged_data: return KafkaError::corrupt_message;
    case Code::bad_request:
    case Code::unsupported: return KafkaError::invalid_record;
    default: return kafka_error(error.code);
  }
}

// A batch that came as it was sent: sent again it would be no better, and clients repeat what is corrupt.
bool is_intact(std::string_view batch) {
  using L = record::BatchLayout;
  return batch.size() < L::records ||
         big_endian(load<std::int32_t>(batch.data() + L::batch_length)) + L::before_length != batch.size() ||
         big_endian(load<std::uint32_t>(batch.data() + L::crc)) == crc32c(batch.substr(L::attributes));
}

// Of a batch that check_produced refused.
KafkaError error_of(const Error& error, std::string_view batch) {
  if (error.code == Code::damaged_data && is_intact(batch)) return KafkaError::invalid_record;
  const auto header = record::read_batch_header(batch);
  if (error.code == Code::unsupported && header && header->transactional() && !header->control())
    return KafkaError::transactional_id_authorization_failed;
  return error_of(error);
}

// What is a batch, and not one that may be produced in this way.
KafkaError check(const record::BatchHeader& batch, std::int16_t version) {
  if (batch.compression() == record::Compression::zstd && version < first_with_zstd)
    return KafkaError::unsupported_compression_type;
  if (batch.producer_id >= 0 && batch.base_sequence < 0) return KafkaError::invalid_record;
  return KafkaError::none;
}

/// One request under way: its answer is complete when nobody holds it any more.
class Producing {
 public:
  Producing(KafkaCall& call, const ProduceRequest& request) : call_(call.shared_from_this()), acks_(request.acks) {
    for (const ProduceRequest::Topic& topic : request.topics) {
      auto& answer = answer_.topics.emplace_back();
      answer.name = topic.name;
      for (const ProduceRequest::Partition& partition : topic.partitions)
        answer.partitions.emplace_back().index = partition.index;
    }
  }
  // Without acks a refusal has no other way to the client than the end of its connection.
  ~Producing() {
    if (call_->gone()) return;
    if (acks_ != 0)
      call_->answer(answer_);
    else if (std::ranges::any_of(answer_.topics, has_refusal))
      call_->session().abort();
  }
  ProduceResponse::Partition& place(std::size_t topic, std::size_t partition) {
    return answer_.topics[topic].partitions[partition];
  }

 private:
  static bool has_refusal(const ProduceResponse::Topic& topic) {
    return std::ranges::any_of(topic.partitions, [](const auto& partition) { return partition.error_code != 0; });
  }

  std::shared_ptr<KafkaCall> call_;
  std::int16_t acks_;
  ProduceResponse answer_;
};

/// Batches of one command, and where their outcomes go.
struct Chunk {
  std::vector<node::NewBatch> batches;
  std::vector<ProduceResponse::Partition*> places;
  std::size_t bytes = 0;
};

void submit(KafkaCall& call, const std::shared_ptr<Producing>& producing, Chunk chunk) {
  if (chunk.batches.empty()) return;
  call.node().produce(
      call.thread(), std::move(chunk.batches),
      [producing, places = std::move(chunk.places)](Result<std::vector<Result<node::BatchPlace>>> done) {
        for (std::size_t i = 0; i < places.size(); ++i) {
          if (!done || !(*done)[i]) {
            const Error& error = done ? (*done)[i].error() : done.error();
            refuse(*places[i], error_of(error), to_string(error));
            continue;
          }
          places[i]->base_offset = (*done)[i]->base.value;
          places[i]->log_start_offset = (*done)[i]->first.value;
          if (const auto appended = (*done)[i]->appended) places[i]->log_append_time_ms = appended->ms;
        }
      });
}

Result<void> check(const ProduceRequest& request) {
  if (request.acks < -1 || request.acks > 1) return fail(Code::bad_setting, "acks is not -1, 0 or 1");
  if (request.transactional_id) return fail(Code::unsupported, "transactions are not supported");
  return {};
}

}  // namespace

void produce(KafkaCall& call, ProduceRequest request) {
  const auto producing = std::make_shared<Producing>(call, request);
  const auto catalogue = call.node().catalogue();
  const auto sound = check(request);
  Chunk chunk;
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const node::Topic* topic = catalogue->find_topic(request.topics[t].name);
    const std::size_t most_bytes = topic == nullptr ? 0 : topic->settings.max_batch_bytes;
    for (std::size_t p = 0; p < request.topics[t].partitions.size(); ++p) {
      ProduceResponse::Partition& place = producing->place(t, p);
      const auto& asked = request.topics[t].partitions[p];
      if (!sound) {
        refuse(place,
               request.transactional_id ? KafkaError::transactional_id_authorization_failed
                                        : KafkaError::invalid_required_acks,
               sound.error().detail);
        continue;
      }
      const auto partition = find_partition(*catalogue, request.topics[t].name, asked.index);
      if (!partition) {
        refuse(place, partition.error(), "there is no such partition");
        continue;
      }
      const std::string_view batch = asked.records.bytes.value_or("");
      const auto checked = record::check_produced(batch, most_bytes);
      if (!checked) {
        refuse(place, error_of(checked.error(), batch), to_string(checked.error()));
        continue;
      }
      if (const KafkaError error = check(*checked, call.version()); error != KafkaError::none) {
        refuse(place, error, std::string{name(error)});
        continue;
      }
      if (chunk.bytes + batch.size() > command_bytes) submit(call, producing, std::exchange(chunk, {}));
      chunk.batches.push_back({*partition, std::string{batch}});
      chunk.places.push_back(&place);
      chunk.bytes += batch.size();
    }
  }
  submit(call, producing, std::move(chunk));
  if (request.acks == 0) call.answer_nothing();
}

void refuse_old_produce(KafkaCall& call, const Request& request) {
  if (request.header.api_version < call.api().min_version || request.header.api_version > call.api().max_version)
    return call.session().broken();
  const auto asked = read_body<ProduceRequest>(request);
  if (!asked || asked->acks == 0) return call.session().broken();
  Producing refused{call, *asked};
  for (std::size_t t = 0; t < asked->topics.size(); ++t)
    for (std::size_t p = 0; p < asked->topics[t].partitions.size(); ++p)
      refuse(refused.place(t, p), KafkaError::unsupported_for_message_format, "");
}

void init_producer_id(KafkaCall& call, InitProducerIdRequest request) {
  const auto refuse = [&call](KafkaError error) {
    InitProducerIdResponse answer;
    answer.error_code = number(error);
    answer.producer_epoch = -1;
    call.answer(answer);
  };
  const bool halves = (request.producer_id == -1) != (request.producer_epoch == -1);
  if (halves || request.transactional_id == "") return refuse(KafkaError::invalid_request);
  if (request.transactional_id) return refuse(KafkaError::transactional_id_authorization_failed);
  call.node().number_producer(call.thread(), [self = call.shared_from_this()](Result<std::int64_t> id) {
    if (self->gone()) return;
    InitProducerIdResponse numbered;
    numbered.producer_id = id.value_or(-1);
    if (!id) {
      numbered.error_code = number(kafka_error(id.error().code));
      numbered.producer_epoch = -1;
    }
    self->answer(numbered);
  });
}

void describe_producers(KafkaCall& call, DescribeProducersRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<DescribeProducersResponse>>(call);
  for (const DescribeProducersRequest::Topic& topic : request.topics) {
    auto& out = answer->message.topics.emplace_back();
    out.name = topic.name;
    for (const std::int32_t partition : topic.partition_indexes)
      out.partitions.emplace_back().partition_index = partition;
  }
  const auto catalogue = call.node().catalogue();
  for (auto& topic : answer->message.topics)
    for (auto& place : topic.partitions) {
      const auto ref = find_partition(*catalogue, topic.name, place.partition_index);
      if (!ref) {
        place.error_code = number(ref.error());
        continue;
      }
      call.node().producers_of(call.thread(), *ref, [answer, &place](Result<std::vector<node::ProducerState>> known) {
        if (!known) {
          place.error_code = number(kafka_error(known.error().code));
          return;
        }
        for (const node::ProducerState& each : *known) {
          auto& out = place.active_producers.emplace_back();
          out.producer_id = each.producer;
          out.producer_epoch = static_cast<std::int32_t>(each.epoch);
          if (each.last_sequence) out.last_sequence = static_cast<std::int32_t>(*each.last_sequence);
          out.last_timestamp = each.last_timestamp.ms;
        }
      });
    }
}

}  // namespace continuo::serve
