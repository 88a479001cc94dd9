// Queues: define, look, delete, purge, and what consumers do with one, which is what they do with its subscription.
#include "continuo/node/queues.h"

#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/wire/http/definitions.h"

namespace continuo::serve {
namespace {

Error unknown_queue(std::string_view name) {
  return {Code::unknown_queue, fmt::format("there is no queue '{}'", name), "queue", {}};
}

// Without the closing brace.
std::string definition(const node::Subscription& queue, const node::Catalogue& catalogue) {
  std::string out = "{\"name\":";
  record::write_json_string(queue.name, out);
  const node::Topic* topic = catalogue.find_topic(queue.name);
  wire::http::write_queue_settings(topic == nullptr ? node::TopicSettings{} : topic->settings, queue.settings, out);
  return out + fmt::format(",\"paused\":{}", queue.paused);
}

std::string description(const node::SubscriptionState& state, const node::Catalogue& catalogue, WallTime now) {
  const std::uint64_t held = state.leased + state.delayed + state.parked_events;
  std::string out = definition(state.subscription, catalogue);
  out += fmt::format(R"(,"waiting":{},"leased":{},"delayed":{},"parked":{})", state.lag - std::min(state.lag, held),
                     state.leased, state.delayed, state.parked_events);
  if (state.oldest)
    out += fmt::format(R"(,"oldest":"{}","oldest_age":"{}")", format_time(*state.oldest),
                       format_duration(std::max(Millis{now.ms - state.oldest->ms}, Millis{0})));
  return out;
}

// Describes queues one after the other, each with what waits in its queue of dead letters, if that is one.
class Describing : public std::enable_shared_from_this<Describing> {
 public:
  using Done = std::move_only_function<void(Exchange&, std::vector<std::string>)>;
  Describing(Exchange& exchange, std::vector<std::shared_ptr<const node::Subscription>> queues, Done done)
      : exchange_(exchange.shared_from_this()), queues_(std::move(queues)), done_(std::move(done)) {}

  void next() {
    if (exchange_->gone()) return;
    if (at_ == queues_.size()) return done_(*exchange_, std::move(texts_));
    ask(queues_[at_]->id,
        [self = shared_from_this()](Result<node::SubscriptionState> state) { self->described(std::move(state)); });
  }

 private:
  void ask(SubscriptionId id, node::Answer<node::SubscriptionState> answer) {
    IoThread& thread = exchange_->thread();
    thread.node().subscription_state(thread, id, std::move(answer));
  }

  void described(const Result<node::SubscriptionState>& state) {
    IoThread& thread = exchange_->thread();
    if (!state && state.error().code != Code::unknown_subscription) return exchange_->refuse(state.error(), {});
    const std::size_t place = at_++;
    if (!state) return next();  // deleted meanwhile
    const auto catalogue = thread.node().catalogue();
    texts_.push_back(description(*state, *catalogue, thread.clock().wall()));
    const node::Subscription* dead = catalogue->find_subscription(queues_[place]->settings.dead_letter);
    if (dead == nullptr) return close();
    ask(dead->id, [self = shared_from_this()](const Result<node::SubscriptionState>& letters) {
      if (letters) self->texts_.back() += fmt::format(R"(,"dead":{})", letters->lag);
      self->close();
    });
  }

  void close() {
    texts_.back() += "}";
    next();
  }

  const std::shared_ptr<Exchange> exchange_;
  const std::vector<std::shared_ptr<const node::Subscription>> queues_;
  Done done_;
  std::size_t at_ = 0;
  std::vector<std::string> texts_;
};

void describe(Exchange& exchange, std::vector<std::shared_ptr<const node::Subscription>> queues,
              Describing::Done done) {
  std::make_shared<Describing>(exchange, std::move(queues), std::move(done))->next();
}

}  // namespace

std::shared_ptr<const node::Subscription> find_queue(Exchange& exchange, std::string_view name) {
  const auto catalogue = exchange.thread().node().catalogue();
  const auto found = catalogue->subscriptions.find(name);
  if (found != catalogue->subscriptions.end() && found->second->settings.queue) return found->second;
  exchange.refuse(unknown_queue(name), {});
  return nullptr;
}

void list_queues(Exchange& exchange) {
  const auto catalogue = exchange.thread().node().catalogue();
  std::vector<std::shared_ptr<const node::Subscription>> queues;
  for (const auto& [name, subscription] : catalogue->subscriptions)
    if (subscription->settings.queue) queues.push_back(subscription);
  describe(exchange, std::move(queues), [](Exchange& again, const std::vector<std::string>& texts) {
    again.answer_json(fmt::format("{{\"queues\":[{}]}}", fmt::join(texts, ",")));
  });
}

void put_queue(Exchange& exchange, wire::http::PutQueue request) {
  IoThread& thread = exchange.thread();
  std::string name = request.queue;
  thread.node().queues().put(thread, std::move(name), {request.topic, std::move(request.subscription)},
                             [self = exchange.shared_from_this()](Result<node::Put<node::Subscription>> put) {
                               if (!put) return self->refuse(put.error(), {});
                               self->answer_json(definition(put->value, *self->thread().node().catalogue()) + "}",
                                                 put->created ? 201 : 200);
                             });
}

void change_queue(Exchange& exchange, wire::http::ChangeQueue request) {
  IoThread& thread = exchange.thread();
  thread.node().queues().change(thread, std::move(request.queue), std::move(request.change),
                                [self = exchange.shared_from_this()](Result<node::Subscription> changed) {
                                  if (!changed) return self->refuse(changed.error(), {});
                                  self->answer_json(definition(*changed, *self->thread().node().catalogue()) + "}");
                                });
}

void get_queue(Exchange& exchange, const wire::http::OneQueue& request) {
  auto queue = find_queue(exchange, request.queue);
  if (!queue) return;
  describe(exchange, {std::move(queue)},
           [name = request.queue](Exchange& again, const std::vector<std::string>& texts) {
             if (texts.empty()) return again.refuse(unknown_queue(name), {});
             again.answer_json(texts.front());
           });
}

void delete_queue(Exchange& exchange, const wire::http::OneQueue& request) {
  IoThread& thread = exchange.thread();
  thread.node().queues().remove(thread, request.queue, [self = exchange.shared_from_this()](Result<void> done) {
    if (!done) return self->refuse(done.error(), {});
    self->answer(204, {}, {}, {});
  });
}

void purge_queue(Exchange& exchange, const wire::http::PurgeQueue& request) {
  const auto queue = find_queue(exchange, request.queue);
  if (!queue) return;
  IoThread& thread = exchange.thread();
  thread.node().queues().purge(thread, queue->id, request.asked,
                               [self = exchange.shared_from_this()](Result<std::uint64_t> purged) {
                                 if (!purged) return self->refuse(purged.error(), {});
                                 self->answer_json(fmt::format("{{\"purged\":{}}}", *purged));
                               });
}

void receive_messages(Exchange& exchange, const wire::http::Receive& request) {
  if (find_queue(exchange, request.subscription)) receive(exchange, request);
}

void settle_messages(Exchange& exchange, wire::http::Settle request) {
  if (find_queue(exchange, request.subscription)) settle(exchange, std::move(request));
}

}  // namespace continuo::serve
