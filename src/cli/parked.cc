// continuo parked: the keys that wait behind a failed event, and the verbs that decide about one.
#include <fmt/format.h>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

namespace json = boost::json;

constexpr std::uint32_t largest_page = 1'000;

std::string path_of(const std::string& subscription, std::string_view rest = {}) {
  return fmt::format("/v1/subscriptions/{}/parked{}", client::percent_encode(subscription), rest);
}

const json::object& object_in(const json::object& object, std::string_view name) {
  static const json::object none;
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_object() ? member->as_object() : none;
}

// The key with what a table shows of its head beside it.
json::object row_of(const json::object& parked) {
  json::object row = parked;
  const json::object& head = object_in(parked, "head");
  if (const json::value* key = parked.if_contains("key"); !key || !key->is_string()) row["key"] = text_in(parked, "id");
  row["type"] = text_in(object_in(head, "event"), "type");  // none of an event too large for a list
  row["error"] = text_in(object_in(head, "error"), "code");
  for (const char* name : {"fingerprint", "attempts"})
    if (const json::value* value = head.if_contains(name)) row[name] = *value;
  return row;
}

// All there is to know of a key, one thing a line.
json::object sheet_of(const json::object& parked) {
  json::object sheet = parked;
  sheet.stable_erase("head");
  const json::object& head = object_in(parked, "head");
  const json::object& error = object_in(head, "error");
  sheet["error"] = text_in(error, "code");
  sheet["message"] = text_in(error, "message");
  for (const auto& member : head)
    if (member.key() != "error") sheet[member.key()] = member.value();
  return sheet;
}

Result<void> decide(const Session& session, const ParkedKey& command, std::string_view verb, json::object body,
                    const auto& told) {
  body["by"] = command.asked.by;
  body["reason"] = command.asked.reason;
  auto done = session.ask(
      "POST", path_of(command.subscription, fmt::format("/{}/{}", client::percent_encode(command.key), verb)),
      json::serialize(body));
  if (!done) return pass(done);
  fmt::print("{}\n", told(*done));
  return {};
}

}  // namespace

Result<void> parked_list(const Session& session, const ParkedList& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  std::string wanted;
  const auto want = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) wanted += fmt::format("&{}={}", name, client::percent_encode(value));
  };
  want("key", command.key);
  want("fingerprint", command.fingerprint);
  want("type", command.type);
  Listing listing({"key", "state", "type", "error", "fingerprint", "attempts", "waiting", "since"});
  std::string next;
  std::uint32_t left = command.limit;
  do {
    const std::uint32_t page_of = std::min(left, largest_page);
    auto answer = server->request(
        "GET", path_of(command.subscription,
                       fmt::format("?limit={}{}{}{}", page_of, wanted, next.empty() ? "" : "&after=", next)));
    if (!answer) return pass(answer);
    const json::object page = parse_object(*answer);
    for (const json::value& item : array_in(page, "keys"))
      if (item.is_object()) listing.add(row_of(item.as_object()));
    next = text_in(page, "next");
    left -= page_of;
  } while (!next.empty() && left > 0);
  listing.print(*format);
  if (!next.empty()) fmt::print(stderr, "there are more: --limit {}\n", command.limit * 10);
  return {};
}

Result<void> parked_show(const Session& session, const ParkedKey& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto answer = session.ask("GET", path_of(command.subscription, "?key=" + client::percent_encode(command.key)));
  if (!answer) return pass(answer);
  const json::array& keys = array_in(*answer, "keys");
  if (keys.empty())
    return fail(Code::not_parked, fmt::format("the key '{}' is not parked", command.key), "key",
                fmt::format("List the parked keys: continuo parked list {}.", command.subscription));
  const bool table = settle(*format) == Format::table;
  for (const json::value& item : keys) {  // of several partitions
    if (&item != &keys.front() && table) fmt::print("\n");
    if (item.is_object()) print_object(table ? sheet_of(item.as_object()) : item.as_object(), *format);
  }
  return {};
}

Result<void> parked_retry(const Session& session, const ParkedKey& command) {
  return decide(session, command, "retry", {}, [&](const json::object&) {
    return fmt::format("key {} of {} is tried again", command.key, command.subscription);
  });
}

Result<void> parked_skip(const Session& session, const ParkedKey& command) {
  return decide(session, command, "skip", {}, [&](const json::object&) {
    return fmt::format("the failed event of key {} of {} is passed over", command.key, command.subscription);
  });
}

Result<void> parked_cancel(const Session& session, const ParkedKey& command) {
  return decide(session, command, "cancel", {}, [&](const json::object& answer) {
    return fmt::format("{} events of key {} of {} are passed over", text_in(answer, "events"), command.key,
                       command.subscription);
  });
}

Result<void> parked_edit(const Session& session, const ParkedEdit& command) {
  auto given = json_argument(command.event, "--event");
  if (!given) return pass(given);
  // `parked show` prints where an event is; that is no part of it.
  auto event = client::parse_event(*given);
  if (!event) {
    event.error().at = event.error().at.empty() ? "--event" : "--event: " + event.error().at;
    return pass(event);
  }
  const ParkedKey& parked = command.parked;
  std::string body = fmt::format("{{\"event\":{},\"release\":{},\"by\":{},\"reason\":{}}}", client::to_json(*event),
                                 !command.keep_parked, json::serialize(json::value(parked.asked.by)),
                                 json::serialize(json::value(parked.asked.reason)));
  auto done = session.ask(
      "POST", path_of(parked.subscription, fmt::format("/{}/edit", client::percent_encode(parked.key))), body);
  if (!done) return pass(done);
  fmt::print("the failed event of key {} of {} is edited{}\n", parked.key, parked.subscription,
             command.keep_parked ? "; the key stays parked" : " and delivered again");
  return {};
}

}  // namespace continuo::cli
