// A receiver of webhooks: HTTP/1.1 with connections kept, answers 204 to each. It checks that the events of a key
// (`ce-subject`, a number) come in the order of their places (`ce-offset`), and tells how late they came when they are
// stamped (`"due"` in their data). `webhook_sink --events N` prints the port it listens on, and one JSON object when
// N different events are there or its input ends.
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "histogram.h"

namespace {

using load::now_ns;

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (lower[i] | 0x20)) return false;
  return true;
}

/// The fields of a request that count here.
struct Head {
  std::uint64_t length = 0, key = 0, offset = 0;
};

Head read_head(std::string_view text) {
  Head head;
  for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = text.find("\r\n", begin);
    const std::string_view line = text.substr(begin, at - begin);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon), value = line.substr(colon + 2);
    if (same_name(name, "content-length")) head.length = number_in(value);
    if (same_name(name, "ce-subject")) head.key = number_in(value);
    if (same_name(name, "ce-offset")) head.offset = number_in(value);
  }
  return head;
}

class Sink {
 public:
  Sink(std::uint64_t events, std::uint64_t warmup) : events_(events), warmup_(warmup) {
    listener_.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener_.socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_.socket, 1024) != 0 ||
        getsockname(listener_.socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("cannot listen");
    watch(listener_);
    watch(input_);
    fmt::print("{}\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  void run() {
    std::array<epoll_event, 256> ready;
    while (received_ < events_ && !ended_) {
      const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
      for (int i = 0; i < count; ++i) on(*static_cast<Connection*>(ready[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  void print() const {
    const double seconds = static_cast<double>(last_ns_ - first_ns_) / 1e9;
    fmt::print(
        "{{\"received\":{},\"repeated\":{},\"out_of_order\":{},\"keys\":{},\"connections\":{},\"webhooks_per_s\":{:.0f}"
        ","
        "\"p50_us\":{:.1f},\"p99_us\":{:.1f}}}\n",
        received_, repeated_, out_of_order_, keys_, connections_.size(),
        seconds > 0 ? static_cast<double>(received_) / seconds : 0.0, late_.quantile_us(0.5), late_.quantile_us(0.99));
  }

 private:
  struct Connection {
    int socket = -1;
    std::string in;
  };

  void watch(Connection& connection) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) throw std::runtime_error("cannot watch");
  }

  void on(Connection& connection) {
    if (&connection == &listener_) return accept_one();
    if (&connection == &input_) {
      ended_ = true;
      return;
    }
    char bytes[64 * 1024];
    const ssize_t got = recv(connection.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      close(connection.socket);  // its place in the list stays: connections are few
      return;
    }
    connection.in.append(bytes, static_cast<std::size_t>(got));
    answer(connection);
  }

  void accept_one() {
    const int made = accept4(listener_.socket, nullptr, nullptr, SOCK_CLOEXEC);
    if (made < 0) return;
    const int on = 1;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back(std::make_unique<Connection>(Connection{made, {}}));
    watch(*connections_.back());
  }

  void answer(Connection& connection) {
    std::size_t at = 0;
    std::string out;
    for (std::string_view in = connection.in; !in.empty(); in = std::string_view{connection.in}.substr(at)) {
      const std::size_t end = in.find("\r\n\r\n");
      if (end == std::string_view::npos) break;
      const Head head = read_head(in.substr(0, end));
      if (in.size() < end + 4 + head.length) break;
      count(head, in.substr(end + 4, head.length));
      at += end + 4 + head.length;
      out += "HTTP/1.1 204 No Content\r\n\r\n";
    }
    connection.in.erase(0, at);
    if (!out.empty() && send(connection.socket, out.data(), out.size(), MSG_NOSIGNAL) < 0) close(connection.socket);
  }

  void count(const Head& head, std::string_view body) {
    if (next_.size() <= head.key) next_.resize(head.key + 1);
    std::uint64_t& next = next_[head.key];  // one behind the key's last place; 0: it is new
    if (head.offset + 1 == next) {
      ++repeated_;
      return;
    }
    if (head.offset + 1 < next) ++out_of_order_;
    if (next == 0) ++keys_;
    next = head.offset + 1;
    last_ns_ = now_ns();
    if (received_++ == 0) first_ns_ = last_ns_;
    constexpr std::string_view mark = "\"due\":\"";
    const std::size_t at = body.find(mark);
    if (at != std::string_view::npos && received_ > warmup_)
      late_.add(last_ns_ - static_cast<std::int64_t>(number_in(body.substr(at + mark.size()))));
  }

  const std::uint64_t events_, warmup_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Connection listener_, input_{STDIN_FILENO, {}};
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> next_;
  load::Histogram late_;
  std::uint64_t received_ = 0, repeated_ = 0, out_of_order_ = 0, keys_ = 0;
  std::int64_t first_ns_ = 0, last_ns_ = 0;
  bool ended_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t events = 1'000'000'000, warmup = 0;
  CLI::App app{"A receiver of webhooks that checks their order"};
  app.add_option("--events", events);
  app.add_option("--warmup", warmup, "events at first whose lateness does not count");
  CLI11_PARSE(app, argc, argv);
  try {
    Sink sink{events, warmup};
    sink.run();
    sink.print();
  } catch (const std::exception& error) {
    fmt::print(stderr, "webhook_sink: {}\n", error.what());
    return 1;
  }
}
