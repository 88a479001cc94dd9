// One subscription's state in memory: its definition, cursors, keys, and the indexes over them. Part of the
// subscriptions engine.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "continuo/engines/subscriptions.h"

namespace continuo::engines {

struct SubscriptionsEngine::State {
  /// Oldest head first; then by place, so that the order never depends on a hash table.
  using ReadyKey = std::tuple<Offset, PartitionRef, std::uint64_t>;

  SubscriptionId id;
  std::unique_ptr<SubscriptionUnit> definition;  ///< none: deleted, and what is left of it goes piece by piece
  std::map<PartitionRef, CursorUnit> cursors;
  std::unordered_map<KeyRef, std::unique_ptr<KeyUnit>> keys;
  Window<std::string> settles;
  std::size_t settle_bytes = 0;

  std::set<ReadyKey> ready;
  std::set<std::pair<PartitionRef, std::uint64_t>> parked;
  std::map<std::pair<PartitionRef, Offset>, std::uint64_t> heads;  ///< of all keys: its place, the key's hash
  std::uint32_t leased_keys = 0;
  Counts counts;

  bool empty() const { return cursors.empty() && keys.empty() && settles.empty(); }
};

}  // namespace continuo::engines
