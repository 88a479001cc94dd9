#include "continuo/client/requests.h"

#include <boost/json.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include "continuo/client/json.h"
#include "continuo/record/cloudevents.h"

namespace continuo::client {
namespace {

namespace json = boost::json;
namespace od = simdjson::ondemand;

std::vector<Place> places_in(const json::object& answer) {
  std::vector<Place> places;
  for (const json::value& item : array_in(answer, "events")) {
    if (!item.is_object()) continue;
    const json::object& place = item.as_object();
    places.push_back({.partition = PartitionId{static_cast<std::uint32_t>(number_in(place, "partition"))},
                      .offset = Offset{number_in(place, "offset")},
                      .duplicate = flag_in(place, "duplicate", false)});
  }
  return places;
}

void write_nack(const Nack& nack, std::string& out) {
  out += '{';
  write_text("lease", nack.lease, out);
  std::string error = "{";
  write_text("code", nack.code, error);
  write_text("message", nack.message, error);
  write_member("error", error + "}", out);
  if (nack.delay) write_text("delay", format_duration(*nack.delay), out);
  out += '}';
}

void write_extension(const Extension& extension, std::string& out) {
  out += '{';
  write_text("lease", extension.lease, out);
  write_text("by", format_duration(extension.by), out);
  out += '}';
}

void write_new_event(const NewEvent& one, std::string& out) {
  out += '{';
  write_text("topic", one.topic, out);
  write_member("event", to_json(with_id(one.event)), out);
  out += '}';
}

// What a retry and its rules have in common.
void write_attempts(const auto& retry, std::string& out) {
  if (retry.attempts) write_member("attempts", std::to_string(*retry.attempts), out);
  write_said("backoff", retry.backoff, out);
  if (retry.base) write_text("base", format_duration(*retry.base), out);
  if (retry.max) write_text("max", format_duration(*retry.max), out);
  write_array("delays", retry.delays, out,
              [](Millis delay, std::string& list) { record::write_json_string(format_duration(delay), list); });
}

void write_retry_rule(const RetryRule& rule, std::string& out) {
  std::string object = "{";
  write_array("codes", rule.codes, object,
              [](const std::string& code, std::string& list) { record::write_json_string(code, list); });
  write_attempts(rule, object);
  if (rule.jitter) write_member("jitter", *rule.jitter ? "true" : "false", object);
  out += object + "}";
}

std::string write_retry(const Retry& retry) {
  std::string out = "{";
  write_attempts(retry, out);
  if (retry.jitter) write_member("jitter", "true", out);
  write_array("rules", retry.rules, out, write_retry_rule);
  return out + "}";
}

std::string write_storm(const StormGuard& storm) {
  if (storm.keys == 0) return "null";
  std::string out = "{";
  write_member("keys", std::to_string(storm.keys), out);
  if (storm.within) write_text("within", format_duration(*storm.within), out);
  if (storm.probe) write_text("probe", format_duration(*storm.probe), out);
  return out + "}";
}

// The event is taken as text, so that its data stays as it was written.
bool read_raw(od::value value, std::string_view& raw) {
  od::object object;
  return value.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(raw) == simdjson::SUCCESS;
}

Result<Delivery> read_delivery(od::object object) {
  std::string_view lease, event;
  std::uint64_t attempt = 1;
  for (auto next : object) {
    od::field field;
    std::string_view name;
    if (std::move(next).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS)
      return not_ours("a delivery cannot be read");
    bool fine = true;
    if (name == "lease") fine = field.value().get_string().get(lease) == simdjson::SUCCESS;
    if (name == "attempt") fine = field.value().get_uint64().get(attempt) == simdjson::SUCCESS;
    if (name == "event") fine = read_raw(field.value(), event);
    if (!fine) return not_ours("a delivery cannot be read");
  }
  auto parsed = parse_event(event);
  if (!parsed) return pass(parsed);
  return Delivery{std::string{lease}, static_cast<std::uint32_t>(attempt), std::move(*parsed)};
}

}  // namespace

// A topic is made with what it is to have beside the defaults.
std::string write_topic(const TopicSettings& settings) {
  TopicChange change{.partitions = settings.partitions,
                     .retention_time = {},
                     .retention_bytes = {},
                     .dedup_window = settings.dedup_window,
                     .max_batch = settings.max_batch,
                     .timestamps = settings.timestamps,
                     .segment = {}};
  if (settings.retention_time) change.retention_time = settings.retention_time;
  if (settings.retention_bytes) change.retention_bytes = settings.retention_bytes;
  if (settings.segment) change.segment = settings.segment;
  return write_topic(change);
}

std::string write_topic(const TopicChange& change) {
  const auto number_or_null = [](const auto& value) { return value ? std::to_string(*value) : "null"; };
  std::string out = "{";
  if (change.partitions) write_member("partitions", std::to_string(*change.partitions), out);
  std::string retention = "{";
  if (const auto& time = change.retention_time; time && *time) write_text("time", format_duration(**time), retention);
  if (const auto& time = change.retention_time; time && !*time) write_member("time", "null", retention);
  if (change.retention_bytes) write_member("bytes", number_or_null(*change.retention_bytes), retention);
  if (retention.size() > 1) write_member("retention", retention + "}", out);
  if (change.dedup_window) write_text("dedup_window", format_duration(*change.dedup_window), out);
  if (change.max_batch) write_member("max_batch", std::to_string(*change.max_batch), out);
  if (change.timestamps) write_text("timestamps", *change.timestamps, out);
  if (change.segment) write_member("segment", number_or_null(*change.segment), out);
  return out + "}";
}

std::string write_subscription(const SubscriptionSettings& settings) {
  std::string out = "{";
  write_array("topics", settings.topics, out,
              [](const std::string& topic, std::string& list) { record::write_json_string(topic, list); });
  if (!settings.filter.empty()) write_member("filter", settings.filter, out);
  write_text("from", settings.from, out);
  write_text("order_by", settings.order_by, out);
  if (settings.concurrency) write_member("concurrency", std::to_string(*settings.concurrency), out);
  if (settings.lease) write_text("lease", format_duration(*settings.lease), out);
  if (const std::string retry = write_retry(settings.retry); retry != "{}") write_member("retry", retry, out);
  write_text("on_failure", settings.on_failure, out);
  write_said("dead_letter", settings.dead_letter, out);
  if (settings.ttl) write_text("ttl", format_duration(*settings.ttl), out);
  if (settings.expires) write_text("expires", format_duration(*settings.expires), out);
  if (settings.storm.keys != 0) write_member("storm", write_storm(settings.storm), out);
  if (!settings.repairs.empty()) write_member("repairs", settings.repairs, out);
  if (!settings.target.empty()) write_member("target", settings.target, out);
  return out + "}";
}

std::string write_subscription(const SubscriptionChange& change) {
  const auto json_or_null = [](std::string_view json) { return json.empty() ? std::string_view{"null"} : json; };
  std::string out = "{";
  const auto write_end = [&](std::string_view name, const std::optional<std::optional<Millis>>& end) {
    if (end && *end) write_text(name, format_duration(**end), out);
    if (end && !*end) write_member(name, "null", out);
  };
  if (change.filter) write_member("filter", json_or_null(*change.filter), out);
  if (change.concurrency) write_member("concurrency", std::to_string(*change.concurrency), out);
  if (change.lease) write_text("lease", format_duration(*change.lease), out);
  if (change.retry) write_member("retry", write_retry(*change.retry), out);
  if (change.on_failure) write_text("on_failure", *change.on_failure, out);
  write_said("dead_letter", change.dead_letter, out);
  write_end("ttl", change.ttl);
  write_end("expires", change.expires);
  if (change.storm) write_member("storm", write_storm(*change.storm), out);
  if (change.repairs) write_member("repairs", json_or_null(*change.repairs), out);
  if (change.target) write_member("target", change.target->empty() ? R"({"pull":{}})" : *change.target, out);
  if (change.keep_parked) write_text("parked", "keep", out);
  return out + "}";
}

std::string write_receive(const Receive& receive) {
  std::string out = "{";
  write_member("max", std::to_string(receive.max), out);
  write_text("wait", format_duration(receive.wait), out);
  if (receive.lease) write_text("lease", format_duration(*receive.lease), out);
  return out + "}";
}

std::string write_settle(const Settle& settle) {
  std::string out = "{";
  write_array("ack", settle.acks, out,
              [](const std::string& lease, std::string& list) { record::write_json_string(lease, list); });
  write_array("nack", settle.nacks, out, write_nack);
  write_array("extend", settle.extends, out, write_extension);
  write_array("publish", settle.publish, out, write_new_event);
  return out + "}";
}

Result<Topic> read_topic(std::string_view name, std::string_view text) {
  auto object = object_in(text);
  if (!object) return pass(object);
  Topic topic{.name = std::string{name},
              .partitions = {},
              .durable = flag_in(*object, "durable", true),
              .json = std::string{text}};
  for (const json::value& item : array_in(*object, "partitions")) {
    if (!item.is_object()) return not_ours("a partition cannot be read");
    const json::object& state = item.as_object();
    topic.partitions.push_back({.partition = PartitionId{static_cast<std::uint32_t>(number_in(state, "partition"))},
                                .first = Offset{number_in(state, "first")},
                                .next = Offset{number_in(state, "next")},
                                .bytes = static_cast<std::uint64_t>(number_in(state, "bytes"))});
  }
  return topic;
}

Result<std::vector<std::string>> read_topics(std::string_view text) {
  auto object = object_in(text);
  if (!object) return pass(object);
  std::vector<std::string> names;
  for (const json::value& item : array_in(*object, "topics")) {
    if (item.is_string()) names.emplace_back(item.as_string().c_str());
    if (item.is_object()) names.push_back(text_in(item.as_object(), "name"));
  }
  return names;
}

Result<std::vector<Place>> read_places(std::string_view text) {
  auto object = object_in(text);
  if (!object) return pass(object);
  return places_in(*object);
}

Result<std::vector<FilteredFrom>> read_filtered_from(std::string_view text) {
  auto object = object_in(text);
  if (!object) return pass(object);
  std::vector<FilteredFrom> all;
  for (const json::value& item : array_in(*object, "filtered_from")) {
    if (!item.is_object()) continue;
    const json::object& place = item.as_object();
    all.push_back({.topic = text_in(place, "topic"),
                   .partition = PartitionId{static_cast<std::uint32_t>(number_in(place, "partition"))},
                   .offset = Offset{number_in(place, "offset")}});
  }
  return all;
}

Result<Settled> read_settled(std::string_view text) {
  auto object = object_in(text);
  if (!object) return pass(object);
  Settled settled{.settled = static_cast<std::uint32_t>(number_in(*object, "settled")),
                  .refused = {},
                  .places = places_in(*object)};
  for (const json::value& item : array_in(*object, "refused")) {
    if (!item.is_object()) continue;
    const CodeInfo* code = find_code(text_in(item.as_object(), "code"));
    settled.refused.push_back({text_in(item.as_object(), "lease"), code ? code->code : Code::lease_lost});
  }
  return settled;
}

Result<std::vector<Delivery>> read_deliveries(std::string_view text) {
  thread_local od::parser parser;
  const simdjson::padded_string padded{text};
  od::document document;
  od::array list;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document["deliveries"].get_array().get(list) != simdjson::SUCCESS)
    return not_ours("no deliveries");
  std::vector<Delivery> deliveries;
  for (auto item : list) {
    od::object object;
    if (item.get_object().get(object) != simdjson::SUCCESS) return not_ours("a delivery cannot be read");
    auto delivery = read_delivery(object);
    if (!delivery) return pass(delivery);
    deliveries.push_back(std::move(*delivery));
  }
  return deliveries;
}

}  // namespace continuo::client
