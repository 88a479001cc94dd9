// Fetch, ListOffsets, OffsetForLeaderEpoch.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct FetchRequest {
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
  };
  struct Forgotten {
    std::string topic;
    std::vector<std::int32_t> partitions;
  };
  std::optional<std::string> cluster_id;
  std::int32_t replica_id = -1;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = std::numeric_limits<std::int32_t>::max();
  std::int8_t isolation_level = 0;  ///< 0: read uncommitted, 1: committed
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<Topic> topics;
  std::vector<Forgotten> forgotten;
  std::string rack_id;
};
void fields(auto& io, Of<FetchRequest::Partition> auto& m) {
  io(m.partition);
  io(m.current_leader_epoch, {.since = 9});
  io(m.fetch_offset);
  io(m.last_fetched_epoch, {.since = 12});
  io(m.log_start_offset, {.since = 5});
  io(m.partition_max_bytes);
}
void fields(auto& io, Of<FetchRequest::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<FetchRequest::Forgotten> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<FetchRequest> auto& m) {
  io(m.replica_id);
  io(m.max_wait_ms);
  io(m.min_bytes);
  io(m.max_bytes, {.since = 3});
  io(m.isolation_level, {.since = 4});
  io(m.session_id, {.since = 7});
  io(m.session_epoch, {.since = 7});
  io(m.topics);
  io(m.forgotten, {.since = 7});
  io(m.rack_id, {.since = 11});
  io.tagged(0, m.cluster_id, {.since = 12});
}

struct FetchResponse {
  struct Aborted {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;
  };
  struct Partition {
    std::int32_t partition_index = 0;
    std::int16_t error_code = 0;
    std::int64_t high_watermark = -1;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    std::optional<std::vector<Aborted>> aborted_transactions;
    std::int32_t preferred_read_replica = -1;
    SentRecords records;
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int32_t session_id = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<FetchResponse::Aborted> auto& m) {
  io(m.producer_id);
  io(m.first_offset);
}
void fields(auto& io, Of<FetchResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.error_code);
  io(m.high_watermark);
  io(m.last_stable_offset, {.since = 4});
  io(m.log_start_offset, {.since = 5});
  io(m.aborted_transactions, {.since = 4});
  io(m.preferred_read_replica, {.since = 11});
  io(m.records);
}
void fields(auto& io, Of<FetchResponse::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<FetchResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code, {.since = 7});
  io(m.session_id, {.since = 7});
  io(m.topics);
}

struct ListOffsetsRequest {
  static constexpr std::int64_t latest = -1;
  static constexpr std::int64_t earliest = -2;
  static constexpr std::int64_t max_timestamp = -3;
  static constexpr std::int64_t earliest_local = -4;
  struct Partition {
    std::int32_t partition_index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;  ///< ms, or one of the above
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::int32_t replica_id = -1;
  std::int8_t isolation_level = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<ListOffsetsRequest::Partition> auto& m) {
  io(m.partition_index);
  io(m.current_leader_epoch, {.since = 4});
  io(m.timestamp);
}
void fields(auto& io, Of<ListOffsetsRequest::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<ListOffsetsRequest> auto& m) {
  io(m.replica_id);
  io(m.isolation_level, {.since = 2});
  io(m.topics);
}

struct ListOffsetsResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int16_t error_code = 0;
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<ListOffsetsResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.error_code);
  io(m.timestamp, {.since = 1});
  io(m.offset, {.since = 1});
  io(m.leader_epoch, {.since = 4});
}
void fields(auto& io, Of<ListOffsetsResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<ListOffsetsResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 2});
  io(m.topics);
}

struct OffsetForLeaderEpochRequest {
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
  };
  std::int32_t replica_id = -2;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<OffsetForLeaderEpochRequest::Partition> auto& m) {
  io(m.partition);
  io(m.current_leader_epoch, {.since = 2});
  io(m.leader_epoch);
}
void fields(auto& io, Of<OffsetForLeaderEpochRequest::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<OffsetForLeaderEpochRequest> auto& m) {
  io(m.replica_id, {.since = 3});
  io(m.topics);
}

struct OffsetForLeaderEpochResponse {
  struct Partition {
    std::int16_t error_code = 0;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<OffsetForLeaderEpochResponse::Partition> auto& m) {
  io(m.error_code);
  io(m.partition);
  io(m.leader_epoch, {.since = 1});
  io(m.end_offset);
}
void fields(auto& io, Of<OffsetForLeaderEpochResponse::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<OffsetForLeaderEpochResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 2});
  io(m.topics);
}

}  // namespace continuo::wire::kafka
