// What a client learns first: what is served, who serves it, which topics there are.
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>

#include "continuo/engines/definitions.h"
#include "continuo/record/base64.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

template <class T>
T this_broker(const Door& door) {
  T broker;
  broker.node_id = broker_id;
  broker.host = door.kafka.host;
  broker.port = door.kafka.port;
  return broker;
}

MetadataResponse::Topic describe(const Door& door, const node::Topic& topic) {
  MetadataResponse::Topic out;
  out.name = topic.name;
  out.topic_id = uuid_of(door, topic.id);
  out.is_internal = topic.name.starts_with("continuo.");
  for (std::uint32_t id = 0; id < topic.settings.partitions; ++id)
    out.partitions.push_back({0, static_cast<std::int32_t>(id), broker_id, leader_epoch, {broker_id}, {broker_id}, {}});
  return out;
}

// An id is meant rather than a name: under the name there may be another topic by now.
bool by_name(const MetadataRequest::Topic& asked) { return asked.name && asked.topic_id.is_zero(); }

MetadataResponse::Topic unknown(const MetadataRequest::Topic& asked, KafkaError error) {
  MetadataResponse::Topic out;
  out.error_code = number(error);
  if (by_name(asked)) out.name = asked.name;
  out.topic_id = asked.topic_id;
  return out;
}

KafkaError why_unknown(const MetadataRequest::Topic& asked,
                       const std::map<std::string, KafkaError, std::less<>>& refused) {
  if (!by_name(asked)) return KafkaError::unknown_topic_id;
  if (const auto why = refused.find(*asked.name); why != refused.end()) return why->second;
  return engines::check_name(*asked.name) ? KafkaError::unknown_topic_or_partition : KafkaError::invalid_topic;
}

void answer_metadata(KafkaCall& call, const MetadataRequest& request,
                     const std::map<std::string, KafkaError, std::less<>>& refused) {
  const Door& door = call.thread().door();
  const auto catalogue = call.node().catalogue();
  MetadataResponse answer;
  answer.brokers = {this_broker<MetadataResponse::Broker>(door)};
  answer.cluster_id = door.kafka.cluster_id;
  answer.controller_id = broker_id;
  if (!request.topics)
    for (const auto& [name, topic] : catalogue->topics) answer.topics.push_back(describe(door, *topic));
  for (const MetadataRequest::Topic& asked : request.topics.value_or(std::vector<MetadataRequest::Topic>{})) {
    const node::Topic* topic =
        by_name(asked) ? catalogue->find_topic(*asked.name) : find_topic(door, *catalogue, asked.topic_id);
    answer.topics.push_back(topic != nullptr ? describe(door, *topic) : unknown(asked, why_unknown(asked, refused)));
  }
  call.answer(answer);
}

}  // namespace

void api_versions(KafkaCall& call, const Request& request) {
  ApiVersionsResponse answer;
  for (const Api& api : apis()) {
    if (!request.supported && api.key != ApiKey::api_versions) continue;
    answer.api_keys.push_back({static_cast<std::int16_t>(api.key), api.min_version, api.max_version});
  }
  // KIP-511: to a version of the future the oldest answer, which says what is known.
  if (!request.supported) {
    answer.error_code = number(KafkaError::unsupported_version);
    return call.answer_as(0, answer);
  }
  if (!read_body<ApiVersionsRequest>(request)) return call.session().broken();
  call.answer(answer);
}

// Topics that are asked for and do not exist are made first, where the server and the client both want that.
void metadata(KafkaCall& call, MetadataRequest request) {
  if (call.version() == 0 && request.topics && request.topics->empty()) request.topics.reset();
  const auto catalogue = call.node().catalogue();
  std::vector<std::string> missing;
  if (request.topics && request.allow_auto_topic_creation && call.thread().door().options.auto_create)
    for (const MetadataRequest::Topic& asked : *request.topics)
      if (by_name(asked) && catalogue->find_topic(*asked.name) == nullptr) missing.push_back(*asked.name);
  auto refused = std::make_shared<std::map<std::string, KafkaError, std::less<>>>();
  const auto all_made =
      std::make_shared<Gathering>([self = call.shared_from_this(), request = std::move(request), refused] {
        if (!self->gone()) answer_metadata(*self, request, *refused);
      });
  for (const std::string& name : missing)
    call.node().create_topic(call.thread(), name, {}, [all_made, refused, name](Result<node::Put<node::Topic>> made) {
      if (!made && made.error().code != Code::topic_exists) (*refused)[name] = kafka_error(made.error().code);
    });
}

void describe_cluster(KafkaCall& call, DescribeClusterRequest request) {
  const Door& door = call.thread().door();
  DescribeClusterResponse answer;
  constexpr std::int8_t brokers = 1, controllers = 2;
  if (request.endpoint_type != brokers) {
    answer.error_code = number(request.endpoint_type == controllers ? KafkaError::mismatched_endpoint_type
                                                                    : KafkaError::unsupported_endpoint_type);
    answer.error_message = "this is a broker";
    return call.answer(answer);
  }
  answer.cluster_id = door.kafka.cluster_id;
  answer.controller_id = broker_id;
  answer.brokers = {this_broker<DescribeClusterResponse::Broker>(door)};
  call.answer(answer);
}

// Every group and every producer is here.
void find_coordinator(KafkaCall& call, FindCoordinatorRequest request) {
  const Door& door = call.thread().door();
  FindCoordinatorResponse answer;
  constexpr std::int8_t group = 0, transaction = 1;
  const bool known = request.key_type == group || request.key_type == transaction;
  const auto here = [&](auto& coordinator) {
    if (!known) {
      coordinator.error_code = number(KafkaError::invalid_request);
      coordinator.error_message = "coordinators are of groups (0) and of transactions (1)";
      return;
    }
    coordinator.node_id = broker_id;
    coordinator.host = door.kafka.host;
    coordinator.port = door.kafka.port;
  };
  here(answer);
  for (const std::string& key : request.coordinator_keys) {
    here(answer.coordinators.emplace_back());
    answer.coordinators.back().key = key;
  }
  call.answer(answer);
}

std::expected<PartitionRef, KafkaError> find_partition(const node::Catalogue& catalogue, std::string_view topic,
                                                       std::int32_t partition) {
  const node::Topic* found = catalogue.find_topic(topic);
  if (found == nullptr || partition < 0 || static_cast<std::uint32_t>(partition) >= found->settings.partitions)
    return std::unexpected(KafkaError::unknown_topic_or_partition);
  return PartitionRef{found->id, PartitionId{static_cast<std::uint32_t>(partition)}};
}

KafkaError check_epoch(std::int32_t current_leader_epoch) {
  if (current_leader_epoch > leader_epoch) return KafkaError::unknown_leader_epoch;
  if (current_leader_epoch >= 0 && current_leader_epoch < leader_epoch) return KafkaError::fenced_leader_epoch;
  return KafkaError::none;
}

// The server's own twelve bytes, then the topic's number.
Uuid uuid_of(const Door& door, TopicId topic) {
  Uuid id = door.kafka.id;
  store(id.bytes.data() + 12, big_endian(topic.value));
  return id;
}

const node::Topic* find_topic(const Door& door, const node::Catalogue& catalogue, const Uuid& id) {
  const TopicId number{big_endian(load<std::uint32_t>(id.bytes.data() + 12))};
  if (uuid_of(door, number) != id) return nullptr;
  const auto found = std::ranges::find(catalogue.topics, number, [](const auto& each) { return each.second->id; });
  return found == catalogue.topics.end() ? nullptr : found->second.get();
}

// A hash of the data folder's secret: as lasting as the data, and the secret cannot be told from it.
KafkaIdentity kafka_identity(std::uint64_t secret, std::string host, std::uint16_t port) {
  const std::string text = fmt::format("continuo cluster {}", secret);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  KafkaIdentity identity{std::move(host), port, {}, {}};
  std::copy_n(digest.begin(), identity.id.bytes.size(), identity.id.bytes.begin());
  digest[16] &= 0x7f;  // so that the text does not begin with '-', which would look like an option
  record::base64_encode({reinterpret_cast<const char*>(digest.data()) + 16, 16}, identity.cluster_id);
  identity.cluster_id.resize(22);  // without the padding, in the letters of URLs
  std::ranges::replace(identity.cluster_id, '+', '-');
  std::ranges::replace(identity.cluster_id, '/', '_');
  return identity;
}

}  // namespace continuo::serve
