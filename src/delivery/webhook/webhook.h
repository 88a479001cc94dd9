// A subscription whose events are posted to a webhook.
#pragma once

#include <map>
#include <optional>

#include "continuo/delivery/pusher.h"
#include "continuo/delivery/webhook/breaker.h"
#include "continuo/delivery/webhook/connections.h"
#include "continuo/delivery/webhook/request.h"
#include "continuo/delivery/webhook/token_bucket.h"

namespace continuo::delivery::webhook {

/// So many events are under way as the target says; never two of one key, because a key's next event is leased only
/// when the one before it is settled and that is on the disk. While the receiver is down, asks for time, or has had its
/// share, nothing is received: no attempt is burnt, and no other consumer is kept waiting.
class Webhook final : public Pusher {
 public:
  Webhook(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
          std::shared_ptr<PushCounts> counts, const wire::http::WebhookTarget& target, bool allow_private);

  void go_on() override;
  bool busy() const override { return !under_way_.empty(); }
  void abort() override;

 private:
  // An event between its receive and the answer to its settle.
  struct UnderWay {
    Micros began{0};
    std::string event_type, key_text;
    std::size_t bytes = 0;  // of its request
  };
  void received(std::vector<node::Delivery> deliveries) override;
  std::uint32_t room(Micros now);
  std::uint32_t let_through(Micros now, std::size_t count);
  bool is_full() const;
  void deliver(const node::Delivery& delivery);
  void answered(const node::Lease& lease, const Reply& reply);
  void fail(const node::Lease& lease, Outcome outcome, std::string event_type, std::string key_text);
  void forget(const node::Lease& lease);
  void settle();
  void settled(const node::Settle& request, const Result<node::Settled>& settled);
  void count(const Reply& reply, Micros took);
  void show();

  const std::uint32_t concurrency_;
  const Millis lease_;
  RequestWriter writer_;
  Breaker breaker_;
  std::optional<TokenBucket> bucket_;
  Micros hold_until_{0};  // the receiver asked for time
  std::map<node::Lease, UnderWay> under_way_;
  node::Settle outcomes_;  // to be settled next
  bool settling_ = false;
  Connections connections_;
};

}  // namespace continuo::delivery::webhook
