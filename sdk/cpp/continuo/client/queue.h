// Queues: what they are made with, and messages. What is received and settled is as of a subscription: Client::receive
// and Client::settle take a queue's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "continuo/base/time.h"
#include "continuo/client/event.h"

namespace continuo::client {

/// What is none or empty is as the server has it by itself.
struct QueueSettings {
  bool fifo = false;  ///< in order within each group
  std::optional<Millis> lease;
  std::optional<std::uint32_t> max_receives;  ///< deliveries of one message before it is given up
  std::string on_failure;                     ///< dead_letter, park or drop
  std::string dead_letter;                    ///< the queue of dead letters
  std::optional<Millis> retention;            ///< a message that waited so long is passed over
  std::optional<Millis> dedup_window;
  std::optional<std::uint32_t> partitions;
};

struct Message {
  Event event;                  ///< without id, source and type it goes as its data alone, which must be JSON then
  std::optional<Millis> delay;  ///< not to be delivered before
  std::optional<Millis> ttl;    ///< passed over after so long
  std::string group;            ///< order is kept in it
  std::string dedup_id;         ///< with the same one it is there once
};

/// Where a message went.
struct Sent {
  std::string id;
  PartitionId partition;
  Offset offset;
  bool duplicate = false;
};

}  // namespace continuo::client
