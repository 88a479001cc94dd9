// What edges ask of the node, and what it answers. Plain data; see node.h for how they travel.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/definitions.h"
#include "continuo/record/cloudevents.h"

namespace continuo::node {

using engines::SubscriptionSettings;
using engines::TopicSettings;

/// A topic as of some durable moment.
struct Topic {
  TopicId id;
  std::string name;
  TopicSettings settings;
  WallTime created;
};

struct Subscription {
  SubscriptionId id;
  std::string name;
  std::uint32_t epoch = 1;  ///< grows when what was leased before no longer counts (seek)
  SubscriptionSettings settings;
  std::vector<TopicId> topics;
  bool paused = false;
};

/// All definitions at one durable moment. Immutable; shared between threads.
struct Catalogue {
  std::map<std::string, std::shared_ptr<const Topic>, std::less<>> topics;
  std::map<std::string, std::shared_ptr<const Subscription>, std::less<>> subscriptions;
  const Topic* find_topic(std::string_view name) const;
  const Subscription* find_subscription(std::string_view name) const;
};

/// The answer to a PUT: what stands now, and whether this request made it.
template <class T>
struct Put {
  T value;
  bool created = false;
};

/// One event on its way in, encoded at the edge.
struct NewRecord {
  TopicId topic;
  PartitionId partition;             ///< chosen by the edge with record::partition_of
  std::string body;                  ///< record::encode_record_body
  std::int64_t timestamp_ms = 0;
  record::Fingerprint fingerprint;   ///< identity {0,0}: no deduplication
};

/// Where one event went.
struct Place {
  TopicId topic;
  PartitionId partition;
  Offset offset;
  bool duplicate = false;  ///< was there already; this is its first place
};

struct Published {
  std::vector<Place> places;  ///< in the order given
};

/// A lease on one event of a subscription. On the wire an opaque token (see lease_token).
struct Lease {
  SubscriptionId subscription;
  std::uint32_t epoch = 0;
  PartitionRef partition;
  std::uint64_t key_hash = 0;
  Offset offset;
  std::uint64_t number = 0;  ///< grows with every lease of the subscription: fences late settles
  auto operator<=>(const Lease&) const = default;
};

/// base64url text of a lease, and back. Errors: bad_request.
std::string lease_token(const Lease& lease);
Result<Lease> parse_lease_token(std::string_view token);

struct Receive {
  SubscriptionId subscription;
  std::uint32_t max = 1;               ///< 1 to 1000
  std::optional<Millis> lease;         ///< none: the subscription's
  Millis wait{0};                      ///< how long to wait for the first event; at most 60 s
  std::shared_ptr<const std::atomic<bool>> cancelled;  ///< set by the edge when nobody waits any more; may be null
};

struct Delivery {
  Lease lease;
  std::uint32_t attempt = 1;
};

struct Received {
  std::vector<Delivery> deliveries;  ///< may be empty: nothing is ready. Records are read with Node::read_one.
};

/// An error a consumer reports with a nack.
struct Failure {
  std::string code;     ///< at most 200 bytes
  std::string message;  ///< at most 4 KiB
};

struct Nack {
  Lease lease;
  Failure failure;
  std::optional<Millis> delay;  ///< none: the subscription's retry delay
};

struct Extend {
  Lease lease;
  Millis by;
};

struct Settle {
  SubscriptionId subscription;
  std::vector<Lease> acks;
  std::vector<Nack> nacks;
  std::vector<Extend> extends;
  std::vector<NewRecord> publish;  ///< the same commit; nothing happens at all when an ack is refused and this is not empty
  Hash128 body_hash;               ///< of the request as sent: a repeat gets the first answer; {0,0}: not remembered
};

struct RefusedLease {
  Lease lease;
  Code code = Code::lease_lost;
};

struct Settled {
  std::uint32_t settled = 0;
  std::vector<RefusedLease> refused;
  std::vector<Place> places;  ///< of `publish`, in the order given
};

/// How a subscription stands.
struct SubscriptionState {
  Subscription subscription;
  std::uint64_t lag = 0;             ///< events not yet settled, filters not counted
  std::optional<WallTime> oldest;    ///< append time of the oldest unsettled event; filled by Node::subscription_state
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;         ///< waiting for their retry
  std::uint64_t parked_keys = 0;
  std::uint64_t parked_events = 0;   ///< the failed heads and all that wait behind them
};

struct ParkedKey {
  std::uint64_t key_hash = 0;
  PartitionRef partition;
  Offset head;
  std::uint32_t attempts = 0;
  Failure failure;
  std::uint64_t waiting = 0;  ///< events behind the head
  WallTime since;
};

/// How far a subscription has considered a partition.
struct FeedPosition {
  SubscriptionId subscription;
  std::uint32_t epoch = 0;
  PartitionRef partition;
  Offset next;               ///< first offset not yet considered
  std::uint32_t credit = 0;  ///< how many events it takes now
  bool by_key = true;        ///< key hashes are wanted; else 0
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
  };
  std::vector<Event> events;
};

struct OfferCredit {
  Offset next;               ///< where the subscription stands now; differs from the offer's when it was refused as outdated
  std::uint32_t credit = 0;
};

/// One partition as readers see it: durable records only.
struct PartitionState {
  PartitionId partition;
  Offset first;
  Offset next;
  std::uint64_t bytes = 0;  ///< stored
};

}  // namespace continuo::node
