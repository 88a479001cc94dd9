// Produce and InitProducerId.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct ProduceRequest {
  struct Partition {
    std::int32_t index = 0;
    ReceivedRecords records;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::optional<std::string> transactional_id;
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<ProduceRequest::Partition> auto& m) {
  io(m.index);
  io(m.records);
}
void fields(auto& io, Of<ProduceRequest::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<ProduceRequest> auto& m) {
  io(m.transactional_id, {.since = 3});
  io(m.acks);
  io(m.timeout_ms);
  io(m.topics);
}

struct ProduceResponse {
  /// A record that made its whole batch be refused.
  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<std::string> message;
  };
  struct Partition {
    std::int32_t index = 0;
    std::int16_t error_code = 0;
    std::int64_t base_offset = -1;
    std::int64_t log_append_time_ms = -1;
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors;
    std::optional<std::string> error_message;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::vector<Topic> topics;
  std::int32_t throttle_time_ms = 0;
};
void fields(auto& io, Of<ProduceResponse::RecordError> auto& m) {
  io(m.batch_index);
  io(m.message);
}
void fields(auto& io, Of<ProduceResponse::Partition> auto& m) {
  io(m.index);
  io(m.error_code);
  io(m.base_offset);
  io(m.log_append_time_ms, {.since = 2});
  io(m.log_start_offset, {.since = 5});
  io(m.record_errors, {.since = 8});
  io(m.error_message, {.since = 8});
}
void fields(auto& io, Of<ProduceResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<ProduceResponse> auto& m) {
  io(m.topics);
  io(m.throttle_time_ms, {.since = 1});
}

struct InitProducerIdRequest {
  std::optional<std::string> transactional_id;
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
};
void fields(auto& io, Of<InitProducerIdRequest> auto& m) {
  io(m.transactional_id);
  io(m.transaction_timeout_ms);
  io(m.producer_id, {.since = 3});
  io(m.producer_epoch, {.since = 3});
}

struct InitProducerIdResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;
};
void fields(auto& io, Of<InitProducerIdResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.error_code);
  io(m.producer_id);
  io(m.producer_epoch);
}

}  // namespace continuo::wire::kafka
