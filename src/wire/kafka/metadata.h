// What a client learns first: ApiVersions, Metadata, DescribeCluster, FindCoordinator.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

/// "The operations a client may do were not asked for", and so not told.
constexpr std::int32_t no_operations = std::numeric_limits<std::int32_t>::min();

struct ApiVersionsRequest {
  std::string client_software_name;
  std::string client_software_version;
};
void fields(auto& io, Of<ApiVersionsRequest> auto& m) {
  io(m.client_software_name, {.since = 3});
  io(m.client_software_version, {.since = 3});
}

struct ApiVersionsResponse {
  struct Api {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
  };
  std::int16_t error_code = 0;
  std::vector<Api> api_keys;
  std::int32_t throttle_time_ms = 0;
};
void fields(auto& io, Of<ApiVersionsResponse::Api> auto& m) {
  io(m.api_key);
  io(m.min_version);
  io(m.max_version);
}
void fields(auto& io, Of<ApiVersionsResponse> auto& m) {
  io(m.error_code);
  io(m.api_keys);
  io(m.throttle_time_ms, {.since = 1});
}

struct MetadataRequest {
  struct Topic {
    Uuid topic_id;
    std::optional<std::string> name;
  };
  std::optional<std::vector<Topic>> topics;  ///< none: all; in version 0 an empty list says that
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
};
void fields(auto& io, Of<MetadataRequest::Topic> auto& m) {
  io(m.topic_id, {.since = 10});
  io(m.name, {.nullable = 10});
}
void fields(auto& io, Of<MetadataRequest> auto& m) {
  io(m.topics, {.nullable = 1});
  io(m.allow_auto_topic_creation, {.since = 4});
  io(m.include_cluster_authorized_operations, {.since = 8, .until = 10});
  io(m.include_topic_authorized_operations, {.since = 8});
}

struct Broker {
  std::int32_t node_id = 0;
  std::string host;
  std::int32_t port = 0;
  std::optional<std::string> rack;
};

struct MetadataResponse {
  struct Broker : kafka::Broker {};
  struct Partition {
    std::int16_t error_code = 0;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
    std::vector<std::int32_t> offline_replicas;
  };
  struct Topic {
    std::int16_t error_code = 0;
    std::optional<std::string> name;
    Uuid topic_id;
    bool is_internal = false;
    std::vector<Partition> partitions;
    std::int32_t topic_authorized_operations = no_operations;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Topic> topics;
  std::int32_t cluster_authorized_operations = no_operations;
};
void fields(auto& io, Of<MetadataResponse::Broker> auto& m) {
  io(m.node_id);
  io(m.host);
  io(m.port);
  io(m.rack, {.since = 1});
}
void fields(auto& io, Of<MetadataResponse::Partition> auto& m) {
  io(m.error_code);
  io(m.partition_index);
  io(m.leader_id);
  io(m.leader_epoch, {.since = 7});
  io(m.replica_nodes);
  io(m.isr_nodes);
  io(m.offline_replicas, {.since = 5});
}
void fields(auto& io, Of<MetadataResponse::Topic> auto& m) {
  io(m.error_code);
  io(m.name, {.nullable = 12});
  io(m.topic_id, {.since = 10});
  io(m.is_internal, {.since = 1});
  io(m.partitions);
  io(m.topic_authorized_operations, {.since = 8});
}
void fields(auto& io, Of<MetadataResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 3});
  io(m.brokers);
  io(m.cluster_id, {.since = 2});
  io(m.controller_id, {.since = 1});
  io(m.topics);
  io(m.cluster_authorized_operations, {.since = 8, .until = 10});
}

struct DescribeClusterRequest {
  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;  ///< 1: brokers, 2: controllers
};
void fields(auto& io, Of<DescribeClusterRequest> auto& m) {
  io(m.include_cluster_authorized_operations);
  io(m.endpoint_type, {.since = 1});
}

struct DescribeClusterResponse {
  struct Broker : kafka::Broker {};
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string> error_message;
  std::int8_t endpoint_type = 1;
  std::string cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers;
  std::int32_t cluster_authorized_operations = no_operations;
};
void fields(auto& io, Of<DescribeClusterResponse::Broker> auto& m) {
  io(m.node_id);
  io(m.host);
  io(m.port);
  io(m.rack);
}
void fields(auto& io, Of<DescribeClusterResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.error_code);
  io(m.error_message);
  io(m.endpoint_type, {.since = 1});
  io(m.cluster_id);
  io(m.controller_id);
  io(m.brokers);
  io(m.cluster_authorized_operations);
}

struct FindCoordinatorRequest {
  std::string key;
  std::int8_t key_type = 0;  ///< 0: group, 1: transaction
  std::vector<std::string> coordinator_keys;
};
void fields(auto& io, Of<FindCoordinatorRequest> auto& m) {
  io(m.key, {.until = 3});
  io(m.key_type, {.since = 1});
  io(m.coordinator_keys, {.since = 4});
}

struct FindCoordinatorResponse {
  struct Coordinator {
    std::string key;
    std::int32_t node_id = -1;
    std::string host;
    std::int32_t port = -1;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string> error_message;
  std::int32_t node_id = -1;
  std::string host;
  std::int32_t port = -1;
  std::vector<Coordinator> coordinators;
};
void fields(auto& io, Of<FindCoordinatorResponse::Coordinator> auto& m) {
  io(m.key);
  io(m.node_id);
  io(m.host);
  io(m.port);
  io(m.error_code);
  io(m.error_message);
}
void fields(auto& io, Of<FindCoordinatorResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code, {.until = 3});
  io(m.error_message, {.since = 1, .until = 3});
  io(m.node_id, {.until = 3});
  io(m.host, {.until = 3});
  io(m.port, {.until = 3});
  io(m.coordinators, {.since = 4});
}

}  // namespace continuo::wire::kafka
