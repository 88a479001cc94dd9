// Redriving: messages of a queue of dead letters, or of any subscription, go back into a queue.
//
// Each piece is leased, and published and acknowledged in one commit: whatever happens in between, every message is in
// exactly one of the two. It keeps its id and says who had it moved; what told of its death, and its times, are left
// behind. One request moves as much as it can in a while and says what is left.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/partitioner.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

constexpr std::uint32_t piece_messages = 200;
constexpr std::size_t piece_bytes = 2u << 20;
constexpr Micros longest{20'000'000};  // of one request
constexpr Micros step{250'000};        // with a rate, a piece so often
constexpr Millis lease{60'000};
constexpr Millis refill{200};  // what is not ready after so long is for another request

bool stays_behind(std::string_view extension) {
  return extension.starts_with("dead") || extension.starts_with("redriven") || extension == "notbefore" ||
         extension == "expiretime" || extension == "expirytime";
}

/// Messages on their way, as records of the queue; and leases that have to wait for another piece.
struct Moved {
  std::vector<node::NewRecord> records;
  std::vector<node::Lease> taken, left;
};

// Who had them moved, and why, goes with them.
void sign(const engines::Asked& asked, record::Event& event) {
  std::erase_if(event.extensions, [](const auto& each) { return stays_behind(each.name); });
  if (!asked.by.empty()) event.extensions.push_back({"redrivenby", asked.by});
  if (!asked.reason.empty()) event.extensions.push_back({"redrivenreason", asked.reason});
}

Moved move(node::Node& node, const std::vector<node::Delivery>& deliveries, const node::Topic& queue,
           const engines::Asked& asked, WallTime now) {
  node::RecordFinder finder = finder_in(node);
  Moved moved;
  std::string scratch;
  std::size_t bytes = 0;
  std::set<std::pair<PartitionRef, std::uint64_t>> stuck;  // keys with an event that cannot be read: what follows waits
  for (const node::Delivery& delivery : deliveries) {
    const node::Lease& lease = delivery.lease;
    const bool goes = bytes < piece_bytes && !stuck.contains({lease.partition, lease.key_hash});
    const auto record =
        goes ? finder.find(lease.partition, lease.offset) : Result<record::Record>{fail(Code::not_found, {})};
    if (!record) {
      stuck.emplace(lease.partition, lease.key_hash);
      moved.left.push_back(lease);
      continue;
    }
    record::Event event = record::event_of(*record, {queue.name, delivery.lease.partition.partition}, scratch);
    sign(asked, event);
    node::NewRecord& made = moved.records.emplace_back();
    made.topic = queue.id;
    made.partition = record::partition_of(event, queue.settings.partitions);
    made.timestamp_ms = now.ms;
    record::encode_record_body(event, made.body);
    bytes += made.body.size();
    moved.taken.push_back(delivery.lease);
  }
  return moved;
}

class Redriving final : public Activity {
  // Runs on while the client waits; what it leased last is given back when it goes.
  template <class Then>
  auto with_me(Then then) {
    return [self = exchange_.shared_from_this(), then]<class T>(Result<T> result) mutable {
      if (self->gone()) return give_back(self->thread(), result);
      then(static_cast<Redriving&>(*self->activity()), std::move(result));
    };
  }
  static void give_back(IoThread& thread, const Result<node::Received>& received) {
    std::vector<node::Lease> leases;
    if (received)
      for (const node::Delivery& each : received->deliveries) leases.push_back(each.lease);
    if (!leases.empty()) thread.node().return_leases(thread, std::move(leases), [](Result<void>) {});
  }
  template <class T>
  static void give_back(IoThread&, const Result<T>&) {}

 public:
  Redriving(Exchange& exchange, const wire::http::RedriveQueue& request, SubscriptionId from, node::Topic queue)
      : exchange_(exchange),
        request_(request),
        from_(from),
        queue_(std::move(queue)),
        until_(exchange.thread().clock().steady() + longest) {}

  void next() {
    const Micros now = thread().clock().steady();
    if (moved_ >= request_.max || now >= until_ || stopping_) return finish();
    busy_ = true;
    again_at_ = now + step;
    node::Receive receive;
    receive.subscription = from_;
    receive.max = std::min(piece_messages, request_.max - moved_);
    if (request_.rate != 0) receive.max = std::min(receive.max, std::max(1u, request_.rate / 4));
    receive.lease = lease;
    receive.wait = refill;
    thread().node().receive(thread(), std::move(receive), with_me([](Redriving& me, Result<node::Received> received) {
                              if (!received) return me.exchange_.refuse(received.error(), {});
                              me.take(std::move(received->deliveries));
                            }));
  }
  void tick(Micros now) override {
    if (!busy_ && now >= again_at_) next();
  }
  void stopping() override {
    stopping_ = true;
    if (!busy_) finish();
  }

 private:
  IoThread& thread() { return exchange_.thread(); }

  void take(std::vector<node::Delivery> deliveries) {
    if (deliveries.empty()) return finish();
    node::Node& node = thread().node();
    const node::Lease& first = deliveries.front().lease;
    const bool may_wait = !is_near_end(node, first.partition, first.offset);
    const WallTime now = thread().clock().wall();
    read_aside(
        exchange_, may_wait,
        [&node, deliveries = std::move(deliveries), queue = queue_, asked = request_.asked, now] {
          return move(node, deliveries, queue, asked, now);
        },
        [](Exchange& again, Moved moved) {
          IoThread& its = again.thread();
          if (again.gone()) moved.left.insert(moved.left.end(), moved.taken.begin(), moved.taken.end());
          if (!moved.left.empty()) its.node().return_leases(its, std::move(moved.left), [](Result<void>) {});
          if (!again.gone()) static_cast<Redriving&>(*again.activity()).settle(std::move(moved));
        });
  }

  void settle(Moved moved) {
    if (moved.records.empty()) return finish();  // none of them can be read
    node::Settle settle;
    settle.subscription = from_;
    settle.acks = std::move(moved.taken);
    settle.publish = std::move(moved.records);
    const auto count = static_cast<std::uint32_t>(settle.acks.size());
    thread().node().settle(thread(), std::move(settle), with_me([count](Redriving& me, Result<node::Settled> settled) {
                             if (!settled)
                               return me.exchange_.refuse(settled.error(), fmt::format(",\"moved\":{}", me.moved_));
                             me.moved_ += count;
                             me.busy_ = false;
                             if (me.request_.rate == 0) me.next();
                           }));
  }

  void finish() {
    busy_ = true;
    thread().node().subscription_state(
        thread(), from_, with_me([](Redriving& me, const Result<node::SubscriptionState>& state) {
          me.exchange_.answer_json(fmt::format(R"({{"moved":{},"left":{}}})", me.moved_, state ? state->lag : 0));
        }));
  }

  Exchange& exchange_;
  const wire::http::RedriveQueue request_;
  const SubscriptionId from_;
  const node::Topic queue_;
  const Micros until_;
  Micros again_at_{0};
  std::uint32_t moved_ = 0;
  bool busy_ = false, stopping_ = false;
};

}  // namespace

void redrive_queue(Exchange& exchange, const wire::http::RedriveQueue& request) {
  const auto queue = find_queue(exchange, request.queue);
  if (!queue) return;
  const auto catalogue = exchange.thread().node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.queue);
  if (topic == nullptr) return exchange.refuse(unknown_topic(request.queue), {});
  const node::Subscription* from = catalogue->find_subscription(request.from);
  if (from == nullptr)
    return exchange.refuse({Code::unknown_queue, fmt::format("there is no queue '{}'", request.from), "from",
                            "dead letters in a topic without one: make a subscription to it, and name that"},
                           {});
  auto activity = std::make_unique<Redriving>(exchange, request, from->id, *topic);
  Redriving& redriving = *activity;
  exchange.set_activity(std::move(activity));
  redriving.next();
}

}  // namespace continuo::serve
