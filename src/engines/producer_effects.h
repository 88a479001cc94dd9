// The effects of the producers engine; see effects.h for what holds of all.
#pragma once

#include <cstdint>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// An idempotent producer's number: given once, never used again.
using ProducerId = Id<struct ProducerTag, std::int64_t>;

/// Ids below `next` were given to producers. Unit: the counter of producers.
struct ProducersNumbered {
  static constexpr EffectType type = EffectType::producers_numbered;
  std::uint64_t next = 0;
};

/// A producer's batch was appended, in the same group. Unit: the producer in that partition.
struct BatchProduced {
  static constexpr EffectType type = EffectType::batch_produced;
  PartitionRef partition;
  ProducerId producer;
  std::uint32_t epoch = 0;
  std::uint32_t first_sequence = 0;
  std::uint32_t last_sequence = 0;
  Offset base;
  WallTime timestamp;  ///< the batch's highest
};

/// Nothing is known of the producer any more. Unit: the producer in that partition, which is gone.
struct ProducerForgotten {
  static constexpr EffectType type = EffectType::producer_forgotten;
  PartitionRef partition;
  ProducerId producer;
};

}  // namespace continuo::engines
