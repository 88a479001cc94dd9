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
#include "continuo/base/name_map.h"
#include "continuo/base/time.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/subscription_requests.h"
#include "continuo/log/seam/home.h"
#include "continuo/record/cloudevents.h"

namespace continuo::node {

using engines::Delivery;
using engines::Extend;
using engines::Failure;
using engines::FeedPosition;
using engines::Lease;
using engines::Nack;
using engines::Offer;
using engines::OfferCredit;
using engines::ParkedKey;
using engines::Received;
using engines::RefusedLease;
using engines::SubscriptionChange;
using engines::SubscriptionSettings;
using engines::TopicChange;
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
  std::uint32_t filter_version = 1;                           ///< grows with every other filter
  std::shared_ptr<const std::atomic<std::uint64_t>> matched;  ///< events taken since the start; counts on; may be null
};

/// The subscription as it is then, and the first offset of each partition that its filter decides.
struct ChangedSubscription {
  Subscription subscription;
  std::vector<std::pair<PartitionRef, Offset>> from;
};

/// All definitions at one durable moment. Immutable; shared between threads. Two of them share what is the same in
/// both, down to the object: `NameMap::differences` finds what is not.
struct Catalogue {
  NameMap<Topic> topics;
  NameMap<Subscription> subscriptions;
  const Topic* find_topic(std::string_view name) const;
  /// Empty when it is not there. Looks at all: for a few.
  std::string_view topic_name(TopicId id) const;
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
  PartitionId partition;  ///< chosen by the edge with record::partition_of
  std::string body;       ///< record::encode_record_body
  std::int64_t timestamp_ms = 0;
  record::Fingerprint fingerprint;  ///< identity {0,0}: no deduplication
};

/// A batch as its producer made it, checked by the edge with record::check_produced.
struct NewBatch {
  PartitionRef partition;
  std::string bytes;
};

/// Where one batch went.
struct BatchPlace {
  Offset base;
  Offset first;            ///< of the partition
  bool duplicate = false;  ///< was there already; this is its first place
  /// The time of all its records, where a topic's records have that of their appending.
  std::optional<WallTime> appended;
};

/// An idempotent producer in one partition.
struct ProducerState {
  std::int64_t producer = 0;
  std::uint32_t epoch = 0;
  std::optional<std::uint32_t> last_sequence;  ///< none: only its epoch is known
  WallTime last_timestamp;
};

/// A record's place and its own time.
struct RecordTime {
  Offset offset;
  std::int64_t timestamp_ms = 0;
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

/// base64url text of a lease, and back. Errors: bad_request.
std::string lease_token(const Lease& lease);
Result<Lease> parse_lease_token(std::string_view token);

struct Receive : engines::Receive {
  Millis wait{0};                                      ///< how long to wait for the first event; at most 60 s
  std::shared_ptr<const std::atomic<bool>> cancelled;  ///< set by the edge when nobody waits any more; may be null
};

struct Settle : engines::Settle {
  std::vector<NewRecord>
      publish;        ///< the same commit; nothing happens at all when an ack is refused and this is not empty
  Hash128 body_hash;  ///< of the request as sent: a repeat gets the first answer; {0,0}: not remembered
};

struct Settled : engines::Settled {
  std::vector<Place> places;  ///< of `publish`, in the order given
};

/// A settle's answer as the log keeps it, for repeats: a few bytes when all went well. Leases are told by their place
/// in the request, which a repeat brings along. Errors: wrong_format.
std::string encode_settled(const Settle& request, const Settled& settled);
Result<Settled> decode_settled(const Settle& request, std::string_view bytes);

/// A subscription in figures.
struct SubscriptionFigures {
  std::size_t partitions = 0;  ///< that it reads
  std::uint64_t lag = 0;       ///< events not yet settled, filters not counted
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;  ///< waiting for their retry
  std::uint64_t parked_keys = 0;
  std::uint64_t parked_events = 0;                         ///< the failed heads and all that wait behind them
  std::optional<WallTime> oldest_parked;                   ///< since when
  engines::SubscriptionTally tally;                        ///< since the start
  std::vector<std::pair<PartitionRef, Offset>> unsettled;  ///< the first unsettled event of each partition with any
};

/// How a subscription stands.
struct SubscriptionState : SubscriptionFigures {
  Subscription subscription;
  std::optional<WallTime> oldest;  ///< append time of the oldest unsettled event; filled by Node::subscription_state
  std::optional<engines::StormChanged> storm;      ///< it holds still
  std::optional<engines::ReleaseChanged> release;  ///< the last one
};

/// A look at many subscriptions, some at a time: in the order of their names.
struct SurveySubscriptions {
  std::string after;                ///< those behind this name; empty: from the first on
  std::size_t subscriptions = 250;  ///< at most
  std::size_t partitions = 2'000;   ///< that they read: ends with the subscription that reaches it
};

struct SubscriptionsSurvey {
  struct Subscription : SubscriptionFigures {
    std::string name;
    bool storm = false;  ///< it holds still
  };
  std::vector<Subscription> subscriptions;
  bool all = true;  ///< nothing comes behind these
};

using log::PartitionState;

}  // namespace continuo::node
