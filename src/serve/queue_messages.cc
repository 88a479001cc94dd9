// Sending to a queue: events as a publish takes them, or messages of which the server makes events.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/random.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

using record::Event;
using record::Extension;
using wire::http::SendMessages;

/// What goes into one commit, and what is answered of it.
struct Sending {
  std::vector<node::NewRecord> records;
  std::vector<std::string> ids;
};

Result<void> check_times(const Event& event) {
  for (const char* name : {"notbefore", "expiretime", "expirytime"}) {
    const std::string_view value = event.extension(name);
    if (!value.empty() && !parse_time(value))
      return fail(Code::bad_event, fmt::format("'{}' is not a time", value.substr(0, 40)), name,
                  "like 2026-01-31T08:00:00Z");
  }
  return {};
}

// Makes the event of a message, and its record. Not for two messages at once: views point into it.
class MessageMaker {
 public:
  MessageMaker(IoThread& thread, const node::Topic& queue)
      : thread_(thread), maker_(thread, queue), source_("/queues/" + queue.name) {}

  Result<void> add(const SendMessages::Message& message, Sending& sending) {
    auto event = message.event.empty() ? of_data(*message.data) : thread_.event_reader().read_one(message.event);
    if (!event) return pass(event);
    if (!message.group.empty()) set(*event, "partitionkey", message.group);
    if (auto valid = record::validate(*event); !valid) return valid;
    const WallTime now = maker_.now();
    const auto due = message.delay ? WallTime{now.ms + message.delay->count()} : message.not_before;
    const auto end = message.ttl ? WallTime{now.ms + message.ttl->count()} : message.expire_at;
    if (due && end && *end <= *due)
      return fail(Code::bad_setting, "the message would expire before it may be delivered",
                  message.ttl ? "ttl" : "expire_at", "let it live longer than it is delayed");
    added_.clear();
    texts_.clear();
    if (due) add_time("notbefore", *due);
    if (end) add_time("expiretime", *end);
    return add(*event, message.dedup_id, sending);
  }

  Result<void> add(const Event& event, std::string_view dedup_id, Sending& sending) {
    if (auto valid = check_times(event); !valid) return valid;
    sending.records.push_back(maker_.make_message(event, added_, dedup_id));
    sending.ids.emplace_back(event.id);
    return {};
  }
  WallTime now() const { return maker_.now(); }

 private:
  Result<Event> of_data(const std::string& data) {
    json_ = data;
    json_.append(record::json_padding, ' ');
    const std::string_view text = std::string_view{json_}.substr(0, data.size());
    if (auto valid = record::validate_json(text); !valid) return pass(valid);
    id_ = fmt::format("{:016x}{:016x}", system_random().next(), system_random().next());
    Event event;
    event.id = id_;
    event.source = source_;
    event.type = "continuo.message";
    event.data = text;
    event.data_kind = record::DataKind::json;
    return event;
  }

  static void set(Event& event, std::string_view name, std::string_view value) {
    std::erase_if(event.extensions, [&](const Extension& each) { return each.name == name; });
    event.extensions.push_back({name, value});
  }

  void add_time(std::string_view name, WallTime time) {
    texts_.push_back(std::make_unique<const std::string>(format_time(time)));
    added_.push_back({name, *texts_.back()});
  }

  IoThread& thread_;
  RecordMaker maker_;
  const std::string source_;
  std::string json_, id_;
  std::vector<std::unique_ptr<const std::string>> texts_;
  std::vector<Extension> added_;
};

void answer_sent(Exchange& exchange, const std::vector<std::string>& ids, const node::Published& published) {
  std::string out =
      exchange.thread().node().durable() ? R"({"durable":true,"messages":[)" : R"({"durable":false,"messages":[)";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const node::Place& place = published.places[i];
    out += i == 0 ? "{\"id\":" : ",{\"id\":";
    record::write_json_string(ids[i], out);
    out += fmt::format(R"(,"partition":{},"offset":"{}","duplicate":{}}})", place.partition.value, place.offset.value,
                       place.duplicate);
  }
  exchange.answer_json(out + "]}", 201);
}

void submit(Exchange& exchange, Sending sending) {
  IoThread& thread = exchange.thread();
  thread.node().publish(
      thread, std::move(sending.records),
      [self = exchange.shared_from_this(), ids = std::move(sending.ids)](const Result<node::Published>& published) {
        if (!published) return self->refuse(published.error(), {});
        answer_sent(*self, ids, *published);
      });
}

Result<void> read_all(Exchange& exchange, const SendMessages& request, MessageMaker& maker, Sending& sending) {
  if (request.as_events) {
    const auto format = wire::http::event_format(exchange.request());
    return exchange.thread().event_reader().read(*format, exchange.request(), [&](const Event& event) -> Result<void> {
      if (sending.ids.size() == SendMessages::most)
        return fail(Code::limit_reached, "more than 10,000 messages in one request", {},
                    "send them in several requests");
      return maker.add(event, {}, sending);
    });
  }
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    auto added = maker.add(request.messages[i], sending);
    if (added) continue;
    if (request.messages.size() > 1) place_within(added.error(), fmt::format("messages[{}]", i));
    return added;
  }
  return {};
}

}  // namespace

void send_messages(Exchange& exchange, wire::http::SendMessages request) {
  IoThread& thread = exchange.thread();
  if (auto open = thread.node().may_publish(exchange.request().body.size()); !open)
    return exchange.refuse(open.error(), {});
  const auto queue = find_queue(exchange, request.queue);
  if (!queue) return;
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.queue);
  if (topic == nullptr) return exchange.refuse(unknown_topic(request.queue), {});
  MessageMaker maker(thread, *topic);
  Sending sending;
  if (auto read = read_all(exchange, request, maker, sending); !read) return exchange.refuse(read.error(), {});
  if (sending.records.empty()) return answer_sent(exchange, {}, {});
  submit(exchange, std::move(sending));
}

}  // namespace continuo::serve
