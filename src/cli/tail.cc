// continuo tail
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "continuo/cli/commands.h"
#include "continuo/cli/json_argument.h"

namespace continuo::cli {
namespace {

constexpr std::uint64_t default_count = 10;
constexpr Millis follow_patience{3'600'000};

// An event and the topic it was read from.
struct Seen {
  std::string topic;
  client::Event event;
};

boost::json::value data_of(const client::Event& event) {
  boost::system::error_code error;
  if (event.data_kind == client::DataKind::json) {
    auto value = boost::json::parse(event.data, error);
    if (!error) return value;
  }
  return boost::json::string(event.data);
}

// One line a person can read: when, where, what, and the data.
void print_line(const Seen& seen, bool with_topic) {
  const client::Event& event = seen.event;
  const std::string place =
      fmt::format("{}{}@{}", with_topic ? seen.topic + "/" : "", event.partition.value_or(PartitionId{}).value,
                  event.offset.value_or(Offset{}).value);
  std::string data = event.data;
  if (data.find('\n') != std::string::npos) data = boost::json::serialize(data_of(event));  // one line each
  if (event.data_kind == client::DataKind::binary) data = fmt::format("<{} bytes>", event.data.size());
  fmt::print("{}  {:<{}}  {}  {}  {}\n", event.time, place, with_topic ? 16 : 8, visible(event.type),
             event.key().empty() ? "-" : visible(event.key()), visible(data));
}

void print(const Seen& seen, Format format, bool with_topic) {
  if (format == Format::table) {
    print_line(seen, with_topic);
  } else {
    client::Event event = seen.event;
    if (event.partition) event.extend("partition", std::to_string(event.partition->value));
    if (event.offset) event.extend("offset", std::to_string(event.offset->value));
    std::string text = client::to_json(event);
    if (text.find('\n') != std::string::npos) text = boost::json::serialize(boost::json::parse(text));  // one line each
    if (with_topic) text.insert(1, fmt::format("\"topic\":\"{}\",", seen.topic));
    fmt::print("{}\n", text);
  }
  std::fflush(stdout);
}

// The last `count` events of a topic, oldest first: the ends of its partitions, put together by time.
Result<std::vector<Seen>> last_of(client::Client& server, const Tail& command, std::uint64_t count) {
  auto topic = server.topic(command.topic);
  if (!topic) return pass(topic);
  std::vector<Seen> found;
  for (const client::PartitionState& state : topic->partitions) {
    if (command.partition && state.partition.value != *command.partition) continue;
    const std::int64_t from = std::max(state.first.value, state.next.value - static_cast<std::int64_t>(count));
    auto read = server.read_all(command.topic,
                                {.partition = state.partition,
                                 .from = std::to_string(from),
                                 .correlation = command.correlation,
                                 .filter = command.filter},
                                [&](const client::Event& event) {
                                  found.push_back({command.topic, event});
                                  return true;
                                });
    if (!read) return pass(read);
  }
  std::ranges::stable_sort(found, {}, [](const Seen& seen) { return seen.event.time; });
  if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
  return found;
}

Result<void> follow(client::Client& server, const Tail& command, const std::string& from, Format format) {
  std::uint64_t left = command.count.value_or(UINT64_MAX);
  return server.tail(command.topic,
                     {.partition = command.partition ? std::optional{PartitionId{*command.partition}} : std::nullopt,
                      .from = from,
                      .correlation = command.correlation,
                      .filter = command.filter},
                     [&](const client::Event& event) {
                       print({command.topic, event}, format, false);
                       return --left > 0;
                     });
}

Result<void> print_from(client::Client& server, const Tail& command, Format format) {
  std::uint64_t left = command.count.value_or(UINT64_MAX);
  auto read =
      server.read_all(command.topic,
                      {.partition = command.partition ? std::optional{PartitionId{*command.partition}} : std::nullopt,
                       .from = command.from,
                       .correlation = command.correlation,
                       .filter = command.filter},
                      [&](const client::Event& event) {
                        print({command.topic, event}, format, false);
                        return --left > 0;
                      });
  if (!read) return pass(read);
  return {};
}

Result<void> print_last(client::Client& server, const Tail& command, Format format) {
  // First where to go on, so that nothing between the two reads is missed; then what came before, without what comes
  // after.
  client::Read end{.from = "latest", .limit = 1, .correlation = {}, .filter = {}};
  if (command.partition) end.partition = PartitionId{*command.partition};
  auto page = server.read(command.topic, end);
  if (!page) return pass(page);
  auto last = last_of(server, command, command.count.value_or(default_count));
  if (!last) return pass(last);
  for (const Seen& seen : *last) print(seen, format, false);
  if (!command.follow) return {};
  Tail onwards = command;
  onwards.count.reset();
  return follow(server, onwards, page->next, format);
}

// How many causes an event has behind it: what orders events of one millisecond.
std::size_t depth_of(const Seen& seen, const std::map<std::string_view, const Seen*>& by_id) {
  std::size_t depth = 0;
  for (const Seen* at = &seen; depth < by_id.size(); ++depth) {
    const auto cause = by_id.find(at->event.extension("causationid"));
    if (cause == by_id.end()) break;
    at = cause->second;
  }
  return depth;
}

// One correlation's path through all topics.
Result<void> print_journey(client::Client& server, const Tail& command, Format format) {
  auto topics = server.topics();
  if (!topics) return pass(topics);
  std::vector<Seen> found;
  for (const std::string& topic : *topics) {
    auto read = server.read_all(topic, {.limit = 5'000, .correlation = command.correlation, .filter = command.filter},
                                [&](const client::Event& event) {
                                  found.push_back({topic, event});
                                  return true;
                                });
    if (!read && read.error().code != Code::unknown_topic) return pass(read);
  }
  std::map<std::string_view, const Seen*> by_id;
  for (const Seen& seen : found) by_id.emplace(seen.event.id, &seen);
  std::vector<std::pair<std::size_t, const Seen*>> path;
  for (const Seen& seen : found) path.emplace_back(depth_of(seen, by_id), &seen);
  std::ranges::stable_sort(path, {}, [](const auto& step) { return std::tie(step.second->event.time, step.first); });
  for (const auto& [depth, seen] : path) print(*seen, format, true);
  if (path.empty()) fmt::print(stderr, "no event has the correlation '{}'\n", command.correlation);
  return {};
}

}  // namespace

Result<void> tail(const Session& session, const Tail& given) {
  Tail command = given;
  if (!given.filter.empty()) {
    auto filter = json_argument(given.filter, "--filter");
    if (!filter) return pass(filter);
    command.filter = std::move(*filter);
  }
  auto format = session.format();
  if (!format) return pass(format);
  const Format chosen = settle(*format) == Format::table ? Format::table : Format::jsonl;
  auto server = session.connect(command.follow ? follow_patience : Millis{0},
                                command.follow ? stop_on_signals() : std::stop_token{});
  if (!server) return pass(server);
  if (command.topic.empty() && command.correlation.empty())
    return fail(Code::bad_usage, "tail needs a topic, or --correlation ID for one path through all topics", "TOPIC");
  if (command.topic.empty()) return print_journey(*server, command, chosen);
  if (!command.from.empty())
    return command.follow ? follow(*server, command, command.from, chosen) : print_from(*server, command, chosen);
  return print_last(*server, command, chosen);
}

}  // namespace continuo::cli
