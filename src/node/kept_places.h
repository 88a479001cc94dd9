// Where the copies of kept records are, for those who read: a table that follows the core without a lock of the core's.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "continuo/node/keeping.h"

namespace continuo::node {

/// `tell` by the core thread, once a change is durable and before the trim it was made for can be seen; `find` by any
/// thread, which brings the table up to date first.
class KeptPlaces {
 public:
  void tell(const KeptChange& change) { changes_.enqueue(change); }

  std::optional<Offset> find(PartitionRef partition, Offset offset) {
    const std::scoped_lock lock{mutex_};
    KeptChange change;
    while (changes_.try_dequeue(change)) {
      if (change.copy)
        places_[{change.partition, change.offset}] = *change.copy;
      else
        places_.erase({change.partition, change.offset});
    }
    const auto found = places_.find({partition, offset});
    return found == places_.end() ? std::nullopt : std::optional{found->second};
  }

 private:
  moodycamel::ConcurrentQueue<KeptChange> changes_;  // of one producer at a time: in order
  std::mutex mutex_;                                 // among readers
  std::map<std::pair<PartitionRef, Offset>, Offset> places_;
};

}  // namespace continuo::node
