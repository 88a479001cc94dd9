// From publish to a live reader: publishes single events at a rate and reads them back as server-sent events; the time
// an event was due to be sent travels in it. `tail_load --port P --rate 10000 --seconds 10`. Prints one JSON object.
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "http.h"
#include "sockets.h"

namespace {

using load::now_ns;
using load::open_socket;
using load::send_all;

struct Settings {
  std::uint16_t port = 8080;
  double rate = 10'000;
  double seconds = 10;
  double warmup = 1;
  unsigned connections = 32;
  std::size_t size = 1024;
};

class TailLoad {
 public:
  explicit TailLoad(const Settings& settings)
      : settings_(settings), padding_(settings.size > 300 ? settings.size - 300 : 0, 'p') {
    polled_.push_back({open_socket(settings.port), POLLIN, 0});
    send_all(polled_[0].fd,
             "GET /v1/topics/tail/events?from=latest HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n");
    for (unsigned i = 0; i < settings.connections; ++i) {
      polled_.push_back({open_socket(settings.port), POLLIN, 0});
      idle_.push_back(polled_.back().fd);
    }
  }

  void run() {
    const std::int64_t begin = now_ns();
    const auto gap = static_cast<std::int64_t>(1e9 / settings_.rate);
    const std::int64_t end = begin + static_cast<std::int64_t>((settings_.warmup + settings_.seconds) * 1e9);
    counted_from_ = begin + static_cast<std::int64_t>(settings_.warmup * 1e9);
    std::int64_t due = begin;
    for (std::int64_t now = begin; now < end; now = now_ns()) {
      for (; due <= now && !idle_.empty(); due += gap) publish(due);
      poll(polled_.data(), polled_.size(), 0);
      for (pollfd& each : polled_)
        if ((each.revents & POLLIN) != 0) receive(each.fd);
    }
    fmt::print(
        "{{\"rate\":{},\"received_per_s\":{:.0f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:."
        "1f}}}\n",
        settings_.rate, static_cast<double>(times_.total()) / settings_.seconds, times_.quantile_us(0.5),
        times_.quantile_us(0.99), times_.quantile_us(0.999), times_.max_us());
  }

 private:
  static constexpr std::string_view mark = "\"due_ns\":";

  void publish(std::int64_t due) {
    const std::string body = fmt::format(
        R"({{"specversion":"1.0","id":"{}","source":"/bench/tail","type":"Due","subject":"k{}","data":{{"due_ns":{},"p":"{}"}}}})",
        due, due % 97, due, padding_);
    send_all(idle_.back(), load::http_post("bench", "/v1/topics/tail/events", body, "application/cloudevents+json"));
    idle_.pop_back();
  }

  void receive(int from) {
    char bytes[256 * 1024];
    const ssize_t got = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0) throw std::runtime_error("the server hung up");
    if (got < 0) return;
    const std::string_view text{bytes, static_cast<std::size_t>(got)};
    if (from != polled_[0].fd) {
      if (text.ends_with("}")) idle_.push_back(from);  // answers to single publishes are small and come whole
      return;
    }
    stream_.append(text);
    const std::int64_t now = now_ns();
    std::size_t at = 0;
    for (std::size_t found;
         (found = stream_.find(mark, at)) != std::string::npos && stream_.find(',', found) != std::string::npos;) {
      std::int64_t due = 0;
      at = found + mark.size();
      std::from_chars(stream_.data() + at, stream_.data() + stream_.size(), due);
      if (due >= counted_from_) times_.add(now - due);
    }
    if (at != 0) stream_.erase(0, at);
  }

  const Settings settings_;
  const std::string padding_;
  std::vector<pollfd> polled_;
  std::vector<int> idle_;
  std::string stream_;
  std::int64_t counted_from_ = 0;
  load::Histogram times_;
};

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"From publish to a live reader"};
  app.add_option("--port", settings.port)->required();
  app.add_option("--rate", settings.rate);
  app.add_option("--seconds", settings.seconds);
  app.add_option("--warmup", settings.warmup);
  app.add_option("--connections", settings.connections);
  app.add_option("--size", settings.size);
  CLI11_PARSE(app, argc, argv);
  try {
    TailLoad{settings}.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tail_load: {}\n", error.what());
    return 1;
  }
}
