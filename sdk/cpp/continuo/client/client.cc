#include "continuo/client/client.h"

#include <boost/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "continuo/client/requests.h"
#include "continuo/client/stream.h"

namespace continuo::client {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view event_type = "application/cloudevents+json";
constexpr std::string_view batch_type = "application/cloudevents-batch+json";
// What was handled ought to be settled also while a program ends, but it cannot wait for long.
constexpr Millis last_settle_timeout{5'000};
constexpr Millis first_pause{50};
constexpr Millis longest_pause{1'000};
// The server sends a comment every 15 s; silence for longer means it is gone.
constexpr Millis tail_silence{40'000};

std::string topic_path(std::string_view name, std::string_view rest = {}) {
  return fmt::format("/v1/topics/{}{}", percent_encode(name), rest);
}
std::string subscription_path(std::string_view name, std::string_view rest = {}) {
  return fmt::format("/v1/subscriptions/{}{}", percent_encode(name), rest);
}

std::string events_path(std::string_view topic, const Read& read) {
  std::string path = topic_path(topic, fmt::format("/events?from={}&limit={}", percent_encode(read.from), read.limit));
  if (read.partition) path += fmt::format("&partition={}", read.partition->value);
  if (read.wait.count() > 0) path += fmt::format("&wait={}", format_duration(read.wait));
  if (!read.correlation.empty()) path += "&correlation=" + percent_encode(read.correlation);
  if (!read.filter.empty()) path += "&filter=" + percent_encode(read.filter);
  return path;
}

std::string tail_path(std::string_view topic, const Tail& tail) {
  std::string path = topic_path(topic, "/events?from=" + percent_encode(tail.from));
  if (tail.partition) path += fmt::format("&partition={}", tail.partition->value);
  if (!tail.correlation.empty()) path += "&correlation=" + percent_encode(tail.correlation);
  if (!tail.filter.empty()) path += "&filter=" + percent_encode(tail.filter);
  return path;
}

std::string member(const boost::json::object& problem, const char* name) {
  const boost::json::value* value = problem.if_contains(name);
  return value && value->is_string() ? std::string{value->as_string().c_str()} : std::string{};
}

Code code_for_status(int status) {
  if (status == 429) return Code::too_many_requests;
  if (status == 503) return Code::overloaded;
  return status >= 500 ? Code::connection_failed : Code::bad_request;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Error error_of(const Answer& answer) {
  Error error{.code = code_for_status(answer.status),
              .detail = fmt::format("the server answered {}", answer.status),
              .at = {},
              .hint = {}};
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse(answer.body, failed);
  if (!failed && value.is_object()) {
    const boost::json::object& problem = value.as_object();
    if (const CodeInfo* code = find_code(member(problem, "code"))) error.code = code->code;
    if (std::string detail = member(problem, "detail"); !detail.empty()) error.detail = std::move(detail);
    error.at = member(problem, "at");
    error.hint = member(problem, "hint");
  }
  if (const std::string_view after = answer.header("retry-after"); !after.empty())
    error.retry_after_s = std::atoi(std::string{after}.c_str());
  return error;
}

bool is_passing(const Error& error) {
  switch (error.code) {
    case Code::connection_failed:
    case Code::overloaded:
    case Code::too_many_requests:
    case Code::too_many_connections:
    case Code::shutting_down:
    case Code::not_ready: return true;
    default: return false;
  }
}

bool pause_for(Millis time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

Patience::Patience(Millis patience, std::stop_token stop)
    : patience_(patience), stop_(std::move(stop)), since_(system_clock().steady()), pause_(first_pause) {}

void Patience::restart() {
  since_ = system_clock().steady();
  pause_ = first_pause;
}

bool Patience::wait_after(const Error& error) {
  if (!is_passing(error) || stop_.stop_requested()) return false;
  const Micros passed = system_clock().steady() - since_;
  if (passed + pause_ > patience_) return false;
  // Overload is told in whole seconds: believe it, within what is left of the patience.
  const Millis left = std::chrono::duration_cast<Millis>(patience_ - passed);
  const Millis asked = std::min(left, Millis{error.retry_after_s * 1'000});
  const bool going_on = pause_for(std::max(pause_, asked), stop_);
  pause_ = std::min(longest_pause, pause_ * 2);
  return going_on;
}

Client::Client(Options options) : options_(std::move(options)) {}

// A connection kept alive may have been closed by the server meanwhile; then nothing was done, and once more is fine.
Result<Answer> Client::ask_once(const Request& request, Millis timeout, const std::stop_token& stop) {
  const bool reused = connection_.is_open() && connection_.was_used();
  if (!connection_.is_open()) {
    auto opened = Connection::open(options_.server, options_.timeout, stop);
    if (!opened) return pass(opened);
    connection_ = std::move(*opened);
  }
  connection_.watch(stop);
  auto answer = connection_.ask(request, timeout);
  if (answer || !reused || !connection_.answer_untouched() || stop.stop_requested()) return answer;
  connection_.close();
  return ask_once(request, timeout, stop);
}

Result<Answer> Client::ask(const Request& request, Millis timeout, Stopping stopping) {
  Patience patience(options_.patience, options_.stop);
  for (;;) {
    auto answer = ask_once(request, timeout, stopping == Stopping::at_once ? options_.stop : std::stop_token{});
    if (answer && answer->status < 400) return answer;
    Error error = answer ? error_of(*answer) : std::move(answer.error());
    if (!patience.wait_after(error)) return std::unexpected(std::move(error));
  }
}

Result<std::string> Client::request(std::string_view method, std::string target, std::string_view body,
                                    std::string_view content_type, Millis wait) {
  const std::string_view type = content_type.empty() && !body.empty() ? json_type : content_type;
  auto answer = ask({.method = method,
                     .target = std::move(target),
                     .content_type = type,
                     .body = body,
                     .accept = {},
                     .last_event_id = {}},
                    options_.timeout + wait);
  if (!answer) return pass(answer);
  return std::move(answer->body);
}

Result<bool> Client::put(std::string target, const std::string& body) {
  auto answer = ask({.method = "PUT",
                     .target = std::move(target),
                     .content_type = json_type,
                     .body = body,
                     .accept = {},
                     .last_event_id = {}},
                    options_.timeout);
  if (!answer) return pass(answer);
  return answer->status == 201;
}

Result<bool> Client::create_topic(std::string_view name, const TopicSettings& settings) {
  return put(topic_path(name), write_topic(settings));
}

Result<void> Client::change_topic(std::string_view name, const TopicChange& change) {
  auto body = request("PATCH", topic_path(name), write_topic(change));
  if (!body) return pass(body);
  return {};
}

Result<Topic> Client::topic(std::string_view name) {
  auto body = request("GET", topic_path(name));
  if (!body) return pass(body);
  return read_topic(name, *body);
}

Result<std::vector<std::string>> Client::topics() {
  auto body = request("GET", "/v1/topics");
  if (!body) return pass(body);
  return read_topics(*body);
}

Result<void> Client::delete_topic(std::string_view name) {
  auto body = request("DELETE", topic_path(name));
  if (!body) return pass(body);
  return {};
}

Result<void> Client::trim(std::string_view name, PartitionId partition, Offset before) {
  auto body = request("POST", topic_path(name, "/trim"),
                      fmt::format("{{\"partition\":{},\"before\":\"{}\"}}", partition.value, before.value));
  if (!body) return pass(body);
  return {};
}

Result<Place> Client::publish(std::string_view topic, const Event& event) {
  auto body = request("POST", topic_path(topic, "/events"), to_json(with_id(event)), event_type);
  if (!body) return pass(body);
  auto places = read_places(*body);
  if (!places) return pass(places);
  if (places->size() != 1) return fail(Code::connection_failed, "the server's answer names no place");
  return places->front();
}

Result<std::vector<Place>> Client::publish(std::string_view topic, std::span<const Event> events) {
  std::vector<std::string> texts;
  texts.reserve(events.size());
  for (const Event& event : events) texts.push_back(to_json(with_id(event)));
  return publish_json(topic, texts);
}

Result<std::vector<Place>> Client::publish_json(std::string_view topic, std::span<const std::string> events) {
  std::string body = "[";
  for (const std::string& event : events) {
    if (body.size() > 1) body += ",\n";
    body += event;
  }
  auto answer = request("POST", topic_path(topic, "/events"), body + "]", batch_type);
  if (!answer) return pass(answer);
  return read_places(*answer);
}

Result<Page> Client::read(std::string_view topic, const Read& read) {
  auto answer = ask({.method = "GET",
                     .target = events_path(topic, read),
                     .content_type = {},
                     .body = {},
                     .accept = batch_type,
                     .last_event_id = {}},
                    options_.timeout + read.wait);
  if (!answer) return pass(answer);
  auto events = parse_events(answer->body);
  if (!events) return pass(events);
  return Page{std::move(*events), std::string{answer->header("continuo-next")}};
}

Result<std::string> Client::read_all(std::string_view topic, Read page_of,
                                     const std::function<bool(const Event&)>& each) {
  for (;;) {
    auto page = read(topic, page_of);
    if (!page) return pass(page);
    // A page may be empty because none of its events are wanted: only standing still is the end.
    if (page->events.empty() && page->next == page_of.from) return page->next;
    page_of.from = page->next;
    for (const Event& event : page->events)
      if (!each(event)) return page->next;
  }
}

// Passes events on until `each` has enough (true) or the stream breaks.
Result<bool> Client::tail_once(Request& request, const std::function<bool(const Event&)>& each, bool& moved) {
  auto connection = Connection::open(options_.server, options_.timeout, options_.stop);
  if (!connection) return pass(connection);
  auto answer = connection->begin(request, options_.timeout);
  if (!answer) return pass(answer);
  EventStream stream;
  const auto take = [&](std::string_view id, std::string_view data) -> Result<bool> {
    auto event = parse_event(data);
    if (!event) return pass(event);
    if (!id.empty()) request.last_event_id = id;
    moved = true;
    return each(*event);
  };
  for (;;) {
    auto piece = connection->next_piece(tail_silence);
    if (!piece) return pass(piece);
    if (answer->status >= 400) {
      if (piece->empty()) return std::unexpected(error_of(*answer));
      answer->body.append(*piece);
      continue;
    }
    if (piece->empty()) return fail(Code::connection_failed, "the server ended the stream");
    auto going_on = stream.feed(*piece, take);
    if (!going_on) return going_on;
    if (!*going_on) return true;
  }
}

Result<void> Client::tail(std::string_view topic, const Tail& tail, const std::function<bool(const Event&)>& each) {
  Tail from = tail;
  if (tail.from ==
      "latest") {  // as a position, so that nothing is missed when the stream breaks before its first event
    auto page =
        read(topic, {.partition = tail.partition, .from = "latest", .limit = 1, .correlation = {}, .filter = {}});
    if (!page) return pass(page);
    from.from = page->next;
  }
  Request request{.method = "GET",
                  .target = tail_path(topic, from),
                  .content_type = {},
                  .body = {},
                  .accept = "text/event-stream",
                  .last_event_id = {}};
  Patience patience(options_.patience, options_.stop);
  for (;;) {
    bool moved = false;
    auto ended = tail_once(request, each, moved);
    if (ended || options_.stop.stop_requested()) return {};
    if (moved) patience.restart();
    if (!patience.wait_after(ended.error())) return pass(ended);
  }
}

Result<bool> Client::put_subscription(std::string_view name, const SubscriptionSettings& settings) {
  return put(subscription_path(name), write_subscription(settings));
}

Result<std::vector<FilteredFrom>> Client::change_subscription(std::string_view name, const SubscriptionChange& change) {
  auto body = request("PATCH", subscription_path(name), write_subscription(change));
  if (!body) return pass(body);
  return read_filtered_from(*body);
}

Result<void> Client::delete_subscription(std::string_view name) {
  auto body = request("DELETE", subscription_path(name));
  if (!body) return pass(body);
  return {};
}

Result<std::vector<Delivery>> Client::receive(std::string_view subscription, const Receive& receive) {
  const std::string body = write_receive(receive);
  auto answer = ask({.method = "POST",
                     .target = subscription_path(subscription, "/receive"),
                     .content_type = json_type,
                     .body = body,
                     .accept = {},
                     .last_event_id = {}},
                    options_.timeout + receive.wait);
  if (!answer) return pass(answer);
  return read_deliveries(answer->body);
}

Result<Settled> Client::settle(std::string_view subscription, const Settle& settle) {
  const std::string body = write_settle(settle);
  const bool ending = options_.stop.stop_requested();
  auto answer =
      ask({.method = "POST",
           .target = subscription_path(subscription, "/settle"),
           .content_type = json_type,
           .body = body,
           .accept = {},
           .last_event_id = {}},
          ending ? std::min(options_.timeout, last_settle_timeout) : options_.timeout, Stopping::when_answered);
  if (!answer) return pass(answer);
  return read_settled(answer->body);
}

}  // namespace continuo::client
