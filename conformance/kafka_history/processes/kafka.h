// What all processes say to librdkafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace continuo::history {

/// Topics with their partitions, counted through: a place is an index into them all.
class Places {
 public:
  struct Place {
    std::string topic;
    std::int32_t partition;
  };
  /// From "orders:8,audit:3".
  explicit Places(std::string_view topics);
  const std::vector<Place>& all() const { return places_; }
  const std::vector<std::pair<std::string, int>>& topics() const { return topics_; }
  std::uint16_t index(std::string_view topic, std::int32_t partition) const;

 private:
  std::vector<std::pair<std::string, int>> topics_;
  std::vector<Place> places_;
};

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Kafka = std::unique_ptr<rd_kafka_t, Destroy>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroy>;

using Setting = std::pair<std::string, std::string>;

/// Settings for clients of a server that comes and goes. Throws for one that the library does not take.
rd_kafka_conf_t* configuration(const std::string& server, const std::vector<Setting>& settings);
/// Takes the configuration.
Kafka make_client(rd_kafka_type_t type, rd_kafka_conf_t* configuration);
PartitionList list_of_all(const Places& places);
std::span<rd_kafka_topic_partition_t> each_of(const PartitionList& list);
std::uint64_t value_of_message(const rd_kafka_message_t& message);
void make_topics(const std::string& server, const Places& places);

/// Set by SIGTERM; a process that can be told to end asks for it.
void listen_for_the_end();
bool shall_end();
/// How many times SIGUSR1 came.
int times_told_to_hang();

}  // namespace continuo::history
