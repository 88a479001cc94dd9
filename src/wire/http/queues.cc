#include "continuo/wire/http/queues.h"

#include <fmt/format.h>

#include <charconv>

#include "continuo/engines/lease_bounds.h"
#include "continuo/record/cloudevents.h"
#include "continuo/wire/http/healing.h"
#include "continuo/wire/http/retry.h"

namespace continuo::wire::http {
namespace {

using engines::OnFailure;
using engines::OrderBy;
using engines::StartFrom;

constexpr Millis century{100ll * 366 * 86'400'000};
constexpr Millis day{86'400'000};
constexpr Millis deduplicated{300'000};
constexpr std::uint32_t max_partitions = 1'000;
constexpr std::size_t longest_dedup_id = 1'024;

// Whether it says how often a message is delivered.
bool read_receives(Fields& fields, engines::RetryPolicy& retry) {
  const Json* policy = fields.object("retry");
  const bool attempts = policy != nullptr && policy->find("attempts") != nullptr;
  if (attempts && fields.has("max_receives")) {
    fields.refuse("retry.attempts", Code::bad_setting, "'max_receives' says the same", "leave one of them out");
    return true;
  }
  read_retry(fields, retry);
  fields.number("max_receives", retry.attempts, 1, 1'000);
  return attempts || fields.has("max_receives");
}

// Where order counts a failed message holds its group until somebody decides; elsewhere it goes out of the way.
void read_failures(Fields& fields, bool fifo, const std::string& queue, engines::SubscriptionSettings& settings) {
  std::string text = fields.has("dead_letter") || !fifo ? "dead_letter" : "park";
  fields.text("on_failure", text);
  if (text == "park")
    settings.on_failure = OnFailure::park;
  else if (text == "drop")
    settings.on_failure = OnFailure::drop;
  else if (text == "dead_letter")
    settings.on_failure = OnFailure::dead_letter;
  else
    return fields.refuse("on_failure", Code::bad_setting,
                         fmt::format("'on_failure' cannot be '{}'", text.substr(0, 80)),
                         "one of: dead_letter, park, drop");
  if (settings.on_failure != OnFailure::dead_letter) {
    if (fields.has("dead_letter"))
      fields.refuse("dead_letter", Code::bad_setting, R"(only "on_failure":"dead_letter" has one)");
    return;
  }
  settings.dead_letter = queue + ".dead";
  fields.text("dead_letter", settings.dead_letter);
  if (settings.dead_letter == queue)
    fields.refuse("dead_letter", Code::bad_setting, "a queue cannot be its own queue of dead letters");
  if (fields.ok()) fields.take(engines::check_name(settings.dead_letter));
}

void refuse_both(Fields& fields, std::string_view one, std::string_view other) {
  if (fields.has(one) && fields.has(other))
    fields.refuse(other, Code::bad_setting, fmt::format("'{}' says another time", one), "leave one of them out");
}

std::string json_of(const Json& value) {
  std::string out;
  switch (value.kind) {
    case Json::Kind::null: return "null";
    case Json::Kind::string: record::write_json_string(value.text, out); return out;
    case Json::Kind::boolean:
    case Json::Kind::number: return value.text;
    default: return std::string{value.raw};
  }
}

void read_message(Fields& fields, const Json& object, SendMessages::Message& message) {
  if (fields.has("event") == fields.has("data"))
    return fields.refuse("data", Code::bad_request, "a message is an event or the data of one",
                         R"({"data":{...}} or {"event":{"specversion":"1.0",...}})");
  if (const Json* event = fields.object("event")) message.event = event->raw;
  if (const Json* data = object.find("data")) message.data = json_of(*data);
  refuse_both(fields, "delay", "not_before");
  refuse_both(fields, "ttl", "expire_at");
  if (fields.has("delay")) fields.duration("delay", message.delay.emplace(), Millis{0}, century);
  if (fields.has("ttl")) fields.duration("ttl", message.ttl.emplace(), Millis{1}, century);
  fields.time("not_before", message.not_before);
  fields.time("expire_at", message.expire_at);
  fields.text("group", message.group);
  fields.text("dedup_id", message.dedup_id);
  if (message.dedup_id.size() > longest_dedup_id) fields.refuse("dedup_id", Code::bad_setting, "at most 1024 bytes");
}

Fields message_fields(const Json& object, std::string path) {
  return {object, std::move(path), {"event", "data", "delay", "not_before", "ttl", "expire_at", "group", "dedup_id"}};
}

void read_rate(Fields& fields, std::uint32_t& rate) {
  std::string text;
  fields.text("rate", text);
  if (!fields.has("rate") || !fields.ok()) return;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc{} || std::string_view(end) != "/s" || rate == 0 || rate > 100'000)
    fields.refuse("rate", Code::bad_setting, fmt::format("'{}' is not a rate", text.substr(0, 40)),
                  "messages a second, like 100/s");
}

}  // namespace

Result<PutQueue> read_put_queue(std::string name, const Json& object) {
  PutQueue put{std::move(name), {}, {}};
  engines::SubscriptionSettings& settings = put.subscription;
  settings.topics = {put.queue};
  settings.from = StartFrom::earliest;
  settings.queue = true;
  put.topic.dedup_window = deduplicated;
  Fields fields(object, {},
                {"fifo", "lease", "max_receives", "on_failure", "dead_letter", "retention", "retry", "dedup_window",
                 "partitions", "concurrency"});
  bool fifo = false;
  fields.boolean("fifo", fifo);
  settings.order_by = fifo ? OrderBy::key : OrderBy::none;
  fields.duration("lease", settings.lease, engines::shortest_lease, engines::longest_lease);
  read_receives(fields, settings.retry);
  read_failures(fields, fifo, put.queue, settings);
  if (fields.has("retention")) fields.duration("retention", settings.ttl.emplace(), Millis{100}, century);
  fields.duration("dedup_window", put.topic.dedup_window, Millis{0}, day);
  fields.number("partitions", put.topic.partitions, 1, max_partitions);
  fields.number("concurrency", settings.concurrency, 1, 100'000);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return put;
}

Result<ChangeQueue> read_change_queue(std::string name, const Json& object) {
  ChangeQueue request{std::move(name), {}};
  engines::QueueChange& change = request.change;
  Fields fields(object, {},
                {"fifo", "lease", "max_receives", "on_failure", "dead_letter", "retention", "retry", "dedup_window",
                 "partitions", "concurrency"});
  engines::SubscriptionChange& subscription = change.subscription;
  if (fields.has("fifo")) fields.boolean("fifo", change.fifo.emplace());
  if (fields.has("lease"))
    fields.duration("lease", subscription.lease.emplace(), engines::shortest_lease, engines::longest_lease);
  engines::RetryPolicy retry;
  if (read_receives(fields, retry)) change.receives = retry.attempts;
  if (fields.has("retry")) subscription.retry = retry;
  if (fields.has("on_failure") || fields.has("dead_letter")) {
    engines::SubscriptionSettings failures;
    read_failures(fields, false, request.queue, failures);
    subscription.on_failure = failures.on_failure;
    subscription.dead_letter = failures.dead_letter;
  }
  if (fields.has("retention")) {
    subscription.ttl.emplace();
    if (!fields.is_null("retention")) fields.duration("retention", subscription.ttl->emplace(), Millis{100}, century);
  }
  if (fields.has("dedup_window")) fields.duration("dedup_window", change.topic.dedup_window.emplace(), Millis{0}, day);
  if (fields.has("partitions")) fields.number("partitions", change.topic.partitions.emplace(), 1, max_partitions);
  if (fields.has("concurrency")) fields.number("concurrency", subscription.concurrency.emplace(), 1, 100'000);
  if (object.members.empty())
    fields.refuse("lease", Code::bad_setting, "nothing is to become different",
                  R"("lease":"1m", "max_receives":9, "retention":null takes it away)");
  if (auto checked = fields.result(); !checked) return pass(checked);
  return request;
}

void write_queue_settings(const engines::TopicSettings& topic, const engines::SubscriptionSettings& settings,
                          std::string& out) {
  const auto on_failure = [&] {
    if (settings.on_failure == OnFailure::dead_letter) return "dead_letter";
    return settings.on_failure == OnFailure::park ? "park" : "drop";
  };
  out +=
      fmt::format(R"(,"fifo":{},"lease":"{}","max_receives":{},"on_failure":"{}")", settings.order_by == OrderBy::key,
                  format_duration(settings.lease), settings.retry.attempts, on_failure());
  if (!settings.dead_letter.empty()) out += fmt::format(R"(,"dead_letter":"{}")", settings.dead_letter);
  if (settings.ttl) out += fmt::format(R"(,"retention":"{}")", format_duration(*settings.ttl));
  out += fmt::format(R"(,"retry":{},"dedup_window":"{}","partitions":{},"concurrency":{})", write_retry(settings.retry),
                     format_duration(topic.dedup_window), topic.partitions, settings.concurrency);
}

Result<SendMessages> read_send_messages(std::string name, const Json& object) {
  SendMessages send{.queue = std::move(name), .as_events = false, .messages = {}};
  if (object.find("specversion") != nullptr) {
    send.messages.push_back({.event = object.raw});
    return send;
  }
  if (object.find("messages") == nullptr) {
    Fields alone = message_fields(object, {});
    read_message(alone, object, send.messages.emplace_back());
    if (auto checked = alone.result(); !checked) return pass(checked);
    return send;
  }
  Fields fields(object, {}, {"messages"});
  const Json* list = fields.array("messages");
  if (list != nullptr && list->items.size() > SendMessages::most)
    fields.refuse("messages", Code::limit_reached, "more than 10,000 messages in one request",
                  "send them in several requests");
  for (std::size_t i = 0; list != nullptr && i < list->items.size() && fields.ok(); ++i) {
    Fields inner = message_fields(list->items[i], fmt::format("messages[{}]", i));
    if (inner.ok()) read_message(inner, list->items[i], send.messages.emplace_back());
    fields.take(inner.result());
  }
  if (auto checked = fields.result(); !checked) return pass(checked);
  return send;
}

Result<PeekQueue> read_peek_queue(std::string name, const Json& object) {
  PeekQueue peek{.queue = std::move(name), .partition = {}};
  Fields fields(object, {}, {"max", "from"});
  fields.number("max", peek.max, 1, PeekQueue::most);
  std::string from;
  fields.text("from", from);
  if (fields.ok() && !from.empty()) {
    const char* const last = from.data() + from.size();
    const auto [colon, bad] = std::from_chars(from.data(), last, peek.partition.value);
    const bool goes_on = bad == std::errc{} && colon != last && *colon == ':';
    const auto [end, worse] = std::from_chars(goes_on ? colon + 1 : last, last, peek.offset.value);
    if (!goes_on || worse != std::errc{} || end != last || peek.offset.value < 0)
      fields.refuse("from", Code::bad_setting, fmt::format("'{}' is no place in a queue", from.substr(0, 40)),
                    "the `next` of the peek before");
  }
  if (auto checked = fields.result(); !checked) return pass(checked);
  return peek;
}

Result<PurgeQueue> read_purge_queue(std::string name, const Json& object) {
  PurgeQueue purge{std::move(name), {}};
  Fields fields(object, {}, {"by", "reason"});
  read_asked(fields, purge.asked);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return purge;
}

Result<RedriveQueue> read_redrive_queue(std::string name, const Json& object) {
  RedriveQueue redrive{.queue = std::move(name), .from = {}, .asked = {}};
  Fields fields(object, {}, {"from", "max", "rate", "by", "reason"});
  fields.required("from");
  fields.text("from", redrive.from);
  fields.number("max", redrive.max, 1, 1'000'000'000);
  read_rate(fields, redrive.rate);
  read_asked(fields, redrive.asked);
  if (fields.ok() && redrive.from == redrive.queue)
    fields.refuse("from", Code::bad_setting, "these are the queue's own messages", "name a queue of dead letters");
  if (auto checked = fields.result(); !checked) return pass(checked);
  return redrive;
}

}  // namespace continuo::wire::http
