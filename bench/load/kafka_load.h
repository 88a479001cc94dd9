// What kafka_load can do, a file each: kafka_produce.cc, kafka_fetch.cc, kafka_group.cc. Each prints one JSON object.
#pragma once

#include <cstdint>
#include <string>

namespace load {

struct KafkaSettings {
  std::uint16_t port = 9092;
  std::string topic = "load";
  std::int32_t partitions = 1;
  unsigned connections = 1;
  unsigned in_flight = 5;  // requests on a connection, as clients have it
  double seconds = 3;
  double warmup = 0.5;
  double megabytes = 0;  // of record values: end when so much was acknowledged, whatever the time; 0: the time counts
  std::size_t batch_bytes = 16 * 1024;
  std::size_t record_bytes = 1024;
  int heartbeat_ms = 3000;
};

/// The same produce request again and again, as fast as it is answered.
void replay_produce(const KafkaSettings& settings);
/// Fetches all partitions from their beginnings, again and again, and throws away what comes.
void replay_fetch(const KafkaSettings& settings);
/// Members join one group at once; then heartbeats as fast as they are answered.
void join_group(const KafkaSettings& settings);

}  // namespace load
