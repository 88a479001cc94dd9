#include "continuo/delivery/pusher.h"

#include <utility>

#include "continuo/node/healing.h"

namespace continuo::delivery {
namespace {

constexpr Millis receive_wait{30'000};

}  // namespace

Pusher::Pusher(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
               std::shared_ptr<PushCounts> counts)
    : thread_(thread),
      subscription_(std::move(subscription)),
      counts_(std::move(counts)),
      finder_([&node = thread.node()](PartitionRef partition, Offset offset) {
        return node.read_one(partition, offset);
      }) {}

Pusher::~Pusher() { cancelled_->store(true, std::memory_order_release); }

void Pusher::changed(std::shared_ptr<const node::Subscription> subscription) {
  subscription_ = std::move(subscription);
  go_on();
}

void Pusher::stop() {
  stopped_ = true;
  cancelled_->store(true, std::memory_order_release);
}

void Pusher::receive(std::uint32_t most, Millis lease, std::uint32_t run) {
  node::Receive receive;
  receive.subscription = subscription_->id;
  receive.max = most;
  receive.lease = lease;
  receive.run = run;
  receive.wait = receive_wait;
  receive.cancelled = cancelled_;
  receiving_ = true;
  auto answer = [weak = weak_from_this(), &thread = thread_](Result<node::Received> got) {
    const auto self = weak.lock();
    if (!self || self->stopped_) {
      std::vector<node::Lease> leases;
      if (got)
        for (const node::Delivery& delivery : got->deliveries) leases.push_back(delivery.lease);
      if (!leases.empty()) thread.node().return_leases(thread.edge(), std::move(leases), [](const Result<void>&) {});
      return;
    }
    self->receiving_ = false;
    if (!got) return self->thread_.wake_at(self->subscription_->id, self->thread_.clock().steady() + push_again_after);
    if (!got->deliveries.empty()) self->received(std::move(got->deliveries));
    self->go_on();
  };
  thread_.node().receive(thread_.edge(), std::move(receive), std::move(answer));
}

void Pusher::give_back(std::vector<node::Lease> leases) {
  if (leases.empty()) return;
  thread_.node().return_leases(thread_.edge(), std::move(leases), [](const Result<void>&) {});
}

Result<Pusher::Found> Pusher::find(const node::Delivery& delivery) {
  const PartitionRef place = delivery.lease.partition;
  auto record = node::find_delivered(finder_, thread_.catalogue(), place, delivery.lease.offset, delivery.edited);
  if (!record) return pass(record);
  Found found{*record, {}, topic_name(place.topic)};
  found.event = record::event_of(found.record, {found.topic, place.partition}, scratch_);
  return found;
}

std::string_view Pusher::topic_name(TopicId id) {
  if (topic_id_ == id) return topic_name_;
  topic_id_ = id;
  topic_name_ = thread_.catalogue().topic_name(id);
  return topic_name_;
}

node::Settle Pusher::settle_of() const {
  node::Settle settle;
  settle.subscription = subscription_->id;
  return settle;
}

bool Pusher::may_come_again(Code code) {
  return code == Code::overloaded || code == Code::too_many_requests || code == Code::disk_full ||
         code == Code::not_ready;
}

}  // namespace continuo::delivery
