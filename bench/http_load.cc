// A load generator for the HTTP door: keep-alive connections, raw sockets and epoll, one thread.
//
//   http_load --port 8080 --mode publish --connections 64 --seconds 5            closed loop: the next request follows
//   the answer http_load --port 8080 --mode publish --rate 20000                          open loop: requests are due
//   at a rate; a late start counts as latency
//
// Modes: livez (an answer that does nothing: the ceiling of HTTP), publish (one event a request), batch (--batch events
// a request). Prints one JSON object. Answers other than 2xx are counted as refused and have percentiles of their own.
#include <CLI/CLI.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string mode = "publish";
  std::string topic = "load";
  unsigned connections = 64;
  double seconds = 5;
  double warmup = 1;
  std::size_t size = 1024;  // of one event's JSON, about
  unsigned batch = 100;
  unsigned keys = 1000;
  double rate = 0;  // requests a second; 0: closed loop
};

/// Counts in buckets of 1/32 of a power of two: 3 % exact from nanoseconds to minutes.
class Histogram {
 public:
  void add(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(ns < 1 ? 1 : ns);
    ++counts_[index(value)];
    ++total_;
    max_ = value > max_ ? value : max_;
  }
  double quantile_us(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(value_of(i)) / 1e3;
    }
    return static_cast<double>(max_) / 1e3;
  }
  std::uint64_t total() const { return total_; }
  double max_us() const { return static_cast<double>(max_) / 1e3; }

 private:
  static constexpr unsigned steps = 32;
  static std::size_t index(std::uint64_t value) {
    if (value < steps) return value;
    const unsigned power = static_cast<unsigned>(std::bit_width(value)) - 6;
    return (power + 1) * steps + ((value >> power) - steps);
  }
  static std::uint64_t value_of(std::size_t i) {
    if (i < steps) return i;
    return (steps + i % steps) << (i / steps - 1);
  }
  std::array<std::uint64_t, 64 * steps> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

/// Makes requests whose event ids are never used twice: a template with digits that are written over.
class Requests {
 public:
  explicit Requests(const Settings& settings) : keys_(settings.keys) {
    if (settings.mode == "livez") {
      text_ = fmt::format("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", settings.address);
      return;
    }
    const bool batch = settings.mode == "batch";
    const std::string body = batch ? batch_body(settings) : event(settings);
    text_ = fmt::format(
        "POST /v1/topics/{}/events HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
        settings.topic, settings.address, batch ? "application/cloudevents-batch+json" : "application/cloudevents+json",
        body.size(), body);
    for (std::size_t at = 0; (at = text_.find(id_mark, at)) != std::string::npos; at += id_mark.size())
      ids_.push_back(at);
    for (std::size_t at = 0; (at = text_.find(key_mark, at)) != std::string::npos; at += key_mark.size())
      key_places_.push_back(at);
  }

  const std::string& next() {
    for (const std::size_t at : ids_) digits(++serial_, at, id_mark.size());
    for (const std::size_t at : key_places_) digits(++key_ % keys_, at, key_mark.size());
    return text_;
  }

 private:
  static constexpr std::string_view id_mark = "################";
  static constexpr std::string_view key_mark = "@@@@@@@@";

  static std::string event(const Settings& settings) {
    std::string json = fmt::format(
        R"({{"specversion":"1.0","id":"{:x}-{}","source":"/bench/http_load","type":"LoadMade","subject":"{}",)"
        R"("time":"2026-11-21T08:30:00Z","correlationid":"load","data":{{"text":")",
        now_ns(), id_mark, key_mark);
    while (json.size() + 3 < settings.size) json.push_back(static_cast<char>('a' + json.size() % 26));
    return json + "\"}}";
  }
  static std::string batch_body(const Settings& settings) {
    std::string json = "[";
    for (unsigned i = 0; i < settings.batch; ++i) json += (i == 0 ? "" : ",") + event(settings);
    return json + "]";
  }
  void digits(std::uint64_t value, std::size_t at, std::size_t width) {
    for (std::size_t i = width; i-- > 0; value /= 10) text_[at + i] = static_cast<char>('0' + value % 10);
  }

  std::string text_;
  std::vector<std::size_t> ids_, key_places_;
  std::uint64_t serial_ = 0, key_ = 0;
  std::uint64_t keys_;
};

struct Connection {
  int socket = -1;
  bool busy = false;
  std::int64_t due_ns = 0;
  std::string out;
  std::size_t sent = 0;
  std::string in;
};

/// Status and size of the answer at the front of `in`; size 0: not complete yet.
struct Answer {
  int status = 0;
  std::size_t size = 0;
};

Answer answer_in(std::string_view in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string_view::npos || in.size() < 12) return {};
  Answer answer;
  std::from_chars(in.data() + 9, in.data() + 12, answer.status);
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t at = in.substr(0, end).find(field);
  std::size_t length = 0;
  if (at != std::string_view::npos) std::from_chars(in.data() + at + field.size(), in.data() + end, length);
  if (in.size() >= end + 4 + length) answer.size = end + 4 + length;
  return answer;
}

class Load {
 public:
  explicit Load(const Settings& settings)
      : settings_(settings), requests_(settings), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(settings.connections);
    for (Connection& connection : connections_) {
      if (!open(connection)) throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(errno)));
      idle_.push_back(&connection);
    }
  }

  void run() {
    run_for(settings_.warmup, false);
    begin_ = now_ns();
    run_for(settings_.seconds, true);
    elapsed_s_ = static_cast<double>(now_ns() - begin_) / 1e9;
  }

  void print() const {
    const unsigned events = settings_.mode == "batch" ? settings_.batch : settings_.mode == "livez" ? 0 : 1;
    const double rate = static_cast<double>(accepted_.total()) / elapsed_s_;
    fmt::print(
        "{{\"mode\":\"{}\",\"connections\":{},\"rate\":{},\"seconds\":{:.2f},\"requests_per_s\":{:.0f},\"events_per_"
        "s\":{:.0f},"
        "\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:.1f},\"refused\":{},\"refused_p99_us\":{:."
        "1f},"
        "\"broken\":{},\"not_started\":{}}}\n",
        settings_.mode, settings_.connections, settings_.rate, elapsed_s_, rate, rate * events,
        accepted_.quantile_us(0.5), accepted_.quantile_us(0.99), accepted_.quantile_us(0.999), accepted_.max_us(),
        refused_.total(), refused_.quantile_us(0.99), broken_, backlog_.size());
  }

 private:
  bool open(Connection& connection) {
    connection.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings_.port);
    inet_pton(AF_INET, settings_.address.c_str(), &address.sin_addr);
    if (connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
    const int on = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN | EPOLLET | EPOLLOUT, .data = {.ptr = &connection}};
    return epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) == 0;
  }

  void reopen(Connection& connection) {
    ++broken_;
    close(connection.socket);
    connection.in.clear();
    connection.out.clear();
    connection.sent = 0;
    connection.busy = false;
    if (!open(connection)) throw std::runtime_error("the server has gone");
    idle_.push_back(&connection);
  }

  void run_for(double seconds, bool counted) {
    counted_ = counted;
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
    const double gap_ns = settings_.rate > 0 ? 1e9 / settings_.rate : 0;
    double due = static_cast<double>(now_ns());
    std::array<epoll_event, 256> events;
    for (std::int64_t now = now_ns(); now < end; now = now_ns()) {
      if (gap_ns > 0) {
        for (; due <= static_cast<double>(now); due += gap_ns) backlog_.push_back(static_cast<std::int64_t>(due));
        while (!backlog_.empty() && !idle_.empty()) {
          start(*take_idle(), backlog_.front());
          backlog_.pop_front();
        }
      } else {
        while (!idle_.empty()) start(*take_idle(), now_ns());
      }
      const int timeout_ms = gap_ns > 0 ? (gap_ns > 2e6 ? 1 : 0) : 10;
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
      for (int i = 0; i < count; ++i) ready(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  Connection* take_idle() {
    Connection* connection = idle_.front();
    idle_.pop_front();
    return connection;
  }

  void start(Connection& connection, std::int64_t due) {
    connection.busy = true;
    connection.due_ns = due;
    connection.out = requests_.next();
    connection.sent = 0;
    send_more(connection);
  }

  void send_more(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t sent = send(connection.socket, connection.out.data() + connection.sent,
                                connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (sent < 0) return;
      connection.sent += static_cast<std::size_t>(sent);
    }
  }

  void ready(Connection& connection) {
    if (!connection.busy) return;
    send_more(connection);
    char bytes[64 * 1024];
    const ssize_t got = recv(connection.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return reopen(connection);
    if (got < 0) return;
    connection.in.append(bytes, static_cast<std::size_t>(got));
    const Answer answer = answer_in(connection.in);
    if (answer.size == 0) return;
    connection.in.erase(0, answer.size);
    if (counted_) (answer.status / 100 == 2 ? accepted_ : refused_).add(now_ns() - connection.due_ns);
    connection.busy = false;
    if (settings_.rate > 0 || !counted_)
      idle_.push_back(&connection);
    else
      start(connection, now_ns());
  }

  const Settings settings_;
  Requests requests_;
  int epoll_;
  std::vector<Connection> connections_;
  std::deque<Connection*> idle_;
  std::deque<std::int64_t> backlog_;
  Histogram accepted_, refused_;
  std::uint64_t broken_ = 0;
  std::int64_t begin_ = 0;
  double elapsed_s_ = 0;
  bool counted_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"A load generator for Continuo's HTTP door"};
  app.add_option("--address", settings.address);
  app.add_option("--port", settings.port)->required();
  app.add_option("--mode", settings.mode)->check(CLI::IsMember({"livez", "publish", "batch"}));
  app.add_option("--topic", settings.topic);
  app.add_option("--connections", settings.connections);
  app.add_option("--seconds", settings.seconds);
  app.add_option("--warmup", settings.warmup);
  app.add_option("--size", settings.size);
  app.add_option("--batch", settings.batch);
  app.add_option("--keys", settings.keys);
  app.add_option("--rate", settings.rate);
  CLI11_PARSE(app, argc, argv);
  try {
    Load load(settings);
    load.run();
    load.print();
  } catch (const std::exception& error) {
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 1;
  }
}
