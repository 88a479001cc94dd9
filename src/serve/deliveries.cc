// What a consumer does with a subscription: receive and settle.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/healing.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/waiting_receive.h"

namespace continuo::serve {
namespace {

// --- receive
// ----------------------------------------------------------------------------------------------------------

/// An answer, and how many of the deliveries it holds: the first ones.
struct Written {
  std::string json = "{\"deliveries\":[";
  std::size_t count = 0;
  std::unique_ptr<BudgetShare> share;  // until the session holds the text
};

// Writes deliveries until the answer is full; the first always fits. On any thread that may read files.
class DeliveriesWriter {
 public:
  explicit DeliveriesWriter(Door& door)
      : node_(door.node),
        limit_(door.options.max_deliveries_bytes),
        catalogue_(node_.catalogue()),
        finder_(finder_in(node_)) {
    written_.share = std::make_unique<BudgetShare>(door.budget);
  }

  Written write(const node::Received& received) {
    for (const node::Delivery& delivery : received.deliveries)
      if (!add(delivery)) break;
    written_.json += "]}";
    written_.share->hold(written_.json.capacity());
    return std::move(written_);
  }

 private:
  bool add(const node::Delivery& delivery) {
    const auto record =
        node::find_delivered(finder_, *catalogue_, delivery.lease.partition, delivery.lease.offset, delivery.edited);
    std::string& out = written_.json;
    const std::size_t before = out.size();
    const bool first = written_.count == 0;
    if (!first && record && before + size_of(*record) > limit_) return false;  // before it takes memory twice
    if (!first) out += ",";
    append(delivery, record);
    if (!first && out.size() > limit_) {
      out.resize(before);
      return false;
    }
    ++written_.count;
    return true;
  }

  void append(const node::Delivery& delivery, const Result<record::Record>& record) {
    const node::Lease& lease = delivery.lease;
    std::string& out = written_.json;
    if (topic_id_ != lease.partition.topic) {
      topic_id_ = lease.partition.topic;
      topic_ = catalogue_->topic_name(lease.partition.topic);
    }
    out += fmt::format(R"({{"lease":"{}","attempt":{},"topic":"{}","event":)", node::lease_token(lease),
                       delivery.attempt, topic_);
    if (record) {
      const record::RecordPlace place{topic_, lease.partition.partition};
      record::write_json(record::event_of(*record, place, scratch_), &place, lease.offset, out);
    } else {
      out += "null,\"error\":";
      wire::http::write_problem(record.error(), out);
    }
    out += "}";
  }

  node::Node& node_;
  const std::uint64_t limit_;
  const std::shared_ptr<const node::Catalogue> catalogue_;
  node::RecordFinder finder_;
  std::optional<TopicId> topic_id_;
  std::string_view topic_;  // in the catalogue
  std::string scratch_;
  Written written_;
};

// One receive between the node's answer and the client's.
struct Receiving {
  node::Received received;
  std::shared_ptr<const std::atomic<bool>> cancelled;  // null: the consumer does not wait

  bool abandoned(const Exchange& exchange) const {
    return exchange.gone() || (cancelled && cancelled->load(std::memory_order_acquire));
  }
  bool may_wait(node::Node& node) const {
    return std::ranges::any_of(received.deliveries, [&](const node::Delivery& delivery) {
      return delivery.edited || !is_near_end(node, delivery.lease.partition, delivery.lease.offset);
    });
  }
};

// From delivery `first` on: nobody got them.
void give_back(IoThread& thread, const Receiving& receiving, std::size_t first) {
  std::vector<node::Lease> leases;
  for (std::size_t i = first; i < receiving.received.deliveries.size(); ++i)
    leases.push_back(receiving.received.deliveries[i].lease);
  if (!leases.empty()) thread.node().return_leases(thread, std::move(leases), [](Result<void>) {});
}

// Whoever asks would take events from under the server's hands, which brings them in order.
Error brought_to_its_target(const node::Subscription& subscription) {
  const bool copies = wire::http::is_topic_target(subscription.settings.target);
  return {
      Code::bad_setting,
      fmt::format("the server brings the events of '{}' to its target, a {}: nobody else receives them",
                  subscription.name, copies ? "topic" : "webhook"),
      "role",
      fmt::format("take the target away: PATCH /v1/subscriptions/{0} {1}, or continuo sub change {0} --target '{2}'; "
                  "who repairs receives with role=repair",
                  subscription.name, R"({"target":{"pull":{}}})", R"({"pull":{}})")};
}

void hand_out(Exchange& exchange, Receiving receiving) {
  IoThread& thread = exchange.thread();
  Door& door = thread.door();
  if (receiving.abandoned(exchange)) return give_back(thread, receiving, 0);
  if (!receiving.received.deliveries.empty() && door.budget.exhausted()) {
    give_back(thread, receiving, 0);
    return exchange.refuse({Code::overloaded, "too many answers are under way", {}, {}, 1}, {});
  }
  const bool may_wait = receiving.may_wait(door.node);
  auto shared = std::make_shared<const Receiving>(std::move(receiving));
  read_aside(
      exchange, may_wait, [&door, shared] { return DeliveriesWriter(door).write(shared->received); },
      [shared](Exchange& again, Written written) {
        const bool abandoned = shared->abandoned(again);
        give_back(again.thread(), *shared, abandoned ? 0 : written.count);
        if (!abandoned) again.answer_json(written.json);
      });
}

// --- settle
// -----------------------------------------------------------------------------------------------------------

bool is_there(const node::Catalogue& catalogue, SubscriptionId id) {
  return std::ranges::any_of(catalogue.subscriptions, [&](const auto& each) { return each.second->id == id; });
}

Result<node::Lease> lease_of(const node::Catalogue& catalogue, const std::string& token, const char* list,
                             std::size_t index, SubscriptionId subscription) {
  auto lease = node::parse_lease_token(token);
  // A subscription that was moved has another number: what it leased before is lost, and the node says so.
  if (lease && (lease->subscription == subscription || !is_there(catalogue, lease->subscription))) return lease;
  return fail(Code::bad_request, lease ? "the lease is of another subscription" : "this is not a lease",
              fmt::format("{}[{}]", list, index), "send the lease as receive gave it");
}

// Extended by nothing: back at once, and the attempt counts. Of a run the first one says it for all.
void give_up(const node::Lease& lease, node::Settle& settle) {
  for (node::Nack& nack : settle.nacks) {
    if (nack.lease.partition != lease.partition || nack.lease.key_hash != lease.key_hash) continue;
    if (lease.offset < nack.lease.offset) nack.lease = lease;
    return;
  }
  settle.nacks.push_back({lease, {"returned", "the consumer gave it back"}, Millis{0}, {}, {}});
}

Result<node::Settle> leases_of(const node::Catalogue& catalogue, const wire::http::Settle& request,
                               SubscriptionId subscription) {
  node::Settle settle;
  settle.subscription = subscription;
  for (const std::string& token : request.acks) {
    auto lease = lease_of(catalogue, token, "ack", settle.acks.size(), subscription);
    if (!lease) return pass(lease);
    settle.acks.push_back(*lease);
  }
  for (const auto& nack : request.nacks) {
    auto lease = lease_of(catalogue, nack.lease, "nack", settle.nacks.size(), subscription);
    if (!lease) return pass(lease);
    settle.nacks.push_back({*lease, {nack.code, nack.message}, nack.delay, {}, {}});
  }
  for (const auto& extend : request.extends) {
    auto lease = lease_of(catalogue, extend.lease, "extend", settle.extends.size(), subscription);
    if (!lease) return pass(lease);
    if (extend.by.count() != 0)
      settle.extends.push_back({*lease, extend.by});
    else
      give_up(*lease, settle);
  }
  return settle;
}

/// What published events inherit from the first event acknowledged.
struct Cause {
  std::string correlationid;
  std::string id;
};

Cause cause_of(node::Node& node, const node::Lease& lease) {
  node::RecordFinder finder = finder_in(node);
  const auto record = finder.find(lease.partition, lease.offset);
  if (!record) return {};  // gone with retention: nothing to inherit
  const auto catalogue = node.catalogue();
  const std::string_view topic = catalogue->topic_name(lease.partition.topic);
  std::string scratch;
  const record::Event event = record::event_of(*record, {topic, lease.partition.partition}, scratch);
  return {std::string(event.extension("correlationid")), std::string(event.id)};
}

Result<record::Event> read_event(IoThread& thread, const wire::http::Settle& request, std::size_t number) {
  auto event = thread.event_reader().read_one(request.publish[number].json);
  if (event) return event;
  place_within(event.error(), fmt::format("publish[{}].event", number));
  return event;
}

Result<void> add_events(IoThread& thread, const wire::http::Settle& request, const Cause& cause, node::Settle& settle) {
  const auto catalogue = thread.node().catalogue();
  for (const auto& item : request.publish) {
    const node::Topic* topic = catalogue->find_topic(item.topic);
    if (!topic) return std::unexpected(unknown_topic(item.topic));
    auto event = read_event(thread, request, settle.publish.size());
    if (!event) return pass(event);
    settle.publish.push_back(RecordMaker(thread, *topic).make_caused(*event, cause.correlationid, cause.id));
  }
  return {};
}

std::string refused_json(const std::vector<node::RefusedLease>& refused) {
  std::string out = "[";
  for (const node::RefusedLease& lease : refused) {
    if (out.back() != '[') out += ",";
    out += fmt::format(R"({{"lease":"{}","code":"{}"}})", node::lease_token(lease.lease), name(lease.code));
  }
  return out + "]";
}

void answer_settled(Exchange& exchange, const node::Settled& settled, bool published) {
  if (published && !settled.refused.empty() && settled.places.empty())
    return exchange.refuse(
        {Code::settle_refused,
         "a lease is not held any more, so this request settled and published nothing; an earlier request with the "
         "same leases may have done so",
         {},
         {}},
        ",\"refused\":" + refused_json(settled.refused));
  std::string out =
      fmt::format("{{\"settled\":{},\"refused\":{},\"events\":", settled.settled, refused_json(settled.refused));
  write_places(settled.places, out);
  exchange.answer_json(out + "}");
}

/// What failed, as far as it can be read.
struct Failed {
  std::string type, key;
};

/// What settling has to know of the events: the cause of what is published, and what failed.
struct Known {
  Cause cause;
  std::vector<Failed> failed;
};

Failed failed_at(node::RecordFinder& finder, const node::Lease& lease) {
  const auto record = finder.find(lease.partition, lease.offset);
  if (!record) return {};
  std::string scratch;
  Failed failed{std::string(record::event_of(*record, {{}, lease.partition.partition}, scratch).type), {}};
  if (record->key && record::is_utf8(*record->key)) failed.key = *record->key;
  return failed;
}

Known look_up(node::Node& node, const std::optional<node::Lease>& cause, const std::vector<node::Lease>& failed) {
  Known known;
  if (cause) known.cause = cause_of(node, *cause);
  node::RecordFinder finder = finder_in(node);
  for (const node::Lease& lease : failed) known.failed.push_back(failed_at(finder, lease));
  return known;
}

void submit(Exchange& exchange, const wire::http::Settle& request, node::Settle settle, const Known& known) {
  const Cause& cause = known.cause;
  for (std::size_t i = 0; i < known.failed.size(); ++i) {
    settle.nacks[i].event_type = known.failed[i].type;
    settle.nacks[i].key_text = known.failed[i].key;
  }
  IoThread& thread = exchange.thread();
  if (auto added = add_events(thread, request, cause, settle); !added) return exchange.refuse(added.error(), {});
  // A heartbeat has the same bytes each time and means something new each time: only what settles is remembered.
  const bool settles = !settle.acks.empty() || !settle.nacks.empty() || !settle.publish.empty();
  if (settles) settle.body_hash = hash128(exchange.request().body, thread.node().secret());
  const bool published = !settle.publish.empty();
  thread.node().settle(thread, std::move(settle),
                       [self = exchange.shared_from_this(), published](Result<node::Settled> settled) {
                         if (!settled) return self->refuse(settled.error(), {});
                         answer_settled(*self, *settled, published);
                       });
}

// With the events that have to be looked at, which may lie on the disk.
void find_cause(Exchange& exchange, std::shared_ptr<const wire::http::Settle> request, SubscriptionId subscription) {
  node::Node& node = exchange.thread().node();
  auto leases = leases_of(*node.catalogue(), *request, subscription);
  if (!leases) return exchange.refuse(leases.error(), {});
  std::optional<node::Lease> cause;
  if (!request->publish.empty() && !leases->acks.empty()) cause = leases->acks.front();
  std::vector<node::Lease> looked_at;
  for (const node::Nack& nack : leases->nacks) looked_at.push_back(nack.lease);
  if (!cause && looked_at.empty()) return submit(exchange, *request, std::move(*leases), {});
  const auto far = [&](const node::Lease& lease) { return !is_near_end(node, lease.partition, lease.offset); };
  const bool may_wait = (cause && far(*cause)) || std::ranges::any_of(looked_at, far);
  read_aside(
      exchange, may_wait, [&node, cause, looked_at = std::move(looked_at)] { return look_up(node, cause, looked_at); },
      [request, settle = std::move(*leases)](Exchange& again, const Known& known) mutable {
        if (!again.gone()) submit(again, *request, std::move(settle), known);
      });
}

// What is wrong with a request is said before a topic is made for it.
Result<void> check(Exchange& exchange, const wire::http::Settle& request, SubscriptionId subscription) {
  IoThread& thread = exchange.thread();
  if (auto leases = leases_of(*thread.node().catalogue(), request, subscription); !leases) return pass(leases);
  for (std::size_t i = 0; i < request.publish.size(); ++i)
    if (auto event = read_event(thread, request, i); !event) return pass(event);
  return {};
}

// Makes the topics that are missing one after the other, then submits.
void settle_when_topics_are_there(Exchange& exchange, std::shared_ptr<const wire::http::Settle> request,
                                  SubscriptionId subscription, std::size_t checked) {
  for (; checked < request->publish.size(); ++checked) {
    const std::string& name = request->publish[checked].topic;
    if (exchange.thread().node().catalogue()->find_topic(name)) continue;
    if (auto fine = check(exchange, *request, subscription); !fine) return exchange.refuse(fine.error(), {});
    return with_topic(exchange, name, [request, subscription, next = checked + 1](Exchange& again, const node::Topic&) {
      settle_when_topics_are_there(again, request, subscription, next);
    });
  }
  find_cause(exchange, std::move(request), subscription);
}

}  // namespace

void receive(Exchange& exchange, const wire::http::Receive& request) {
  IoThread& thread = exchange.thread();
  if (thread.door().budget.exhausted())
    return exchange.refuse({Code::overloaded, "too many answers are under way", {}, {}, 1}, {});
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  if (!subscription->settings.target.empty()) return exchange.refuse(brought_to_its_target(*subscription), {});
  node::Receive receive;
  receive.subscription = subscription->id;
  receive.max = request.max;
  receive.lease = request.lease;
  receive.wait = request.wait;
  if (request.wait.count() > 0) {
    auto waiting = std::make_unique<WaitingReceive>(exchange, R"({"deliveries":[]})");
    receive.cancelled = waiting->cancelled();
    exchange.set_activity(std::move(waiting));
  }
  auto answer = [self = exchange.shared_from_this(), cancelled = receive.cancelled](Result<node::Received> received) {
    if (received) return hand_out(*self, {std::move(*received), cancelled});
    if (!cancelled || !cancelled->load(std::memory_order_acquire)) self->refuse(received.error(), {});
  };
  thread.node().receive(thread, std::move(receive), std::move(answer));
}

void settle(Exchange& exchange, wire::http::Settle request) {
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  settle_when_topics_are_there(exchange, std::make_shared<const wire::http::Settle>(std::move(request)),
                               subscription->id, 0);
}

std::size_t size_of(const record::Record& record) {
  return record.headers.size() + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

}  // namespace continuo::serve
