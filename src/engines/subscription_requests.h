// What the subscriptions engine is asked and answers; the node's requests build on these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/hash.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/healing_effects.h"

namespace continuo::engines {

/// A lease on one event of a subscription. On the wire an opaque token (see lease_token).
struct Lease {
  SubscriptionId subscription;
  std::uint32_t epoch = 0;
  PartitionRef partition;
  std::uint64_t key_hash = 0;
  Offset offset;
  std::uint64_t number = 0;  ///< grows with every lease and is never given again: fences late settles, and late writes
                             ///< to wherever the consumer keeps it
  auto operator<=>(const Lease&) const = default;
};

struct Receive {
  SubscriptionId subscription;
  std::uint32_t max = 1;        ///< 1 to 1000
  std::optional<Millis> lease;  ///< none: the subscription's
  std::uint32_t run = 0;        ///< at most so many events of one key; 0: as many as fill the request
};

struct Delivery {
  Lease lease;
  std::uint32_t attempt = 1;
  std::optional<Offset> edited;  ///< delivered instead of the event: this one of the topic of edits
};

struct Received {
  std::vector<Delivery> deliveries;  ///< may be empty: nothing is ready. Records are read with Node::read_one.
};

struct Nack {
  Lease lease;
  Failure failure;
  std::optional<Millis> delay;  ///< none: the subscription's retry delay
  std::string event_type;       ///< of the event, if it is known: parked keys are released by it
  std::string key_text;         ///< its key, if it is known and UTF-8: for what is told of it
};

struct Extend {
  Lease lease;
  Millis by;
};

struct RefusedLease {
  Lease lease;
  Code code = Code::lease_lost;
};

struct Settle {
  SubscriptionId subscription;
  std::vector<Lease> acks;
  std::vector<Nack> nacks;
  std::vector<Extend> extends;
};

struct Settled {
  std::uint32_t settled = 0;
  std::vector<RefusedLease> refused;
};

/// How a key stands that was given up.
enum class Healing : std::uint8_t {
  parked,     ///< waits for somebody
  repairing,  ///< somebody has its head
  draining    ///< was released; what waited goes before what comes
};

struct ParkedKey {
  std::uint64_t key_hash = 0;
  std::string key_text;  ///< as far as it is known
  PartitionRef partition;
  Offset head;
  Healing healing = Healing::parked;
  std::optional<Offset> edited;  ///< what is delivered instead of the head
  std::uint32_t attempts = 0;
  std::uint32_t repairs = 0;
  Failure failure;
  std::string fingerprint;  ///< of the failure
  std::string event_type;
  RepairBy repair_by = RepairBy::workflow;
  std::uint64_t waiting = 0;  ///< events behind the head
  WallTime since;
};

/// Which parked keys are listed.
struct ParkedQuery {
  std::size_t limit = 100;
  ReleaseFilter filter;
  std::optional<std::uint64_t> key_hash;
  std::optional<std::pair<PartitionRef, std::uint64_t>> after;  ///< the last one of the page before
};

/// Who asks for a change of parked keys, and why: told with the change.
struct Asked {
  std::string by;      ///< at most 200 bytes
  std::string reason;  ///< at most 4 KiB
};

/// Bytes that they take in one effect and in the event that tells of it, where one may become six.
std::size_t words_room(const Asked& asked);

/// Bytes for the effects of one verb of repair and for what is told of them: keys of many partitions.
inline constexpr std::size_t verb_room = 576 * 1024;
/// Of one key for all but the words: a page of its events joins its front, and two events tell of it.
inline constexpr std::size_t healed_key_room = 5'500;
/// Bytes of one effect of a timer or a job and of what is told of it: a key with the longest failure it can carry.
inline constexpr std::size_t effect_room = 4'608;

/// For the workflow that repairs: the failed head of a parked key.
struct RepairDelivery {
  Lease lease;  ///< of the repair; settles of consumers do not take it
  ParkedKey parked;
};

/// One answer of the workflow.
struct RepairSettle {
  enum class Outcome : std::uint8_t { repaired, needs_person, skip };
  Lease lease;
  Outcome outcome = Outcome::needs_person;
  std::string reason;
};

/// An event of a subscription's topic, and how it stands there.
struct EventPlace {
  PartitionRef partition;
  Offset offset;
  std::uint64_t key_hash = 0;  ///< as offers name it
};
struct EventState {
  enum class Is : std::uint8_t { settled, waiting, leased, delayed, parked };
  Is state = Is::settled;  ///< also: passed over, or left out by the filter
  std::uint32_t attempts = 0;
};

/// What happened to a subscription's events since the start.
struct SubscriptionTally {
  std::uint64_t retries = 0, parked = 0, dead_lettered = 0, skipped = 0, released = 0, drained = 0, relapsed = 0,
                repaired = 0, storms = 0;
  std::uint64_t overtakes_prevented = 0;  ///< events that came while an earlier one of their key was failing
  Millis repairing{0};                    ///< from being parked until the key was drained, all together
};

/// How far a subscription has considered a partition.
struct FeedPosition {
  SubscriptionId subscription;
  std::uint32_t epoch = 0;
  PartitionRef partition;
  Offset next;               ///< first offset not yet considered
  std::uint32_t credit = 0;  ///< how many events it takes now
  bool by_key = true;        ///< key hashes are wanted; else 0
  std::uint32_t filter = 1;  ///< version of the filter that says what is offered
};

/// Events of one partition for one subscription, in offset order.
struct Offer {
  SubscriptionId subscription;
  std::uint32_t epoch = 0;
  PartitionRef partition;
  Offset from;  ///< must equal the subscription's `next` for the partition
  Offset next;  ///< the new one
  struct Event {
    Offset offset;
    std::uint64_t key_hash = 0;  ///< hash64 of the record's key; without a key: a hash of the offset
    WallTime not_before;         ///< 0: at once
    WallTime expires;            ///< 0: never
  };
  std::vector<Event> events;
  std::uint32_t filter = 1;  ///< version of the filter they passed
};

/// An offer of nothing yet, from where the subscription stands.
inline Offer offer_at(const FeedPosition& at) {
  return {at.subscription, at.epoch, at.partition, at.next, at.next, {}, at.filter};
}

struct OfferCredit {
  Offset next;  ///< where the subscription stands now; differs from the offer's when it was refused as outdated
  std::uint32_t credit = 0;
  std::uint32_t filter = 1;  ///< version of its filter now; another than the offer's: that was refused
};

}  // namespace continuo::engines
