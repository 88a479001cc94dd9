// continuo sub ...
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

Result<std::optional<Millis>> duration_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto duration = parse_duration(text);
  if (!duration) return pass(duration);
  return *duration;
}

std::string path_of(const std::string& name, std::string_view rest = {}) {
  return fmt::format("/v1/subscriptions/{}{}", client::percent_encode(name), rest);
}

json::object row_of(const client::Delivery& delivery) {
  const client::Event& event = delivery.event;
  return {{"lease", delivery.lease},
          {"attempt", delivery.attempt},
          {"key", std::string{event.key()}},
          {"type", event.type},
          {"id", event.id},
          {"event", parse_object(client::to_json(event))}};
}

json::object parked_row(const json::object& key) {
  json::object row = key;
  const json::value* head = key.if_contains("head");
  if (!head || !head->is_object()) return row;
  const json::value* error = head->as_object().if_contains("error");
  row["attempts"] = head->as_object().contains("attempts") ? head->as_object().at("attempts") : json::value{};
  if (error && error->is_object())
    row["error"] = fmt::format("{}: {}", text_in(error->as_object(), "code"), text_in(error->as_object(), "message"));
  return row;
}

Result<std::string> filter_of(const std::string& given) {
  return given.empty() ? Result<std::string>{""} : json_argument(given, "--filter");
}

// Never among the words of a command line, which everybody on the machine can see.
std::string webhook_secret(const SubCreate& command) {
  std::string secret;
  if (!command.webhook_secret_file.empty()) {
    std::ifstream file(command.webhook_secret_file);
    std::getline(file, secret);
  } else if (const char* given = std::getenv("CONTINUO_WEBHOOK_SECRET")) {
    secret = given;
  }
  return secret;
}

Result<std::string> target_of(const SubCreate& command) {
  if (!command.target.empty()) return json_argument(command.target, "--target");
  if (!command.to_topic.empty())
    return json::serialize(json::object{{"topic", json::object{{"name", command.to_topic}}}});
  if (command.webhook.empty()) return std::string{};
  json::object webhook{{"url", command.webhook}};
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) webhook[name] = text;
  };
  add("secret", webhook_secret(command));
  add("mode", command.webhook_mode);
  add("rate", command.webhook_rate);
  add("timeout", command.webhook_timeout);
  if (command.webhook_concurrency) webhook["concurrency"] = *command.webhook_concurrency;
  json::object headers;
  for (const std::string& header : command.webhook_headers) {
    const auto colon = header.find(": ");
    if (colon == std::string::npos)
      return fail(Code::bad_usage, fmt::format("'{}' is not a header", header), "--webhook-header", "\"Name: value\"");
    headers[header.substr(0, colon)] = header.substr(colon + 2);
  }
  if (!headers.empty()) webhook["headers"] = std::move(headers);
  return json::serialize(json::object{{"webhook", std::move(webhook)}});
}

}  // namespace

Result<void> sub_create(const Session& session, const SubCreate& command) {
  auto lease = duration_of(command.lease);
  if (!lease) return pass(lease);
  auto delay = duration_of(command.retry_delay);
  if (!delay) return pass(delay);
  auto longest = duration_of(command.retry_max);
  if (!longest) return pass(longest);
  auto filter = filter_of(command.filter);
  if (!filter) return pass(filter);
  auto target = target_of(command);
  if (!target) return pass(target);
  auto server = session.connect();
  if (!server) return pass(server);
  auto made = server->put_subscription(command.name, {.topics = command.topics,
                                                      .filter = *filter,
                                                      .from = command.from,
                                                      .order_by = command.order_by,
                                                      .concurrency = command.concurrency,
                                                      .lease = *lease,
                                                      .attempts = command.attempts,
                                                      .retry_delay = *delay,
                                                      .backoff = command.backoff,
                                                      .retry_max = *longest,
                                                      .jitter = command.jitter,
                                                      .on_failure = command.on_failure,
                                                      .target = *target});
  if (!made) return pass(made);
  fmt::print("subscription {} {}\n", command.name, *made ? "created" : "was there, with the same settings");
  return {};
}

Result<void> sub_change(const Session& session, const SubChange& command) {
  if (command.no_filter != command.filter.empty())
    return fail(Code::bad_usage, "what the filter is to be is not said, or said twice", "--filter",
                "--filter JSON|FILE, or --no-filter");
  auto filter = filter_of(command.filter);
  if (!filter) return pass(filter);
  auto server = session.connect();
  if (!server) return pass(server);
  auto from = server->change_subscription(command.name, {.filter = *filter, .keep_parked = command.keep_parked});
  if (!from) return pass(from);
  fmt::print("subscription {} has {} filter", command.name, filter->empty() ? "no" : "another");
  for (const client::FilteredFrom& place : *from)
    fmt::print("{} {}/{}@{}", &place == &from->front() ? ", from" : ",", place.topic, place.partition.value,
               place.offset.value);
  fmt::print("\n");
  return {};
}

Result<void> sub_list(const Session& session) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", "/v1/subscriptions");
  if (!answer) return pass(answer);
  Listing listing({"name", "topics", "filter", "from", "order_by", "lease"});
  for (const json::value& item : array_in(*answer, "subscriptions"))
    if (item.is_object()) listing.add(item.as_object());
  listing.print(*format);
  return {};
}

Result<void> sub_show(const Session& session, const std::string& name) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", path_of(name));
  if (!answer) return pass(answer);
  print_object(*answer, *format);
  return {};
}

Result<void> sub_delete(const Session& session, const std::vector<std::string>& names) {
  auto server = session.connect();
  if (!server) return pass(server);
  for (const std::string& name : names) {
    if (auto gone = server->delete_subscription(name); !gone) return gone;
    fmt::print("subscription {} deleted\n", name);
  }
  return {};
}

Result<void> sub_receive(const Session& session, const SubReceive& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto wait = duration_of(command.wait);
  if (!wait) return pass(wait);
  auto lease = duration_of(command.lease);
  if (!lease) return pass(lease);
  auto server = session.connect();
  if (!server) return pass(server);
  auto deliveries =
      server->receive(command.name, {.max = command.max, .wait = wait->value_or(Millis{0}), .lease = *lease});
  if (!deliveries) return pass(deliveries);
  Listing listing({"attempt", "key", "type", "id", "lease"});
  client::Settle acks;
  for (const client::Delivery& delivery : *deliveries) {
    listing.add(row_of(delivery));
    acks.acks.push_back(delivery.lease);
  }
  listing.print(*format);
  if (!command.ack || acks.acks.empty()) return {};
  auto settled = server->settle(command.name, acks);
  if (!settled) return pass(settled);
  return {};
}

Result<void> sub_ack(const Session& session, const std::string& name, const std::vector<std::string>& leases) {
  auto server = session.connect();
  if (!server) return pass(server);
  auto settled = server->settle(name, {.acks = leases, .nacks = {}, .extends = {}, .publish = {}});
  if (!settled) return pass(settled);
  for (const client::Refused& refused : settled->refused)
    fmt::print(stderr, "refused {}: {}\n", continuo::name(refused.code), refused.lease);
  fmt::print("{} of {} settled\n", settled->settled, leases.size());
  if (settled->refused.empty()) return {};
  return fail(settled->refused.front().code, fmt::format("{} leases were refused", settled->refused.size()));
}

Result<void> sub_parked(const Session& session, const std::string& name) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", path_of(name, "/parked"));
  if (!answer) return pass(answer);
  Listing listing({"key", "id", "attempts", "waiting", "since", "error"});
  for (const json::value& item : array_in(*answer, "keys"))
    if (item.is_object()) listing.add(parked_row(item.as_object()));
  listing.print(*format);
  return {};
}

Result<void> sub_retry(const Session& session, const SubKey& command) {
  auto done = session.ask(
      "POST", path_of(command.name, fmt::format("/parked/{}/retry", client::percent_encode(command.key))), "{}");
  if (!done) return pass(done);
  fmt::print("key {} of {} is tried again\n", command.key, command.name);
  return {};
}

Result<void> sub_skip(const Session& session, const SubKey& command) {
  const std::string body = json::serialize(json::object{{"reason", command.reason}});
  auto done = session.ask(
      "POST", path_of(command.name, fmt::format("/parked/{}/skip", client::percent_encode(command.key))), body);
  if (!done) return pass(done);
  fmt::print("the failed event of key {} of {} is passed over\n", command.key, command.name);
  return {};
}

Result<void> sub_pause(const Session& session, const std::string& name, bool paused) {
  auto done = session.ask("POST", path_of(name, paused ? "/pause" : "/resume"), "{}");
  if (!done) return pass(done);
  fmt::print("subscription {} {}\n", name, paused ? "paused" : "goes on");
  return {};
}

}  // namespace continuo::cli
