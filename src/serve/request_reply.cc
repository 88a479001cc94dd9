// Request and reply: one event is published, and the answer is the event that answers it.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/reply_watches.h"

namespace continuo::serve {
namespace {

constexpr std::string_view reply_extension = "replyto";

/// One request on its way: its record, and where its reply will be.
struct Asking {
  node::NewRecord record;
  std::string topic, id;
  Millis within{0};
};

class WaitingForReply final : public Activity {
 public:
  WaitingForReply(Exchange& exchange, Asking asking, node::Topic replies)
      : exchange_(exchange),
        topic_(std::move(asking.topic)),
        id_(std::move(asking.id)),
        within_(asking.within),
        replies_(std::move(replies)),
        until_(exchange.thread().clock().steady() + asking.within) {}
  ~WaitingForReply() override { thread().reply_watches().forget(replies_.id, ticket_); }

  // The watch comes first: the reply may be there as soon as the request is.
  void start(node::NewRecord record) {
    exchange_.watch(replies_.id);
    const auto ticket = thread().reply_watches().wait(replies_, id_, [&exchange = exchange_](const std::string& json) {
      exchange.answer(200, wire::http::event_type, json);
    });
    if (!ticket) return exchange_.refuse(ticket.error(), {});
    ticket_ = *ticket;
    std::vector<node::NewRecord> records;
    records.push_back(std::move(record));
    thread().node().publish(thread(), std::move(records),
                            [self = exchange_.shared_from_this()](const Result<node::Published>& published) {
                              if (Activity* activity = self->activity())
                                static_cast<WaitingForReply*>(activity)->published(published);
                            });
  }

  void news() override { thread().reply_watches().news(replies_.id); }
  void tick(Micros now) override {
    if (place_ && now >= until_) give_up(Code::reply_timeout);
  }
  void stopping() override { give_up(Code::shutting_down); }

 private:
  IoThread& thread() { return exchange_.thread(); }

  void published(const Result<node::Published>& published) {
    if (!published) return exchange_.refuse(published.error(), {});
    place_ = published->places.front();
    if (place_->duplicate) look_back();
  }

  // The request was there already, and perhaps its reply is too.
  void look_back() {
    node::Node& node = thread().node();
    const auto catalogue = node.catalogue();
    const node::Topic* topic = catalogue->find_topic(topic_);
    if (topic == nullptr) return;
    const WallTime since{thread().clock().wall().ms - topic->settings.dedup_window.count()};
    read_aside(
        exchange_, true, [&node, replies = replies_, id = id_, since] { return find_reply(node, replies, id, since); },
        [](Exchange& again, const std::optional<std::string>& reply) {
          if (reply && !again.gone() && again.activity()) again.answer(200, wire::http::event_type, *reply);
        });
  }

  void give_up(Code code) {
    std::string more;
    if (place_)
      more = fmt::format(R"(,"request":{{"topic":"{}","partition":{},"offset":"{}"}},"replies":"{}")", topic_,
                         place_->partition.value, place_->offset.value, replies_.name);
    exchange_.refuse({code,
                      code == Code::reply_timeout ? fmt::format("no event with causationid '{}' came to '{}' in {}",
                                                                id_, replies_.name, format_duration(within_))
                                                  : "the server is stopping",
                      {},
                      {}},
                     more);
  }

  Exchange& exchange_;
  const std::string topic_, id_;
  const Millis within_;
  const node::Topic replies_;
  const Micros until_;
  std::uint64_t ticket_ = 0;
  std::optional<node::Place> place_;
};

Result<std::string> reply_topic(const record::Event& event, const std::string& topic) {
  std::string name{event.extension(reply_extension)};
  if (name.empty()) name = topic + ".replies";
  if (auto valid = engines::check_name(name); !valid) {
    valid.error().at = reply_extension;
    return pass(valid);
  }
  if (engines::is_system_name(name))
    return fail(Code::system_name, fmt::format("'{}' belongs to the system", name), std::string{reply_extension});
  return name;
}

// What is wrong with a request is said before topics are made for it.
Result<void> check(Exchange& exchange, const wire::http::Publish& request) {
  return exchange.thread().event_reader().read(request.format, exchange.request(),
                                               [&](const record::Event& event) -> Result<void> {
                                                 auto name = reply_topic(event, request.topic);
                                                 if (!name) return pass(name);
                                                 return {};
                                               });
}

void ask(Exchange& exchange, const node::Topic& topic, const wire::http::Publish& request) {
  IoThread& thread = exchange.thread();
  Asking asking{.record = {}, .topic = topic.name, .id = {}, .within = *request.reply_within};
  std::string replies;
  const auto read =
      thread.event_reader().read(request.format, exchange.request(), [&](const record::Event& event) -> Result<void> {
        auto name = reply_topic(event, topic.name);
        if (!name) return pass(name);
        replies = std::move(*name);
        asking.id = event.id;
        const std::vector<record::Extension> added{{reply_extension, replies}};
        asking.record = RecordMaker(thread, topic).make_message(event, added, {});
        return {};
      });
  if (!read) return exchange.refuse(read.error(), {});
  with_topic(exchange, replies, [asking = std::move(asking)](Exchange& again, const node::Topic& its) mutable {
    node::NewRecord record = std::move(asking.record);
    auto waiting = std::make_unique<WaitingForReply>(again, std::move(asking), its);
    WaitingForReply& me = *waiting;
    again.set_activity(std::move(waiting));
    me.start(std::move(record));
  });
}

}  // namespace

void publish_and_wait(Exchange& exchange, const wire::http::Publish& request) {
  if (const auto open = exchange.thread().node().may_publish(exchange.request().body.size()); !open)
    return exchange.refuse(open.error(), {});
  if (!exchange.thread().node().catalogue()->find_topic(request.topic))
    if (const auto fine = check(exchange, request); !fine) return exchange.refuse(fine.error(), {});
  with_topic(exchange, request.topic,
             [request](Exchange& again, const node::Topic& topic) { ask(again, topic, request); });
}

}  // namespace continuo::serve
