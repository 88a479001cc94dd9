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

// Takes away topics that nothing copies into until none is left, or only circles and what they lead to are.
bool goes_round(std::span<const TopicCopy> all) {
  std::map<std::string_view, std::size_t> copied_into;
  std::map<std::string_view, std::vector<std::string_view>> leads_to;
  for (const TopicCopy& copy : all)
    for (const std::string& from : copy.from) {
      copied_into.try_emplace(from, 0);
      ++copied_into[copy.to];
      leads_to[from].push_back(copy.to);
    }
  std::vector<std::string_view> free;
  for (const auto& [topic, count] : copied_into)
    if (count == 0) free.push_back(topic);
  std::size_t taken = 0;
  for (; !free.empty(); ++taken) {
    const std::string_view topic = free.back();
    free.pop_back();
    for (const std::string_view next : leads_to[topic])
      if (--copied_into[next] == 0) free.push_back(next);
  }
  return taken < copied_into.size();
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

std::vector<std::size_t> closing_copies(std::span<const TopicCopy> all) {
  if (!goes_round(all)) return {};
  std::vector<std::size_t> closing;
  std::vector<TopicCopy> kept;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (copy_cycle(all[i], kept).empty())
      kept.push_back(all[i]);
    else
      closing.push_back(i);
  return closing;
}

}  // namespace continuo::wire::http
