// Where the copies of kept records are, for those who read: a table that follows the core without a lock of the core's.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "continuo/log/seam/home.h"
#include "continuo/node/keeping.h"
#include "continuo/node/requests.h"

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

/// The batch that holds `offset`; when that is trimmed, the copy of the record there that was kept for whoever waits
/// for it. `catalogue` is asked after the place was found: it knows the topic of copies then. Errors as batch_at.
Result<std::shared_ptr<const std::string>> read_or_copy(
    log::Home& home, KeptPlaces& kept, const std::function<std::shared_ptr<const Catalogue>()>& catalogue,
    PartitionRef partition, Offset offset);

}  // namespace continuo::node
