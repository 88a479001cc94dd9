#include "kafka.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <csignal>
#include <stdexcept>

#include "payload.h"

namespace continuo::history {
namespace {

volatile std::sig_atomic_t end_wanted = 0;
volatile std::sig_atomic_t hangs_wanted = 0;

void check(rd_kafka_resp_err_t error, std::string_view what) {
  if (error) throw std::runtime_error(fmt::format("{}: {}", what, rd_kafka_err2str(error)));
}

}  // namespace

Places::Places(std::string_view topics) {
  while (!topics.empty()) {
    const auto one = topics.substr(0, topics.find(','));
    topics.remove_prefix(std::min(topics.size(), one.size() + 1));
    const auto colon = one.find(':');
    int partitions = 0;
    if (colon == one.npos) throw std::runtime_error("a topic is written NAME:PARTITIONS");
    std::from_chars(one.data() + colon + 1, one.data() + one.size(), partitions);
    topics_.emplace_back(one.substr(0, colon), partitions);
    for (int each = 0; each < partitions; ++each) places_.push_back({topics_.back().first, each});
  }
}

std::uint16_t Places::index(std::string_view topic, std::int32_t partition) const {
  for (std::size_t index = 0; index < places_.size(); ++index) {
    if (places_[index].partition == partition && places_[index].topic == topic)
      return static_cast<std::uint16_t>(index);
  }
  throw std::runtime_error(fmt::format("{}/{} was not asked for", topic, partition));
}

rd_kafka_conf_t* configuration(const std::string& server, const std::vector<Setting>& settings) {
  rd_kafka_conf_t* made = rd_kafka_conf_new();
  std::vector<Setting> all = {{"bootstrap.servers", server},
                              {"socket.timeout.ms", "3000"},
                              {"reconnect.backoff.ms", "20"},
                              {"reconnect.backoff.max.ms", "300"}};
  all.insert(all.end(), settings.begin(), settings.end());
  std::array<char, 256> why{};
  for (const auto& [name, value] : all) {
    if (rd_kafka_conf_set(made, name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(made);
      throw std::runtime_error(why.data());
    }
  }
  // That the server goes away is what this is about.
  rd_kafka_conf_set_log_cb(made, nullptr);
  rd_kafka_conf_set_error_cb(made, [](rd_kafka_t*, int, const char*, void*) {});
  return made;
}

Kafka make_client(rd_kafka_type_t type, rd_kafka_conf_t* configuration) {
  std::array<char, 256> why{};
  Kafka client(rd_kafka_new(type, configuration, why.data(), why.size()));
  if (!client) throw std::runtime_error(why.data());
  return client;
}

PartitionList list_of_all(const Places& places) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.all().size())));
  for (const auto& each : places.all()) {
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
  }
  return list;
}

std::span<rd_kafka_topic_partition_t> each_of(const PartitionList& list) {
  return {list->elems, static_cast<std::size_t>(list->cnt)};
}

std::uint64_t value_of_message(const rd_kafka_message_t& message) {
  return value_in({static_cast<const char*>(message.payload), message.len});
}

void make_topics(const std::string& server, const Places& places) {
  const auto client = make_client(RD_KAFKA_PRODUCER, configuration(server, {}));
  const Queue answers(rd_kafka_queue_new(client.get()));
  std::vector<rd_kafka_NewTopic_t*> wanted;
  std::array<char, 256> why{};
  for (const auto& [name, partitions] : places.topics()) {
    wanted.push_back(rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why.data(), why.size()));
  }
  rd_kafka_CreateTopics(client.get(), wanted.data(), wanted.size(), nullptr, answers.get());
  rd_kafka_NewTopic_destroy_array(wanted.data(), wanted.size());
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers.get(), 20'000);
  if (answer == nullptr) throw std::runtime_error("no answer to the creation of topics");
  check(rd_kafka_event_error(answer), "creation of topics");
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
  for (std::size_t each = 0; each < count; ++each) {
    check(rd_kafka_topic_result_error(results[each]), rd_kafka_topic_result_name(results[each]));
  }
  rd_kafka_event_destroy(answer);
}

void listen_for_the_end() {
  struct sigaction action{};
  action.sa_handler = [](int) { end_wanted = 1; };
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = [](int) { hangs_wanted = hangs_wanted + 1; };
  sigaction(SIGUSR1, &action, nullptr);
}

bool shall_end() { return end_wanted != 0; }
int times_told_to_hang() { return hangs_wanted; }

}  // namespace continuo::history
