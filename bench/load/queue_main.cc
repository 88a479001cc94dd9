// Senders and takers of one queue, a thread each, at the same time.
//   queue_load --port 8080 --batch 100 --pairs 4                  as fast as it goes
//   queue_load --peer nats --port 4222 --batch 10 --rate 20000    messages a second of all senders; how late they come
// Prints one JSON object: messages sent and acknowledged a second, and from when messages were due to when they came.
#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "queue_clients.h"

namespace {

struct Plan {
  std::int64_t begin_ns, measured_ns, end_ns;
};

struct Told {
  std::mutex lock;
  std::uint64_t sent = 0, taken = 0;
  std::vector<load::Histogram> after;  // one of each taker
  std::string failure;
};

void sleep_until(std::int64_t ns) {
  std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns)));
}

// Who is late is late from then on: a batch counts from when it was due.
std::uint64_t send(const load::QueueSettings& settings, const Plan& plan, double rate, unsigned number) {
  const auto sender = load::make_sender(settings, number);
  sleep_until(plan.begin_ns);
  const double gap_ns = rate > 0 ? 1e9 * settings.batch / rate : 0;
  std::uint64_t sent = 0;
  for (double due = static_cast<double>(plan.begin_ns); load::now_ns() < plan.end_ns; due += gap_ns) {
    if (gap_ns > 0) sleep_until(static_cast<std::int64_t>(due));
    sender->send(gap_ns > 0 ? static_cast<std::int64_t>(due) : load::now_ns());
    if (const std::int64_t now = load::now_ns(); now >= plan.measured_ns && now < plan.end_ns) sent += settings.batch;
  }
  return sent;
}

std::uint64_t take(const load::QueueSettings& settings, const Plan& plan, unsigned number, load::Histogram& after) {
  const auto taker = load::make_taker(settings, number);
  sleep_until(plan.begin_ns);
  std::uint64_t taken = 0;
  for (std::int64_t now = load::now_ns(); now < plan.end_ns;) {
    const unsigned count = taker->take([&](std::int64_t due) {
      const std::int64_t came = load::now_ns();
      if (came >= plan.measured_ns) after.add(came - due);
    });
    now = load::now_ns();
    if (now >= plan.measured_ns && now < plan.end_ns) taken += count;
  }
  return taken;
}

int run(const load::QueueSettings& settings, unsigned pairs, double seconds, double warmup, double rate) {
  load::make_queue(settings);
  const std::int64_t begin = load::now_ns() + 200'000'000;
  const std::int64_t measured = begin + static_cast<std::int64_t>(warmup * 1e9);
  const Plan plan{begin, measured, measured + static_cast<std::int64_t>(seconds * 1e9)};
  Told told;
  std::vector<std::thread> threads;
  const auto start = [&](auto work) {
    threads.emplace_back([&told, work] {
      try {
        work();
      } catch (const std::exception& error) {
        const std::scoped_lock guard(told.lock);
        told.failure = error.what();
      }
    });
  };
  for (unsigned number = 0; number < pairs; ++number) {
    start([&, number] {
      const std::uint64_t sent = send(settings, plan, rate / pairs, number);
      const std::scoped_lock guard(told.lock);
      told.sent += sent;
    });
    start([&, number] {
      load::Histogram after;
      const std::uint64_t taken = take(settings, plan, number, after);
      const std::scoped_lock guard(told.lock);
      told.taken += taken;
      told.after.push_back(after);
    });
  }
  for (std::thread& each : threads) each.join();
  if (!told.failure.empty()) throw std::runtime_error(told.failure);
  load::Histogram all;
  for (const load::Histogram& each : told.after) all.add(each);
  fmt::print("{{\"send\":{:.0f},\"take\":{:.0f},\"p50_us\":{:.1f},\"p99_us\":{:.1f}}}\n",
             static_cast<double>(told.sent) / seconds, static_cast<double>(told.taken) / seconds, all.quantile_us(0.5),
             all.quantile_us(0.99));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  load::QueueSettings settings;
  unsigned pairs = 1;
  double seconds = 5, warmup = 1, rate = 0;
  CLI::App app{"Senders and takers of one queue"};
  app.add_option("--peer", settings.peer)->check(CLI::IsMember({"continuo", "nats", "redis"}));
  app.add_option("--port", settings.port)->required();
  app.add_option("--queue", settings.queue, "made before; a name that is not in use");
  app.add_option("--batch", settings.batch);
  app.add_option("--size", settings.size);
  app.add_option("--pairs", pairs, "senders, and as many takers");
  app.add_option("--seconds", seconds);
  app.add_option("--warmup", warmup);
  app.add_option("--rate", rate);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(settings, pairs, seconds, warmup, rate);
  } catch (const std::exception& error) {
    fmt::print(stderr, "queue_load: {}\n", error.what());
    return 1;
  }
}
