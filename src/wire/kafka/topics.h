// Topics and their partitions, as operators make and remove them.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct CreateTopicsRequest {
  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids;
  };
  struct Config {
    std::string name;
    std::optional<std::string> value;
  };
  struct Topic {
    std::string name;
    std::int32_t num_partitions = 0;
    std::int16_t replication_factor = 0;
    std::vector<Assignment> assignments;
    std::vector<Config> configs;
  };
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 60'000;
  bool validate_only = false;
};
void fields(auto& io, Of<CreateTopicsRequest::Assignment> auto& m) {
  io(m.partition_index);
  io(m.broker_ids);
}
void fields(auto& io, Of<CreateTopicsRequest::Config> auto& m) {
  io(m.name);
  io(m.value);
}
void fields(auto& io, Of<CreateTopicsRequest::Topic> auto& m) {
  io(m.name);
  io(m.num_partitions);
  io(m.replication_factor);
  io(m.assignments);
  io(m.configs);
}
void fields(auto& io, Of<CreateTopicsRequest> auto& m) {
  io(m.topics);
  io(m.timeout_ms);
  io(m.validate_only, {.since = 1});
}

struct CreateTopicsResponse {
  struct Config {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
  };
  struct Topic {
    std::string name;
    Uuid topic_id;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<CreateTopicsResponse::Config> auto& m) {
  io(m.name);
  io(m.value);
  io(m.read_only);
  io(m.config_source);
  io(m.is_sensitive);
}
void fields(auto& io, Of<CreateTopicsResponse::Topic> auto& m) {
  io(m.name);
  io(m.topic_id, {.since = 7});
  io(m.error_code);
  io(m.error_message, {.since = 1});
  io(m.num_partitions, {.since = 5});
  io(m.replication_factor, {.since = 5});
  io(m.configs, {.since = 5});
}
void fields(auto& io, Of<CreateTopicsResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 2});
  io(m.topics);
}

struct DeleteTopicsRequest {
  struct Topic {
    std::optional<std::string> name;
    Uuid topic_id;
  };
  std::vector<Topic> topics;
  std::vector<std::string> topic_names;
  std::int32_t timeout_ms = 0;
};
void fields(auto& io, Of<DeleteTopicsRequest::Topic> auto& m) {
  io(m.name);
  io(m.topic_id);
}
void fields(auto& io, Of<DeleteTopicsRequest> auto& m) {
  io(m.topics, {.since = 6});
  io(m.topic_names, {.until = 5});
  io(m.timeout_ms);
}

struct DeleteTopicsResponse {
  struct Topic {
    std::optional<std::string> name;
    Uuid topic_id;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<DeleteTopicsResponse::Topic> auto& m) {
  io(m.name, {.nullable = 6});
  io(m.topic_id, {.since = 6});
  io(m.error_code);
  io(m.error_message, {.since = 5});
}
void fields(auto& io, Of<DeleteTopicsResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.topics);
}

struct CreatePartitionsRequest {
  struct Assignment {
    std::vector<std::int32_t> broker_ids;
  };
  struct Topic {
    std::string name;
    std::int32_t count = 0;  ///< of all, the present ones too
    std::optional<std::vector<Assignment>> assignments;
  };
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;
};
void fields(auto& io, Of<CreatePartitionsRequest::Assignment> auto& m) { io(m.broker_ids); }
void fields(auto& io, Of<CreatePartitionsRequest::Topic> auto& m) {
  io(m.name);
  io(m.count);
  io(m.assignments);
}
void fields(auto& io, Of<CreatePartitionsRequest> auto& m) {
  io(m.topics);
  io(m.timeout_ms);
  io(m.validate_only);
}

struct CreatePartitionsResponse {
  struct Topic {
    std::string name;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
};
void fields(auto& io, Of<CreatePartitionsResponse::Topic> auto& m) {
  io(m.name);
  io(m.error_code);
  io(m.error_message);
}
void fields(auto& io, Of<CreatePartitionsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.topics);
}

}  // namespace continuo::wire::kafka
