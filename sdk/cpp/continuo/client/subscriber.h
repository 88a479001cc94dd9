// The loop of a service: receive, handle each event, settle and publish in one commit, for ever.
//
//   client::Subscriber inventory{client, "inventory", [](const client::Delivery& delivery, client::Outbox& outbox) ->
//   Result<void> {
//     if (delivery.event.type == "PaymentTaken") outbox.publish("stock", reserved(delivery.event));
//     return {};                                    // an error here is a nack: the event comes again, its key waits
//   }};
//   auto ended = inventory.run();                   // until stop is requested (Options::stop of the client)
//
// Promises. Events of one key are handled in order, one at a time. What a handler publishes becomes durable together
// with the acknowledgement of its event, or not at all: with ids derived from the consumed event an effect happens
// once, whatever breaks. Lost connections, restarts of the server and overload are waited out for as long as it takes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/client.h"

namespace continuo::client {

/// Collects what one event makes its handler publish.
class Outbox {
 public:
  explicit Outbox(const Delivery& delivery) : cause_(delivery.event) {}
  /// `event` takes correlationid and causationid from the consumed event where it has none, and its partitionkey too.
  /// It needs an id of its own that is the same whenever this event is handled; an empty one is made of the consumed
  /// event's id and `event.type`.
  void publish(std::string_view topic, Event event);
  std::vector<NewEvent>& events() { return events_; }

  /// The error of a handler that gives the event back under a code of its own, which retry rules and declared repairs
  /// go by: `return outbox.give_back("bad_amount", "the amount is a text")`. Other errors are given back under theirs.
  std::unexpected<Error> give_back(std::string code, std::string message);
  /// Empty: none was given.
  const std::string& failure_code() const { return failure_code_; }

 private:
  const Event& cause_;
  std::vector<NewEvent> events_;
  std::string failure_code_;
};

/// Handles one event. An error gives the event back (nack): it comes again after the subscription's retry delay, and in
/// the end its key is parked.
using Handler = std::function<Result<void>(const Delivery&, Outbox&)>;

struct SubscriberOptions {
  std::uint32_t max = 100;  ///< events received at once
  Millis wait{20'000};      ///< for an event, in one request
};

/// What a subscriber did so far.
struct SubscriberCounts {
  std::uint64_t handled = 0;    ///< acknowledged
  std::uint64_t failed = 0;     ///< given back
  std::uint64_t lost = 0;       ///< handled, but the lease was lost: they came or come again
  std::uint64_t published = 0;  ///< events new to their topics
};

/// Runs in the thread that calls run(). Owns nothing but counts; client and handler outlive it.
class Subscriber {
 public:
  Subscriber(Client& client, std::string subscription, Handler handler, SubscriberOptions options = {});

  /// Until stop is requested (success), or an error that waiting does not mend: unknown_subscription, bad_request, ...
  Result<void> run();
  /// One round: receive, handle, settle. Answers how many events came.
  Result<std::size_t> run_once();
  const SubscriberCounts& counts() const { return counts_; }

 private:
  struct Handled;
  Handled handle(const Delivery& delivery);
  Result<void> settle_all(std::vector<Handled>& batch);
  Result<void> settle_each(std::vector<Handled>& batch);
  Result<void> send(const Settle& settle, std::size_t handled);

  Client& client_;
  std::string subscription_;
  Handler handler_;
  SubscriberOptions options_;
  SubscriberCounts counts_;
};

/// Runs a Subscriber until the client's stop is requested.
Result<void> subscribe(Client& client, std::string subscription, Handler handler, SubscriberOptions options = {});

}  // namespace continuo::client
