// What each kind of request does. All are called on the exchange's I/O thread; see exchange.h for how they answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/node/record_finder.h"
#include "continuo/serve/exchange.h"
#include "continuo/wire/http/requests.h"
#include "continuo/wire/http/target.h"

namespace continuo::serve {

struct Door;

// Limits of answers and commits; more of them in server.h and wire/http/requests.h.
inline constexpr std::size_t read_answer_bytes = 4u << 20;  ///< of the events of one read, about
inline constexpr std::size_t chunk_events = 1'000;          ///< of NDJSON, in one commit
inline constexpr std::size_t chunk_bytes = 4u << 20;        ///< the same; one event may be larger

// topics.cc
void list_topics(Exchange& exchange);
void put_topic(Exchange& exchange, const wire::http::PutTopic& request);
void change_topic(Exchange& exchange, const wire::http::ChangeTopic& request);
void get_topic(Exchange& exchange, const wire::http::OneTopic& request);
void delete_topic(Exchange& exchange, const wire::http::OneTopic& request);
void trim_topic(Exchange& exchange, const wire::http::TrimTopic& request);
void skip_damaged(Exchange& exchange, wire::http::SkipDamaged request);

// publish.cc, publish_lines.cc
void publish(Exchange& exchange, const wire::http::Publish& request);
void publish_lines(Exchange& exchange, const wire::http::Publish& request);

// read.cc
void read(Exchange& exchange, const wire::http::Read& request);

// subscriptions.cc
void list_subscriptions(Exchange& exchange);
void put_subscription(Exchange& exchange, wire::http::PutSubscription request);
void change_subscription(Exchange& exchange, wire::http::ChangeSubscription request);
void get_subscription(Exchange& exchange, const wire::http::OneSubscription& request);
void delete_subscription(Exchange& exchange, const wire::http::OneSubscription& request);
void pause(Exchange& exchange, const wire::http::OneSubscription& request, bool paused);

// deliveries.cc
void receive(Exchange& exchange, const wire::http::Receive& request);
void settle(Exchange& exchange, wire::http::Settle request);

// parked.cc
void list_parked(Exchange& exchange, const wire::http::ListParked& request);
void retry_parked(Exchange& exchange, const wire::http::OneParkedKey& request);
void skip_parked(Exchange& exchange, const wire::http::OneParkedKey& request);
void cancel_parked(Exchange& exchange, const wire::http::OneParkedKey& request);
void edit_parked(Exchange& exchange, const wire::http::OneParkedKey& request);

// releases.cc
void release_parked(Exchange& exchange, const wire::http::ReleaseParked& request);
void stop_release(Exchange& exchange, const wire::http::OneSubscription& request);
void get_release(Exchange& exchange, const wire::http::OneSubscription& request);
void seek(Exchange& exchange, const wire::http::SeekSubscription& request);

// repairs.cc
void receive_repairs(Exchange& exchange, const wire::http::Receive& request);
void settle_repairs(Exchange& exchange, const wire::http::SettleRepairs& request);

// groups.cc, group_offsets.cc
void list_groups(Exchange& exchange, const wire::http::ListGroups& request);
void get_group(Exchange& exchange, const wire::http::OneGroup& request);
void delete_group(Exchange& exchange, const wire::http::OneGroup& request);
void reset_offsets(Exchange& exchange, wire::http::ResetOffsets request);

// queues.cc, queue_messages.cc, queue_peek.cc, redrive.cc
void list_queues(Exchange& exchange);
void put_queue(Exchange& exchange, wire::http::PutQueue request);
void change_queue(Exchange& exchange, wire::http::ChangeQueue request);
void get_queue(Exchange& exchange, const wire::http::OneQueue& request);
void delete_queue(Exchange& exchange, const wire::http::OneQueue& request);
void purge_queue(Exchange& exchange, const wire::http::PurgeQueue& request);
void receive_messages(Exchange& exchange, const wire::http::Receive& request);
void settle_messages(Exchange& exchange, wire::http::Settle request);
void send_messages(Exchange& exchange, wire::http::SendMessages request);
void peek_queue(Exchange& exchange, const wire::http::PeekQueue& request);
void redrive_queue(Exchange& exchange, const wire::http::RedriveQueue& request);

// request_reply.cc
void publish_and_wait(Exchange& exchange, const wire::http::Publish& request);

// patterns.cc
void explain_pattern(Exchange& exchange, const wire::http::ExplainPattern& request);

// pages.cc, metrics.cc
void node_page(Exchange& exchange);
void livez(Exchange& exchange);
void readyz(Exchange& exchange);
void metrics(Exchange& exchange);
void openapi(Exchange& exchange);
void error_page(Exchange& exchange, const wire::http::ErrorPage& request);

// --- shared by them
// ---------------------------------------------------------------------------------------------------

Error unknown_topic(std::string_view name);
Error unknown_partition(const node::Topic& topic, PartitionId wanted);
Error unknown_subscription(std::string_view name);
/// None: there is no such subscription, and the exchange is refused.
std::shared_ptr<const node::Subscription> find_subscription(Exchange& exchange, std::string_view name);
/// The queue's subscription; none: there is no such queue, and the exchange is refused.
std::shared_ptr<const node::Subscription> find_queue(Exchange& exchange, std::string_view name);

/// The first event of every partition of these topics from there on: releases.cc. May read files. Errors:
/// unknown_topic, bad_position.
Result<std::vector<std::pair<PartitionRef, Offset>>> starts_at(node::Node& node, const wire::http::From& from,
                                                               std::span<const std::string> topics);

/// The target of settings for the subscription `name`, which get its secrets where they say "***". Errors: bad_setting
/// for a webhook with a private address where that is not allowed, and for copies that would go round.
Result<wire::http::DeliveryTarget> checked_target(const Door& door, std::string_view name,
                                                  node::SubscriptionSettings& settings);

/// Runs `then` with the topic, made with the defaults first if it is not there and the server may; else refuses.
void with_topic(Exchange& exchange, const std::string& name,
                std::move_only_function<void(Exchange&, const node::Topic&)> then);

/// Makes records of events on their way into one topic: stamps, fingerprints, chooses the partition, encodes.
class RecordMaker {
 public:
  RecordMaker(IoThread& thread, const node::Topic& topic);
  node::NewRecord make(const record::Event& as_sent);
  /// Of an event published while settling another one.
  node::NewRecord make_caused(const record::Event& as_sent, std::string_view correlationid,
                              std::string_view causationid);
  /// With more extensions than were sent, which a repetition may have other values for; and with an identity of its own
  /// in the place of source and id, whose first content counts; empty: as others.
  node::NewRecord make_message(const record::Event& as_sent, std::span<const record::Extension> added,
                               std::string_view dedup_id);
  WallTime now() const { return now_; }

 private:
  node::NewRecord encode(const record::Event& as_sent, const record::Event& stamped);
  IoThread& thread_;
  const node::Topic& topic_;
  WallTime now_;
  std::uint64_t secret_;
};

/// Appends [{"partition":0,"offset":"41","duplicate":false},...].
void write_places(const std::vector<node::Place>& places, std::string& out);
/// The position just after these places of one topic.
std::string position_after(TopicId topic, WallTime now, const std::vector<node::Place>& places);

/// Finds the records of deliveries, those too that outlived their retention.
inline node::RecordFinder finder_in(node::Node& node) {
  return node::RecordFinder{[&node](PartitionRef ref, Offset offset) { return node.read_one(ref, offset); }};
}

/// Bytes of a record that its event is made of.
std::size_t size_of(const record::Record& record);

}  // namespace continuo::serve
