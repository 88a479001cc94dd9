#include "continuo/client/connection.h"

#include <errno.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace continuo::client {
namespace {

constexpr std::size_t max_line = 64 * 1024;
constexpr std::size_t max_headers = 200;
constexpr std::size_t max_body = 256u << 20;
constexpr std::size_t receive_step = 64 * 1024;
// How long a request to stop may go unseen.
constexpr Millis stop_latency{100};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string error_text(int number) {
  char buffer[128];
  return strerror_r(number, buffer, sizeof buffer);
}

std::string head_of(const Request& request, const std::string& host) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, host);
  if (!request.accept.empty()) head += fmt::format("Accept: {}\r\n", request.accept);
  if (!request.last_event_id.empty()) head += fmt::format("Last-Event-ID: {}\r\n", request.last_event_id);
  if (!request.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", request.content_type);
  if (!request.content_type.empty() || request.method != "GET")
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  return head + "\r\n";
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const Address& address) {
  const addrinfo wanted{.ai_flags = AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &list);
  if (failed != 0)
    return fail(Code::connection_failed, fmt::format("'{}' has no address: {}", address.host, gai_strerror(failed)));
  return Addresses{list};
}

bool closed_by_peer(int socket) {
  char byte;
  const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

Result<Address> parse_address(std::string_view url) {
  const std::string_view whole = url;
  const auto bad = [&](std::string_view why) {
    return fail(Code::bad_usage, fmt::format("'{}' is no server address: {}", whole, why), "--server",
                "http://HOST:PORT");
  };
  if (url.starts_with("https://")) return bad("this client speaks http only");
  if (url.starts_with("http://")) url.remove_prefix(7);
  while (url.ends_with("/")) url.remove_suffix(1);
  const std::size_t colon = url.rfind(':');
  const bool has_port = colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos;
  Address address{.host = std::string{has_port ? url.substr(0, colon) : url}, .port = 80};
  if (has_port) {
    const std::string_view text = url.substr(colon + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), address.port);
    if (error != std::errc{} || end != text.data() + text.size()) return bad("the port is no number up to 65535");
  }
  if (address.host.starts_with("[") && address.host.ends_with("]"))
    address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty() || address.host.find('/') != std::string::npos) return bad("the host is missing");
  return address;
}

std::string to_string(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address.host, address.port) : fmt::format("{}:{}", address.host, address.port);
}

std::string_view Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

Connection::Connection(Connection&& other) noexcept { *this = std::move(other); }

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this == &other) return *this;
  close();
  socket_ = std::exchange(other.socket_, -1);
  peer_ = std::move(other.peer_);
  buffer_ = std::move(other.buffer_);
  taken_ = other.taken_;
  left_ = other.left_;
  framing_ = other.framing_;
  first_chunk_ = other.first_chunk_;
  close_after_ = other.close_after_;
  used_ = other.used_;
  untouched_ = other.untouched_;
  stop_ = std::move(other.stop_);
  return *this;
}

void Connection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

std::unexpected<Error> Connection::broken(std::string why) {
  close();
  return fail(Code::connection_failed, fmt::format("{}: {}", peer_, why));
}

Result<Connection> Connection::open(const Address& address, Millis timeout, std::stop_token stop) {
  Connection connection;
  connection.peer_ = to_string(address);
  connection.stop_ = std::move(stop);
  auto list = look_up(address);
  if (!list) return pass(list);
  std::string why = "no address";
  for (const addrinfo* at = list->get(); at; at = at->ai_next) {
    connection.socket_ = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.socket_ < 0) continue;
    int failed = connect(connection.socket_, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (failed == EINPROGRESS) {
      if (auto ready = connection.wait_for(POLLOUT, timeout); !ready) return pass(ready);
      socklen_t size = sizeof failed;
      getsockopt(connection.socket_, SOL_SOCKET, SO_ERROR, &failed, &size);
    }
    if (failed == 0) {
      const int on = 1;
      setsockopt(connection.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return connection;
    }
    why = error_text(failed);
    connection.close();
  }
  return connection.broken(why);
}

Result<void> Connection::wait_for(short events, Millis timeout) {
  for (Millis waited{0};;) {
    if (stop_.stop_requested()) return broken("asked to stop");
    const Millis slice = stop_.stop_possible() ? std::min(stop_latency, timeout - waited) : timeout - waited;
    pollfd poll_for{.fd = socket_, .events = events, .revents = 0};
    const int ready = ::poll(&poll_for, 1, static_cast<int>(slice.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return broken(error_text(errno));
    if (ready == 0) waited += slice;
    if (waited >= timeout) return broken(fmt::format("no answer for {}", format_duration(timeout)));
  }
}

Result<void> Connection::send_all(std::string_view bytes, Millis timeout) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto ready = wait_for(POLLOUT, timeout); !ready) return ready;
    } else if (errno != EINTR) {
      return broken(error_text(errno));
    }
  }
  return {};
}

Result<void> Connection::receive_more(Millis timeout) {
  if (taken_ > 0) {
    buffer_.erase(0, taken_);
    taken_ = 0;
  }
  const std::size_t before = buffer_.size();
  for (;;) {
    buffer_.resize(before + receive_step);
    const ssize_t got = ::recv(socket_, buffer_.data() + before, receive_step, 0);
    const int error = errno;
    buffer_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got > 0) {
      untouched_ = false;
      return {};
    }
    if (got == 0) return broken("the server closed the connection");
    if (error == EAGAIN || error == EWOULDBLOCK) {
      if (auto ready = wait_for(POLLIN, timeout); !ready) return ready;
    } else if (error != EINTR) {
      return broken(error_text(error));
    }
  }
}

Result<std::string> Connection::read_line(Millis timeout) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', taken_);
    if (end != std::string::npos) {
      std::string line{trimmed(std::string_view{buffer_}.substr(taken_, end - taken_))};
      taken_ = end + 1;
      return line;
    }
    if (buffer_.size() - taken_ > max_line) return broken("a line of the answer is too long");
    if (auto more = receive_more(timeout); !more) return pass(more);
  }
}

Result<void> Connection::read_headers(Answer& answer, Millis timeout) {
  for (;;) {
    auto line = read_line(timeout);
    if (!line) return pass(line);
    if (line->empty()) return {};
    const std::size_t colon = line->find(':');
    if (colon == std::string::npos || answer.headers.size() == max_headers) return broken("not an HTTP answer");
    answer.headers.emplace_back(lower(line->substr(0, colon)), trimmed(std::string_view{*line}.substr(colon + 1)));
  }
}

Result<Answer> Connection::read_head(Millis timeout) {
  for (;;) {
    auto line = read_line(timeout);
    if (!line) return pass(line);
    Answer answer;
    const bool is_http = line->starts_with("HTTP/1.") && line->size() >= 12;
    if (!is_http || std::from_chars(line->data() + 9, line->data() + 12, answer.status).ec != std::errc{})
      return broken("not an HTTP answer");
    close_after_ = line->starts_with("HTTP/1.0");
    if (auto headers = read_headers(answer, timeout); !headers) return pass(headers);
    if (answer.status >= 200) return answer;
  }
}

void Connection::set_framing(const Answer& answer, std::string_view method) {
  close_after_ = close_after_ || lower(answer.header("connection")) == "close";
  const std::string_view length = answer.header("content-length");
  first_chunk_ = true;
  left_ = 0;
  if (method == "HEAD" || answer.status == 204 || answer.status == 304) {
    framing_ = Framing::none;
  } else if (lower(answer.header("transfer-encoding")) == "chunked") {
    framing_ = Framing::chunked;
  } else if (!length.empty() &&
             std::from_chars(length.data(), length.data() + length.size(), left_).ec == std::errc{}) {
    framing_ = Framing::length;
  } else {
    framing_ = Framing::until_close;
  }
}

Result<Answer> Connection::begin(const Request& request, Millis timeout) {
  untouched_ = true;
  if (socket_ < 0) return broken("not connected");
  if (used_ && closed_by_peer(socket_)) return broken("the server closed the connection");
  std::string bytes = head_of(request, peer_);
  bytes.append(request.body);
  if (auto sent = send_all(bytes, timeout); !sent) return pass(sent);
  auto answer = read_head(timeout);
  if (!answer) return answer;
  set_framing(*answer, request.method);
  used_ = true;
  return answer;
}

void Connection::finish_body() {
  framing_ = Framing::none;
  if (close_after_) close();
}

Result<std::string_view> Connection::next_of_length(Millis timeout) {
  if (taken_ == buffer_.size())
    if (auto more = receive_more(timeout); !more) return pass(more);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.size() - taken_));
  const std::string_view piece = std::string_view{buffer_}.substr(taken_, size);
  taken_ += size;
  left_ -= size;
  return piece;
}

// False at the last chunk.
Result<bool> Connection::begin_chunk(Millis timeout) {
  auto line = first_chunk_ ? Result<std::string>{std::string{}} : read_line(timeout);  // the end of the chunk before
  if (line) line = read_line(timeout);
  if (!line) return pass(line);
  first_chunk_ = false;
  const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), left_, 16);
  if (error != std::errc{}) return broken("a chunk has no size");
  if (left_ > 0) return true;
  while (line && !line->empty()) line = read_line(timeout);
  if (!line) return pass(line);
  return false;
}

Result<std::string_view> Connection::next_of_chunks(Millis timeout) {
  if (left_ == 0) {
    auto more = begin_chunk(timeout);
    if (!more) return pass(more);
    if (!*more) {
      finish_body();
      return std::string_view{};
    }
  }
  return next_of_length(timeout);
}

Result<std::string_view> Connection::next_piece(Millis timeout) {
  switch (framing_) {
    case Framing::none: return std::string_view{};
    case Framing::chunked: return next_of_chunks(timeout);
    case Framing::length:
      if (left_ > 0) return next_of_length(timeout);
      finish_body();
      return std::string_view{};
    case Framing::until_close: break;
  }
  left_ = max_body;
  auto piece = next_of_length(timeout);
  if (piece || is_open()) return piece;
  framing_ = Framing::none;  // the end of the connection is the end of the body
  return std::string_view{};
}

Result<Answer> Connection::ask(const Request& request, Millis timeout) {
  auto answer = begin(request, timeout);
  if (!answer) return answer;
  for (;;) {
    auto piece = next_piece(timeout);
    if (!piece) return pass(piece);
    if (piece->empty()) break;
    if (answer->body.size() + piece->size() > max_body) return broken("the answer is too large");
    answer->body.append(*piece);
  }
  return answer;
}

}  // namespace continuo::client
