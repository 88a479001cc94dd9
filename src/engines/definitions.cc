#include "continuo/engines/definitions.h"

#include <fmt/format.h>

#include <algorithm>

namespace continuo::engines {
namespace {

constexpr std::size_t max_name = 200;
constexpr std::string_view system_prefix = "continuo.";

bool allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Result<void> check_name(std::string_view name) {
  if (name.empty()) return fail(Code::bad_name, "the name is empty");
  if (name.size() > max_name)
    return fail(Code::bad_name,
                fmt::format("the name has {} characters, at most {} are allowed", name.size(), max_name));
  if (name == "." || name == "..") return fail(Code::bad_name, fmt::format("'{}' cannot be a name", name));
  if (const auto bad = std::ranges::find_if_not(name, allowed); bad != name.end())
    return fail(Code::bad_name, fmt::format("character {} of the name is not allowed", bad - name.begin() + 1));
  return {};
}

bool is_system_name(std::string_view name) { return name.starts_with(system_prefix); }

TopicSettings TopicChange::applied_to(TopicSettings settings) const {
  settings.partitions = partitions.value_or(settings.partitions);
  settings.retention_time = retention_time.value_or(settings.retention_time);
  settings.retention_bytes = retention_bytes.value_or(settings.retention_bytes);
  settings.dedup_window = dedup_window.value_or(settings.dedup_window);
  settings.max_batch_bytes = max_batch_bytes.value_or(settings.max_batch_bytes);
  settings.timestamps = timestamps.value_or(settings.timestamps);
  settings.segment_bytes = segment_bytes.value_or(settings.segment_bytes);
  return settings;
}

SubscriptionSettings SubscriptionChange::applied_to(SubscriptionSettings settings) const {
  const auto take = [](const auto& changed, auto& into) {
    if (changed) into = *changed;
  };
  take(filter, settings.filter);
  take(concurrency, settings.concurrency);
  take(lease, settings.lease);
  take(retry, settings.retry);
  take(on_failure, settings.on_failure);
  take(dead_letter, settings.dead_letter);
  take(ttl, settings.ttl);
  take(idle, settings.idle);
  take(storm, settings.storm);
  take(repairs, settings.repairs);
  take(target, settings.target);
  return settings;
}

}  // namespace continuo::engines
