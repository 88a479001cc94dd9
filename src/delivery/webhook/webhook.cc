#include "continuo/delivery/webhook/webhook.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "continuo/record/utf8.h"

namespace continuo::delivery::webhook {
namespace {

constexpr std::uint32_t most_received = 100;
constexpr Millis lease_margin{5'000};  // for settling, and for a node that is busy
constexpr Millis longest_hold{60'000};
constexpr std::size_t most_bytes_under_way = 128u << 20;

// The same at every attempt, and for nothing else that is ever delivered.
std::string message_id(const node::Lease& lease) {
  return fmt::format("msg_{}_{}_{}_{}", lease.subscription.value, lease.partition.topic.value,
                     lease.partition.partition.value, lease.offset.value);
}

std::string_view failure_of(const Reply& reply) {
  if (reply.trouble != Trouble::none) return name(reply.trouble);
  if (reply.status >= 500) return "http_5xx";
  return reply.status >= 400 ? "http_4xx" : "other_status";
}

}  // namespace

Webhook::Webhook(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
                 std::shared_ptr<PushCounts> counts, const wire::http::WebhookTarget& target, bool allow_private)
    : Pusher(thread, std::move(subscription), std::move(counts)),
      concurrency_(target.concurrency),
      lease_(target.timeout + most_body_time + lease_margin),
      writer_(target),
      outcomes_(settle_of()),
      connections_(thread.loop(), {target.url, target.timeout, allow_private}) {
  if (target.rate) bucket_.emplace(target.rate->count, target.rate->per, thread.clock().steady());
}

// How many may begin now; with none, when to look again is arranged.
std::uint32_t Webhook::room(Micros now) {
  const auto under_way = static_cast<std::uint32_t>(under_way_.size());
  std::uint32_t free = std::min(concurrency_ - std::min(concurrency_, under_way), most_received);
  const auto look_again = [&](Micros at) {
    thread_.wake_at(subscription_->id, at);
    return 0u;
  };
  const Breaker::State state = breaker_.state(now);
  if (state == Breaker::State::open) return look_again(breaker_.until());
  if (state == Breaker::State::probing) free = under_way == 0 ? 1 : 0;
  if (now < hold_until_) return look_again(hold_until_);
  if (is_full()) return 0;
  if (free == 0 || !bucket_) return free;
  free = std::min(free, bucket_->available(now));
  return free == 0 ? look_again(bucket_->next()) : free;
}

// All webhooks share the memory of requests; one event may always be under way.
bool Webhook::is_full() const { return !under_way_.empty() && thread_.bytes_under_way() >= most_bytes_under_way; }

void Webhook::go_on() {
  show();
  settle();
  if (!may_receive()) return;
  if (const std::uint32_t most = room(thread_.clock().steady()); most != 0) receive(most, lease_, 1);
}

// The receiver may have failed, or asked for time, while the events were waited for.
std::uint32_t Webhook::let_through(Micros now, std::size_t count) {
  const Breaker::State state = breaker_.state(now);
  if (state == Breaker::State::open || now < hold_until_) return 0;
  if (state == Breaker::State::probing) return under_way_.empty() ? 1 : 0;
  return static_cast<std::uint32_t>(count);
}

void Webhook::received(std::vector<node::Delivery> deliveries) {
  const Micros now = thread_.clock().steady();
  const std::uint32_t most = let_through(now, deliveries.size());
  std::uint32_t count = 0;
  while (count < most && !is_full()) deliver(deliveries[count++]);
  if (bucket_) {
    bucket_->available(now);
    bucket_->take(count);
  }
  std::vector<node::Lease> back;
  for (std::size_t i = count; i < deliveries.size(); ++i) back.push_back(deliveries[i].lease);
  give_back(std::move(back));
  settle();
}

void Webhook::deliver(const node::Delivery& delivery) {
  const node::Lease& lease = delivery.lease;
  UnderWay& under_way = under_way_[lease];
  under_way.began = thread_.clock().steady();
  const auto found = find(delivery);
  if (!found) {
    counts_->add_failure("unreadable");
    return fail(lease, {false, std::string{name(found.error().code)}, found.error().detail, {}, false}, {}, {});
  }
  under_way.event_type = found->event.type;
  if (const auto& key = found->record.key; key && record::is_utf8(*key)) under_way.key_text = *key;
  std::string request = writer_.write(found->event, {.subscription = subscription_->name,
                                                     .topic = found->topic,
                                                     .partition = lease.partition.partition,
                                                     .offset = lease.offset,
                                                     .message_id = message_id(lease),
                                                     .number = delivery.attempt,
                                                     .now = thread_.clock().wall()});
  under_way.bytes = request.capacity();
  thread_.bytes_under_way() += under_way.bytes;
  connections_.post(std::move(request), [weak = weak_from_this(), lease](const Reply& reply) {
    if (const auto self = weak.lock()) static_cast<Webhook&>(*self).answered(lease, reply);
  });
}

void Webhook::answered(const node::Lease& lease, const Reply& reply) {
  const auto found = under_way_.find(lease);
  if (found == under_way_.end()) return;
  const Micros now = thread_.clock().steady();
  count(reply, now - found->second.began);
  Outcome outcome = outcome_of(reply, thread_.clock().wall());
  // It is known to be down, and what it was tried with had no part in that.
  const bool no_attempt = outcome.unreachable && breaker_.state(now) != Breaker::State::closed;
  if (outcome.down)
    breaker_.failed(now);
  else
    breaker_.succeeded();
  if (outcome.delay) hold_until_ = std::max(hold_until_, now + Micros{std::min(*outcome.delay, longest_hold)});
  if (no_attempt) {
    forget(lease);
    give_back({lease});
    return go_on();
  }
  if (outcome.delivered)
    outcomes_.acks.push_back(lease);
  else
    fail(lease, std::move(outcome), found->second.event_type, found->second.key_text);
  settle();
}

void Webhook::fail(const node::Lease& lease, Outcome outcome, std::string event_type, std::string key_text) {
  outcomes_.nacks.push_back({lease,
                             {std::move(outcome.code), std::move(outcome.message)},
                             outcome.delay,
                             std::move(event_type),
                             std::move(key_text)});
}

// One settle at a time: what ends while it is written goes with the next one.
void Webhook::settle() {
  if (settling_ || (outcomes_.acks.empty() && outcomes_.nacks.empty())) return;
  settling_ = true;
  auto request = std::make_shared<node::Settle>(std::exchange(outcomes_, settle_of()));
  thread_.node().settle(thread_.edge(), *request,
                        [weak = weak_from_this(), request](const Result<node::Settled>& done) {
                          if (const auto self = weak.lock()) static_cast<Webhook&>(*self).settled(*request, done);
                        });
}

void Webhook::settled(const node::Settle& request, const Result<node::Settled>& done) {
  settling_ = false;
  if (!done && may_come_again(done.error().code)) {
    outcomes_.acks.insert(outcomes_.acks.begin(), request.acks.begin(), request.acks.end());
    outcomes_.nacks.insert(outcomes_.nacks.begin(), request.nacks.begin(), request.nacks.end());
    return thread_.wake_at(subscription_->id, thread_.clock().steady() + push_again_after);
  }
  // A lease that was lost meanwhile is somebody else's now: the event comes again.
  for (const node::Lease& lease : request.acks) forget(lease);
  for (const node::Nack& nack : request.nacks) forget(nack.lease);
  settle();
  go_on();
}

// What has its answer is settled all the same.
void Webhook::abort() {
  if (!outcomes_.acks.empty() || !outcomes_.nacks.empty())
    thread_.node().settle(thread_.edge(), std::exchange(outcomes_, settle_of()), [](const Result<node::Settled>&) {});
  std::vector<node::Lease> leases;
  for (const auto& [lease, under_way] : under_way_) leases.push_back(lease);
  for (const node::Lease& lease : leases) forget(lease);
  give_back(std::move(leases));
}

void Webhook::forget(const node::Lease& lease) {
  const auto found = under_way_.find(lease);
  if (found == under_way_.end()) return;
  thread_.bytes_under_way() -= found->second.bytes;
  under_way_.erase(found);
}

void Webhook::count(const Reply& reply, Micros took) {
  counts_->add_time(took);
  if (reply.trouble == Trouble::none && reply.status >= 200 && reply.status < 300)
    counts_->delivered.fetch_add(1, std::memory_order_relaxed);
  else
    counts_->add_failure(failure_of(reply));
}

void Webhook::show() {
  counts_->in_flight.store(static_cast<std::uint32_t>(under_way_.size()), std::memory_order_relaxed);
  counts_->held.store(breaker_.state(thread_.clock().steady()) != Breaker::State::closed, std::memory_order_relaxed);
}

}  // namespace continuo::delivery::webhook
