// The whole backbone as a library: a node that edges (HTTP, Kafka, the SDK in process, tests) ask and read.
//
// One core thread decides the order of everything; requests reach it through submit calls from any thread, and answers
// come back to the Edge given with the request once what they tell is on the disk - refusals, duplicates and plain
// questions too. Reading records does not involve the core: it sees what is durable and visible, from memory or files.
//
//   auto node = node::Node::open({.data = "/var/lib/continuo"});
//   node->publish(edge, {.records = ...}, [](Result<Published> answer) { ... });   // runs on the edge's thread
//
// When a write to the journal fails the node enters `failed`: every request waiting or to come is answered node_failed,
// nothing is retried.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/random.h"
#include "continuo/base/time.h"
#include "continuo/log/seam/home.h"
#include "continuo/node/requests.h"

namespace continuo::node {

/// What one durable group has for one edge.
struct Mail {
  std::vector<std::move_only_function<void()>> answers;
  /// Partitions that have new visible records; null when none or the edge does not want them. Edges that want news or
  /// definitions get mail of nothing when definitions changed.
  std::shared_ptr<const std::vector<PartitionRef>> advanced;
};

/// One thread at the edge of the node. Lives longer than the node, or is removed first.
class Edge {
 public:
  virtual ~Edge() = default;
  /// Called on the core thread, or for a refusal at once on the asking one. Hands the mail to the edge's own thread,
  /// which runs the answers there. Must neither block nor throw.
  virtual void deliver(Mail mail) = 0;
  /// True while the edge has watchers: only then `advanced` is sent. Read on the core thread.
  std::atomic<bool> wants_news{false};
  /// Mail when definitions changed, and of records nothing.
  std::atomic<bool> wants_definitions{false};
};

template <class T>
using Answer = std::move_only_function<void(Result<T>)>;

using log::Batches;

struct Limits {
  std::uint32_t topics = 10'000;
  std::uint32_t partitions_per_topic = 1'000;
  std::uint32_t partitions = 20'000;
  std::uint32_t subscriptions = 10'000;
  std::uint64_t frame_bytes = 8u << 20;  ///< one request, encoded
  std::uint32_t events_per_request = 100'000;
  std::uint64_t publish_credit_bytes = 16u << 20;  ///< publishes inside the node at once
  std::uint32_t publish_credit_items = 2'000;      ///< publish requests inside the node at once
  std::uint32_t settle_credit_items = 20'000;
  std::uint32_t control_credit_items = 1'000;
  std::size_t checkpoint_slice_bytes = 256 * 1024;      ///< of units encoded between two groups
  std::uint32_t trim_slice = 1'000;                     ///< events a trim takes out or marks in one commit
  std::uint32_t outstanding_per_subscription = 20'000;  ///< offered and not settled, beyond what is parked
  std::uint64_t parked_per_subscription = 1'000'000;    ///< events of parked keys
  std::uint64_t outstanding = 2'000'000;                ///< of all subscriptions together
};

/// Counters and gauges for the metrics page; a consistent-enough copy.
struct Stats {
  std::uint64_t groups = 0, frames = 0, journal_bytes = 0, published_events = 0, duplicate_events = 0,
                refused_overload = 0;
  std::uint64_t settled = 0, leases_lost = 0, checkpoints = 0, written_behind_bytes = 0, reads = 0, cold_reads = 0;
  std::uint64_t journal_used_bytes = 0, journal_size_bytes = 0, tail_bytes = 0, dedup_ids = 0, units = 0;
  std::uint64_t topics = 0, partitions = 0, subscriptions = 0, wall_jumps = 0;
  Millis dedup_window{0};  ///< the shortest in effect; 0: no topic has one
  double flush_p50_us = 0, flush_p99_us = 0;
  bool disk_full = false;
  bool short_of_files = false;  ///< no descriptor is free: topic files are not written, the ring fills up
};

enum class Health : std::uint8_t { recovering, running, disk_full, failed, stopped };

struct Options {
  std::string data;  ///< the data folder; made when absent
  std::uint32_t ring_segments = 16;
  std::uint64_t ring_segment_bytes = 32u << 20;
  std::uint64_t topic_segment_bytes = 256u << 20;
  std::size_t open_topic_files = 1'024;         ///< at once, about; twice as many as segments that are read and written
  std::uint64_t page_cache_bytes = 256u << 20;  ///< of topic files, written last, that stay in the page cache
  Limits limits;
  bool accept_loss = false;  ///< go on over damage in the journal: `continuo doctor --accept-loss`
};

class Groups;
class Queues;
class Healing;

class Node {
 public:
  /// Locks the data folder, recovers, starts the threads. Blocks until the node answers. Errors: data_locked,
  /// damaged_journal, wrong_format, io_error, disk_full.
  static Result<std::unique_ptr<Node>> open(const Options& options, Clock& clock = system_clock(),
                                            Random& random = system_random());
  virtual ~Node() = default;  ///< stops: seals the journal, waits for answers under way

  // --- definitions -------------------------------------------------------------------------------------------------
  /// There already with the same settings: that one, `created` false; with others: topic_exists. Errors: bad_name,
  /// limit_reached.
  virtual void create_topic(Edge&, std::string name, TopicSettings, Answer<Put<Topic>>) = 0;
  /// The topic as it is then. New partitions begin empty; keys may lie in others from then on. `only_checked`: says
  /// whether it could be done. Errors: unknown_topic, system_name, bad_setting, limit_reached.
  virtual void change_topic(Edge&, std::string name, TopicChange, bool only_checked, Answer<Topic>) = 0;
  /// Records are gone with it; subscriptions lose the topic. Errors: unknown_topic.
  virtual void delete_topic(Edge&, std::string name, Answer<void>) = 0;
  /// Deletes the records before `before` (max_offset: all). Errors: unknown_partition, offset_out_of_range.
  virtual void trim(Edge&, TopicId, PartitionId, Offset before, Answer<PartitionState>) = 0;
  /// `begin`: the first event of each partition, for a start at a time; partitions it does not name begin as the
  /// settings say, or at their end.
  virtual void put_subscription(Edge&, std::string name, SubscriptionSettings,
                                std::vector<std::pair<PartitionRef, Offset>> begin, Answer<Put<Subscription>>) = 0;
  void put_subscription(Edge& edge, std::string name, SubscriptionSettings settings, Answer<Put<Subscription>> answer) {
    put_subscription(edge, std::move(name), std::move(settings), {}, std::move(answer));
  }
  /// Other settings; another filter counts from where the subscription stands. Errors: unknown_subscription,
  /// bad_setting, keys_parked, too_large.
  virtual void change_subscription(Edge&, std::string name, SubscriptionChange, Answer<ChangedSubscription>) = 0;
  virtual void delete_subscription(Edge&, std::string name, Answer<void>) = 0;
  virtual void pause(Edge&, SubscriptionId, bool paused, Answer<void>) = 0;
  /// The definitions; any thread.
  virtual std::shared_ptr<const Catalogue> catalogue() const = 0;

  // --- records -----------------------------------------------------------------------------------------------------
  /// One atomic commit of records for one or several topics. Errors: overloaded, too_many_requests, disk_full,
  /// id_reused, unknown_topic, unknown_partition, too_large, node_failed.
  virtual void publish(Edge&, std::vector<NewRecord>, Answer<Published>) = 0;
  /// Batches as their producers made them, one outcome each: what is refused leaves the others alone. Numbered batches
  /// of idempotent producers are appended once. Errors of all: as publish. Of one: unknown_partition, out_of_order,
  /// fenced, and what a publish is refused with.
  virtual void produce(Edge&, std::vector<NewBatch>, Answer<std::vector<Result<BatchPlace>>>) = 0;
  /// A number for an idempotent producer that nobody had before.
  virtual void number_producer(Edge&, Answer<std::int64_t>) = 0;
  /// The idempotent producers that are known in a partition, by number. Errors: unknown_partition.
  virtual void producers_of(Edge&, PartitionRef, Answer<std::vector<ProducerState>>) = 0;
  /// What a publish of about so many bytes would be refused with just now: edges ask before they parse. Any thread.
  virtual Result<void> may_publish(std::uint64_t bytes) = 0;
  /// Whole batches from the one that holds `from` on, at most `max_bytes` (at least one batch if there is one).
  /// May do file I/O: call from reader or edge threads. `from` == end gives no batches. Errors: unknown_topic,
  /// unknown_partition, offset_out_of_range (before the first kept, or past the end), damaged_data.
  virtual Result<Batches> read(PartitionRef, Offset from, std::uint64_t max_bytes) = 0;
  /// The record at exactly `offset`, in its batch. Errors as read; not_found when a gap is there.
  virtual Result<std::shared_ptr<const std::string>> read_one(PartitionRef, Offset offset) = 0;
  /// The first offset whose batch was appended at or after `time`; the end when there is none.
  virtual Result<Offset> offset_at(PartitionRef, WallTime time) = 0;
  /// When the batch with the first record at `offset` or behind it was appended. Reads files. Errors: not_found.
  virtual Result<WallTime> appended_at(PartitionRef, Offset offset) = 0;
  /// By the records' own times: the first record of that time (ms) or later, and the first of the latest time there
  /// is; none: there is no such record. Reads files.
  virtual Result<std::optional<RecordTime>> first_record_since(PartitionRef, std::int64_t timestamp_ms) = 0;
  virtual Result<std::optional<RecordTime>> newest_record(PartitionRef) = 0;
  virtual Result<PartitionState> partition_state(PartitionRef) = 0;

  /// Readers pass over damaged records from now on; the decision and its reason are kept in the log. Errors:
  /// bad_request when reading `from` works: nothing that can be read is passed over; offset_out_of_range.
  virtual void skip_damaged(Edge&, PartitionRef, Offset from, Offset next, std::string reason, Answer<void>) = 0;

  // --- subscriptions -----------------------------------------------------------------------------------------------
  virtual void receive(Edge&, Receive, Answer<Received>) = 0;
  virtual void settle(Edge&, Settle, Answer<Settled>) = 0;
  /// Leases of one receive that did not reach the consumer: these events, and those behind them in their runs, are open
  /// again, in order and without an attempt counted. Leases that no longer hold are passed over.
  virtual void return_leases(Edge&, std::vector<Lease>, Answer<void>) = 0;
  virtual void subscription_state(Edge&, SubscriptionId, Answer<SubscriptionState>) = 0;
  virtual void survey_subscriptions(Edge&, SurveySubscriptions, Answer<SubscriptionsSurvey>) = 0;
  /// Parked keys and what heals them. Lives as long as the node.
  virtual Healing& healing() = 0;

  /// Kafka's consumer groups. Lives as long as the node.
  virtual Groups& groups() = 0;
  /// Lives as long as the node.
  virtual Queues& queues() = 0;

  // --- feeding (delivery::Feeder) ----------------------------------------------------------------------------------
  /// Where the reading of each of their partitions stands, for the feeder to go on from; of those that are not there,
  /// nothing.
  virtual void feed_positions(Edge&, std::vector<SubscriptionId> of, Answer<std::vector<FeedPosition>>) = 0;
  /// What of a partition comes next for a subscription. Answers how many more events it takes now. An offer of nothing
  /// (no events, `next` == `from`) asks for credit: it is answered when there is some, or when the subscription stands
  /// elsewhere or is gone.
  virtual void offer(Edge&, Offer, Answer<OfferCredit>) = 0;
  /// Offers to several subscriptions in one commit, one outcome each. None asks for credit. At most 1,000 of them with
  /// 20,000 events together.
  virtual void offer_all(Edge&, std::vector<Offer>, Answer<std::vector<Result<OfferCredit>>>) = 0;

  // --- edges and health --------------------------------------------------------------------------------------------
  /// Edges that want news of partitions register; the feeder of src/node is one of them. Any thread.
  virtual void add_edge(Edge&) = 0;
  virtual void remove_edge(Edge&) = 0;  ///< no mail after this returns
  /// The calling thread works in rounds: from now on what it asks may reach the core only when it calls end_round,
  /// which it does before it waits for anything.
  virtual void work_in_rounds() {}
  /// Runs the core here and now when nobody does, one commit at most: the wait of a flush. Answers come as always.
  virtual void end_round() {}
  virtual Health health() const = 0;
  virtual std::string failure() const = 0;  ///< why it failed; empty while it has not
  virtual Stats stats() const = 0;
  virtual bool durable() const = 0;          ///< false on tmpfs and the like
  virtual std::uint64_t secret() const = 0;  ///< the seed of fingerprints; stays in the data folder
  virtual const Options& options() const = 0;
};

}  // namespace continuo::node
