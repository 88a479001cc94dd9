// The effects of the kept records engine; see effects.h for what holds of all.
#pragma once

#include <cstdint>
#include <vector>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// A record that outlives its topic's retention: where its copy is.
struct KeptRecord {
  Offset offset;
  Offset copy;                 ///< in the topic of copies
  std::uint64_t key_hash = 0;  ///< of its key, as offers name it
  bool operator==(const KeptRecord&) const = default;
};

/// Records were copied before they are trimmed. Unit: page `page` of the partition's kept records.
struct RecordsKept {
  static constexpr EffectType type = EffectType::records_kept;
  PartitionRef partition;
  std::uint64_t page = 0;
  std::vector<KeptRecord> records;
};

/// Nobody waits for these records any more. Unit: page `page` of the partition's kept records, which is gone when
/// nothing is left.
struct RecordsReleased {
  static constexpr EffectType type = EffectType::records_released;
  PartitionRef partition;
  std::uint64_t page = 0;
  std::vector<Offset> offsets;
};

}  // namespace continuo::engines
