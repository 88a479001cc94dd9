// The engines' effects: what a frame says happened. docs/formats/effects.md lists them; golden tests hold the bytes.
//
// Types and versions are for ever: a change of an effect's bytes is a new version beside the old. Each names the one
// unit it changes. `decide` makes them, `apply` and recovery take them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/hash.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/event_times.h"

namespace continuo::engines {

enum class EffectType : std::uint8_t {
  node_made = 16,
  topic_defined = 17,
  topic_deleted = 18,
  ids_remembered = 19,
  ids_dropped = 20,
  head_trimmed = 21,
  topic_changed = 22,
  subscription_defined = 32,
  subscription_deleted = 33,
  cursor_moved = 34,
  key_queued = 35,
  key_leased = 36,
  key_settled = 37,
  key_returned = 38,
  key_parked = 39,
  key_released = 40,
  key_skipped = 41,
  lease_extended = 42,
  settle_remembered = 43,
  settles_dropped = 44,
  cursor_dropped = 45,
  key_dropped = 46,
  lease_cut = 47,
  key_page_filled = 48,
  key_page_dropped = 49,
  lease_numbered = 50,
  head_edited = 51,
  repair_changed = 52,
  release_changed = 53,
  storm_changed = 54,
  subscription_used = 55,
  events_lost = 56,
  key_time_came = 57,
  records_kept = 64,
  records_released = 65,
  producers_numbered = 72,
  batch_produced = 73,
  producer_forgotten = 74,
  groups_numbered = 80,
  generation_finished = 81,
  group_deleted = 82,
  member_assigned = 83,
  member_left = 84,
  offset_committed = 85,
  offset_forgotten = 86,
};

/// A decided or replayed effect, encoded.
struct Effect {
  EffectType type;
  std::uint8_t version = 1;
  std::string payload;
};

/// Unit: the subscription. Made or changed.
struct SubscriptionDefined {
  static constexpr EffectType type = EffectType::subscription_defined;
  static constexpr std::uint8_t version = 4;
  SubscriptionId id;
  std::string name;
  std::uint32_t epoch = 1;
  bool paused = false;
  SubscriptionSettings settings;
  std::vector<TopicId> topics;
  std::uint32_t filter_version = 1;  ///< grows with every other filter
};

struct SubscriptionDeleted {
  static constexpr EffectType type = EffectType::subscription_deleted;
  SubscriptionId id;
};

/// A key of a subscription in one partition: the unit of most of what follows.
struct KeyRef {
  SubscriptionId subscription;
  PartitionRef partition;
  std::uint64_t key_hash = 0;
  auto operator<=>(const KeyRef&) const = default;
};

/// Unit: the cursor of (subscription, partition): all below `next` was considered.
struct CursorMoved {
  static constexpr EffectType type = EffectType::cursor_moved;
  SubscriptionId subscription;
  PartitionRef partition;
  Offset next;
};

/// Unit: the cursor, which is gone with its subscription or topic.
struct CursorDropped {
  static constexpr EffectType type = EffectType::cursor_dropped;
  SubscriptionId subscription;
  PartitionRef partition;
};

/// Events join the front of the key's queue: new ones while nothing waits behind it, or those of its first page. Unit:
/// the key.
struct KeyQueued {
  static constexpr EffectType type = EffectType::key_queued;
  static constexpr std::uint8_t version = 2;
  KeyRef key;
  std::vector<Offset> offsets;    ///< growing
  std::vector<EventTimes> times;  ///< of those of them that have any, growing
};

/// Events wait behind the front of the key's queue. Unit: the page of them whose first event is `page`.
struct KeyPageFilled {
  static constexpr EffectType type = EffectType::key_page_filled;
  static constexpr std::uint8_t version = 2;
  KeyRef key;
  Offset page;
  std::vector<Offset> offsets;    ///< growing
  std::vector<EventTimes> times;  ///< of those of them that have any, growing
};

/// The page's events are in the front now, or gone with the key. Unit: the page, which is gone.
struct KeyPageDropped {
  static constexpr EffectType type = EffectType::key_page_dropped;
  KeyRef key;
  Offset page;
};

/// Numbers up to this one were given to leases. Unit: the counter of leases.
struct LeaseNumbered {
  static constexpr EffectType type = EffectType::lease_numbered;
  std::uint64_t number = 0;
};

/// The first `count` events of the key are leased; the head's attempt is counted. Unit: the key.
struct KeyLeased {
  static constexpr EffectType type = EffectType::key_leased;
  KeyRef key;
  std::uint32_t count = 1;
  std::uint64_t number = 0;
  Elapsed until;
};

/// The first `count` events are done. Unit: the key, which is gone when nothing is left.
struct KeySettled {
  static constexpr EffectType type = EffectType::key_settled;
  KeyRef key;
  std::uint32_t count = 1;
};

/// What a consumer, or the engine itself, says of a failed delivery.
struct Failure {
  std::string code;     ///< at most 200 bytes
  std::string message;  ///< at most 4 KiB
  bool operator==(const Failure&) const = default;
};

/// The lease ended without settling what is left of it: it comes again, in order, not before `not_before`. Unit: the
/// key.
struct KeyReturned {
  static constexpr EffectType type = EffectType::key_returned;
  static constexpr std::uint8_t version = 2;
  KeyRef key;
  Elapsed not_before;
  Failure failure;
  bool uncounted = false;  ///< a storm's fault, not the event's: its attempt does not count
};

/// Unit: the key, which is gone with its subscription or topic.
struct KeyDropped {
  static constexpr EffectType type = EffectType::key_dropped;
  KeyRef key;
};

/// Only the first `kept` events stay leased: the rest never reached a consumer. None kept: the lease is as if it had
/// not been, and its attempt does not count. Unit: the key.
struct LeaseCut {
  static constexpr EffectType type = EffectType::lease_cut;
  KeyRef key;
  std::uint32_t kept = 0;
};

/// Events that are trimmed away before they were settled leave the key's queue; nobody holds them. Unit: the key, which
/// is gone when nothing is left.
struct EventsLost {
  static constexpr EffectType type = EffectType::events_lost;
  KeyRef key;
  std::vector<Offset> offsets;  ///< growing
};

struct LeaseExtended {
  static constexpr EffectType type = EffectType::lease_extended;
  KeyRef key;
  Elapsed until;
};

/// The answer to a settle request, for when it is repeated. Unit: page `page` of the subscription's settles.
struct SettleRemembered {
  static constexpr EffectType type = EffectType::settle_remembered;
  SubscriptionId subscription;
  std::uint64_t page = 0;
  Hash128 body;
  std::string outcome;
};

struct SettlesDropped {
  static constexpr EffectType type = EffectType::settles_dropped;
  SubscriptionId subscription;
  std::uint64_t page = 0;
};

/// Encodes any of the above, and those of topic_effects.h, kept_effects.h, producer_effects.h and
/// groups/group_effects.h, in the newest version there is of it.
template <class T>
Effect encode(const T& effect);

/// Decodes a payload of type T and that version. wrong_format when it is not one.
template <class T>
Result<T> decode(std::uint8_t version, std::string_view payload);

}  // namespace continuo::engines

template <>
struct std::hash<continuo::engines::KeyRef> {
  std::size_t operator()(const continuo::engines::KeyRef& ref) const noexcept {
    return ref.key_hash ^ (std::hash<continuo::PartitionRef>{}(ref.partition) * 0x9e3779b97f4a7c15u) ^
           (std::size_t{ref.subscription.value} << 48);
  }
};
