// A load generator for servers that speak Kafka's protocol, in which the client costs next to nothing:
//
//   kafka_load topic --port 9092 --topic t --partitions 64     makes a topic; delete removes it, wait waits for leaders
//   kafka_load produce --port 9092 --topic t --partitions 64   one request, encoded once, sent again and again
//   kafka_load fetch --port 9092 --topic t --partitions 64     reads all partitions, again and again
//   kafka_load group --port 9092 --topic g --connections 100   members of one group; --topic is the group's name
//
// The last three print one JSON object. Requests are of versions that Kafka 4 and Continuo both serve.
#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include "kafka_connection.h"
#include "kafka_load.h"

int main(int argc, char** argv) {
  using namespace load;
  KafkaSettings settings;
  std::string what;
  CLI::App app{"A load generator for servers that speak Kafka's protocol"};
  app.add_option("what", what)
      ->required()
      ->check(CLI::IsMember({"topic", "delete", "wait", "produce", "fetch", "group"}));
  app.add_option("--port", settings.port)->required();
  app.add_option("--topic", settings.topic);
  app.add_option("--partitions", settings.partitions)->check(CLI::PositiveNumber);
  app.add_option("--connections", settings.connections)->check(CLI::PositiveNumber);
  app.add_option("--in-flight", settings.in_flight)->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds);
  app.add_option("--warmup", settings.warmup);
  app.add_option("--megabytes", settings.megabytes, "produce: end when so many were acknowledged");
  app.add_option("--batch-bytes", settings.batch_bytes);
  app.add_option("--record-bytes", settings.record_bytes);
  app.add_option("--heartbeat-ms", settings.heartbeat_ms);
  CLI11_PARSE(app, argc, argv);
  try {
    if (what == "topic") make_topic(settings.port, settings.topic, settings.partitions);
    if (what == "delete") delete_topic(settings.port, settings.topic);
    if (what == "wait") wait_for_topic(settings.port, settings.topic, settings.partitions);
    if (what == "produce") replay_produce(settings);
    if (what == "fetch") replay_fetch(settings);
    if (what == "group") join_group(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "kafka_load: {}\n", error.what());
    return 1;
  }
}
