// A load generator for Continuo and the peers it is measured against: raw sockets, epoll, one thread, the same events.
//
//   load --port 8080 --mode publish --connections 64     closed loop: the next request follows the answer
//   load --port 8080 --mode publish --rate 20000         open loop: due at a rate; a late start counts as latency
//   load --peer nats --port 4222 --mode batch            JetStream, 100 publishes in flight on each connection
//
// Modes: livez (an answer that does nothing: the ceiling of HTTP), publish (one event a request), batch (--batch events
// a request, or as many in one window or pipeline), consume (receive and settle in turn). With --events N it ends when
// N are published or settled, however long that takes. Prints one JSON object.
// Refused requests are counted and have percentiles of their own.
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "protocol.h"
#include "sockets.h"

namespace {

using namespace load;

struct Connection {
  int socket = -1;
  bool busy = false;
  bool answered = false;
  std::int64_t due_ns = 0;
  std::int64_t begun_ns = 0;
  std::string out;
  std::size_t sent = 0;
  std::string in;
  bool greeted = false;
  Conversation conversation;
};

std::unique_ptr<Protocol> protocol_for(const Settings& settings) {
  if (settings.peer == "nats") return nats_protocol(settings);
  if (settings.peer == "redis") return redis_protocol(settings);
  return continuo_protocol(settings);
}

double resident_mb(int pid) {
  std::ifstream file{fmt::format("/proc/{}/statm", pid)};
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) / 1e6;
}

class Load {
 public:
  explicit Load(const Settings& settings)
      : settings_(settings), protocol_(protocol_for(settings)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(settings.connections);
    for (Connection& connection : connections_) {
      if (!open(connection)) throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(errno)));
    }
  }

  void run() {
    if (settings_.events == 0) run_for(settings_.warmup, false);
    begin_ = part_begin_ = now_ns();
    run_for(settings_.events == 0 ? settings_.seconds : longest_s, true);
    if (events_ < settings_.events) throw std::runtime_error(fmt::format("only {} events in an hour", events_));
    elapsed_s_ = static_cast<double>(now_ns() - begin_) / 1e9;
  }

  void print() const {
    const double rate = static_cast<double>(accepted_.total()) / elapsed_s_;
    fmt::print(
        "{{\"peer\":\"{}\",\"mode\":\"{}\",\"connections\":{},\"rate\":{},\"seconds\":{:.2f},\"events\":{},"
        "\"requests_per_s\":{:.0f},\"events_per_s\":{:.0f},"
        "\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:.1f},\"refused\":{},\"refused_p99_us\":{:."
        "1f},\"begun_p99_us\":{:.1f},\"refused_begun_p99_us\":{:.1f},"
        "\"broken\":{},\"not_started\":{},\"lost\":{},\"parts\":[{}]}}\n",
        settings_.peer, settings_.mode, settings_.connections, settings_.rate, elapsed_s_, events_, rate,
        static_cast<double>(events_) / elapsed_s_, accepted_.quantile_us(0.5), accepted_.quantile_us(0.99),
        accepted_.quantile_us(0.999), accepted_.max_us(), refused_.total(), refused_.quantile_us(0.99),
        accepted_begun_.quantile_us(0.99), refused_begun_.quantile_us(0.99), broken_, backlog_.size(), lost_,
        fmt::join(parts_, ","));
  }

 private:
  static constexpr double longest_s = 3600;

  bool open(Connection& connection) {
    connection.socket = open_socket(settings_.port, settings_.address);
    epoll_event event{.events = EPOLLIN | EPOLLET | EPOLLOUT, .data = {.ptr = &connection}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) return false;
    const std::string greeting = protocol_->greeting();
    connection.greeted = greeting.empty();
    if (connection.greeted) idle_.push_back(&connection);
    return greeting.empty() || send(connection.socket, greeting.data(), greeting.size(), MSG_NOSIGNAL) ==
                                   static_cast<ssize_t>(greeting.size());
  }

  void reopen(Connection& connection) {
    ++broken_;
    if (connection.busy && !connection.answered) issued_ -= protocol_->events_of_request();
    close(connection.socket);
    connection.in.clear();
    connection.out.clear();
    connection.sent = 0;
    connection.busy = connection.answered = false;
    connection.conversation = {};
    if (!open(connection)) throw std::runtime_error("the server has gone");
  }

  void run_for(double seconds, bool counted) {
    counted_ = counted;
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
    const double gap_ns = settings_.rate > 0 ? 1e9 / settings_.rate : 0;
    double due = static_cast<double>(now_ns());
    std::array<epoll_event, 256> events;
    for (std::int64_t now = now_ns(); now < end && !done(); now = now_ns()) {
      if (gap_ns > 0) {
        for (; due <= static_cast<double>(now); due += gap_ns) backlog_.push_back(static_cast<std::int64_t>(due));
        while (!backlog_.empty() && !idle_.empty() && may_start()) {
          start(*take_idle(), backlog_.front());
          backlog_.pop_front();
        }
      } else {
        while (!idle_.empty() && may_start()) start(*take_idle(), now_ns());
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

  bool done() const { return settings_.events != 0 && events_ >= settings_.events; }
  // Whether a request would publish no more than is wanted.
  bool may_start() const {
    return settings_.events == 0 || issued_ + protocol_->events_of_request() <= settings_.events;
  }

  void start(Connection& connection, std::int64_t due) {
    issued_ += protocol_->events_of_request();
    connection.busy = true;
    connection.due_ns = connection.conversation.due_ns = due;
    connection.begun_ns = now_ns();
    connection.out = protocol_->next(connection.conversation);
    connection.sent = 0;
    send_more(connection);
  }

  void send_more(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t sent = send(connection.socket, connection.out.data() + connection.sent,
                                connection.out.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return;
      connection.sent += static_cast<std::size_t>(sent);
    }
  }

  // All that has come: the socket is watched for edges. False when the server hung up.
  static bool receive(Connection& connection) {
    char bytes[64 * 1024];
    while (true) {
      const ssize_t got = recv(connection.socket, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got <= 0) return got < 0 && errno == EAGAIN;
      connection.in.append(bytes, static_cast<std::size_t>(got));
    }
  }

  void ready(Connection& connection) {
    if (!connection.busy && connection.greeted) return;
    send_more(connection);
    if (!receive(connection)) return reopen(connection);
    if (!connection.greeted) {
      connection.greeted = protocol_->greeted(connection.in);
      if (connection.greeted) idle_.push_back(&connection);
      return;
    }
    if (!connection.answered && !take_answer(connection)) return;
    if (connection.sent < connection.out.size()) return;  // an early answer: the rest of the request follows it
    connection.busy = connection.answered = false;
    if (settings_.rate > 0 || !counted_ || !may_start())
      idle_.push_back(&connection);
    else
      start(connection, now_ns());
  }

  bool take_answer(Connection& connection) {
    const Answer answer = protocol_->answer_in(connection.conversation, connection.in);
    if (answer.size == 0) return false;
    connection.in.erase(0, answer.size);
    connection.answered = true;
    if (!answer.accepted) issued_ -= protocol_->events_of_request();
    if (counted_) {
      const std::int64_t now = now_ns();
      (answer.accepted ? accepted_ : refused_).add(now - connection.due_ns);
      (answer.accepted ? accepted_begun_ : refused_begun_).add(now - connection.begun_ns);
      if (answer.accepted) events_ += answer.events;
      lost_ += answer.lost;
      end_parts(now);
    }
    return true;
  }

  void end_parts(std::int64_t now) {
    while (parts_.size() < settings_.parts && events_ * settings_.parts >= settings_.events * (parts_.size() + 1)) {
      const double seconds = static_cast<double>(now - part_begin_) / 1e9;
      parts_.push_back(fmt::format("{{\"events_per_s\":{:.0f},\"resident_mb\":{:.1f}}}",
                                   static_cast<double>(events_ - part_first_) / seconds, resident_mb(settings_.pid)));
      part_begin_ = now;
      part_first_ = events_;
    }
  }

  const Settings settings_;
  std::unique_ptr<Protocol> protocol_;
  int epoll_;
  std::vector<Connection> connections_;
  std::deque<Connection*> idle_;
  std::deque<std::int64_t> backlog_;
  Histogram accepted_, refused_;              // from when a request was due
  Histogram accepted_begun_, refused_begun_;  // from when its first byte was sent
  std::uint64_t broken_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t issued_ = 0;  // published events, answered or under way
  std::uint64_t lost_ = 0;
  std::vector<std::string> parts_;
  std::int64_t part_begin_ = 0;
  std::uint64_t part_first_ = 0;
  std::int64_t begin_ = 0;
  double elapsed_s_ = 0;
  bool counted_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"A load generator for Continuo and its peers"};
  app.add_option("--address", settings.address);
  app.add_option("--port", settings.port)->required();
  app.add_option("--peer", settings.peer)->check(CLI::IsMember({"continuo", "nats", "redis"}));
  app.add_option("--mode", settings.mode)->check(CLI::IsMember({"livez", "publish", "batch", "consume"}));
  app.add_option("--topic", settings.topic);
  app.add_option("--connections", settings.connections);
  app.add_option("--seconds", settings.seconds);
  app.add_option("--warmup", settings.warmup);
  app.add_option("--size", settings.size);
  app.add_option("--batch", settings.batch);
  app.add_option("--keys", settings.keys);
  app.add_option("--rate", settings.rate);
  app.add_option("--plain", settings.plain);
  app.add_option("--events", settings.events);
  app.add_option("--hot", settings.hot);
  app.add_option("--stamped", settings.stamped);
  app.add_option("--subscriptions", settings.subscriptions);
  app.add_option("--ill", settings.ill);
  app.add_option("--fail", settings.fail);
  app.add_option("--parts", settings.parts);
  app.add_option("--pid", settings.pid);
  CLI11_PARSE(app, argc, argv);
  try {
    Load load(settings);
    load.run();
    load.print();
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return 1;
  }
}
