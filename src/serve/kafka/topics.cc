// Topics and records, as operators make and remove them.
#include <fmt/format.h>

#include <set>

#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"
#include "continuo/serve/kafka/topic_configs.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

// Places that are not on the only broker.
std::optional<Refusal> check_brokers(const auto& assignments) {
  for (const auto& each : assignments)
    if (each.broker_ids != std::vector{broker_id})
      return Refusal{KafkaError::invalid_replica_assignment, fmt::format("the only broker is {}", broker_id)};
  return std::nullopt;
}

std::expected<node::TopicSettings, Refusal> settings_of(const CreateTopicsRequest::Topic& topic) {
  node::TopicSettings settings;
  const bool assigned = !topic.assignments.empty();
  if (assigned && (topic.num_partitions != -1 || topic.replication_factor != -1))
    return std::unexpected(
        Refusal{KafkaError::invalid_request, "assignments stand instead of numbers, not beside them"});
  if (auto elsewhere = check_brokers(topic.assignments)) return std::unexpected(*std::move(elsewhere));
  std::set<std::int32_t> placed;
  for (const CreateTopicsRequest::Assignment& each : topic.assignments) placed.insert(each.partition_index);
  if (assigned && (placed.size() != topic.assignments.size() || *placed.begin() != 0 ||
                   std::cmp_not_equal(*placed.rbegin() + 1, placed.size())))
    return std::unexpected(
        Refusal{KafkaError::invalid_replica_assignment, "partitions are numbered from 0 on, each once"});
  if (!assigned && topic.replication_factor != -1 && topic.replication_factor != 1)
    return std::unexpected(Refusal{KafkaError::invalid_replication_factor,
                                   fmt::format("a replication factor of {}: there is one broker, and what it has is on "
                                               "one disk",
                                               topic.replication_factor)});
  if (!assigned && topic.num_partitions != -1 && topic.num_partitions < 1)
    return std::unexpected(Refusal{KafkaError::invalid_partitions, "a topic has at least one partition"});
  if (assigned) settings.partitions = static_cast<std::uint32_t>(topic.assignments.size());
  if (!assigned && topic.num_partitions > 0) settings.partitions = static_cast<std::uint32_t>(topic.num_partitions);
  node::TopicChange configs;
  for (const CreateTopicsRequest::Config& config : topic.configs) {
    if (!config.value)
      return std::unexpected(Refusal{KafkaError::invalid_config, fmt::format("'{}' has no value", config.name)});
    if (const auto set = set_config(configs, config.name, config.value); !set)
      return std::unexpected(Refusal{KafkaError::invalid_config, set.error().detail});
  }
  return configs.applied_to(settings);
}

void tell(CreateTopicsResponse::Topic& place, const node::TopicSettings& settings) {
  place.num_partitions = static_cast<std::int32_t>(settings.partitions);
  place.replication_factor = 1;
  place.configs.emplace();
  for (const TopicConfig& config : topic_configs(settings))
    place.configs->push_back(
        {std::string{config.name}, config.value, config.read_only, static_cast<std::int8_t>(config.source), false});
}

void take(CreateTopicsResponse::Topic& place, const Door& door, const Result<node::Put<node::Topic>>& put) {
  if (!put) return refuse(place, kafka_error(put.error().code), to_string(put.error()));
  if (!put->created)
    return refuse(place, KafkaError::topic_already_exists, fmt::format("topic '{}' exists", put->value.name));
  place.topic_id = uuid_of(door, put->value.id);
  tell(place, put->value.settings);
}

// A topic that would be made, if it were not only asked.
void validate(CreateTopicsResponse::Topic& place, const node::Catalogue& catalogue,
              const node::TopicSettings& settings) {
  if (catalogue.find_topic(place.name) != nullptr)
    return refuse(place, KafkaError::topic_already_exists, fmt::format("topic '{}' exists", place.name));
  if (const auto named = engines::check_name(place.name); !named)
    return refuse(place, KafkaError::invalid_topic, to_string(named.error()));
  tell(place, settings);
}

}  // namespace

void create_topics(KafkaCall& call, CreateTopicsRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<CreateTopicsResponse>>(call);
  answer->message.topics.resize(request.topics.size());
  const auto catalogue = call.node().catalogue();
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    CreateTopicsResponse::Topic& place = answer->message.topics[i];
    place.name = request.topics[i].name;
    const auto twice = std::ranges::count(request.topics, place.name, &CreateTopicsRequest::Topic::name);
    const auto settings = settings_of(request.topics[i]);
    if (twice > 1)
      refuse(place, KafkaError::invalid_request, "the topic stands in the request twice");
    else if (!settings)
      refuse(place, settings.error());
    else if (request.validate_only)
      validate(place, *catalogue, *settings);
    else
      call.node().create_topic(call.thread(), place.name, *settings,
                               [answer, &place, &door = call.thread().door()](auto put) { take(place, door, put); });
  }
}

namespace {

// What is wrong with the places given for a topic's new partitions.
std::optional<Refusal> check_growth(const node::Topic& topic, const CreatePartitionsRequest::Topic& asked) {
  const auto there = static_cast<std::int32_t>(topic.settings.partitions);
  if (asked.count <= there)
    return Refusal{KafkaError::invalid_partitions,
                   fmt::format("topic '{}' has {} partitions; it can only get more", topic.name, there)};
  if (!asked.assignments) return std::nullopt;
  if (std::cmp_not_equal(asked.assignments->size(), asked.count - there))
    return Refusal{KafkaError::invalid_replica_assignment,
                   fmt::format("{} new partitions, and places for {}", asked.count - there, asked.assignments->size())};
  return check_brokers(*asked.assignments);
}

}  // namespace

void create_partitions(KafkaCall& call, CreatePartitionsRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<CreatePartitionsResponse>>(call);
  answer->message.topics.resize(request.topics.size());
  const auto catalogue = call.node().catalogue();
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const CreatePartitionsRequest::Topic& asked = request.topics[i];
    CreatePartitionsResponse::Topic& place = answer->message.topics[i];
    place.name = asked.name;
    const node::Topic* topic = catalogue->find_topic(asked.name);
    if (std::ranges::count(request.topics, asked.name, &CreatePartitionsRequest::Topic::name) > 1) {
      refuse(place, KafkaError::invalid_request, "the topic stands in the request twice");
      continue;
    }
    if (topic == nullptr) {
      refuse(place, KafkaError::unknown_topic_or_partition, fmt::format("there is no topic '{}'", asked.name));
      continue;
    }
    if (auto wrong = check_growth(*topic, asked)) {
      refuse(place, *std::move(wrong));
      continue;
    }
    node::TopicChange change;
    change.partitions = static_cast<std::uint32_t>(asked.count);
    call.node().change_topic(call.thread(), asked.name, change, request.validate_only,
                             [answer, &place](const Result<node::Topic>& changed) {
                               if (changed) return;
                               const bool count = changed.error().code == Code::bad_setting;
                               refuse(place, count ? KafkaError::invalid_partitions : kafka_error(changed.error().code),
                                      to_string(changed.error()));
                             });
  }
}

void delete_topics(KafkaCall& call, DeleteTopicsRequest request) {
  for (std::string& name : request.topic_names) request.topics.push_back({std::move(name), {}});
  const auto answer = std::make_shared<GatheredAnswer<DeleteTopicsResponse>>(call);
  answer->message.topics.resize(request.topics.size());
  const auto catalogue = call.node().catalogue();
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    DeleteTopicsResponse::Topic& place = answer->message.topics[i];
    const DeleteTopicsRequest::Topic& asked = request.topics[i];
    const node::Topic* topic =
        asked.name ? catalogue->find_topic(*asked.name) : find_topic(call.thread().door(), *catalogue, asked.topic_id);
    place.name = topic != nullptr ? topic->name : asked.name;
    place.topic_id = topic != nullptr ? uuid_of(call.thread().door(), topic->id) : asked.topic_id;
    if (!asked.name && asked.topic_id == Uuid{}) {
      refuse(place, KafkaError::invalid_request, "neither a name nor an id");
      continue;
    }
    if (topic == nullptr) {
      place.error_code = number(asked.name ? KafkaError::unknown_topic_or_partition : KafkaError::unknown_topic_id);
      continue;
    }
    call.node().delete_topic(call.thread(), topic->name, [answer, &place](Result<void> gone) {
      if (!gone) refuse(place, kafka_error(gone.error().code), to_string(gone.error()));
    });
  }
}

void delete_records(KafkaCall& call, DeleteRecordsRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<DeleteRecordsResponse>>(call);
  for (const DeleteRecordsRequest::Topic& topic : request.topics) {
    auto& out = answer->message.topics.emplace_back();
    out.name = topic.name;
    for (const DeleteRecordsRequest::Partition& asked : topic.partitions)
      out.partitions.emplace_back().partition_index = asked.partition_index;
  }
  const auto catalogue = call.node().catalogue();
  for (std::size_t t = 0; t < request.topics.size(); ++t)
    for (std::size_t p = 0; p < request.topics[t].partitions.size(); ++p) {
      auto& place = answer->message.topics[t].partitions[p];
      const auto ref = find_partition(*catalogue, request.topics[t].name, place.partition_index);
      const std::int64_t before = request.topics[t].partitions[p].offset;
      if (!ref || before < -1) {
        place.error_code = number(ref ? KafkaError::offset_out_of_range : ref.error());
        continue;
      }
      call.node().trim(call.thread(), ref->topic, ref->partition, before == -1 ? max_offset : Offset{before},
                       [answer, &place](Result<node::PartitionState> state) {
                         if (state)
                           place.low_watermark = state->first.value;
                         else
                           place.error_code = number(kafka_error(state.error().code));
                       });
    }
}

}  // namespace continuo::serve
