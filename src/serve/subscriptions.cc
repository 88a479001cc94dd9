// Subscriptions: define, change, look, pause, delete.
#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/release_json.h"
#include "continuo/wire/http/definitions.h"

namespace continuo::serve {
namespace {

using Starts = std::vector<std::pair<PartitionRef, Offset>>;

// Without the closing brace.
std::string definition(const node::Subscription& subscription) {
  std::string out = "{\"name\":";
  record::write_json_string(subscription.name, out);
  wire::http::write_subscription_settings(subscription.settings, out);
  out += fmt::format(",\"paused\":{}", subscription.paused);
  return out;
}

std::string description(const node::SubscriptionState& state) {
  std::string out = definition(state.subscription);
  out += fmt::format(",\"lag\":{}", state.lag);
  if (state.oldest) out += fmt::format(",\"oldest\":\"{}\"", format_time(*state.oldest));
  out += fmt::format(",\"leased\":{},\"delayed\":{},\"parked_keys\":{},\"parked_events\":{}", state.leased,
                     state.delayed, state.parked_keys, state.parked_events);
  if (state.storm) {
    out += R"(,"in_storm":{"fingerprint":)";
    record::write_json_string(state.storm->fingerprint, out);
    out += fmt::format(R"(,"since":"{}","probes":{}}})", format_time(state.storm->since), state.storm->probes);
  }
  if (state.release) out += ",\"release\":" + release_json(*state.release);
  out += fmt::format(R"(,"healing":{{"retries":{},"parked":{},"released":{},"drained":{},"relapsed":{},"repaired":{},)"
                     R"("skipped":{},"dead_lettered":{},"overtakes_prevented":{})",
                     state.tally.retries, state.tally.parked, state.tally.released, state.tally.drained,
                     state.tally.relapsed, state.tally.repaired, state.tally.skipped, state.tally.dead_lettered,
                     state.tally.overtakes_prevented);
  if (state.tally.drained != 0)
    out += fmt::format(R"(,"time_to_repair":"{}")",
                       format_duration(state.tally.repairing / static_cast<std::int64_t>(state.tally.drained)));
  out += "}";
  if (state.subscription.matched) out += fmt::format(",\"matched\":{}", state.subscription.matched->load());
  return out + "}";
}

std::string change_of(const node::ChangedSubscription& changed, const node::Catalogue& catalogue) {
  std::string out = definition(changed.subscription) + ",\"filtered_from\":[";
  for (const auto& [partition, offset] : changed.from)
    for (const auto& [name, topic] : catalogue.topics) {
      if (topic->id != partition.topic) continue;
      if (out.back() != '[') out += ",";
      out += fmt::format(R"({{"topic":"{}","partition":{},"offset":"{}"}})", name, partition.partition.value,
                         offset.value);
    }
  return out + "]}";
}

// Where it begins is looked up first when that is a time.
void put_from(Exchange& exchange, const wire::http::PutSubscription& request) {
  const auto put = [request](Exchange& on, Starts begin) {
    on.thread().node().put_subscription(on.thread(), request.subscription, request.settings, std::move(begin),
                                        [self = on.shared_from_this()](Result<node::Put<node::Subscription>> done) {
                                          if (!done) return self->refuse(done.error(), {});
                                          self->answer_json(definition(done->value) + "}", done->created ? 201 : 200);
                                        });
  };
  if (request.settings.from != engines::StartFrom::time) return put(exchange, {});
  read_aside(
      exchange, true,
      [&node = exchange.thread().node(), settings = request.settings] {
        return starts_at(node, settings.from_time, settings.topics);
      },
      [put](Exchange& again, Result<Starts> starts) {
        if (!starts) return again.refuse(starts.error(), {});
        put(again, std::move(*starts));
      });
}

}  // namespace

Error unknown_subscription(std::string_view name) {
  return {Code::unknown_subscription, fmt::format("there is no subscription '{}'", name), "subscription", {}};
}

std::shared_ptr<const node::Subscription> find_subscription(Exchange& exchange, std::string_view name) {
  const auto catalogue = exchange.thread().node().catalogue();
  const auto found = catalogue->subscriptions.find(name);
  if (found != catalogue->subscriptions.end()) return found->second;
  exchange.refuse(unknown_subscription(name), {});
  return nullptr;
}

void list_subscriptions(Exchange& exchange) {
  const auto catalogue = exchange.thread().node().catalogue();
  std::string out = "{\"subscriptions\":[";
  for (const auto& [name, subscription] : catalogue->subscriptions) {
    if (out.back() != '[') out += ",";
    out += definition(*subscription) + "}";
  }
  exchange.answer_json(out + "]}");
}

void put_subscription(Exchange& exchange, wire::http::PutSubscription request) {
  auto target = checked_target(exchange.thread().door(), request.subscription, request.settings);
  if (!target) return exchange.refuse(target.error(), {});
  const std::string name = request.subscription;
  const std::vector<std::string> sources = request.settings.topics;
  const auto put = [request = std::move(request)](Exchange& again) { put_from(again, request); };
  // Copies go into a topic that is there, as what is published does. It is made only for what will be made then.
  const auto catalogue = exchange.thread().node().catalogue();
  for (const std::string& topic : sources)
    if (!catalogue->find_topic(topic)) return put(exchange);
  if (!target->topic || catalogue->find_subscription(name) != nullptr) return put(exchange);
  with_topic(exchange, target->topic->name, [put](Exchange& again, const node::Topic&) { put(again); });
}

void change_subscription(Exchange& exchange, wire::http::ChangeSubscription request) {
  const auto catalogue = exchange.thread().node().catalogue();
  std::optional<std::string> copies;
  if (const node::Subscription* there = catalogue->find_subscription(request.subscription);
      there && request.change.target) {
    engines::SubscriptionSettings settings = request.change.applied_to(there->settings);
    auto target = checked_target(exchange.thread().door(), request.subscription, settings);
    if (!target) return exchange.refuse(target.error(), {});
    request.change.target = settings.target;
    if (target->topic) copies = target->topic->name;
  }
  const auto change = [request = std::move(request)](Exchange& on) {
    on.thread().node().change_subscription(on.thread(), request.subscription, request.change,
                                           [self = on.shared_from_this()](Result<node::ChangedSubscription> changed) {
                                             if (!changed) return self->refuse(changed.error(), {});
                                             self->answer_json(change_of(*changed, *self->thread().node().catalogue()));
                                           });
  };
  if (!copies) return change(exchange);
  with_topic(exchange, *copies, [change](Exchange& again, const node::Topic&) { change(again); });
}

void get_subscription(Exchange& exchange, const wire::http::OneSubscription& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  thread.node().subscription_state(thread, subscription->id,
                                   [self = exchange.shared_from_this()](Result<node::SubscriptionState> state) {
                                     if (!state) return self->refuse(state.error(), {});
                                     self->answer_json(description(*state));
                                   });
}

void delete_subscription(Exchange& exchange, const wire::http::OneSubscription& request) {
  IoThread& thread = exchange.thread();
  thread.node().delete_subscription(thread, request.subscription,
                                    [self = exchange.shared_from_this()](Result<void> done) {
                                      if (!done) return self->refuse(done.error(), {});
                                      self->answer(204, {}, {}, {});
                                    });
}

void pause(Exchange& exchange, const wire::http::OneSubscription& request, bool paused) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  thread.node().pause(thread, subscription->id, paused,
                      [self = exchange.shared_from_this(), paused](Result<void> done) {
                        if (!done) return self->refuse(done.error(), {});
                        self->answer_json(paused ? R"({"paused":true})" : R"({"paused":false})");
                      });
}

}  // namespace continuo::serve
