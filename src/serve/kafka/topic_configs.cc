#include "continuo/serve/kafka/topic_configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace continuo::serve {
namespace {

using engines::Timestamps;
using node::TopicChange;
using node::TopicSettings;

constexpr std::int8_t boolean = 1, text = 2, integer = 3, long_integer = 5, list = 7;
constexpr std::int64_t for_ever = -1;

/// How a setting is told and set. Without `set` it has one value here, and may be "set" to that.
struct Setting {
  std::string_view name;
  std::int8_t type;
  std::string_view fallback;
  std::string_view documentation;
  std::string_view values = {};  ///< that it can have, in words
  std::string (*get)(const TopicSettings&) = nullptr;
  bool (*set)(TopicChange&, std::string_view) = nullptr;
  bool fixed() const { return set == nullptr; }
};

std::optional<std::int64_t> number(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}
constexpr std::int64_t any_long = 0x7fff'ffff'ffff'ffff;

std::string retention_ms(const TopicSettings& settings) {
  return fmt::to_string(settings.retention_time ? settings.retention_time->count() : for_ever);
}
bool set_retention_ms(TopicChange& change, std::string_view text) {
  const auto value = number(text, for_ever, any_long);
  if (!value) return false;
  change.retention_time = *value == for_ever ? std::optional<Millis>{} : Millis{*value};
  return true;
}
std::string retention_bytes(const TopicSettings& settings) {
  return settings.retention_bytes ? fmt::to_string(*settings.retention_bytes) : fmt::to_string(for_ever);
}
bool set_retention_bytes(TopicChange& change, std::string_view text) {
  const auto value = number(text, for_ever, any_long);
  if (!value) return false;
  using Bytes = std::optional<std::uint64_t>;
  change.retention_bytes = *value == for_ever ? Bytes{} : Bytes{static_cast<std::uint64_t>(*value)};
  return true;
}

std::string max_message_bytes(const TopicSettings& settings) { return fmt::to_string(settings.max_batch_bytes); }
bool set_max_message_bytes(TopicChange& change, std::string_view text) {
  const auto value = number(text, 1, engines::most_batch_bytes);
  if (value) change.max_batch_bytes = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

constexpr std::string_view create_time = "CreateTime", append_time = "LogAppendTime";
std::string timestamp_type(const TopicSettings& settings) {
  return std::string{settings.timestamps == Timestamps::appended ? append_time : create_time};
}
bool set_timestamp_type(TopicChange& change, std::string_view text) {
  if (text != create_time && text != append_time) return false;
  change.timestamps = text == append_time ? Timestamps::appended : Timestamps::created;
  return true;
}

constexpr std::uint64_t usual_segment_bytes = 256u << 20;  // of node::Options, too
std::string segment_bytes(const TopicSettings& settings) {
  return fmt::to_string(settings.segment_bytes.value_or(usual_segment_bytes));
}
bool set_segment_bytes(TopicChange& change, std::string_view text) {
  const auto value = number(text, engines::least_segment_bytes, engines::most_segment_bytes);
  if (!value) return false;
  const auto bytes = static_cast<std::uint64_t>(*value);
  change.segment_bytes = bytes == usual_segment_bytes ? std::nullopt : std::optional{bytes};
  return true;
}

// By name. Sources: Apache Kafka, TopicConfig.
constexpr Setting table[] = {
    {"cleanup.policy", list, "delete", "What becomes of old records: they are deleted."},
    {"compression.type", text, "producer", "Batches stay as their producers made them."},
    {"max.message.bytes", integer, "1048588", "The largest batch that is taken.", "1 to 7340032", max_message_bytes,
     set_max_message_bytes},
    {"message.timestamp.type", text, create_time, "A record's time: what its producer said, or when it was appended.",
     "CreateTime or LogAppendTime", timestamp_type, set_timestamp_type},
    {"min.insync.replicas", integer, "1", "There is one, and what is acknowledged is on its disk."},
    {"retention.bytes", long_integer, "-1", "A partition's oldest files go beyond so many bytes; -1: never.",
     "a number of bytes, or -1", retention_bytes, set_retention_bytes},
    {"retention.ms", long_integer, "-1", "Records go when they were appended longer ago; -1: never.",
     "a number of milliseconds, or -1", retention_ms, set_retention_ms},
    {"segment.bytes", integer, "268435456", "How large a file of a partition grows.", "1048576 to 1073741824",
     segment_bytes, set_segment_bytes},
    {"unclean.leader.election.enable", boolean, "false", "There is one broker."},
};
static_assert(engines::most_batch_bytes == 7'340'032 && TopicSettings{}.max_batch_bytes == 1'048'588);

// Kafka's other settings of topics, which say how it goes about its files, its replicas and compaction.
constexpr std::string_view without_meaning[] = {"delete.retention.ms",
                                                "file.delete.delay.ms",
                                                "flush.messages",
                                                "flush.ms",
                                                "follower.replication.throttled.replicas",
                                                "index.interval.bytes",
                                                "leader.replication.throttled.replicas",
                                                "local.retention.bytes",
                                                "local.retention.ms",
                                                "max.compaction.lag.ms",
                                                "message.timestamp.after.max.ms",
                                                "message.timestamp.before.max.ms",
                                                "min.cleanable.dirty.ratio",
                                                "min.compaction.lag.ms",
                                                "preallocate",
                                                "remote.storage.enable",
                                                "segment.index.bytes",
                                                "segment.jitter.ms",
                                                "segment.ms"};

const Setting* find(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Setting::name);
  return found == std::end(table) ? nullptr : found;
}

Result<void> refuse(std::string_view name, std::string why) {
  return fail(Code::bad_setting, std::move(why), std::string{name});
}

}  // namespace

std::vector<TopicConfig> topic_configs(const TopicSettings& settings) {
  std::vector<TopicConfig> all;
  for (const Setting& setting : table) {
    TopicConfig config{.name = setting.name,
                       .value = setting.fixed() ? std::string{setting.fallback} : setting.get(settings),
                       .read_only = setting.fixed(),
                       .type = setting.type,
                       .documentation = setting.documentation,
                       .default_value = std::string{setting.fallback}};
    if (config.value != setting.fallback) config.source = wire::kafka::ConfigSource::topic;
    all.push_back(std::move(config));
  }
  return all;
}

Result<void> set_config(TopicChange& change, std::string_view name, const std::optional<std::string>& value) {
  const Setting* setting = find(name);
  if (setting == nullptr)
    return refuse(name, std::ranges::find(without_meaning, name) != std::end(without_meaning)
                            ? fmt::format("'{}' is a setting of Kafka's that has no meaning here: leave it out", name)
                            : fmt::format("there is no topic setting '{}'", name));
  const std::string_view wanted = value ? std::string_view{*value} : setting->fallback;
  if (setting->fixed())
    return wanted == setting->fallback
               ? Result<void>{}
               : refuse(name, fmt::format("{} is '{}' here and nothing else", name, setting->fallback));
  if (setting->set(change, wanted)) return {};
  return refuse(name, fmt::format("'{}' is no value of {}: it is {}", wanted, name, setting->values));
}

TopicChange default_configs() {
  TopicChange change;
  for (const Setting& setting : table)
    if (!setting.fixed()) setting.set(change, setting.fallback);
  return change;
}

bool is_list_config(std::string_view name) {
  const Setting* setting = find(name);
  return setting != nullptr && setting->type == list;
}

}  // namespace continuo::serve
