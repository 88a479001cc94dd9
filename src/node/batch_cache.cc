#include "continuo/node/batch_cache.h"

namespace continuo::node {

std::shared_ptr<const std::string> BatchCache::find(PartitionRef partition, Offset offset) {
  const std::scoped_lock lock{mutex_};
  auto after = by_place_.upper_bound({partition, offset});
  if (after == by_place_.begin()) return nullptr;
  const auto entry = std::prev(after)->second;
  if (entry->partition != partition || offset >= entry->next) return nullptr;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->batch;
}

void BatchCache::keep(PartitionRef partition, Offset base, Offset next, std::shared_ptr<const std::string> batch) {
  const std::scoped_lock lock{mutex_};
  if (by_place_.contains({partition, base})) return;
  bytes_ += batch->size();
  entries_.push_front({partition, base, next, std::move(batch)});
  by_place_[{partition, base}] = entries_.begin();
  while (bytes_ > max_bytes_ && entries_.size() > 1) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.batch->size();
    by_place_.erase({oldest.partition, oldest.base});
    entries_.pop_back();
  }
}

}  // namespace continuo::node
