// continuo queue ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

std::string path_of(const std::string& name, std::string_view rest = {}) {
  return fmt::format("/v1/queues/{}{}", client::percent_encode(name), rest);
}

Result<json::object> ask(const Session& session, const std::string& name, std::string_view action, json::object body) {
  return session.ask("POST", path_of(name, action), json::serialize(body));
}

// Only what was given.
void put(json::object& body, std::string_view name, const std::string& value) {
  if (!value.empty()) body[name] = value;
}

json::object row_of(const json::object& message) {
  json::object row = message;
  const json::value* event = message.if_contains("event");
  if (event == nullptr || !event->is_object()) return row;
  for (const std::string_view name : {"id", "type", "data", "time"})
    if (const json::value* found = event->as_object().if_contains(name)) row[name] = *found;
  if (const json::value* group = event->as_object().if_contains("partitionkey")) row["group"] = *group;
  return row;
}

Listing messages_in(const json::object& answer, std::string_view list, std::vector<std::string> columns) {
  Listing listing(std::move(columns));
  for (const json::value& item : array_in(answer, list))
    if (item.is_object()) listing.add(row_of(item.as_object()));
  return listing;
}

// But for the retry delay, which a change merges with what is there.
json::object settings_of(const QueueSettings& command) {
  json::object body;
  if (command.fifo) body["fifo"] = true;
  put(body, "lease", command.lease);
  put(body, "on_failure", command.on_failure);
  put(body, "dead_letter", command.dead_letter);
  put(body, "retention", command.retention);
  put(body, "dedup_window", command.dedup_window);
  if (command.max_receives) body["max_receives"] = *command.max_receives;
  if (command.partitions) body["partitions"] = *command.partitions;
  if (command.concurrency) body["concurrency"] = *command.concurrency;
  return body;
}

// JSON where it is, else text.
json::value data_of(const std::string& text) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  return error ? json::value(text) : parsed;
}

Result<void> settle_all(const Session& session, const std::string& name, const json::array& leases) {
  auto answer = ask(session, name, "/settle", {{"ack", leases}});
  if (!answer) return pass(answer);
  const json::array& refused = array_in(*answer, "refused");
  for (const json::value& each : refused)
    fmt::print(stderr, "refused {}: {}\n", text_in(each.as_object(), "code"), text_in(each.as_object(), "lease"));
  if (refused.empty()) return {};
  return fail(Code::lease_lost, fmt::format("{} leases were refused", refused.size()));
}

}  // namespace

Result<void> queue_create(const Session& session, const QueueSettings& command) {
  json::object body = settings_of(command);
  if (!command.retry_delay.empty()) body["retry"] = {{"delay", command.retry_delay}};
  auto answer = session.ask("PUT", path_of(command.name), json::serialize(body));
  if (!answer) return pass(answer);
  fmt::print("queue {} is there", command.name);
  if (answer->contains("dead_letter")) fmt::print(", dead letters go to {}", text_in(*answer, "dead_letter"));
  fmt::print("\n");
  return {};
}

Result<void> queue_change(const Session& session, const QueueSettings& command) {
  json::object body = settings_of(command);
  if (command.retention == "none") body["retention"] = nullptr;
  if (body.empty() && command.retry_delay.empty())
    return fail(Code::bad_usage, "nothing is to become different", {}, "continuo queue change --help says what can");
  if (!command.retry_delay.empty()) {
    // A `retry` is a whole one: its rules and the like stay.
    auto now = session.ask("GET", path_of(command.name));
    if (!now) return pass(now);
    const json::value* there = now->if_contains("retry");
    json::object retry = there != nullptr && there->is_object() ? there->as_object() : json::object{};
    for (const char* other : {"attempts", "backoff", "base", "max", "delays"}) retry.erase(other);
    retry["delay"] = command.retry_delay;
    body["retry"] = std::move(retry);
  }
  auto answer = session.ask("PATCH", path_of(command.name), json::serialize(body));
  if (!answer) return pass(answer);
  fmt::print("queue {} changed\n", command.name);
  return {};
}

Result<void> queue_list(const Session& session) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", "/v1/queues");
  if (!answer) return pass(answer);
  Listing listing({"name", "fifo", "waiting", "leased", "delayed", "parked", "dead", "oldest_age"});
  for (const json::value& item : array_in(*answer, "queues"))
    if (item.is_object()) listing.add(item.as_object());
  listing.print(*format);
  return {};
}

Result<void> queue_show(const Session& session, const std::string& name) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", path_of(name));
  if (!answer) return pass(answer);
  print_object(*answer, *format);
  return {};
}

Result<void> queue_delete(const Session& session, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (auto gone = session.ask("DELETE", path_of(name)); !gone) return pass(gone);
    fmt::print("queue {} deleted, with its messages\n", name);
  }
  return {};
}

Result<void> queue_send(const Session& session, const QueueSend& command) {
  auto format = session.format();
  if (!format) return pass(format);
  json::object message;
  if (command.event.empty()) {
    message["data"] = data_of(command.data);
  } else {
    auto event = json_argument(command.event, "--event");
    if (!event) return pass(event);
    message["event"] = parse_object(*event);
  }
  put(message, "delay", command.delay);
  put(message, "not_before", command.not_before);
  put(message, "ttl", command.ttl);
  put(message, "group", command.group);
  put(message, "dedup_id", command.dedup_id);
  auto answer = ask(session, command.name, "/messages", std::move(message));
  if (!answer) return pass(answer);
  messages_in(*answer, "messages", {"id", "partition", "offset", "duplicate"}).print(*format);
  return {};
}

Result<void> queue_receive(const Session& session, const QueueReceive& command) {
  auto format = session.format();
  if (!format) return pass(format);
  json::object body{{"max", command.max}};
  put(body, "wait", command.wait);
  put(body, "lease", command.lease);
  auto answer = ask(session, command.name, "/receive", std::move(body));
  if (!answer) return pass(answer);
  messages_in(*answer, "deliveries", {"attempt", "group", "id", "data", "lease"}).print(*format);
  json::array leases;
  for (const json::value& each : array_in(*answer, "deliveries")) leases.emplace_back(each.at("lease"));
  if (!command.ack || leases.empty()) return {};
  return settle_all(session, command.name, leases);
}

Result<void> queue_ack(const Session& session, const std::string& name, const std::vector<std::string>& leases) {
  if (auto settled = settle_all(session, name, json::array(leases.begin(), leases.end())); !settled) return settled;
  fmt::print("{} settled\n", leases.size());
  return {};
}

Result<void> queue_peek(const Session& session, const QueuePeek& command) {
  auto format = session.format();
  if (!format) return pass(format);
  json::object body{{"max", command.max}};
  put(body, "from", command.from);
  auto answer = ask(session, command.name, "/peek", std::move(body));
  if (!answer) return pass(answer);
  messages_in(*answer, "messages", {"state", "attempts", "group", "id", "data", "time"}).print(*format);
  if (answer->contains("next")) fmt::print(stderr, "more: --from {}\n", text_in(*answer, "next"));
  return {};
}

Result<void> queue_purge(const Session& session, const QueuePurge& command) {
  auto answer = ask(session, command.name, "/purge", {{"by", command.asked.by}, {"reason", command.asked.reason}});
  if (!answer) return pass(answer);
  fmt::print("{} messages purged; what is leased or parked stays\n", text_in(*answer, "purged"));
  return {};
}

// One request moves for a while: asked again until nothing is left, or as many as wanted were moved.
Result<void> queue_redrive(const Session& session, const QueueRedrive& command) {
  std::uint64_t moved = 0;
  while (true) {
    json::object body{{"from", command.from}, {"by", command.asked.by}, {"reason", command.asked.reason}};
    put(body, "rate", command.rate);
    if (command.max) body["max"] = *command.max - moved;
    auto answer = ask(session, command.name, "/redrive", std::move(body));
    if (!answer) return pass(answer);
    const auto now = answer->at("moved").to_number<std::uint64_t>();
    const auto left = answer->at("left").to_number<std::uint64_t>();
    moved += now;
    if (now != 0 && left != 0 && (!command.max || moved < *command.max)) continue;
    fmt::print("{} messages moved from {} to {}, {} left\n", moved, command.from, command.name, left);
    return {};
  }
}

}  // namespace continuo::cli
