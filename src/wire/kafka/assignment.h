// What a member of a consumer group is assigned, as the leader told it: bytes that brokers only hand on, and operators
// want to see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

/// Source: Apache Kafka, ConsumerProtocolAssignment.json: every version begins like this; what follows, the assignor's
/// own, is not looked at.
struct ConsumerAssignment {
  struct Topic {
    std::string topic;
    std::vector<std::int32_t> partitions;
  };
  std::int16_t version = 0;
  std::vector<Topic> assigned_partitions;
};
void fields(auto& io, Of<ConsumerAssignment::Topic> auto& m) {
  io(m.topic);
  io(m.partitions);
}
void fields(auto& io, Of<ConsumerAssignment> auto& m) {
  io(m.version);
  io(m.assigned_partitions);
}

/// None: the bytes cannot be read.
inline std::optional<ConsumerAssignment> read_assignment(std::string_view bytes) {
  constexpr std::size_t most_items = 2'000'000;  // 4 bytes each: a group's members take 4 MiB together
  ConsumerAssignment assignment;
  Reader reader{bytes, 0, false, most_items};
  reader.structure(assignment);
  if (!reader.ok() || assignment.version < 0) return std::nullopt;
  return assignment;
}

}  // namespace continuo::wire::kafka
