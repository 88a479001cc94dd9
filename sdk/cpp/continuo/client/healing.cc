#include "continuo/client/healing.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "continuo/client/json.h"
#include "continuo/client/requests.h"

namespace continuo::client {
namespace {

namespace json = boost::json;
namespace od = simdjson::ondemand;

std::string write_asked(const Asked& asked) {
  std::string out = "{";
  write_said("by", asked.by, out);
  write_said("reason", asked.reason, out);
  return out;  // open: more may follow
}

std::string write_lease(std::string_view lease, std::string_view reason) {
  std::string out = "{";
  write_text("lease", lease, out);
  write_said("reason", reason, out);
  return out;  // open: more may follow
}

std::string write_settle_repairs(const SettleRepairs& settle) {
  std::string out = "{";
  write_array("repaired", settle.repaired, out, [](const SettleRepairs::Repaired& each, std::string& list) {
    std::string one = write_lease(each.lease, each.reason);
    write_member("event", to_json(each.event), one);
    list += one + "}";
  });
  const auto write_other = [](const SettleRepairs::Other& each, std::string& list) {
    list += write_lease(each.lease, each.reason) + "}";
  };
  write_array("needs_person", settle.needs_person, out, write_other);
  write_array("skip", settle.skip, out, write_other);
  write_said("by", settle.by, out);
  return out + "}";
}

// Events are taken as text, so that their data stays as it was written.
Result<std::optional<Event>> read_event(od::object parked) {
  od::value event;
  bool absent = false;
  if (parked["head"]["event"].get(event) != simdjson::SUCCESS || event.is_null().get(absent) != simdjson::SUCCESS)
    return not_ours("a parked key cannot be read");
  if (absent) return std::nullopt;
  od::object object;
  std::string_view raw;
  if (event.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(raw) != simdjson::SUCCESS)
    return not_ours("a parked key cannot be read");
  auto parsed = parse_event(raw);
  if (!parsed) return pass(parsed);
  return std::move(*parsed);
}

// Of each item of the list `name`, or of its `inner`.
Result<std::vector<std::optional<Event>>> read_events(std::string_view text, std::string_view name,
                                                      std::string_view inner) {
  od::parser parser;
  const simdjson::padded_string padded{text};
  od::document document;
  od::array list;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document[name].get_array().get(list) != simdjson::SUCCESS)
    return not_ours("no parked keys");
  std::vector<std::optional<Event>> events;
  for (auto item : list) {
    od::object object;
    const auto found = inner.empty() ? item.get_object().get(object) : item[inner].get_object().get(object);
    if (found != simdjson::SUCCESS) return not_ours("a parked key cannot be read");
    auto event = read_event(object);
    if (!event) return pass(event);
    events.push_back(std::move(*event));
  }
  return events;
}

const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object none;
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_object() ? member->as_object() : none;
}

ParkedKey read_parked(const json::object& object, std::optional<Event> event) {
  const json::object& head = object_of(object, "head");
  const json::object& error = object_of(head, "error");
  return {.key = text_in(object, "key"),
          .id = text_in(object, "id"),
          .state = text_in(object, "state"),
          .topic = text_in(object, "topic"),
          .partition = PartitionId{static_cast<std::uint32_t>(number_in(object, "partition"))},
          .offset = Offset{number_in(object, "offset")},
          .event = std::move(event),
          .code = text_in(error, "code"),
          .message = text_in(error, "message"),
          .fingerprint = text_in(head, "fingerprint"),
          .attempts = static_cast<std::uint32_t>(number_in(head, "attempts")),
          .repairs = static_cast<std::uint32_t>(number_in(head, "repairs")),
          .edited = flag_in(head, "edited", false),
          .waiting = static_cast<std::uint64_t>(number_in(object, "waiting")),
          .repair_by = text_in(object, "repair_by"),
          .since = text_in(object, "since")};
}

Result<Release> read_release(Result<std::string> answer) {
  if (!answer) return pass(answer);
  auto object = object_in(*answer);
  if (!object) return pass(object);
  const auto count = [&](std::string_view name) { return static_cast<std::uint64_t>(number_in(*object, name)); };
  return Release{.number = count("release"),
                 .state = text_in(*object, "state"),
                 .matching = count("matching"),
                 .released = count("released"),
                 .relapsed = count("relapsed")};
}

Result<void> done(Result<std::string> answer) {
  if (!answer) return pass(answer);
  return {};
}

}  // namespace

Healing::Healing(Client& client, std::string_view subscription)
    : client_(client), path_("/v1/subscriptions/" + percent_encode(subscription)) {}

Result<std::string> Healing::post(std::string_view rest, std::string_view body, Millis wait) {
  return client_.request("POST", fmt::format("{}{}", path_, rest), body, {}, wait);
}

std::string Healing::key_path(std::string_view key, std::string_view verb) const {
  return fmt::format("/parked/{}/{}", percent_encode(key), verb);
}

Result<ParkedPage> Healing::parked(const ParkedQuery& query) {
  std::string target = fmt::format("{}/parked?limit={}", path_, query.limit);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) target += fmt::format("&{}={}", name, percent_encode(value));
  };
  add("key", query.key);
  add("fingerprint", query.fingerprint);
  add("type", query.type);
  add("after", query.after);
  auto answer = client_.request("GET", std::move(target));
  if (!answer) return pass(answer);
  auto object = object_in(*answer);
  if (!object) return pass(object);
  auto events = read_events(*answer, "keys", {});
  if (!events) return pass(events);
  ParkedPage page{.keys = {}, .next = text_in(*object, "next")};
  for (const json::value& item : array_in(*object, "keys"))
    page.keys.push_back(read_parked(item.as_object(), std::move(events->at(page.keys.size()))));
  return page;
}

Result<void> Healing::retry(std::string_view key, const Asked& asked) {
  return done(post(key_path(key, "retry"), write_asked(asked) + "}"));
}

Result<void> Healing::skip(std::string_view key, const Asked& asked) {
  return done(post(key_path(key, "skip"), write_asked(asked) + "}"));
}

Result<std::uint64_t> Healing::cancel(std::string_view key, const Asked& asked) {
  auto answer = post(key_path(key, "cancel"), write_asked(asked) + "}");
  if (!answer) return pass(answer);
  auto object = object_in(*answer);
  if (!object) return pass(object);
  return static_cast<std::uint64_t>(number_in(*object, "events"));
}

Result<void> Healing::edit(std::string_view key, const Event& event, const Asked& asked, bool release) {
  std::string body = write_asked(asked);
  write_member("event", to_json(event), body);
  write_member("release", release ? "true" : "false", body);
  return done(post(key_path(key, "edit"), body + "}"));
}

Result<Release> Healing::release(const ReleaseKeys& keys, const Asked& asked) {
  std::string body = write_asked(asked);
  write_said("fingerprint", keys.fingerprint, body);
  write_said("type", keys.type, body);
  write_said("after", keys.after, body);
  write_said("before", keys.before, body);
  write_said("rate", keys.rate, body);
  if (!keys.stop_at_relapse) write_member("stop_at_relapse", "false", body);
  if (keys.dry_run) write_member("dry_run", "true", body);
  return read_release(post("/parked/release", body + "}"));
}

Result<Release> Healing::last_release() { return read_release(client_.request("GET", path_ + "/parked/release")); }

Result<Release> Healing::stop_release() { return read_release(client_.request("DELETE", path_ + "/parked/release")); }

Result<std::vector<RepairDelivery>> Healing::receive_repairs(const Receive& receive) {
  auto answer = post("/receive?role=repair", write_receive(receive), receive.wait);
  if (!answer) return pass(answer);
  auto object = object_in(*answer);
  if (!object) return pass(object);
  auto events = read_events(*answer, "repairs", "parked");
  if (!events) return pass(events);
  std::vector<RepairDelivery> all;
  for (const json::value& item : array_in(*object, "repairs"))
    all.push_back({text_in(item.as_object(), "lease"),
                   read_parked(object_of(item.as_object(), "parked"), std::move(events->at(all.size())))});
  return all;
}

Result<Settled> Healing::settle_repairs(const SettleRepairs& settle) {
  auto answer = post("/settle?role=repair", write_settle_repairs(settle));
  if (!answer) return pass(answer);
  return read_settled(*answer);
}

Result<void> Healing::seek(std::string_view to, std::optional<bool> keep_parked, const Asked& asked) {
  std::string body = write_asked(asked);
  write_text("to", to, body);
  if (keep_parked) write_text("parked", *keep_parked ? "keep" : "discard", body);
  return done(post("/seek", body + "}"));
}

}  // namespace continuo::client
