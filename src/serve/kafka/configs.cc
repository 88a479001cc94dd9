// Settings and files, as operators look at them.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"
#include "continuo/serve/kafka/topic_configs.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

DescribeConfigsResponse::Config told(const TopicConfig& config, const DescribeConfigsRequest& request) {
  DescribeConfigsResponse::Config out;
  out.name = config.name;
  out.value = config.value;
  out.read_only = config.read_only;
  out.config_source = static_cast<std::int8_t>(config.source);
  out.config_type = config.type;
  if (request.include_documentation) out.documentation = config.documentation;
  if (!request.include_synonyms) return out;
  if (config.source == ConfigSource::topic) out.synonyms.push_back({out.name, config.value, out.config_source});
  out.synonyms.push_back({out.name, config.default_value, static_cast<std::int8_t>(ConfigSource::built_in)});
  return out;
}

// What a client may ask a broker for: nothing of it can be changed here.
std::vector<TopicConfig> broker_configs(const Door& door) {
  const auto fixed = [](std::string_view name, std::string value, std::int8_t type, std::string_view documentation) {
    return TopicConfig{.name = name,
                       .value = value,
                       .source = ConfigSource::static_broker,
                       .read_only = true,
                       .type = type,
                       .documentation = documentation,
                       .default_value = value};
  };
  constexpr std::int8_t boolean = 1, integer = 3, list = 7;
  return {fixed("auto.create.topics.enable", door.options.auto_create ? "true" : "false", boolean,
                "Topics that are asked for are made."),
          fixed("broker.id", std::to_string(broker_id), integer, "There is one broker."),
          fixed("default.replication.factor", "1", integer, "There is one broker."),
          fixed("log.cleanup.policy", "delete", list, "Old records are deleted."),
          fixed("message.max.bytes", std::to_string(node::TopicSettings{}.max_batch_bytes), integer,
                "The largest batch that is taken."),
          fixed("num.partitions", "1", integer, "Of a topic that says nothing else.")};
}

void describe(DescribeConfigsResponse::Result& place, const Door& door, const node::Catalogue& catalogue,
              const DescribeConfigsRequest& request, const DescribeConfigsRequest::Resource& asked) {
  std::vector<TopicConfig> all;
  if (asked.resource_type == ConfigResource::topic) {
    const node::Topic* topic = catalogue.find_topic(asked.resource_name);
    if (const auto named = engines::check_name(asked.resource_name); !named)
      return refuse(place, KafkaError::invalid_topic, to_string(named.error()));
    if (topic == nullptr)
      return refuse(place, KafkaError::unknown_topic_or_partition, "there is no topic '" + asked.resource_name + "'");
    all = topic_configs(topic->settings);
  } else if (asked.resource_type == ConfigResource::broker) {
    if (!asked.resource_name.empty() && asked.resource_name != std::to_string(broker_id))
      return refuse(place, KafkaError::invalid_request, "the only broker is " + std::to_string(broker_id));
    if (!asked.resource_name.empty()) all = broker_configs(door);  // else: defaults for all brokers, which nobody set
  } else {
    return refuse(place, KafkaError::invalid_request, "settings of topics (2) and of the broker (4) can be described");
  }
  for (const TopicConfig& config : all) {
    const auto& keys = asked.configuration_keys;
    if (!keys || keys->empty() || std::ranges::find(*keys, config.name) != keys->end())
      place.configs.push_back(told(config, request));
  }
}

}  // namespace

void describe_configs(KafkaCall& call, DescribeConfigsRequest request) {
  const auto catalogue = call.node().catalogue();
  DescribeConfigsResponse answer;
  for (const DescribeConfigsRequest::Resource& asked : request.resources) {
    auto& place = answer.results.emplace_back();
    place.resource_type = asked.resource_type;
    place.resource_name = asked.resource_name;
    describe(place, call.thread().door(), *catalogue, request, asked);
  }
  call.answer(answer);
}

namespace {

Refusal not_changeable(std::int8_t resource_type) {
  return {KafkaError::invalid_request, resource_type == ConfigResource::broker
                                           ? "the broker's settings are given when it is started"
                                           : "only settings of topics (2) can be changed"};
}

std::expected<node::TopicChange, Refusal> change_of(const AlterConfigsRequest::Resource& asked) {
  node::TopicChange change = default_configs();
  for (const auto& config : asked.configs) {
    if (!config.value)
      return std::unexpected(Refusal{KafkaError::invalid_request, fmt::format("'{}' has no value", config.name)});
    if (const auto set = set_config(change, config.name, config.value); !set)
      return std::unexpected(Refusal{KafkaError::invalid_config, set.error().detail});
  }
  return change;
}

// Lists here have one value only, which may be added again and not be taken.
std::expected<void, Refusal> change_list(const IncrementalAlterConfigsRequest::Config& config) {
  if (!is_list_config(config.name))
    return std::unexpected(Refusal{KafkaError::invalid_config,
                                   fmt::format("'{}' is no list that could be added to or taken from", config.name)});
  node::TopicChange unused;
  const bool adds = config.config_operation == IncrementalAlterConfigsRequest::append;
  const auto has = set_config(unused, config.name, config.value);
  if (adds == has.has_value()) return {};
  return std::unexpected(
      Refusal{KafkaError::invalid_config, adds ? has.error().detail : fmt::format("{} would be empty", config.name)});
}

std::expected<node::TopicChange, Refusal> change_of(const IncrementalAlterConfigsRequest::Resource& asked) {
  using Request = IncrementalAlterConfigsRequest;
  node::TopicChange change;
  for (const Request::Config& config : asked.configs) {
    const auto operation = static_cast<Request::Operation>(config.config_operation);
    if (std::ranges::count(asked.configs, config.name, &Request::Config::name) > 1)
      return std::unexpected(Refusal{KafkaError::invalid_request, fmt::format("'{}' stands twice", config.name)});
    if (operation < Request::set || operation > Request::subtract)
      return std::unexpected(
          Refusal{KafkaError::invalid_request, fmt::format("there is no operation {}", config.config_operation)});
    if (operation != Request::remove && !config.value)
      return std::unexpected(Refusal{KafkaError::invalid_request, fmt::format("'{}' has no value", config.name)});
    if (operation == Request::append || operation == Request::subtract) {
      if (auto changed = change_list(config); !changed) return std::unexpected(std::move(changed.error()));
      continue;
    }
    if (const auto set = set_config(change, config.name, operation == Request::remove ? std::nullopt : config.value);
        !set)
      return std::unexpected(Refusal{KafkaError::invalid_config, set.error().detail});
  }
  return change;
}

// Each resource has an outcome of its own: all of its settings are changed, or none.
template <class T>
void alter(KafkaCall& call, const T& request) {
  const auto answer = std::make_shared<GatheredAnswer<AlterConfigsResponse>>(call);
  answer->message.responses.resize(request.resources.size());
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    const auto& asked = request.resources[i];
    AlterConfigsResponse::Resource& place = answer->message.responses[i];
    place.resource_type = asked.resource_type;
    place.resource_name = asked.resource_name;
    const auto same = [&](const auto& other) {
      return other.resource_type == asked.resource_type && other.resource_name == asked.resource_name;
    };
    const auto change = asked.resource_type == ConfigResource::topic
                            ? change_of(asked)
                            : std::unexpected(not_changeable(asked.resource_type));
    if (std::ranges::count_if(request.resources, same) > 1)
      refuse(place, KafkaError::invalid_request, "it stands in the request twice");
    else if (!change)
      refuse(place, change.error());
    else
      call.node().change_topic(call.thread(), asked.resource_name, *change, request.validate_only,
                               [answer, &place](const Result<node::Topic>& changed) {
                                 if (changed) return;
                                 const bool setting = changed.error().code == Code::bad_setting;
                                 refuse(place, setting ? KafkaError::invalid_config : kafka_error(changed.error().code),
                                        to_string(changed.error()));
                               });
  }
}

}  // namespace

void alter_configs(KafkaCall& call, AlterConfigsRequest request) { alter(call, request); }
void incremental_alter_configs(KafkaCall& call, IncrementalAlterConfigsRequest request) { alter(call, request); }

void describe_log_dirs(KafkaCall& call, DescribeLogDirsRequest request) {
  const auto catalogue = call.node().catalogue();
  DescribeLogDirsResponse answer;
  auto& folder = answer.results.emplace_back();
  folder.log_dir = call.node().options().data;
  const auto tell = [&](const node::Topic& topic, std::int32_t partition) {
    const auto state = call.node().partition_state({topic.id, PartitionId{static_cast<std::uint32_t>(partition)}});
    if (!state) return;
    if (folder.topics.empty() || folder.topics.back().name != topic.name) folder.topics.push_back({topic.name, {}});
    folder.topics.back().partitions.push_back({partition, static_cast<std::int64_t>(state->bytes), 0, false});
  };
  if (!request.topics)
    for (const auto& [name, topic] : catalogue->topics)
      for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) tell(*topic, static_cast<std::int32_t>(id));
  for (const auto& asked : request.topics.value_or(std::vector<DescribeLogDirsRequest::Topic>{}))
    if (const node::Topic* topic = catalogue->find_topic(asked.topic))
      for (const std::int32_t partition : asked.partitions)
        if (find_partition(*catalogue, asked.topic, partition)) tell(*topic, partition);
  call.answer(answer);
}

}  // namespace continuo::serve
