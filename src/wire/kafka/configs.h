// Settings of topics and brokers, read and changed.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

/// What a setting belongs to.
struct ConfigResource {
  static constexpr std::int8_t topic = 2;
  static constexpr std::int8_t broker = 4;
};

/// Where a value comes from.
enum class ConfigSource : std::int8_t {
  topic = 1,  ///< set for the topic
  dynamic_broker = 2,
  dynamic_default = 3,
  static_broker = 4,  ///< the server's own settings
  built_in = 5        ///< the default
};

struct DescribeConfigsRequest {
  struct Resource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::optional<std::vector<std::string>> configuration_keys;  ///< none: all
  };
  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;
};
void fields(auto& io, Of<DescribeConfigsRequest::Resource> auto& m) {
  io(m.resource_type);
  io(m.resource_name);
  io(m.configuration_keys);
}
void fields(auto& io, Of<DescribeConfigsRequest> auto& m) {
  io(m.resources);
  io(m.include_synonyms, {.since = 1});
  io(m.include_documentation, {.since = 3});
}

struct DescribeConfigsResponse {
  struct Synonym {
    std::string name;
    std::optional<std::string> value;
    std::int8_t source = 0;
  };
  struct Config {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    std::vector<Synonym> synonyms;
    std::int8_t config_type = 0;
    std::optional<std::string> documentation;
  };
  struct Result {
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<Config> configs;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;
};
void fields(auto& io, Of<DescribeConfigsResponse::Synonym> auto& m) {
  io(m.name);
  io(m.value);
  io(m.source);
}
void fields(auto& io, Of<DescribeConfigsResponse::Config> auto& m) {
  io(m.name);
  io(m.value);
  io(m.read_only);
  io(m.config_source, {.since = 1});
  io(m.is_sensitive);
  io(m.synonyms, {.since = 1});
  io(m.config_type, {.since = 3});
  io(m.documentation, {.since = 3});
}
void fields(auto& io, Of<DescribeConfigsResponse::Result> auto& m) {
  io(m.error_code);
  io(m.error_message);
  io(m.resource_type);
  io(m.resource_name);
  io(m.configs);
}
void fields(auto& io, Of<DescribeConfigsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.results);
}

/// Replaces all settings of a resource.
struct AlterConfigsRequest {
  struct Config {
    std::string name;
    std::optional<std::string> value;
  };
  struct Resource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<Config> configs;
  };
  std::vector<Resource> resources;
  bool validate_only = false;
};
void fields(auto& io, Of<AlterConfigsRequest::Config> auto& m) {
  io(m.name);
  io(m.value);
}
void fields(auto& io, Of<AlterConfigsRequest::Resource> auto& m) {
  io(m.resource_type);
  io(m.resource_name);
  io(m.configs);
}
void fields(auto& io, Of<AlterConfigsRequest> auto& m) {
  io(m.resources);
  io(m.validate_only);
}

/// Changes the settings named.
struct IncrementalAlterConfigsRequest {
  enum Operation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };
  struct Config {
    std::string name;
    std::int8_t config_operation = 0;
    std::optional<std::string> value;
  };
  struct Resource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<Config> configs;
  };
  std::vector<Resource> resources;
  bool validate_only = false;
};
void fields(auto& io, Of<IncrementalAlterConfigsRequest::Config> auto& m) {
  io(m.name);
  io(m.config_operation);
  io(m.value);
}
void fields(auto& io, Of<IncrementalAlterConfigsRequest::Resource> auto& m) {
  io(m.resource_type);
  io(m.resource_name);
  io(m.configs);
}
void fields(auto& io, Of<IncrementalAlterConfigsRequest> auto& m) {
  io(m.resources);
  io(m.validate_only);
}

/// The answer to both.
struct AlterConfigsResponse {
  struct Resource {
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::int8_t resource_type = 0;
    std::string resource_name;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> responses;
};
void fields(auto& io, Of<AlterConfigsResponse::Resource> auto& m) {
  io(m.error_code);
  io(m.error_message);
  io(m.resource_type);
  io(m.resource_name);
}
void fields(auto& io, Of<AlterConfigsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.responses);
}

}  // namespace continuo::wire::kafka
