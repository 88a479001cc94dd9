// Clients of Kafka's kind: what each knows of itself between two requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "continuo/simulator/oracle.h"

namespace continuo::simulator {

/// An idempotent producer as client libraries write them: numbers batches, sends them again, oldest first, until they
/// are answered, and is at most five batches of a partition ahead of the oldest that is not.
struct Producer {
  struct Sent {
    RequestNumber batch = 0;
    bool acknowledged = false;
  };
  struct Lane {
    std::int32_t next_sequence = 0;
    std::vector<Sent> sent;            ///< from the oldest on that is not acknowledged
    std::vector<RequestNumber> known;  ///< acknowledged, the last five
  };
  std::int64_t id = -1;  ///< none yet
  bool asking = false;   ///< for an id
  std::int16_t epoch = 0;
  std::map<PartitionRef, Lane> lanes;
  std::vector<RequestNumber> outlived;  ///< of epochs that are over
};

/// A group's consumer.
struct Consumer {
  enum class Phase : std::uint8_t { out, joining, joined, syncing, in };
  std::string group = "g";
  std::optional<std::string> instance;
  bool requires_known_member = false;
  bool can_skip_assignment = false;
  std::vector<std::string> topics{"a"};
  std::string member;
  std::int32_t generation = -1;
  std::int32_t outlived = -1;  ///< the generation before
  Phase phase = Phase::out;
  std::uint64_t attempt = 0;     ///< answers to older requests are not heard
  std::vector<std::string> led;  ///< a leader's: all members
};

}  // namespace continuo::simulator
