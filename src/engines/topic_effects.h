// The effects of the topics engine, and of the node itself; see effects.h for what holds of all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// First frame of a new data folder. Unit: the node.
struct NodeMade {
  static constexpr EffectType type = EffectType::node_made;
  std::uint64_t secret = 0;  ///< seed of fingerprints
};

/// Unit: the topic. Its partitions' heads begin to be with the log's own effect partitions_made.
struct TopicDefined {
  static constexpr EffectType type = EffectType::topic_defined;
  static constexpr std::uint8_t version = 2;  ///< 1: without the settings from max_batch_bytes on
  TopicId id;
  std::string name;
  TopicSettings settings;
  WallTime created;
};

/// The settings are these now. Unit: the topic. Partitions that are new begin to be as in TopicDefined.
struct TopicChanged {
  static constexpr EffectType type = EffectType::topic_changed;
  TopicId id;
  TopicSettings settings;
};

/// Unit: the topic. Heads and id pages go with the log's own effect topic_removed.
struct TopicDeleted {
  static constexpr EffectType type = EffectType::topic_deleted;
  TopicId id;
};

/// One event's identity in the deduplication window.
struct RememberedId {
  Hash128 identity;
  std::uint64_t content = 0;
  Offset offset;
};

/// Unit: page `page` of the partition's ids.
struct IdsRemembered {
  static constexpr EffectType type = EffectType::ids_remembered;
  PartitionRef partition;
  std::uint64_t page = 0;
  std::vector<RememberedId> ids;
};

/// Unit: page `page` of the partition's ids, which is gone.
struct IdsDropped {
  static constexpr EffectType type = EffectType::ids_dropped;
  PartitionRef partition;
  std::uint64_t page = 0;
};

}  // namespace continuo::engines
