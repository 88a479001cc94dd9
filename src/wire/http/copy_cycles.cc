#include "continuo/wire/http/copy_cycles.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

namespace continuo::wire::http {
namespace {

// How a topic was reached.
struct Step {
  std::string_view from;
  const TopicCopy* by = nullptr;
};

bool reads(const TopicCopy& copy, std::string_view topic) {
  return std::ranges::any_of(copy.from, [&](const std::string& name) { return name == topic; });
}

}  // namespace

std::string copy_cycle(const TopicCopy& added, std::span<const TopicCopy> others) {
  std::map<std::string_view, Step> reached{{added.to, {}}};
  std::deque<std::string_view> ahead{added.to};
  std::string_view met = added.to;
  while (!ahead.empty() && !reads(added, met)) {
    met = ahead.front();
    ahead.pop_front();
    for (const TopicCopy& copy : others)
      if (reads(copy, met) && reached.try_emplace(copy.to, Step{met, &copy}).second) ahead.push_back(copy.to);
  }
  if (!reads(added, met)) return {};
  std::string way;
  for (std::string_view topic = met; topic != added.to; topic = reached.at(topic).from)
    way = fmt::format(" -> {} (by '{}'){}", topic, reached.at(topic).by->subscription, way);
  return fmt::format("{} -> {} (by '{}'){}", met, added.to, added.subscription, way);
}

}  // namespace continuo::wire::http
