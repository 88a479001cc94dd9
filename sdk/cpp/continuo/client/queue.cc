#include "continuo/client/queue.h"

#include <boost/json.hpp>

#include <fmt/format.h>

#include <charconv>

#include "continuo/client/client.h"
#include "continuo/record/cloudevents.h"

namespace continuo::client {
namespace {

namespace json = boost::json;

constexpr std::string_view event_type = "application/cloudevents+json";
constexpr Millis on_the_way{5'000};  // beyond what the server waits

std::string path_of(std::string_view name, std::string_view rest = {}) {
  return fmt::format("/v1/queues/{}{}", percent_encode(name), rest);
}

std::string write_queue(const QueueSettings& settings) {
  json::object out;
  if (settings.fifo) out["fifo"] = true;
  if (settings.lease) out["lease"] = format_duration(*settings.lease);
  if (settings.max_receives) out["max_receives"] = *settings.max_receives;
  if (!settings.on_failure.empty()) out["on_failure"] = settings.on_failure;
  if (!settings.dead_letter.empty()) out["dead_letter"] = settings.dead_letter;
  if (settings.retention) out["retention"] = format_duration(*settings.retention);
  if (settings.dedup_window) out["dedup_window"] = format_duration(*settings.dedup_window);
  if (settings.partitions) out["partitions"] = *settings.partitions;
  return json::serialize(out);
}

// Data and events go as they were written.
std::string write_message(const Message& message) {
  const bool alone = message.event.id.empty() && message.event.source.empty() && message.event.type.empty();
  std::string out = alone ? "{\"data\":" + message.event.data : "{\"event\":" + to_json(with_id(message.event));
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format(",\"{}\":", name);
    record::write_json_string(value, out);
  };
  if (message.delay) add("delay", format_duration(*message.delay));
  if (message.ttl) add("ttl", format_duration(*message.ttl));
  add("group", message.group);
  add("dedup_id", message.dedup_id);
  return out + "}";
}

Result<std::vector<Sent>> read_sent(std::string_view text) {
  boost::system::error_code error;
  const json::value answer = json::parse(json::string_view{text.data(), text.size()}, error);
  const json::value* list = !error && answer.is_object() ? answer.as_object().if_contains("messages") : nullptr;
  if (list == nullptr || !list->is_array()) return fail(Code::connection_failed, "the answer names no messages");
  std::vector<Sent> all;
  for (const json::value& item : list->as_array()) {
    const json::value* offset = item.is_object() ? item.as_object().if_contains("offset") : nullptr;
    if (offset == nullptr || !offset->is_string()) return fail(Code::connection_failed, "a message has no place");
    Sent& sent = all.emplace_back();
    const json::object& object = item.as_object();
    sent.id = object.at("id").as_string().c_str();
    sent.partition.value = object.at("partition").to_number<std::uint32_t>();
    sent.duplicate = object.at("duplicate").as_bool();
    std::from_chars(offset->as_string().data(), offset->as_string().data() + offset->as_string().size(),
                    sent.offset.value);
  }
  return all;
}

}  // namespace

Result<bool> Client::put_queue(std::string_view name, const QueueSettings& settings) {
  return put(path_of(name), write_queue(settings));
}

Result<void> Client::delete_queue(std::string_view name) {
  auto body = request("DELETE", path_of(name));
  if (!body) return pass(body);
  return {};
}

Result<std::vector<Sent>> Client::send(std::string_view queue, std::span<const Message> messages) {
  std::string body = "{\"messages\":[";
  for (const Message& message : messages) {
    if (&message != &messages.front()) body += ",\n";
    body += write_message(message);
  }
  auto answer = request("POST", path_of(queue, "/messages"), body + "]}");
  if (!answer) return pass(answer);
  return read_sent(*answer);
}

Result<Event> Client::request(std::string_view topic, const Event& event, Millis timeout) {
  const std::string body = to_json(with_id(event));
  auto answer = ask({.method = "POST",
                     .target = fmt::format("/v1/topics/{}/events?wait_for=reply&timeout={}", percent_encode(topic),
                                           format_duration(timeout)),
                     .content_type = event_type,
                     .body = body,
                     .accept = {},
                     .last_event_id = {}},
                    std::max(options_.timeout, timeout + on_the_way));
  if (!answer) return pass(answer);
  return parse_event(answer->body);
}

}  // namespace continuo::client
