// What the clients remember, and what must therefore be true.
//
// Every request is noted when it is sent and again when it is answered. What was answered is certain; what was not -
// the node died first, or answered node_failed - may have happened as a whole or not at all, until a restarted node
// shows which. Checks are read-only and draw no randomness. The first breach found is kept in words.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/node/requests.h"
#include "continuo/record/batch.h"

namespace continuo::simulator {

/// Numbers of events and requests, from 1.
using EventNumber = std::uint64_t;
using RequestNumber = std::uint64_t;

enum class Outcome : std::uint8_t {
  unanswered,
  done,     ///< acknowledged, or seen after a restart: there for ever
  refused,  ///< answered with an error: nothing of it may ever be there
};

struct SentEvent {
  EventNumber number = 0;
  EventNumber same_id_as = 0;  ///< whose identity it has: its own, or another's
  PartitionRef partition;
  std::string key;
  std::shared_ptr<const std::string> value;
  RequestNumber request = 0;
  bool deduplicated = true;
  Offset not_before;             ///< where the partition was known to end when it was sent
  std::optional<Offset> offset;  ///< where it is, once that is known
  Elapsed sent;                  ///< for the deduplication window
  WallTime deliverable;          ///< queues do not deliver it earlier; 0: at once
  WallTime expires;              ///< and pass it over from then on; 0: never

  std::string body() const;
  node::NewRecord record() const;
};

struct SentSettle {
  node::Settle settle;  ///< without `publish`
  std::optional<node::Settled> outcome;
  bool counted = false;  ///< among those that may have happened
  bool seen = false;     ///< what it published was there after a restart: it happened, though nobody was told
};

/// What an idempotent producer wrote on a batch.
struct BatchNumbers {
  std::int64_t producer = -1;
  std::int16_t epoch = 0;
  std::int32_t first_sequence = 0;
};

struct Request {
  Outcome outcome = Outcome::unanswered;
  int pending = 1;  ///< times it was sent to this node and not answered
  std::vector<EventNumber> events;
  std::optional<SentSettle> settle;
  std::optional<BatchNumbers> numbers;  ///< its events are one batch of an idempotent producer
  bool perhaps = false;                 ///< a batch: an earlier sending of it may have been appended
};

/// A lease some consumer holds, as far as it knows.
struct HeldLease {
  node::Lease lease;
  Elapsed until;          ///< not over before this
  bool settling = false;  ///< a settle of it was sent: it may be over
};

/// One subscription's events, as its consumers know them.
struct Reader {
  struct Fate {
    bool done = false;
    int perhaps = 0;     ///< settles of it that may have happened
    bool given = false;  ///< a consumer had it once
    bool open() const { return !done && perhaps == 0; }
  };
  /// The head of a parked key, since it was seen last.
  struct Parked {
    bool copied = false;   ///< its record was trimmed by then: the copy lasts until the event is settled or passed over
    bool retried = false;  ///< perhaps: it waits as any event does, and a trim may take it
  };
  node::SubscriptionSettings settings;
  std::vector<TopicId> topics;
  std::map<std::pair<PartitionRef, Offset>, Fate> fates;  ///< absent: open
  std::vector<HeldLease> held;
  std::map<std::pair<PartitionRef, Offset>, Parked> parked;  ///< those that were seen
  /// It was moved to these places. What lies before them is owed only if a parked key that went along holds it.
  std::map<PartitionRef, Offset> begin;
  std::set<std::pair<PartitionRef, Offset>> carried;
  bool owes(PartitionRef partition, Offset offset) const {
    const auto from = begin.find(partition);
    return from == begin.end() || offset >= from->second || carried.contains({partition, offset});
  }
  /// Filters here ask for some keys: {"key":["k0","k1"]}.
  bool wants(const std::string& key) const {
    return settings.filter.empty() || settings.filter.find('"' + key + '"') != std::string::npos;
  }
};

/// Topics of dead letters, with the queues of them, are made by the node when they are needed.
inline bool holds_letters(std::string_view name) { return name.ends_with(".dead"); }

/// Something that is there or not, by name.
template <class Number>
struct Named {
  std::optional<Number> id;
  int unanswered = 0;  ///< requests that may have changed it
};

class Oracle {
 public:
  // --- events ---
  /// Notes events that are about to be sent in one request.
  RequestNumber sends(std::vector<SentEvent> events, std::optional<node::Settle> settle);
  /// The same request is about to be sent once more.
  void repeats(RequestNumber request);
  void answered(RequestNumber request, const Result<node::Published>& answer, Elapsed now);
  void settled(RequestNumber request, const Result<node::Settled>& answer, Elapsed now);
  /// The batch of an idempotent producer, about to be sent.
  RequestNumber sends_batch(std::vector<SentEvent> events, const BatchNumbers& numbers);
  void produced(RequestNumber request, const Result<node::BatchPlace>& answer);
  /// A producer got this number.
  void numbered(std::int64_t producer);
  void trims(PartitionRef partition, Offset before);
  void trimmed(PartitionRef partition, Offset before);

  // --- definitions ---
  void changes_topic(const std::string& name) { ++topics_[name].unanswered; }
  void topic_is(const std::string& name, std::optional<TopicId> id);
  void topic_goes(TopicId id) { gone_.insert(id); }
  void topic_stays(const std::string& name) { --topics_[name].unanswered; }
  /// Takes what the node made by itself as it is.
  void adopt(const node::Catalogue& catalogue);
  void changes_subscription(const std::string& name) { ++subscriptions_[name].unanswered; }
  void subscription_is(const std::string& name, std::optional<node::Subscription> subscription);
  void subscription_stays(const std::string& name) { --subscriptions_[name].unanswered; }

  // --- deliveries ---
  /// `asked`: when it was asked for, the lease begins no earlier; `now`: when it was answered.
  void delivered(SubscriptionId id, const node::Received& received, Elapsed asked, Elapsed now, Millis lease);
  void settling(SubscriptionId id, const node::Settle& settle);
  /// Whoever purges is about to ask, or was answered. Of what was published by then, it takes all but what consumers
  /// and parked keys hold. False: another purge was not answered yet.
  bool purges(SubscriptionId id);
  void purged(SubscriptionId id, bool done);
  /// A person is about to give the key back to the consumers.
  void retries(SubscriptionId id, PartitionRef partition, Offset head);

  // --- checks ---
  /// The definitions of a node. `restarted`: nothing is under way any more, so what was unanswered is now decided by
  /// what is seen.
  void check_definitions(const node::Catalogue& catalogue, bool restarted);
  /// One record as it is read; between begin_reading and end_reading, every record of every partition.
  void begin_reading();
  void read(PartitionRef partition, Offset offset, std::string_view key, std::string_view value);
  /// One batch as it is read, before its records.
  void read_batch(PartitionRef partition, const record::BatchHeader& header);
  void end_reading(const std::map<PartitionRef, node::PartitionState>& partitions, bool restarted);
  /// A queue is trimmed by itself, but only behind what every subscription settled.
  void check_trimmed_queue(PartitionRef ref, const node::PartitionState& state);
  /// One record that a consumer holds, wherever it is kept.
  void read_held(PartitionRef partition, Offset offset, std::string_view key, std::string_view value);
  /// The key waits for somebody with this head, for certain: it stays until it is settled, passed over or retried. Of
  /// one whose record was trimmed, a retry does not end that.
  void is_parked(SubscriptionId id, PartitionRef partition, Offset head, bool trimmed);
  /// After everything was delivered and settled: was anything of this subscription never delivered?
  void check_nothing_missing(SubscriptionId id, const std::map<PartitionRef, node::PartitionState>& partitions);
  void breach(std::string what);

  // --- questions ---
  bool ok() const { return breaches_.empty(); }
  const std::vector<std::string>& breaches() const { return breaches_; }
  const std::map<EventNumber, SentEvent>& events() const { return events_; }
  const std::map<RequestNumber, Request>& requests() const { return requests_; }
  std::map<SubscriptionId, Reader>& readers() { return readers_; }
  std::optional<TopicId> topic(const std::string& name) const;
  std::optional<SubscriptionId> subscription(const std::string& name) const;
  /// What is known to lie there; null: nothing.
  const SentEvent* event_at(PartitionRef partition, Offset offset) const;
  /// Events of a key from one offset on that lie before another and are not done.
  struct Waiting {
    std::vector<Offset> certain, perhaps;  ///< perhaps: a purge or a trim may have taken them
  };
  Waiting waiting(SubscriptionId id, PartitionRef partition, Offset from, Offset before) const;
  Outcome outcome_of(const SentEvent& event) const { return requests_.at(event.request).outcome; }
  Offset known_end(PartitionRef partition) const;
  EventNumber next_event() const { return events_.size() + 1; }
  std::uint64_t answers() const { return answers_; }
  void heard() { ++answers_; }  ///< an answer that somebody else judges
  std::uint64_t batches() const;

 private:
  struct Partition {
    std::map<Offset, EventNumber> known;
    Offset trimmed{0};  ///< for certain
    Offset perhaps{0};  ///< at most
  };
  void place(SentEvent& event, const node::Place& place, Elapsed now);
  void know(SentEvent& event, Offset offset);
  void doubt(SentSettle& settle, bool doubtful);
  void take_settled(Request& request, const node::Settled& settled);
  void decide(Request& request, bool there);
  PartitionRef partition_of(const Request& request) const;
  void forget_purges();
  void forget_moves(const node::Catalogue& catalogue);
  const Request* batch_before(const Request& request) const;
  std::int16_t newest_epoch(const Request& request) const;
  void check_appended(RequestNumber number, const Request& request, const node::BatchPlace& place);
  void check_refused(RequestNumber number, const Request& request, Code code);
  void check_atomic(RequestNumber number, Request& request,
                    const std::map<PartitionRef, node::PartitionState>& partitions, bool restarted);
  void check_acknowledged(const std::map<PartitionRef, node::PartitionState>& partitions);
  void check_partition(PartitionRef ref, const node::PartitionState& state);
  void check_delivery(Reader& reader, SubscriptionId id, const node::Delivery& delivery, Elapsed now);
  void check_key_order(Reader& reader, SubscriptionId id, const node::Delivery& delivery);
  std::string name_of(PartitionRef partition, Offset offset) const;

  std::map<EventNumber, SentEvent> events_;
  std::map<RequestNumber, Request> requests_;
  std::map<PartitionRef, Partition> partitions_;
  std::map<std::string, Named<TopicId>> topics_;
  std::map<std::string, Named<SubscriptionId>> subscriptions_;
  std::map<SubscriptionId, Reader> readers_;
  std::map<EventNumber, Offset> seen_;                                   // while reading
  std::map<PartitionRef, std::pair<Offset, Offset>> runs_;               // first and next offset read of each partition
  std::map<std::pair<PartitionRef, std::int64_t>, BatchNumbers> turns_;  // while reading: what a producer numbers next
  std::map<std::pair<PartitionRef, std::int64_t>, std::vector<RequestNumber>> batches_;  // of each producer, as sent
  std::set<std::int64_t> producers_;
  std::set<TopicId> gone_;  // topics that were deleted: what is told of their events has no name
  std::map<SubscriptionId, std::vector<std::pair<PartitionRef, Offset>>> purges_;  // what they may take
  std::vector<std::string> breaches_;
  std::uint64_t answers_ = 0;
};

}  // namespace continuo::simulator
