#include "continuo/wire/http/definitions.h"

#include <fmt/format.h>

#include "continuo/engines/lease_bounds.h"
#include "continuo/record/cloudevents.h"
#include "continuo/wire/http/patterns.h"
#include "continuo/wire/http/repairs.h"
#include "continuo/wire/http/retry.h"
#include "continuo/wire/http/target.h"

namespace continuo::wire::http {
namespace {

using engines::OnFailure;
using engines::OrderBy;
using engines::StartFrom;
using engines::SubscriptionChange;
using engines::SubscriptionSettings;
using engines::Timestamps;
using engines::TopicChange;
using engines::TopicSettings;

constexpr Millis century{100ll * 366 * 86'400'000};
constexpr Millis day{86'400'000};
constexpr std::uint32_t max_partitions = 1'000;
constexpr std::size_t max_topics_of_subscription = 100;

void read_retention(Fields& parent, TopicChange& change) {
  if (parent.is_null("retention")) {
    change.retention_time.emplace();
    change.retention_bytes.emplace();
    return;
  }
  const Json* object = parent.object("retention");
  if (!object) return;
  Fields fields(*object, "retention", {"time", "bytes"});
  if (fields.has("time")) {
    change.retention_time.emplace();
    if (!fields.is_null("time")) fields.duration("time", change.retention_time->emplace(), Millis{1}, century);
  }
  if (fields.has("bytes")) {
    change.retention_bytes.emplace();
    if (!fields.is_null("bytes")) fields.size("bytes", change.retention_bytes->emplace());
  }
  parent.take(fields.result());
}

void read_segment(Fields& fields, TopicChange& change) {
  if (!fields.has("segment")) return;
  change.segment_bytes.emplace();
  if (fields.is_null("segment")) return;
  std::uint64_t& bytes = change.segment_bytes->emplace();
  fields.size("segment", bytes);
  if (fields.ok() && (bytes < engines::least_segment_bytes || bytes > engines::most_segment_bytes))
    fields.refuse("segment", Code::bad_setting, "a file of a partition has 1 MiB to 1 GiB");
}

void read_max_batch(Fields& fields, TopicChange& change) {
  if (!fields.has("max_batch")) return;
  std::uint64_t bytes = 0;
  fields.size("max_batch", bytes);
  if (fields.ok() && (bytes == 0 || bytes > engines::most_batch_bytes))
    fields.refuse("max_batch", Code::bad_setting, "a batch has 1 byte to 7 MiB");
  change.max_batch_bytes = static_cast<std::uint32_t>(bytes);
}

void read_topics(Fields& fields, SubscriptionSettings& settings) {
  fields.required("topics");
  const Json* list = fields.array("topics");
  if (!list) return;
  if (list->items.empty() || list->items.size() > max_topics_of_subscription)
    return fields.refuse("topics", Code::bad_setting, "a subscription reads 1 to 100 topics");
  for (const Json& item : list->items) {
    if (item.kind != Json::Kind::string)
      return fields.refuse("topics", Code::bad_setting, "topics are named by strings");
    fields.take(engines::check_name(item.text));
    settings.topics.push_back(item.text);
  }
}

template <class Enum>
struct Choice {
  std::string_view name;
  Enum value;
};

// `later` names what the contract has and this release has not.
template <class Enum>
void read_choice(Fields& fields, std::string_view name, std::initializer_list<Choice<Enum>> choices, Enum& into,
                 std::string_view later = {}) {
  if (!fields.has(name)) return;
  std::string text, known;
  fields.text(name, text);
  if (!fields.ok()) return;
  for (const Choice<Enum>& choice : choices) {
    if (choice.name == text) {
      into = choice.value;
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  fields.refuse(name, later.empty() ? Code::bad_setting : Code::unsupported,
                fmt::format("'{}' cannot be '{}'{}{}", name, text.substr(0, 80), later.empty() ? "" : ": ", later),
                "one of: " + known);
}

void read_from(Fields& fields, SubscriptionSettings& settings) {
  if (!fields.has("from")) return;
  std::string text;
  fields.text("from", text);
  if (!fields.ok()) return;
  if (const auto time = parse_time(text); time && !text.empty()) {
    settings.from = StartFrom::time;
    settings.from_time = *time;
    return;
  }
  if (text != "earliest" && text != "latest")
    return fields.refuse("from", Code::bad_setting, fmt::format("'from' cannot be '{}'", text.substr(0, 80)),
                         "earliest, latest, or a time like 2026-01-31T08:00:00Z");
  settings.from = text == "earliest" ? StartFrom::earliest : StartFrom::latest;
}

// What happens when events fail.
void read_failures(Fields& fields, SubscriptionSettings& settings) {
  read_choice<OnFailure>(
      fields, "on_failure",
      {{"park", OnFailure::park}, {"drop", OnFailure::drop}, {"dead_letter", OnFailure::dead_letter}},
      settings.on_failure);
  fields.text("dead_letter", settings.dead_letter);
  if (settings.dead_letter.empty() == (settings.on_failure == OnFailure::dead_letter))
    fields.refuse(
        "dead_letter", Code::bad_setting,
        settings.dead_letter.empty() ? "dead letters go to a topic" : "only \"on_failure\":\"dead_letter\" has one",
        R"("on_failure":"dead_letter","dead_letter":"NAME.dead")");
  if (!settings.dead_letter.empty()) fields.take(engines::check_name(settings.dead_letter));
  if (const Json* object = fields.is_null("storm") ? nullptr : fields.object("storm")) {
    Fields storm(*object, "storm", {"keys", "within", "probe"});
    storm.required("keys");
    storm.number("keys", settings.storm.keys, 2, engines::most_storm_keys);
    storm.duration("within", settings.storm.within, Millis{100}, Millis{3'600'000});
    storm.duration("probe", settings.storm.probe, Millis{100}, Millis{300'000});
    fields.take(storm.result());
  }
  settings.repairs = read_repairs(fields);
}

// What ends by itself.
void read_ends(Fields& fields, SubscriptionSettings& settings) {
  if (fields.has("ttl") && !fields.is_null("ttl")) fields.duration("ttl", settings.ttl.emplace(), Millis{100}, century);
  if (fields.has("expires") && !fields.is_null("expires"))
    fields.duration("expires", settings.idle.emplace(), Millis{60'000}, century);
}

void refuse_priority(Fields& fields, const SubscriptionSettings& settings) {
  if (!fields.has("priority")) return;
  if (settings.order_by != OrderBy::none)
    return fields.refuse("priority", Code::bad_setting, "events cannot be kept in order and overtake by priority",
                         R"(leave "priority" away, or say "order_by":"none")");
  fields.refuse("priority", Code::unsupported, "priorities are not in this release",
                "one subscription for each priority, with a filter");
}

}  // namespace

Result<TopicChange> read_topic_change(const Json& object) {
  TopicChange change;
  Fields fields(object, {},
                {"partitions", "retention", "cleanup", "dedup_window", "max_batch", "timestamps", "segment"});
  if (fields.has("partitions")) fields.number("partitions", change.partitions.emplace(), 1, max_partitions);
  read_retention(fields, change);
  int cleanup = 0;
  read_choice<int>(fields, "cleanup", {{"delete", 0}}, cleanup, "compaction is not in this release");
  if (fields.has("dedup_window")) fields.duration("dedup_window", change.dedup_window.emplace(), Millis{0}, day);
  read_max_batch(fields, change);
  if (fields.has("timestamps"))
    read_choice<Timestamps>(fields, "timestamps",
                            {{"created", Timestamps::created}, {"appended", Timestamps::appended}},
                            change.timestamps.emplace());
  read_segment(fields, change);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return change;
}

Result<TopicSettings> read_topic_settings(const Json& object) {
  auto change = read_topic_change(object);
  if (!change) return pass(change);
  return change->applied_to({});
}

void write_topic_settings(const TopicSettings& settings, std::string& out) {
  if (settings.retention_time || settings.retention_bytes) {
    out += ",\"retention\":{";
    if (settings.retention_time) out += fmt::format("\"time\":\"{}\"", format_duration(*settings.retention_time));
    if (settings.retention_time && settings.retention_bytes) out += ",";
    if (settings.retention_bytes) out += fmt::format("\"bytes\":{}", *settings.retention_bytes);
    out += "}";
  }
  out += fmt::format(R"(,"cleanup":"delete","dedup_window":"{}","max_batch":{},"timestamps":"{}")",
                     format_duration(settings.dedup_window), settings.max_batch_bytes,
                     settings.timestamps == Timestamps::appended ? "appended" : "created");
  if (settings.segment_bytes) out += fmt::format(R"(,"segment":{})", *settings.segment_bytes);
}

Result<SubscriptionSettings> read_subscription_settings(const Json& object) {
  SubscriptionSettings settings;
  Fields fields(object, {},
                {"topics", "filter", "from", "order_by", "concurrency", "lease", "retry", "on_failure", "dead_letter",
                 "ttl", "expires", "storm", "repairs", "priority", "target"});
  read_topics(fields, settings);
  settings.filter = read_filter(fields);
  read_from(fields, settings);
  read_choice<OrderBy>(fields, "order_by", {{"key", OrderBy::key}, {"none", OrderBy::none}}, settings.order_by,
                       "ordering by an attribute is not in this release");
  fields.number("concurrency", settings.concurrency, 1, 100'000);
  fields.duration("lease", settings.lease, engines::shortest_lease, engines::longest_lease);
  read_retry(fields, settings.retry);
  read_failures(fields, settings);
  read_ends(fields, settings);
  refuse_priority(fields, settings);
  settings.target = read_target(fields, settings.topics);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return settings;
}

Result<SubscriptionChange> read_subscription_change(const Json& object) {
  Fields fields(object, {},
                {"topics", "filter", "from", "order_by", "concurrency", "lease", "retry", "on_failure", "dead_letter",
                 "ttl", "expires", "storm", "repairs", "target", "parked"});
  for (const std::string_view other : {"topics", "from", "order_by"})
    if (fields.has(other))
      fields.refuse(other, Code::unsupported, fmt::format("'{}' of a subscription cannot be changed", other),
                    "make another subscription; POST .../seek changes where this one stands");
  SubscriptionChange change;
  SubscriptionSettings read;
  if (fields.has("filter")) change.filter = read_filter(fields);
  if (fields.has("concurrency")) fields.number("concurrency", change.concurrency.emplace(), 1, 100'000);
  if (fields.has("lease"))
    fields.duration("lease", change.lease.emplace(), engines::shortest_lease, engines::longest_lease);
  if (fields.has("retry")) read_retry(fields, change.retry.emplace());
  read_failures(fields, read);
  if (fields.has("on_failure")) change.on_failure = read.on_failure, change.dead_letter = read.dead_letter;
  if (fields.has("storm")) change.storm = read.storm;
  if (fields.has("repairs")) change.repairs = read.repairs;
  read_ends(fields, read);
  if (fields.has("ttl")) change.ttl = read.ttl;
  if (fields.has("expires")) change.idle = read.idle;
  if (fields.has("target")) change.target = read_target(fields, {});
  std::string parked;
  fields.text("parked", parked);
  if (fields.has("parked") && parked != "keep")
    fields.refuse("parked", parked == "discard" ? Code::unsupported : Code::bad_setting,
                  fmt::format("'parked' cannot be '{}' here", parked.substr(0, 80)),
                  R"(say "keep", or skip each with its reason; POST .../seek discards)");
  change.keep_parked = parked == "keep";
  if (change == SubscriptionChange{.keep_parked = change.keep_parked})
    fields.refuse("filter", Code::bad_setting, "nothing is to become different",
                  R"("filter":{...}, "lease":"10s", "retry":{...}; null takes a setting away)");
  if (auto checked = fields.result(); !checked) return pass(checked);
  return change;
}

void write_subscription_settings(const SubscriptionSettings& settings, std::string& out) {
  out += ",\"topics\":[";
  for (const std::string& topic : settings.topics) {
    if (&topic != &settings.topics.front()) out += ",";
    record::write_json_string(topic, out);
  }
  out += "]";
  if (!settings.filter.empty()) out += ",\"filter\":" + settings.filter;
  const auto from = [&]() -> std::string {
    if (settings.from == StartFrom::time) return format_time(settings.from_time);
    return settings.from == StartFrom::earliest ? "earliest" : "latest";
  };
  const auto on_failure = [&] {
    if (settings.on_failure == OnFailure::dead_letter) return "dead_letter";
    return settings.on_failure == OnFailure::park ? "park" : "drop";
  };
  out += fmt::format(R"(,"from":"{}","order_by":"{}","concurrency":{},"lease":"{}","retry":{},"on_failure":"{}")",
                     from(), settings.order_by == OrderBy::key ? "key" : "none", settings.concurrency,
                     format_duration(settings.lease), write_retry(settings.retry), on_failure());
  if (!settings.dead_letter.empty()) out += fmt::format(R"(,"dead_letter":"{}")", settings.dead_letter);
  if (settings.ttl) out += fmt::format(R"(,"ttl":"{}")", format_duration(*settings.ttl));
  if (settings.idle) out += fmt::format(R"(,"expires":"{}")", format_duration(*settings.idle));
  if (settings.storm.keys != 0)
    out += fmt::format(R"(,"storm":{{"keys":{},"within":"{}","probe":"{}"}})", settings.storm.keys,
                       format_duration(settings.storm.within), format_duration(settings.storm.probe));
  if (!settings.repairs.empty()) out += ",\"repairs\":" + settings.repairs;
  out += ",\"target\":" + (settings.target.empty() ? R"({"pull":{}})" : shown_target(settings.target));
}

}  // namespace continuo::wire::http
