// continuo bench: how fast a running server is, from here.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "continuo/cli/commands.h"
#include "continuo/cli/progress.h"

namespace continuo::cli {
namespace {

constexpr Millis patience{10'000};

Micros now() { return system_clock().steady(); }

// What one connection did.
struct Run {
  std::uint64_t events = 0;
  std::vector<double> latencies_ms;
  Result<void> failed;
};

double at(std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

boost::json::object row(std::string_view what, double seconds, std::uint64_t events, std::vector<double>& latencies) {
  std::ranges::sort(latencies);
  const auto figure = [](double ms) { return fmt::format("{:.3f}", ms); };
  return {{"measured", boost::json::string_view{what.data(), what.size()}},
          {"events/s", static_cast<std::uint64_t>(static_cast<double>(events) / seconds)},
          {"p50_ms", figure(at(latencies, 0.5))},
          {"p99_ms", figure(at(latencies, 0.99))},
          {"max_ms", figure(latencies.empty() ? 0 : latencies.back())}};
}

std::vector<client::Event> events_of(const Bench& command, std::uint32_t count, std::uint32_t connection) {
  std::vector<client::Event> events(count);
  for (client::Event& event : events) {
    event.source = "/continuo/bench";
    event.type = "Bench";
    event.subject = std::to_string(connection);
    event.json("\"" + std::string(command.bytes, 'x') + "\"");
  }
  return events;
}

// Publishes until the time is over; every request waits for its answer.
Run publish_for(client::Client& server, const Bench& command, std::uint32_t batch, std::uint32_t connection) {
  Run run;
  const std::vector<client::Event> events = events_of(command, batch, connection);
  const Micros end = now() + Millis{command.seconds * 1'000};
  while (run.failed && now() < end) {
    const Micros begin = now();
    if (batch == 1) {
      auto place = server.publish(command.topic, events.front());
      if (!place) run.failed = pass(place);
    } else {
      auto places = server.publish(command.topic, events);
      if (!places) run.failed = pass(places);
    }
    run.latencies_ms.push_back(static_cast<double>((now() - begin).count()) / 1e3);
    run.events += batch;
  }
  return run;
}

Result<boost::json::object> measure_publish(const Session& session, const Bench& command, std::uint32_t connections,
                                            std::uint32_t batch) {
  std::vector<Run> runs(connections);
  const Micros begin = now();
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < connections; ++i)
      threads.emplace_back([&, i] {
        auto server = session.connect(patience);
        if (server)
          runs[i] = publish_for(*server, command, batch, i);
        else
          runs[i].failed = pass(server);
      });
  }
  const double seconds = static_cast<double>((now() - begin).count()) / 1e6;
  std::uint64_t events = 0;
  std::vector<double> latencies;
  for (Run& run : runs) {
    if (!run.failed) return pass(run.failed);
    events += run.events;
    latencies.insert(latencies.end(), run.latencies_ms.begin(), run.latencies_ms.end());
  }
  return row(fmt::format("publish, {} connection{}, {} an answer", connections, connections == 1 ? "" : "s",
                         batch == 1 ? "1 event" : fmt::format("{} events", batch)),
             seconds, events, latencies);
}

// Reads everything back, from the beginning.
Result<boost::json::object> measure_read(const Session& session, const Bench& command) {
  auto server = session.connect(patience);
  if (!server) return pass(server);
  const Micros begin = now(), end = begin + Millis{command.seconds * 1'000};
  std::uint64_t events = 0;
  auto read = server->read_all(command.topic, {.limit = 2'000, .correlation = {}}, [&](const client::Event&) {
    ++events;
    return now() < end;
  });
  if (!read) return pass(read);
  std::vector<double> none;
  return row("read back, pages of 2000", std::max(1e-6, static_cast<double>((now() - begin).count()) / 1e6), events,
             none);
}

// From the beginning of a publish to its event in a live tail; one at a time.
Result<boost::json::object> measure_tail(const Session& session, const Bench& command) {
  std::stop_source stop;
  auto tailing = session.connect(patience, stop.get_token());
  auto server = session.connect(patience);
  if (!tailing || !server) return pass(server);
  const std::string topic = command.topic + ".tail";
  if (auto made = server->create_topic(topic); !made) return pass(made);
  std::atomic<std::uint64_t> seen{0};
  std::jthread reader([&] {
    static_cast<void>(
        tailing->tail(topic, {.partition = {}, .from = "earliest", .correlation = {}}, [&](const client::Event&) {
          seen.fetch_add(1);
          seen.notify_all();
          return true;
        }));
  });
  std::vector<double> latencies;
  Result<void> failed;
  const Micros begin = now(), end = begin + Millis{command.seconds * 1'000};
  const std::vector<client::Event> events = events_of(command, 1, 0);
  for (std::uint64_t sent = 0; failed && now() < end; ++sent) {
    const Micros before = now();
    if (auto place = server->publish(topic, events.front()); !place) failed = pass(place);
    while (failed && seen.load() <= sent && now() - before < Millis{5'000}) std::this_thread::yield();
    latencies.push_back(static_cast<double>((now() - before).count()) / 1e3);
  }
  const double seconds = static_cast<double>((now() - begin).count()) / 1e6;
  stop.request_stop();
  reader.join();
  static_cast<void>(server->delete_topic(topic));
  if (!failed) return pass(failed);
  return row("publish to live tail, one at a time", seconds, latencies.size(), latencies);
}

}  // namespace

Result<void> bench(const Session& session, const Bench& command) {
  auto format = session.format();
  if (!format) return pass(format);
  auto server = session.connect();
  if (!server) return pass(server);
  if (auto made = server->create_topic(command.topic, {.partitions = 4}); !made) return pass(made);
  Listing listing({"measured", "events/s", "p50_ms", "p99_ms", "max_ms"});
  const auto add = [&](Result<boost::json::object> measured) -> Result<void> {
    if (!measured) return pass(measured);
    listing.add(std::move(*measured));
    return {};
  };
  Progress progress("bench", 5);
  Result<void> done;
  const std::vector<std::function<Result<boost::json::object>()>> steps{
      [&] { return measure_publish(session, command, 1, 1); },
      [&] { return measure_publish(session, command, command.connections, 1); },
      [&] { return measure_publish(session, command, command.connections, command.batch); },
      [&] { return measure_read(session, command); }, [&] { return measure_tail(session, command); }};
  for (std::size_t i = 0; i < steps.size() && done; ++i) {
    progress.show(i, fmt::format("step {} of {}", i + 1, steps.size()));
    done = add(steps[i]());
  }
  progress.finish();
  static_cast<void>(server->delete_topic(command.topic));
  if (done) listing.print(*format);
  return done;
}

}  // namespace continuo::cli
