// Committed offsets of consumer groups.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct OffsetCommitRequest {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> committed_metadata;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::string group_id;
  std::int32_t generation_id = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<OffsetCommitRequest::Partition> auto& m) {
  io(m.partition_index);
  io(m.committed_offset);
  io(m.committed_leader_epoch, {.since = 6});
  io(m.committed_metadata);
}
void fields(auto& io, Of<OffsetCommitRequest::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<OffsetCommitRequest> auto& m) {
  io(m.group_id);
  io(m.generation_id, {.since = 1});
  io(m.member_id, {.since = 1});
  io(m.group_instance_id, {.since = 7});
  io(m.retention_time_ms, {.since = 2, .until = 4});
  io(m.topics);
}

/// Partitions of topics, each with an error: the answer to a commit and to a deletion.
struct PartitionOutcome {
  std::int32_t partition_index = 0;
  std::int16_t error_code = 0;
};
struct TopicOutcome {
  std::string name;
  std::vector<PartitionOutcome> partitions;
};
void fields(auto& io, Of<PartitionOutcome> auto& m) {
  io(m.partition_index);
  io(m.error_code);
}
void fields(auto& io, Of<TopicOutcome> auto& m) {
  io(m.name);
  io(m.partitions);
}

struct OffsetCommitResponse {
  std::int32_t throttle_time_ms = 0;
  std::vector<TopicOutcome> topics;
};
void fields(auto& io, Of<OffsetCommitResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 3});
  io(m.topics);
}

struct OffsetFetchRequest {
  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;
  };
  struct Group {
    std::string group_id;
    std::optional<std::vector<Topic>> topics;  ///< none: all there are
  };
  std::string group_id;
  std::optional<std::vector<Topic>> topics;
  std::vector<Group> groups;
  bool require_stable = false;
};
void fields(auto& io, Of<OffsetFetchRequest::Topic> auto& m) {
  io(m.name);
  io(m.partition_indexes);
}
void fields(auto& io, Of<OffsetFetchRequest::Group> auto& m) {
  io(m.group_id);
  io(m.topics);
}
void fields(auto& io, Of<OffsetFetchRequest> auto& m) {
  io(m.group_id, {.until = 7});
  io(m.topics, {.until = 7, .nullable = 2});
  io(m.groups, {.since = 8});
  io(m.require_stable, {.since = 7});
}

struct OffsetFetchResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = -1;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    std::int16_t error_code = 0;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  struct Group {
    std::string group_id;
    std::vector<Topic> topics;
    std::int16_t error_code = 0;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  std::int16_t error_code = 0;
  std::vector<Group> groups;
};
void fields(auto& io, Of<OffsetFetchResponse::Partition> auto& m) {
  io(m.partition_index);
  io(m.committed_offset);
  io(m.committed_leader_epoch, {.since = 5});
  io(m.metadata);
  io(m.error_code);
}
void fields(auto& io, Of<OffsetFetchResponse::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<OffsetFetchResponse::Group> auto& m) {
  io(m.group_id);
  io(m.topics);
  io(m.error_code);
}
void fields(auto& io, Of<OffsetFetchResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 3});
  io(m.topics, {.until = 7});
  io(m.error_code, {.since = 2, .until = 7});
  io(m.groups, {.since = 8});
}

struct OffsetDeleteRequest {
  struct Partition {
    std::int32_t partition_index = 0;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
  };
  std::string group_id;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<OffsetDeleteRequest::Partition> auto& m) { io(m.partition_index); }
void fields(auto& io, Of<OffsetDeleteRequest::Topic> auto& m) {
  io(m.name);
  io(m.partitions);
}
void fields(auto& io, Of<OffsetDeleteRequest> auto& m) {
  io(m.group_id);
  io(m.topics);
}

struct OffsetDeleteResponse {
  std::int16_t error_code = 0;
  std::int32_t throttle_time_ms = 0;
  std::vector<TopicOutcome> topics;
};
void fields(auto& io, Of<OffsetDeleteResponse> auto& m) {
  io(m.error_code);
  io(m.throttle_time_ms);
  io(m.topics);
}

}  // namespace continuo::wire::kafka
