// Which partition an event goes to: murmur2 as Kafka's Java client has it, at every door that chooses.
#pragma once

#include <cstdint>
#include <string_view>

#include "continuo/base/ids.h"
#include "continuo/record/batch.h"
#include "continuo/record/event.h"

namespace continuo::record {

/// Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2), seed 0x9747b28c.
std::uint32_t murmur2(std::string_view bytes);

/// (murmur2(key) & 0x7fffffff) % partitions. CHECKs partitions > 0.
PartitionId partition_of(std::string_view key, std::uint32_t partitions);

/// By the event's key; without one, murmur2 over source, a zero byte, id: so that a retry meets its own window.
PartitionId partition_of(const Event& event, std::uint32_t partitions);

/// The number that names a record's key where subscriptions keep order: hash64 of the key; without one, of the record's
/// own offset, so that it shares its order with nobody.
std::uint64_t key_hash(const Record& record);

}  // namespace continuo::record
