// What trimming a partition asks of the subscriptions engine, and what it answers.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/engines/effects.h"

namespace continuo::engines {

/// Where the pass over all subscriptions of a partition stands: records before `before` are about to be trimmed.
struct TrimPass {
  PartitionRef partition;
  Offset first;  ///< of the partition now: what lies before it was the affair of earlier trims
  Offset before;
  SubscriptionId subscription{0};  ///< goes on with this one,
  Offset head{0};                  ///< the key that begins here or later,
  Offset from{0};                  ///< and, of that key, this event
};

/// What one subscription loses by a slice of the pass.
struct TrimLoss {
  SubscriptionId subscription;
  std::uint64_t waiting = 0;         ///< events that were queued or delayed
  std::uint64_t unread_at_most = 0;  ///< offsets it had not considered: some would not have matched, some are gaps
};

struct TrimSlice {
  std::vector<Effect> effects;   ///< cursors that move on, events that are lost
  std::vector<TrimLoss> losses;  ///< told in the same commit
  std::vector<Offset> held;      ///< leased, or of parked keys, and not copied: to be copied before the trim
  TrimPass next;
  bool complete = false;
};

/// Whether an event of the partition stays readable after the trim.
using IsCopied = std::function<bool(Offset)>;

}  // namespace continuo::engines
