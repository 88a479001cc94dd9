// continuo sub ...
#include <fmt/format.h>

#include "continuo/cli/commands.h"

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

// What stands below a name, on one line: "attempts 5, backoff fixed".
std::string flat(const json::object& object) {
  std::string out;
  for (const auto& member : object)
    if (const std::string value = cell(member.value()); !value.empty())
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", std::string_view{member.key()}, value);
  return out;
}

json::object state_row(json::object state) {
  for (const char* name : {"retry", "storm", "in_storm", "release", "healing"})
    if (json::value* member = state.if_contains(name); member && member->is_object())
      *member = flat(member->as_object());
  return state;
}

}  // namespace

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
  print_object(settle(*format) == Format::table ? state_row(*answer) : *answer, *format);
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

Result<void> sub_seek(const Session& session, const SubSeek& command) {
  json::object body{{"to", command.to}, {"by", command.asked.by}, {"reason", command.asked.reason}};
  if (!command.parked.empty()) body["parked"] = command.parked;
  auto done = session.ask("POST", path_of(command.name, "/seek"), json::serialize(body));
  if (!done) return pass(done);
  fmt::print("subscription {} goes on from {}\n", command.name, command.to);
  return {};
}

Result<void> sub_pause(const Session& session, const std::string& name, bool paused) {
  auto done = session.ask("POST", path_of(name, paused ? "/pause" : "/resume"), "{}");
  if (!done) return pass(done);
  fmt::print("subscription {} {}\n", name, paused ? "paused" : "goes on");
  return {};
}

}  // namespace continuo::cli
