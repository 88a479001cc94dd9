#include "continuo/wire/http/requests.h"

#include <fmt/format.h>

#include <charconv>
#include <type_traits>

#include "continuo/engines/groups/group_requests.h"
#include "continuo/engines/lease_bounds.h"
#include "continuo/record/media_type.h"
#include "continuo/record/utf8.h"
#include "continuo/wire/http/answer.h"
#include "continuo/wire/http/definitions.h"
#include "continuo/wire/http/json.h"
#include "continuo/wire/http/patterns.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {
namespace {

constexpr Millis longest_delay{7 * 86'400'000};
constexpr const char* several_requests = "send them in several requests";
constexpr std::size_t max_error_code_bytes = 200;
constexpr std::size_t max_error_message_bytes = 4096;

Result<std::string> decoded(std::string_view segment, std::string_view what) {
  std::string text;
  if (!percent_decode(segment, text))
    return fail(Code::bad_request, "a % in the path is not followed by two hex digits", std::string(what));
  return text;
}

Result<std::string> name_in_path(std::string_view segment, std::string_view what) {
  auto text = decoded(segment, what);
  if (!text) return text;
  if (auto valid = engines::check_name(*text); !valid) {
    if (valid.error().at.empty()) valid.error().at = what;
    return pass(valid);
  }
  return text;
}

Result<std::string> changeable_name(std::string_view segment, std::string_view what) {
  auto text = name_in_path(segment, what);
  if (text && engines::is_system_name(*text))
    return fail(Code::system_name, fmt::format("'{}' belongs to the system", *text), std::string(what));
  return text;
}

Result<Query> query_of(const Request& request) { return Query::parse(split_target(request.target()).query); }

Result<void> no_query(const Request& request) {
  auto query = query_of(request);
  if (!query) return pass(query);
  return query->only({});
}

// Control requests carry JSON whatever their Content-Type says, so that `curl -d` works; only plainly other types are
// refused.
Result<Json> json_body(const Request& request) {
  const std::string_view type = record::without_parameters(request.content_type());
  const bool fine = type.empty() || record::is_json_type(type) ||
                    record::equal_ignoring_case(type, "application/x-www-form-urlencoded");
  if (!fine)
    return fail(Code::unsupported_media_type, fmt::format("the body must be JSON, not '{}'", type.substr(0, 80)),
                "Content-Type", "use application/json");
  return parse_object(request.body);
}

template <class Number>
Result<Number> query_number(const Query& query, std::string_view name, Number otherwise, Number least, Number most) {
  const auto text = query.find(name);
  if (!text) return otherwise;
  Number value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc{} && end == text->data() + text->size() && value >= least && value <= most) return value;
  return fail(Code::bad_setting, fmt::format("'{}' is '{}'", name, text->substr(0, 40)), std::string(name),
              fmt::format("a whole number from {} to {}", least, most));
}

Result<Millis> query_duration(const Query& query, std::string_view name, Millis most) {
  const auto text = query.find(name);
  if (!text) return Millis{0};
  auto value = parse_duration(*text);
  if (!value) {
    value.error().at = name;
    return value;
  }
  if (*value > most)
    return fail(Code::bad_setting, fmt::format("'{}' is {}", name, *text), std::string(name),
                "at most " + format_duration(most));
  return value;
}

Result<AnyRequest> read_put_topic(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "topic");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto settings = read_topic_settings(*body);
  if (!settings) return pass(settings);
  return PutTopic{std::move(*name), *settings};
}

Result<AnyRequest> read_change_topic(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "topic");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto change = read_topic_change(*body);
  if (!change) return pass(change);
  return ChangeTopic{std::move(*name), *change};
}

Result<AnyRequest> read_trim(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "topic");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  Fields fields(*body, {}, {"partition", "before"});
  TrimTopic trim{.topic = std::move(*name), .partition = {}, .before = {}};
  fields.required("partition");
  fields.required("before");
  fields.number("partition", trim.partition.value, 0, 0xffffffffu);
  fields.offset("before", trim.before.value);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return trim;
}

Result<AnyRequest> read_skip_damaged(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "topic");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  Fields fields(*body, {}, {"partition", "from", "next", "reason"});
  SkipDamaged skip{.topic = std::move(*name), .partition = {}, .from = {}, .next = {}, .reason = {}};
  for (const char* field : {"partition", "from", "next", "reason"}) fields.required(field);
  fields.number("partition", skip.partition.value, 0, 0xffffffffu);
  fields.offset("from", skip.from.value);
  fields.offset("next", skip.next.value);
  fields.text("reason", skip.reason);
  if (skip.reason.size() > SkipDamaged::max_reason)
    fields.refuse("reason", Code::too_large, "a reason has at most 1000 bytes");
  if (auto checked = fields.result(); !checked) return pass(checked);
  return skip;
}

Result<From> read_from(const Query& query, const Request& request, bool partition_given, bool stream) {
  std::string_view text = query.find("from").value_or(stream ? "latest" : "earliest");
  if (stream && !request.last_event_id().empty()) text = request.last_event_id();
  return parse_from(text, partition_given);
}

Result<AnyRequest> read_read(const Match& match, const Request& request) {
  auto name = name_in_path(match.parameters[0], "topic");
  if (!name) return pass(name);
  auto query = query_of(request);
  if (!query) return pass(query);
  if (auto known = query->only({"partition", "from", "limit", "wait", "correlation", "filter"}); !known)
    return pass(known);
  Read read;
  read.topic = std::move(*name);
  read.stream = wants_stream(request.accept());
  read.correlation = query->find("correlation").value_or("");
  if (const auto filter = query->find("filter")) {
    auto pattern = parse_pattern(*filter, "filter");
    if (!pattern) return pass(pattern);
    read.filter.emplace(std::move(*pattern));
  }
  if (query->find("partition")) {
    auto partition = query_number<std::uint32_t>(*query, "partition", 0, 0, 0xffffffffu);
    if (!partition) return pass(partition);
    read.partition = PartitionId{*partition};
  }
  if (query->find("limit")) {
    auto limit = query_number<std::uint32_t>(*query, "limit", 0, 1, Read::max_limit);
    if (!limit) return pass(limit);
    read.limit = *limit;
  }
  auto wait = query_duration(*query, "wait", longest_wait);
  if (!wait) return pass(wait);
  read.wait = *wait;
  auto from = read_from(*query, request, read.partition.has_value(), read.stream);
  if (!from) return pass(from);
  read.from = std::move(*from);
  return read;
}

Result<AnyRequest> read_put_subscription(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto settings = read_subscription_settings(*body);
  if (!settings) return pass(settings);
  return PutSubscription{std::move(*name), std::move(*settings)};
}

Result<AnyRequest> read_change_subscription(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto change = read_subscription_change(*body);
  if (!change) return pass(change);
  return ChangeSubscription{std::move(*name), std::move(*change)};
}

Result<AnyRequest> read_explain_pattern(const Request& request) {
  if (auto none = no_query(request); !none) return pass(none);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto explain = read_explain(*body);
  if (!explain) return pass(explain);
  return std::move(*explain);
}

// ?role=repair: what is received and settled are the heads of parked keys.
Result<bool> repairs(const Request& request) {
  auto query = query_of(request);
  if (!query) return pass(query);
  if (auto known = query->only({"role"}); !known) return pass(known);
  const auto role = query->find("role");
  if (role && *role != "repair" && *role != "consumer")
    return fail(Code::bad_setting, fmt::format("'role' is '{}'", role->substr(0, 40)), "role",
                "one of: consumer, repair");
  return role && *role == "repair";
}

Result<AnyRequest> read_receive(const Match& match, const Request& request) {
  auto name = name_in_path(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  Fields fields(*body, {}, {"max", "wait", "lease"});
  Receive receive;
  auto repair = repairs(request);
  if (!repair) return pass(repair);
  receive.repair = *repair;
  receive.subscription = std::move(*name);
  fields.number("max", receive.max, 1, Receive::most);
  fields.duration("wait", receive.wait, Millis{0}, longest_wait);
  if (fields.has("lease"))
    fields.duration("lease", receive.lease.emplace(), engines::shortest_lease, engines::longest_lease);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return receive;
}

// Runs `item` over the objects of an array member, each with its own path: "nack[2]".
template <class Item>
void each_object(Fields& fields, std::string_view name, std::initializer_list<std::string_view> known,
                 const Item& item) {
  const Json* list = fields.array(name);
  if (!list) return;
  if (list->items.size() > Settle::most)
    return fields.refuse(name, Code::limit_reached, "more than 10,000 items", several_requests);
  for (std::size_t i = 0; i < list->items.size() && fields.ok(); ++i) {
    Fields inner(list->items[i], fmt::format("{}[{}]", fields.path_of(name), i), known);
    if (inner.ok()) item(inner);
    fields.take(inner.result());
  }
}

void read_acks(Fields& fields, Settle& settle) {
  const Json* list = fields.array("ack");
  if (!list) return;
  if (list->items.size() > Settle::most)
    return fields.refuse("ack", Code::limit_reached, "more than 10,000 items", several_requests);
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    if (list->items[i].kind != Json::Kind::string)
      return fields.refuse(fmt::format("ack[{}]", i), Code::bad_setting, "a lease is a string");
    settle.acks.push_back(list->items[i].text);
  }
}

void read_nack(Fields& fields, Settle& settle) {
  Settle::Nack& nack = settle.nacks.emplace_back();
  fields.required("lease");
  fields.text("lease", nack.lease);
  if (fields.has("delay")) fields.duration("delay", nack.delay.emplace(), Millis{0}, longest_delay);
  const Json* error = fields.object("error");
  if (!error) return;
  Fields inner(*error, fields.path_of("error"), {"code", "message"});
  inner.text("code", nack.code);
  inner.text("message", nack.message);
  if (nack.code.size() > max_error_code_bytes) inner.refuse("code", Code::bad_setting, "at most 200 bytes");
  if (nack.message.size() > max_error_message_bytes) inner.refuse("message", Code::bad_setting, "at most 4096 bytes");
  fields.take(inner.result());
}

void read_settle_event(Fields& fields, Settle& settle) {
  Settle::Event& event = settle.publish.emplace_back();
  fields.required("topic");
  fields.required("event");
  fields.text("topic", event.topic);
  if (const Json* object = fields.object("event")) event.json = object->raw;
  if (!fields.ok()) return;
  fields.take(engines::check_name(event.topic));
  if (engines::is_system_name(event.topic))
    fields.refuse("topic", Code::system_name, "the topic belongs to the system");
}

Result<AnyRequest> read_settle(const Match& match, const Request& request) {
  auto name = name_in_path(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  Fields fields(*body, {}, {"ack", "nack", "extend", "publish"});
  Settle settle;
  settle.subscription = std::move(*name);
  read_acks(fields, settle);
  each_object(fields, "nack", {"lease", "error", "delay"}, [&](Fields& nack) { read_nack(nack, settle); });
  each_object(fields, "extend", {"lease", "by"}, [&](Fields& inner) {
    Settle::Extend& extend = settle.extends.emplace_back();
    inner.required("lease");
    inner.required("by");
    inner.text("lease", extend.lease);
    inner.duration("by", extend.by, Millis{0}, engines::longest_lease);
  });
  each_object(fields, "publish", {"topic", "event"}, [&](Fields& event) { read_settle_event(event, settle); });
  if (auto checked = fields.result(); !checked) return pass(checked);
  return settle;
}

Result<AnyRequest> read_list_parked(const Match& match, const Request& request) {
  auto name = name_in_path(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto query = query_of(request);
  if (!query) return pass(query);
  auto list = read_parked_list(*query);
  if (!list) return pass(list);
  list->subscription = std::move(*name);
  return std::move(*list);
}

// A request about a subscription whose body one of these reads.
template <class Read>
Result<AnyRequest> read_about(const Match& match, const Request& request, Read read) {
  auto name = name_in_path(match.parameters[0], "subscription");
  if (!name) return pass(name);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto about = read(*body);
  if (!about) return pass(about);
  about->subscription = std::move(*name);
  return std::move(*about);
}

Result<AnyRequest> read_parked_key(const Match& match, const Request& request) {
  auto key = decoded(match.parameters[1], "key");
  if (!key) return pass(key);
  const bool edit = match.route == Route::edit_parked;
  return read_about(match, request, [&](const Json& body) {
    auto parked = read_parked_verb(body, edit);
    if (parked) parked->key = std::move(*key);
    return parked;
  });
}

// Kafka's clients name their groups as they like: any bytes.
Result<std::string> group_in_path(std::string_view segment) { return decoded(segment, "group"); }

Result<AnyRequest> read_list_groups(const Request& request) {
  auto query = query_of(request);
  if (!query) return pass(query);
  if (auto known = query->only({"after", "limit"}); !known) return pass(known);
  ListGroups list;
  auto limit = query_number<std::uint32_t>(*query, "limit", list.limit, 1, ListGroups::max_limit);
  if (!limit) return pass(limit);
  list.limit = *limit;
  const auto token = query->find("after");
  if (!token) return list;
  list.after = base64url_decode(*token);
  if (!list.after)
    return fail(Code::bad_setting, fmt::format("'{}' is no place in the list", token->substr(0, 40)), "after",
                "the `next` of the list before");
  return list;
}

void read_reset_target(Fields& fields, ResetOffsets& reset) {
  std::string text;
  fields.text("to", text);
  if (!fields.ok()) return;
  auto from = parse_from(text, true);
  const auto refuse = [&] {
    fields.refuse("to", Code::bad_setting, fmt::format("'to' is '{}'", text.substr(0, 40)),
                  "earliest, latest, an offset like \"1000\" or a time like \"2026-11-21T08:30:00Z\"");
  };
  if (!from) return refuse();
  std::visit(
      [&](const auto& place) {
        if constexpr (std::is_same_v<std::decay_t<decltype(place)>, Position>)
          refuse();
        else
          reset.to = place;
      },
      *from);
}

Result<AnyRequest> read_reset_offsets(const Match& match, const Request& request) {
  auto group = group_in_path(match.parameters[0]);
  if (!group) return pass(group);
  if (group->size() > engines::longest_group)
    return fail(Code::too_large, fmt::format("a group's name has at most {} bytes", engines::longest_group), "group");
  auto body = json_body(request);
  if (!body) return pass(body);
  Fields fields(*body, {}, {"topic", "partition", "to", "dry_run"});
  ResetOffsets reset;
  reset.group = std::move(*group);
  fields.required("topic");
  fields.required("to");
  fields.text("topic", reset.topic);
  if (fields.has("partition")) fields.number("partition", reset.partition.emplace().value, 0, 0xffffffffu);
  fields.boolean("dry_run", reset.dry_run);
  read_reset_target(fields, reset);
  if (auto checked = fields.result(); !checked) return pass(checked);
  if (auto valid = engines::check_name(reset.topic); !valid) {
    valid.error().at = "topic";
    return pass(valid);
  }
  return reset;
}

Result<std::optional<Millis>> read_reply_wait(const Query& query) {
  const auto what = query.find("wait_for");
  if (!what && query.find("timeout"))
    return fail(Code::bad_setting, "'timeout' is of 'wait_for'", "timeout", "wait_for=reply&timeout=5s");
  if (!what) return std::nullopt;
  if (*what != "reply")
    return fail(Code::bad_setting, fmt::format("'wait_for' is '{}'", what->substr(0, 40)), "wait_for",
                "wait_for=reply");
  if (!query.find("timeout")) return Millis{5'000};
  auto timeout = query_duration(query, "timeout", longest_wait);
  if (!timeout) return pass(timeout);
  return *timeout;
}

// A request to a queue that carries JSON.
template <class Read>
Result<AnyRequest> read_of_queue(const Match& match, const Request& request, const Read& read) {
  auto name = changeable_name(match.parameters[0], "queue");
  if (!name) return pass(name);
  if (auto none = no_query(request); !none) return pass(none);
  auto body = json_body(request);
  if (!body) return pass(body);
  auto asked = read(std::move(*name), *body);
  if (!asked) return pass(asked);
  return std::move(*asked);
}

Result<AnyRequest> read_send(const Match& match, const Request& request) {
  const auto format = event_format(request);
  if (!format) return read_of_queue(match, request, read_send_messages);
  auto name = changeable_name(match.parameters[0], "queue");
  if (!name) return pass(name);
  if (auto none = no_query(request); !none) return pass(none);
  if (*format == EventFormat::lines)
    return fail(Code::unsupported_media_type, "lines are not a way to send messages", "Content-Type",
                "publish them to the topic of the queue's name");
  return SendMessages{.queue = std::move(*name), .as_events = true, .messages = {}};
}

Result<AnyRequest> read_queue_request(const Match& match, const Request& request) {
  switch (match.route) {
    case Route::put_queue: return read_of_queue(match, request, read_put_queue);
    case Route::change_queue: return read_of_queue(match, request, read_change_queue);
    case Route::send_messages: return read_send(match, request);
    case Route::peek_queue: return read_of_queue(match, request, read_peek_queue);
    case Route::purge_queue: return read_of_queue(match, request, read_purge_queue);
    case Route::redrive_queue: return read_of_queue(match, request, read_redrive_queue);
    default: {
      auto name = changeable_name(match.parameters[0], "queue");
      if (!name) return pass(name);
      if (auto none = no_query(request); !none) return pass(none);
      return OneQueue{std::move(*name)};
    }
  }
}

template <class Named>
Result<AnyRequest> read_named(Result<std::string> name, const Request& request) {
  if (!name) return pass(name);
  if (auto none = no_query(request); !none) return pass(none);
  return Named{std::move(*name)};
}

}  // namespace

Result<Publish> read_publish(const Match& match, const Request& request) {
  auto name = changeable_name(match.parameters[0], "topic");
  if (!name) return pass(name);
  std::optional<Millis> reply_within;
  if (const std::string_view text = split_target(request.target()).query; !text.empty()) {
    auto query = Query::parse(text);
    if (!query) return pass(query);
    if (auto known = query->only({"wait_for", "timeout"}); !known) return pass(known);
    auto within = read_reply_wait(*query);
    if (!within) return pass(within);
    reply_within = *within;
  }
  auto format = event_format(request);
  if (!format) return pass(format);
  if (reply_within && *format != EventFormat::structured && *format != EventFormat::binary)
    return fail(Code::bad_request, "a reply is to one event", "Content-Type", "send a single event");
  return Publish{std::move(*name), *format, reply_within};
}

Result<AnyRequest> read_request(const Match& match, const Request& request) {
  switch (match.route) {
    case Route::publish: {
      auto publish = read_publish(match, request);
      if (!publish) return pass(publish);
      return std::move(*publish);
    }
    case Route::read: return read_read(match, request);
    case Route::receive_messages:
    case Route::receive: return read_receive(match, request);
    case Route::settle_messages: return read_settle(match, request);
    case Route::settle: {
      auto repair = repairs(request);
      if (!repair) return pass(repair);
      return *repair ? read_about(match, request, read_repairs_settled) : read_settle(match, request);
    }
    case Route::put_topic: return read_put_topic(match, request);
    case Route::change_topic: return read_change_topic(match, request);
    case Route::get_topic: return read_named<OneTopic>(name_in_path(match.parameters[0], "topic"), request);
    case Route::delete_topic: return read_named<OneTopic>(changeable_name(match.parameters[0], "topic"), request);
    case Route::trim_topic: return read_trim(match, request);
    case Route::skip_damaged: return read_skip_damaged(match, request);
    case Route::put_subscription: return read_put_subscription(match, request);
    case Route::change_subscription: return read_change_subscription(match, request);
    case Route::get_subscription:
      return read_named<OneSubscription>(name_in_path(match.parameters[0], "subscription"), request);
    case Route::delete_subscription:
    case Route::pause:
    case Route::resume:
    case Route::stop_release:
      return read_named<OneSubscription>(changeable_name(match.parameters[0], "subscription"), request);
    case Route::list_parked: return read_list_parked(match, request);
    case Route::retry_parked:
    case Route::skip_parked:
    case Route::cancel_parked:
    case Route::edit_parked: return read_parked_key(match, request);
    case Route::release_parked: return read_about(match, request, read_release);
    case Route::get_release:
      return read_named<OneSubscription>(name_in_path(match.parameters[0], "subscription"), request);
    case Route::seek: return read_about(match, request, read_seek);
    case Route::list_groups: return read_list_groups(request);
    case Route::get_group:
    case Route::delete_group: return read_named<OneGroup>(group_in_path(match.parameters[0]), request);
    case Route::reset_offsets: return read_reset_offsets(match, request);
    case Route::explain: return read_explain_pattern(request);
    case Route::put_queue:
    case Route::change_queue:
    case Route::get_queue:
    case Route::delete_queue:
    case Route::send_messages:
    case Route::peek_queue:
    case Route::purge_queue:
    case Route::redrive_queue: return read_queue_request(match, request);
    case Route::error_page: return read_named<ErrorPage>(decoded(match.parameters[0], "code"), request);
    case Route::later:
      return fail(Code::unsupported, "this path is in the contract, not in this release", {},
                  "see /openapi.json for what is there");
    default: return Plain{};
  }
}

std::string group_token(std::string_view name) {
  std::string token;
  base64url_encode(name, token);
  return token;
}

bool wants_stream(std::string_view accept) {
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    std::string_view type = record::without_parameters(accept.substr(0, comma));
    if (record::equal_ignoring_case(type, stream_type)) return true;
    if (comma == std::string_view::npos) return false;
    accept.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace continuo::wire::http
