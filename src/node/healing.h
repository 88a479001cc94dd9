// What heals the keys of subscriptions that were given up: looking at them, the verbs of repair, the workflow that
// repairs, releases of many, and going to another place altogether. Each change is told on the topic `continuo.events`
// in the same commit, with who asked for it and why.
//
// A parked key waits with all its later events; other keys flow. Released, it drains: what waited goes before what
// comes. An edit gives consumers of this subscription another event in the place of the head; the record stays what it
// was. See engines/subscriptions.h for what decides.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/node/record_finder.h"

namespace continuo::node {

using engines::Asked;
using engines::ParkedQuery;
using engines::ReleaseFilter;
using engines::RepairBy;
using engines::RepairDelivery;

/// The topic of edited events. Nobody deletes or trims it but the node.
inline constexpr std::string_view edits_topic = "continuo.edits";

/// An event in the place of another, encoded at the edge.
struct EditedEvent {
  std::string body;  ///< record::encode_record_body
  std::int64_t timestamp_ms = 0;
  std::string difference;  ///< RFC 6902, from what was published; at most 16 KiB
};

struct EditParked {
  SubscriptionId subscription;
  PartitionRef partition;
  std::uint64_t key_hash = 0;
  Offset head;  ///< as it was when the edit was made; another one since: not_parked
  EditedEvent event;
  bool release = true;  ///< the key drains at once
  Asked asked;
};

struct ReleaseParked {
  SubscriptionId subscription;
  ReleaseFilter filter;
  std::uint32_t rate = 0;  ///< keys a second; 0: as fast as it goes
  bool stop_at_relapse = true;
  bool dry_run = false;  ///< only counts
  Asked asked;
};

using Release = engines::ReleaseChanged;

/// Waits as a receive does.
struct ReceiveRepairs {
  SubscriptionId subscription;
  RepairBy who = RepairBy::workflow;
  std::uint32_t max = 1;
  Millis lease{300'000};
  Millis wait{0};
  std::shared_ptr<const std::atomic<bool>> cancelled;  ///< set by the edge when nobody waits any more; may be null
};

struct SettleRepair {
  engines::RepairSettle settle;
  EditedEvent event;  ///< repaired: the event as it is now
};

struct RepairsSettled {
  std::uint32_t settled = 0;
  std::vector<RefusedLease> refused;
};

/// What consumers get for an offset: the record that lies there, or what somebody put in its place (`edited`: its
/// offset in the topic of edits). Valid until the finder's next call. Errors: as the finder's.
inline Result<record::Record> find_delivered(RecordFinder& finder, const Catalogue& catalogue, PartitionRef partition,
                                             Offset offset, std::optional<Offset> edited) {
  const Topic* edits = edited ? catalogue.find_topic(edits_topic) : nullptr;
  return edits == nullptr ? finder.find(partition, offset) : finder.find({edits->id, PartitionId{0}}, *edited);
}

/// What becomes of parked keys when the subscription goes to another place.
enum class ParkedFate : std::uint8_t { refuse, keep, discard };

struct Seek {
  SubscriptionId subscription;
  std::vector<std::pair<PartitionRef, Offset>> to;  ///< the first event of each partition; others stay where they are
  ParkedFate parked = ParkedFate::refuse;
  Asked asked;
};

/// Errors of all: unknown_subscription, node_failed.
class Healing {
 public:
  virtual ~Healing() = default;
  /// With a key's hash also when it drains.
  virtual void list(Edge&, SubscriptionId, ParkedQuery, Answer<std::vector<ParkedKey>>) = 0;
  /// The one place where the key is parked. Errors: not_parked; bad_request when it is parked in several partitions.
  virtual void find(Edge&, SubscriptionId, std::uint64_t key_hash, Answer<ParkedKey>) = 0;
  /// Delivers the parked key's head again, with a fresh count of attempts. Errors: not_parked.
  virtual void retry(Edge&, SubscriptionId, std::uint64_t key_hash, Asked, Answer<void>) = 0;
  /// Passes over the parked key's head; the rest drains. Errors: not_parked.
  virtual void skip(Edge&, SubscriptionId, std::uint64_t key_hash, Asked, Answer<void>) = 0;
  /// Passes over the parked key with all that waits; answers how many events that were. Errors: not_parked,
  /// bad_request when it is parked in several partitions.
  virtual void cancel(Edge&, SubscriptionId, std::uint64_t key_hash, Asked, Answer<std::uint64_t>) = 0;
  /// Errors: not_parked; disk_full, overloaded as a publish.
  virtual void edit(Edge&, EditParked, Answer<void>) = 0;
  /// What was begun, or with `dry_run` would be: number 0. Errors: release_running, bad_setting.
  virtual void release(Edge&, ReleaseParked, Answer<Release>) = 0;
  /// Errors: no_release.
  virtual void stop_release(Edge&, SubscriptionId, Answer<Release>) = 0;
  /// The release under way, or the last one.
  virtual void last_release(Edge&, SubscriptionId, Answer<std::optional<Release>>) = 0;
  /// Heads of parked keys for who repairs them.
  virtual void receive(Edge&, ReceiveRepairs, Answer<std::vector<RepairDelivery>>) = 0;
  virtual void settle(Edge&, SubscriptionId, std::vector<SettleRepair>, std::string by, Answer<RepairsSettled>) = 0;
  /// Begins a new epoch there: what was leased counts no longer. Errors: keys_parked, limit_reached when there is too
  /// much to keep, unknown_partition.
  virtual void seek(Edge&, Seek, Answer<Subscription>) = 0;
};

}  // namespace continuo::node
