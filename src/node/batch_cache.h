// Batches read lately, for those who want one record at a time: consumers of a subscription ask for neighbours of one
// batch one after the other.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "continuo/base/ids.h"

namespace continuo::node {

/// Thread-safe; for edges, never the core thread. Holds at most about `max_bytes`.
class BatchCache {
 public:
  explicit BatchCache(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  /// The batch that holds the offset, or null.
  std::shared_ptr<const std::string> find(PartitionRef partition, Offset offset);
  void keep(PartitionRef partition, Offset base, Offset next, std::shared_ptr<const std::string> batch);

 private:
  struct Entry {
    PartitionRef partition;
    Offset base;
    Offset next;
    std::shared_ptr<const std::string> batch;
  };
  using Entries = std::list<Entry>;  // newest use first

  const std::uint64_t max_bytes_;
  std::mutex mutex_;
  Entries entries_;
  std::map<std::pair<PartitionRef, Offset>, Entries::iterator> by_place_;
  std::uint64_t bytes_ = 0;
};

}  // namespace continuo::node
