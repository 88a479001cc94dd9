// The client of a Continuo server: one method for each request of the HTTP contract.
//
//   client::Client shop{{.server = {"127.0.0.1", 8080}}};
//   client::Event placed{.source = "/shop/order", .type = "OrderPlaced", .subject = "o-17"};
//   auto answer = shop.publish("orders", placed.json(R"({"amount":4200})"));
//   if (!answer) fmt::print(stderr, "{}\n", to_string(answer.error()));
//
// Every call blocks until the answer is there: what it tells is on the server's disk. A Client keeps one connection,
// made at the first call and made anew when it broke. Not thread-safe: one Client for each thread.
//
// Errors are the server's own codes, or connection_failed. With `patience` a call that could not reach the server or
// was refused for overload is repeated until the patience runs out; all calls can be repeated safely, since events
// carry ids and settles their leases.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/client/connection.h"
#include "continuo/client/event.h"
#include "continuo/client/queue.h"
#include "continuo/client/subscription.h"

namespace continuo::client {

struct Options {
  Address server;
  Millis timeout{30'000};  ///< without a byte from the server
  Millis patience{0};      ///< how long to repeat a call that may succeed later
  std::stop_token stop;    ///< ends a call under way, and all later ones, with connection_failed
};

struct TopicSettings {
  std::uint32_t partitions = 1;
  std::optional<Millis> retention_time;          ///< none: for ever
  std::optional<std::uint64_t> retention_bytes;  ///< per partition; none: no limit
  std::optional<Millis> dedup_window;            ///< none: the server's default
  std::optional<std::uint64_t> max_batch;        ///< bytes of one batch of a Kafka producer; none: the server's default
  std::optional<std::string> timestamps;         ///< of records: "created", the default, or "appended"
  std::optional<std::uint64_t> segment;          ///< bytes of a partition's files; none: the server's default
};

/// What is to become different of a topic; what is none stays.
struct TopicChange {
  std::optional<std::uint32_t> partitions;  ///< only more than there are
  std::optional<std::optional<Millis>> retention_time;
  std::optional<std::optional<std::uint64_t>> retention_bytes;
  std::optional<Millis> dedup_window;
  std::optional<std::uint64_t> max_batch;
  std::optional<std::string> timestamps;
  std::optional<std::optional<std::uint64_t>> segment;
};

struct PartitionState {
  PartitionId partition;
  Offset first;  ///< first offset kept
  Offset next;   ///< offset of the next event
  std::uint64_t bytes = 0;
};

struct Topic {
  std::string name;
  std::vector<PartitionState> partitions;
  bool durable = true;
  std::string json;  ///< as the server gave it
};

/// Where one event went.
struct Place {
  PartitionId partition;
  Offset offset;
  bool duplicate = false;  ///< was there already; this is its first place
};

struct Read {
  std::optional<PartitionId> partition;  ///< none: all
  std::string from = "earliest";         ///< earliest, latest, an offset (with `partition`), a time, or a position
  std::uint32_t limit = 500;
  Millis wait{0};           ///< for the first event
  std::string correlation;  ///< only events of this correlation; empty: all
  std::string filter;       ///< only events that match this pattern, JSON; empty: all
};

struct Page {
  std::vector<Event> events;
  std::string next;  ///< where to read on
};

struct Tail {
  std::optional<PartitionId> partition;
  std::string from = "latest";
  std::string correlation;
  std::string filter;
};

/// One event under a lease.
struct Delivery {
  std::string lease;  ///< opaque token
  std::uint32_t attempt = 1;
  Event event;
};

struct Receive {
  std::uint32_t max = 100;
  Millis wait{0};
  std::optional<Millis> lease;  ///< none: the subscription's
};

struct Nack {
  std::string lease;
  std::string code;
  std::string message;
  std::optional<Millis> delay;  ///< none: the subscription's
};

struct Extension {
  std::string lease;
  Millis by;
};

struct NewEvent {
  std::string topic;
  Event event;
};

/// One atomic commit. Repeated with the same content it gets the first answer.
struct Settle {
  std::vector<std::string> acks;
  std::vector<Nack> nacks;
  std::vector<Extension> extends;
  /// With ids of your own, so that another try is recognised. Nothing happens at all when an ack is refused and this is
  /// not empty.
  std::vector<NewEvent> publish;
};

struct Refused {
  std::string lease;
  Code code = Code::lease_lost;
};

struct Settled {
  std::uint32_t settled = 0;
  std::vector<Refused> refused;
  std::vector<Place> places;  ///< of `publish`, in the order given
};

class Client {
 public:
  explicit Client(Options options);

  /// True when this call made the topic; false when it was there with the same settings. Errors: topic_exists.
  Result<bool> create_topic(std::string_view name, const TopicSettings& settings = {});
  /// Errors: unknown_topic, bad_setting, limit_reached.
  Result<void> change_topic(std::string_view name, const TopicChange& change);
  Result<Topic> topic(std::string_view name);
  Result<std::vector<std::string>> topics();
  Result<void> delete_topic(std::string_view name);
  Result<void> trim(std::string_view name, PartitionId partition, Offset before);

  /// One event. An empty id is made.
  Result<Place> publish(std::string_view topic, const Event& event);
  /// Many events, one atomic commit; places in the order given.
  Result<std::vector<Place>> publish(std::string_view topic, std::span<const Event> events);
  /// As above, for events that are structured JSON already. They go out as they are.
  Result<std::vector<Place>> publish_json(std::string_view topic, std::span<const std::string> events);

  Result<Page> read(std::string_view topic, const Read& read = {});
  /// All events there are from `from` on, in pages; stops when `each` gives false. Answers where to read on.
  Result<std::string> read_all(std::string_view topic, Read read, const std::function<bool(const Event&)>& each);
  /// Events as they arrive (server-sent events), from this thread, until `each` gives false or stop is requested. Goes
  /// on over restarts of the server, without a gap and without a repeat, as long as the patience allows. Uses a
  /// connection of its own.
  Result<void> tail(std::string_view topic, const Tail& tail, const std::function<bool(const Event&)>& each);

  /// True when this call made the subscription. Errors: subscription_exists, bad_setting.
  Result<bool> put_subscription(std::string_view name, const SubscriptionSettings& settings);
  /// Answers where another filter begins to decide. Errors: unknown_subscription, bad_setting, bad_pattern,
  /// keys_parked.
  Result<std::vector<FilteredFrom>> change_subscription(std::string_view name, const SubscriptionChange& change);
  Result<void> delete_subscription(std::string_view name);
  Result<std::vector<Delivery>> receive(std::string_view subscription, const Receive& receive = {});
  /// Not cut short by a request to stop: it is sent once, and its answer waited for.
  Result<Settled> settle(std::string_view subscription, const Settle& settle);

  /// True when this call made the queue. Errors: subscription_exists, topic_exists, bad_setting.
  Result<bool> put_queue(std::string_view name, const QueueSettings& settings = {});
  /// With all its messages. Errors: unknown_queue.
  Result<void> delete_queue(std::string_view name);
  /// One atomic commit; in the order given. With `patience`, give each an id of its own, or a dedup_id.
  Result<std::vector<Sent>> send(std::string_view queue, std::span<const Message> messages);
  /// Publishes one event and waits for the event that answers it. Errors: reply_timeout; the event is published then.
  Result<Event> request(std::string_view topic, const Event& event, Millis timeout);

  /// Any request: what has no method of its own. Answers of 400 and more become errors.
  /// PUTs a definition; true when this made it.
  Result<bool> put(std::string target, const std::string& body);
  /// `wait`: what the request asks the server to wait, beside the timeout.
  Result<std::string> request(std::string_view method, std::string target, std::string_view body = {},
                              std::string_view content_type = {}, Millis wait = Millis{0});

  const Options& options() const { return options_; }

 private:
  /// What a request to stop does to a call under way.
  enum class Stopping : std::uint8_t { at_once, when_answered };
  Result<Answer> ask(const Request& request, Millis timeout, Stopping stopping = Stopping::at_once);
  Result<Answer> ask_once(const Request& request, Millis timeout, const std::stop_token& stop);
  Result<bool> tail_once(Request& request, const std::function<bool(const Event&)>& each, bool& moved);

  Options options_;
  Connection connection_;
};

/// The error a problem document tells; for other bodies one made of the status.
Error error_of(const Answer& answer);
/// True for what may succeed when it is tried again: no connection, overload, restart.
bool is_passing(const Error& error);

/// Waits before a repeat: 50 ms, doubling up to a second; as long as the server said when it did. False when the
/// patience is over or stop was requested.
class Patience {
 public:
  Patience(Millis patience, std::stop_token stop);
  bool wait_after(const Error& error);
  void restart();  ///< after a success

 private:
  Millis patience_;
  std::stop_token stop_;
  Micros since_;
  Millis pause_;
};

/// Waits; false when stop was requested meanwhile.
bool pause_for(Millis time, const std::stop_token& stop);

/// "a/b c" -> "a%2Fb%20c"
std::string percent_encode(std::string_view text);

}  // namespace continuo::client
