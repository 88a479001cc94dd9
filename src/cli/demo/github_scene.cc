// continuo demo github: events nobody made up - imported, tailed as they arrive, counted, read back unchanged.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include "continuo/cli/commands.h"
#include "continuo/cli/demo/ending.h"
#include "continuo/cli/demo/place.h"
#include "continuo/cli/demo/webhooks.h"

namespace continuo::cli {
namespace {

constexpr std::string_view topic = "github";
constexpr std::size_t events_at_once = 7;
constexpr Millis between_commits{20};
constexpr Millis tail_patience{20'000};
constexpr std::size_t lines_shown = 12;
constexpr std::size_t types_shown = 15;

using ById = std::map<std::string, client::Event, std::less<>>;

// What a live tail saw, gathered by its own thread.
class Arrivals {
 public:
  Arrivals(client::Client client, std::size_t expected, std::stop_token stop)
      : client_(std::move(client)), expected_(expected), stop_(std::move(stop)) {
    thread_ = std::jthread([this] {
      ended_ = client_.tail(topic, {.partition = {}, .from = "earliest", .correlation = {}},
                            [this](const client::Event& event) { return take(event); });
      done_ = true;
    });
  }

  /// Waits until all have come; false when that takes too long.
  bool wait() {
    for (Millis waited{0}; !done_ && waited < tail_patience; waited += between_commits)
      if (stopped_within(stop_, between_commits)) return false;
    return done_ && ended_.has_value();
  }
  const std::vector<client::Event>& seen() const { return seen_; }

 private:
  bool take(const client::Event& event) {
    seen_.push_back(event);
    if (seen_.size() <= lines_shown) fmt::print("  {:<48} {}\n", event.type, event.subject);
    if (seen_.size() == lines_shown) fmt::print("  ...\n");
    return seen_.size() < expected_;
  }

  client::Client client_;
  std::size_t expected_;
  std::stop_token stop_;
  std::vector<client::Event> seen_;  // the thread's until done_
  Result<void> ended_;
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

Result<void> import_events(client::Client& client, const std::vector<client::Event>& events,
                           const std::stop_token& stop) {
  for (std::size_t at = 0; at < events.size(); at += events_at_once) {
    const std::size_t count = std::min(events_at_once, events.size() - at);
    auto places = client.publish(topic, std::span{events}.subspan(at, count));
    if (!places) return pass(places);
    if (stopped_within(stop, between_commits)) return fail(Code::connection_failed, "interrupted");
  }
  return {};
}

void print_counts(const std::vector<client::Event>& events) {
  std::map<std::string, std::size_t> counts;
  for (const client::Event& event : events) ++counts[event.type];
  std::vector<std::pair<std::string, std::size_t>> by_count(counts.begin(), counts.end());
  std::ranges::stable_sort(by_count, std::greater<>{}, &std::pair<std::string, std::size_t>::second);
  fmt::print("\n{} events of {} types:\n", events.size(), counts.size());
  for (std::size_t i = 0; i < std::min(types_shown, by_count.size()); ++i)
    fmt::print("  {:>4}  {}\n", by_count[i].second, by_count[i].first);
  if (by_count.size() > types_shown) fmt::print("        and {} more types\n", by_count.size() - types_shown);
}

bool equal_as_json(const std::string& left, const std::string& right) {
  boost::system::error_code error;
  const auto one = boost::json::parse(left, error);
  const auto other = error ? boost::json::value{} : boost::json::parse(right, error);
  return !error && one == other;
}

// Compares what came back with what was sent; the number of events that are not the same.
std::size_t compare(std::string_view how, const std::vector<client::Event>& sent,
                    const std::vector<client::Event>& got) {
  ById by_id;
  for (const client::Event& event : got) by_id.emplace(event.id, event);
  std::size_t same_bytes = 0, same_json = 0, twice = got.size() - by_id.size();
  for (const client::Event& event : sent) {
    const auto found = by_id.find(event.id);
    if (found == by_id.end() || found->second.type != event.type || found->second.subject != event.subject) continue;
    same_bytes += found->second.data == event.data;
    same_json += equal_as_json(found->second.data, event.data);
  }
  fmt::print("  {:<12} {} of {} byte for byte the same, {} equal as JSON, {} twice\n", how, same_bytes, sent.size(),
             same_json, twice);
  return (sent.size() - same_json) + twice;
}

Result<std::size_t> play(Place& place, const std::vector<client::Event>& events, const std::stop_token& stop) {
  client::Client client = place.connect(Millis{5'000});
  if (auto made = client.create_topic(topic, {.partitions = 4}); !made) return pass(made);
  fmt::print("{} payloads, imported and tailed as they arrive:\n", events.size());
  Arrivals arrivals(place.connect(tail_patience), events.size(), stop);
  if (auto imported = import_events(client, events, stop); !imported) return pass(imported);
  if (!arrivals.wait())
    return fail(Code::breach, fmt::format("the live tail did not show all {} events", events.size()));
  print_counts(arrivals.seen());
  std::vector<client::Event> read;
  auto all = client.read_all(topic, {}, [&](const client::Event& event) {
    read.push_back(event);
    return true;
  });
  if (!all) return pass(all);
  fmt::print("\nUnchanged?\n");
  return compare("tailed", events, arrivals.seen()) + compare("read back", events, read);
}

}  // namespace

Result<Exit> demo_github(const Demo& command) {
  const std::stop_token stop = stop_on_signals();
  auto path = command.examples.empty() ? fetch_webhooks() : Result<std::string>{command.examples};
  if (!path) return pass(path);
  auto events = read_webhooks(*path);
  if (!events) return pass(events);
  auto place = Place::open(stop);
  if (!place) return pass(place);
  auto started = place->start_server();
  auto different = started ? play(*place, *events, stop) : Result<std::size_t>{pass(started)};
  if (stop.stop_requested()) return Exit::interrupted;
  if (!different) return pass(different);
  if (*different > 0) return fail(Code::breach, fmt::format("{} events are not as they were", *different));
  if (auto closed = close_up(command, *place, stop, {"topic show github", "tail github -n 3"}); !closed)
    return pass(closed);
  return Exit::ok;
}

}  // namespace continuo::cli
