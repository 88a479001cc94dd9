// One subscription's state in memory: its definition, cursors, keys, and the indexes over them. Part of the
// subscriptions engine.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "continuo/engines/subscriptions.h"

namespace continuo::engines {

std::unexpected<Error> unknown(SubscriptionId id);

/// Keys that drain at once by a release that stops at a relapse and has no rate.
inline constexpr std::uint64_t tried_at_once = 100;
/// A release goes on when keys it let go are drained.
inline constexpr Elapsed when_drained{std::numeric_limits<std::int64_t>::max()};
/// Where a release is that looked at all keys.
inline constexpr PartitionRef behind_all{TopicId{~0u}, PartitionId{~0u}};

struct SubscriptionStates::State {
  /// Oldest head first; then by place, so that the order never depends on a hash table.
  using ReadyKey = std::tuple<Offset, PartitionRef, std::uint64_t>;

  SubscriptionId id;
  std::unique_ptr<SubscriptionUnit> definition;  ///< none: deleted, and what is left of it goes piece by piece
  std::map<PartitionRef, CursorUnit> cursors;
  /// What waits behind the front of a key's queue.
  struct Waiting {
    std::map<Offset, std::unique_ptr<KeyPage>> pages;  ///< by their first events
    std::uint64_t events = 0;
    bool has(Offset offset) const {
      auto at = pages.upper_bound(offset);
      return at != pages.begin() && std::ranges::binary_search((--at)->second->offsets, offset);
    }
  };
  template <class T>
  using ByKey = boost::unordered_flat_map<KeyRef, T, std::hash<KeyRef>>;
  ByKey<std::unique_ptr<KeyUnit>> keys;
  ByKey<Waiting> waiting;                           ///< of keys that have such
  std::unique_ptr<ReleaseUnit> release;             ///< none: there never was one
  std::map<std::uint64_t, std::uint64_t> draining;  ///< keys that do, by the release that let them
  std::unique_ptr<StormUnit> storm;                 ///< none: there is none
  std::unique_ptr<UseUnit> use;                     ///< none: it was not used yet
  Window<std::string> settles;
  std::size_t settle_bytes = 0;

  std::set<ReadyKey> ready;
  std::set<std::pair<PartitionRef, std::uint64_t>> parked;
  /// Heads of parked keys that nobody has to repair, oldest first.
  using Broken = std::set<std::tuple<WallTime, PartitionRef, Offset>>;
  std::map<RepairBy, Broken> broken;
  Broken under_repair;                                             ///< those that somebody has
  std::map<std::pair<PartitionRef, Offset>, std::uint64_t> heads;  ///< of all keys: its place, the key's hash
  std::uint32_t leased_keys = 0;
  Counts counts;
  std::uint64_t scheduled = 0;  ///< of counts.delayed: events of keys whose heads wait for their time

  /// Keys that failed alike of late, each at its last failure; for the storm guard, and gone with the process.
  struct Failing {
    std::string fingerprint;
    std::map<KeyRef, Elapsed> last;
    std::set<std::pair<Elapsed, KeyRef>> by_time;
  };
  std::vector<Failing> failing;  ///< in the order they were first seen
  Tally tally;

  std::uint64_t draining_of(std::uint64_t number) const {
    const auto found = draining.find(number);
    return found == draining.end() ? 0 : found->second;
  }
  void drains(const KeyUnit& unit, bool begins) {
    if (begins)
      ++draining[unit.release];
    else if (--draining[unit.release] == 0)
      draining.erase(unit.release);
  }
  /// Whether the release under way is to go on by what drained, not by the clock.
  bool release_may_go_on() const {
    if (!release || release->value.state != ReleaseState::running || release->value.next_at != when_drained)
      return false;
    const bool looked_at_all = release->value.partition == behind_all;
    return draining_of(release->value.number) <= (looked_at_all ? 0 : tried_at_once / 2);
  }

  bool empty() const {
    return cursors.empty() && keys.empty() && waiting.empty() && settles.empty() && !release && !storm && !use;
  }
  Broken& broken_like(const KeyUnit& unit) { return unit.repair_lease != 0 ? under_repair : broken[unit.repair_by]; }
  const Waiting* behind(const KeyRef& ref) const {
    const auto found = waiting.find(ref);
    return found == waiting.end() ? nullptr : &found->second;
  }
  /// Outstanding events of the key.
  std::uint64_t events(const KeyUnit& unit) const {
    const Waiting* more = behind(unit.ref);
    return unit.queue.size() + (more == nullptr ? 0 : more->events);
  }
  void add_head(const KeyUnit& unit) {
    heads.emplace(std::pair{unit.ref.partition, unit.queue.front()}, unit.ref.key_hash);
  }
};

// Takes the key out of the indexes, changes it, and puts it back, or drops it when nothing is left. Most changes leave
// its head where it is.
template <class T>
void SubscriptionStates::apply_key(const T& effect, auto change) {
  State* found = state(effect.key.subscription);
  KeyUnit* unit = key(effect.key);
  if (found == nullptr || unit == nullptr) return;
  const Offset head = unit->queue.front();
  leave(*found, *unit);
  change(*unit);
  if (unit->queue.empty() || unit->queue.front() != head) found->heads.erase({unit->ref.partition, head});
  if (unit->queue.empty()) {
    erase_key(*found, *unit);
    return forget_if_empty(effect.key.subscription);
  }
  if (unit->queue.front() != head) found->add_head(*unit);
  schedule(*unit);
  enter(*found, *unit);
  ledger_.touch(*unit);
}

// A key's pages come and go between leaving the indexes and entering them again: its counts include them. While effects
// are replayed the key itself may not be there yet, or not any more.
inline void SubscriptionStates::apply_page(const KeyRef& ref, auto change) {
  State& found = make_state(ref.subscription);
  KeyUnit* unit = key(ref);
  if (unit != nullptr) leave(found, *unit);
  change(found);
  if (unit != nullptr) enter(found, *unit);
}

}  // namespace continuo::engines
