// What partitions hold, as operators look at it and remove it: records, files, producers.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct DeleteRecordsRequest {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t offset = 0;  ///< those before it go; -1: all
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
};
void fields(auto& io, Of<DeleteRecordsRequest::Partition> auto& m) {
  io(m.partition_index);
  io(m.offset);
}
void fields(auto& io, Of<DeleteRecordsRequest::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<DeleteRecordsRequest> auto& m) {
  io(m.topics);
  io(m.timeout_ms);
}

struct DeleteRecordsResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = -1;
    std::int16_t error_code = 0;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<DeleteRecordsResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.low_watermark);
  io(m.error_code);
}
void fields(auto& io, Of<DeleteRecordsResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<DeleteRecordsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.topics);
}

struct DescribeLogDirsRequest {
  struct Topic {
    std::string topic;
    std::vector<std::int32_t> partitions;
  };
  std::optional<std::vector<Topic>> topics;
};
void fields(auto& io, Of<DescribeLogDirsRequest::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<DescribeLogDirsRequest> auto& m) { io(m.topics); }

struct DescribeLogDirsResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  struct Folder {
    std::int16_t error_code = 0;
    std::string log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<Folder> results;
};
void fields(auto& io, Of<DescribeLogDirsResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.partition_size);
  io(m.offset_lag);
  io(m.is_future_key);
}
void fields(auto& io, Of<DescribeLogDirsResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<DescribeLogDirsResponse::Folder> auto& m) {
  io(m.error_code);
  io(m.log_dir);
  io(m.topics);
  io(m.total_bytes, {.since = 4});
  io(m.usable_bytes, {.since = 4});
}
void fields(auto& io, Of<DescribeLogDirsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.error_code, {.since = 3});
  io(m.results);
}

struct DescribeProducersRequest {
  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;
  };
  std::vector<Topic> topics;
};
void fields(auto& io, Of<DescribeProducersRequest::Topic> auto& m) {
  io(m.name);
  io(m.partition_indexes);
}
void fields(auto& io, Of<DescribeProducersRequest> auto& m) { io(m.topics); }

struct DescribeProducersResponse {
  struct Producer {
    std::int64_t producer_id = 0;
    std::int32_t producer_epoch = 0;
    std::int32_t last_sequence = -1;
    std::int64_t last_timestamp = -1;
    std::int32_t coordinator_epoch = -1;
    std::int64_t current_txn_start_offset = -1;
  };
  struct Partition {
    std::int32_t partition_index = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::vector<Producer> active_producers;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<DescribeProducersResponse::Producer> auto& m) {
  io(m.producer_id);
  io(m.producer_epoch);
  io(m.last_sequence);
  io(m.last_timestamp);
  io(m.coordinator_epoch);
  io(m.current_txn_start_offset);
}
void fields(auto& io, Of<DescribeProducersResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.error_code);
  io(m.error_message);
  io(m.active_producers);
}
void fields(auto& io, Of<DescribeProducersResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<DescribeProducersResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.topics);
}

}  // namespace continuo::wire::kafka
