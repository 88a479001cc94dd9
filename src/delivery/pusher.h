// A subscription whose events are brought to their target: what webhooks and copies have in common. They receive and
// settle like any consumer, so that order, leases, retries and parking are the engine's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/time.h"
#include "continuo/delivery/push_counts.h"
#include "continuo/node/node.h"
#include "continuo/node/record_finder.h"
#include "continuo/record/cloudevents.h"

namespace continuo::delivery {

namespace webhook {
struct Loop;
}

class Pusher;

/// The thread that pushers live on.
class PushThread {
 public:
  virtual ~PushThread() = default;
  virtual node::Node& node() = 0;
  virtual node::Edge& edge() = 0;
  virtual Clock& clock() = 0;
  virtual webhook::Loop& loop() = 0;
  /// The definitions that pushers were last told of.
  virtual const node::Catalogue& catalogue() const = 0;
  /// Copies of this subscription would go round, by way of others that were made before it.
  virtual bool goes_round(SubscriptionId subscription) const = 0;
  /// Memory of requests to webhooks.
  virtual std::size_t& bytes_under_way() = 0;
  /// Calls the pusher's go_on then, if it is there still. Of several calls the earliest counts: go_on arranges anew.
  virtual void wake_at(SubscriptionId subscription, Micros at) = 0;
};

/// One subscription. All on the thread of its PushThread.
class Pusher : public std::enable_shared_from_this<Pusher> {
 public:
  Pusher(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
         std::shared_ptr<PushCounts> counts);
  virtual ~Pusher();
  Pusher(const Pusher&) = delete;
  Pusher& operator=(const Pusher&) = delete;

  const node::Subscription& subscription() const { return *subscription_; }
  /// Definitions are others now, maybe this one's too (paused, resumed).
  void changed(std::shared_ptr<const node::Subscription> subscription);
  /// Begins what can begin now.
  virtual void go_on() = 0;
  /// Receives nothing more.
  void stop();
  /// Events are under way.
  virtual bool busy() const = 0;
  /// Ends what is under way, and gives its leases back.
  virtual void abort() = 0;

 protected:
  /// No receive is under way, and one may be.
  bool may_receive() const { return !stopped_ && !receiving_ && !subscription_->paused; }
  bool stopped() const { return stopped_; }
  void receive(std::uint32_t most, Millis lease, std::uint32_t run);
  /// At least one.
  virtual void received(std::vector<node::Delivery> deliveries) = 0;
  /// Nobody got them: they are open again, with no attempt counted.
  void give_back(std::vector<node::Lease> leases);

  /// What is delivered: the event, with views into the finder's batch and `scratch_` that the next call ends.
  struct Found {
    record::Record record;
    record::Event event;
    std::string_view topic;
  };
  Result<Found> find(const node::Delivery& delivery);

  node::Settle settle_of() const;
  /// The node had no room for it just now.
  static bool may_come_again(Code code);

  PushThread& thread_;
  std::shared_ptr<const node::Subscription> subscription_;
  const std::shared_ptr<PushCounts> counts_;

 private:
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::string_view topic_name(TopicId id);

  node::RecordFinder finder_;
  std::string scratch_;
  std::optional<TopicId> topic_id_;  // the one found last
  std::string topic_name_;
  bool receiving_ = false, stopped_ = false;
};

/// How long a refused request waits until it is made again.
inline constexpr Micros push_again_after{500'000};

}  // namespace continuo::delivery
