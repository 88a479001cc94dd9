#include "continuo/cli/demo/watch.h"

namespace continuo::cli {
namespace {

constexpr Micros rate_window{2'000'000};

std::uint64_t count_in(const std::map<std::string, std::uint64_t, std::less<>>& counts, std::string_view name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

Watch::Watch(client::Client server, std::vector<std::string> topics)
    : server_(std::move(server)), topics_(std::move(topics)) {
  for (const std::string& topic : topics_) states_[topic];
}

// Page by page, so that nothing is counted again when the server goes away in between.
Result<void> Watch::read_on(const std::string& name, Topic& topic) {
  for (;;) {
    auto page = server_.read(name, {.from = topic.next, .limit = 2'000, .correlation = {}});
    if (!page) return pass(page);
    for (const client::Event& event : page->events) {
      ++topic.count;
      ++types_[event.type];
      subjects_.emplace(event.type, event.subject);
    }
    if (page->events.empty() && page->next == topic.next) return {};
    topic.next = page->next;
  }
}

void Watch::sample(Topic& topic) {
  const Micros now = system_clock().steady();
  topic.samples.push_back({now, topic.count});
  while (topic.samples.size() > 2 && now - topic.samples[1].when > rate_window)
    topic.samples.erase(topic.samples.begin());
}

bool Watch::look() {
  for (auto& [name, topic] : states_) {
    auto read = read_on(name, topic);
    if (!read && read.error().code != Code::unknown_topic) return false;
    sample(topic);
  }
  return true;
}

std::uint64_t Watch::in_topic(std::string_view topic) const {
  const auto found = states_.find(topic);
  return found == states_.end() ? 0 : found->second.count;
}

std::uint64_t Watch::of_type(std::string_view type) const { return count_in(types_, type); }

double Watch::rate(std::string_view topic) const {
  const auto found = states_.find(topic);
  if (found == states_.end() || found->second.samples.size() < 2) return 0;
  const Sample& from = found->second.samples.front();
  const Sample& to = found->second.samples.back();
  return static_cast<double>(to.count - from.count) * 1e6 / static_cast<double>((to.when - from.when).count());
}

std::string Watch::first_subject(std::string_view type) const {
  const auto found = subjects_.find(type);
  return found == subjects_.end() ? std::string{} : found->second;
}

}  // namespace continuo::cli
