#include "continuo/serve/kafka/topic_configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace continuo::serve {
namespace {

using node::TopicSettings;

constexpr std::int64_t for_ever = -1;

/// How a setting is told and set. `fixed`: it has one value here, and may be "set" to that.
struct Setting {
  std::string_view name;
  std::int8_t type;
  std::string_view fallback;
  std::string_view documentation;
  std::string (*get)(const TopicSettings&) = nullptr;
  bool (*set)(TopicSettings&, std::int64_t) = nullptr;
  bool fixed() const { return set == nullptr; }
};

constexpr std::int8_t boolean = 1, text = 2, integer = 3, long_integer = 5, list = 7;

std::string number_or_for_ever(const auto& value) { return value ? fmt::to_string(*value) : fmt::to_string(for_ever); }

std::string retention_ms(const TopicSettings& settings) {
  return settings.retention_time ? fmt::to_string(settings.retention_time->count()) : fmt::to_string(for_ever);
}
bool set_retention_ms(TopicSettings& settings, std::int64_t value) {
  settings.retention_time.reset();
  if (value != for_ever) settings.retention_time = Millis{value};
  return value >= for_ever;
}
std::string retention_bytes(const TopicSettings& settings) { return number_or_for_ever(settings.retention_bytes); }
bool set_retention_bytes(TopicSettings& settings, std::int64_t value) {
  settings.retention_bytes.reset();
  if (value != for_ever) settings.retention_bytes = static_cast<std::uint64_t>(value);
  return value >= for_ever;
}

// By name. Sources: Apache Kafka, TopicConfig.
constexpr Setting table[] = {
    {"cleanup.policy", list, "delete", "What becomes of old records: they are deleted."},
    {"compression.type", text, "producer", "Batches stay as their producers made them."},
    {"max.message.bytes", integer, "1048588", "The largest batch that is taken."},
    {"message.timestamp.type", text, "CreateTime", "A record's time is what its producer said."},
    {"min.insync.replicas", integer, "1", "There is one, and what is acknowledged is on its disk."},
    {"retention.bytes", long_integer, "-1", "A partition's oldest records go beyond so many bytes; -1: never.",
     retention_bytes, set_retention_bytes},
    {"retention.ms", long_integer, "-1", "Records go when they are older; -1: never.", retention_ms, set_retention_ms},
    {"segment.bytes", integer, "268435456", "How large a file of a partition grows."},
    {"unclean.leader.election.enable", boolean, "false", "There is one broker."},
};

const Setting* find(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Setting::name);
  return found == std::end(table) ? nullptr : found;
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

Result<void> set_config(TopicSettings& settings, std::string_view name, const std::optional<std::string>& value) {
  const Setting* setting = find(name);
  if (setting == nullptr)
    return fail(Code::bad_setting, fmt::format("there is no topic setting '{}'", name), std::string{name});
  const std::string_view wanted = value ? std::string_view{*value} : setting->fallback;
  if (setting->fixed()) {
    if (wanted == setting->fallback) return {};
    return fail(Code::bad_setting, fmt::format("{} is '{}' here and nothing else", name, setting->fallback),
                std::string{name});
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error != std::errc{} || end != wanted.data() + wanted.size() || !setting->set(settings, number))
    return fail(Code::bad_setting, fmt::format("'{}' is no value of {}: a number, -1 for no limit", wanted, name),
                std::string{name});
  return {};
}

}  // namespace continuo::serve
