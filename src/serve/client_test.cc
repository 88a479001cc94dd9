#include "continuo/serve/client_test.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace continuo::serve {

std::string Reply::text(std::string_view member) const {
  boost::system::error_code error;
  const auto value = boost::json::parse(body, error);
  if (error || !value.is_object()) return "(no JSON object: " + body + ")";
  const auto* found = value.as_object().if_contains(member);
  if (!found) return "";
  return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Client::~Client() { close(); }

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Client::close_sending() { shutdown(socket_, SHUT_WR); }

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Client::receive(int timeout_ms) {
  pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, timeout_ms) <= 0) return false;
  char bytes[64 * 1024];
  const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  in_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

bool Client::closed(int ms) {
  for (;;) {
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, ms) <= 0) return false;
    char byte[4096];
    if (recv(socket_, byte, sizeof byte, 0) <= 0) return true;
  }
}

std::string Client::read_exactly(std::size_t size) {
  while (in_.size() < size && receive(5000)) {
  }
  const std::string out = in_.substr(0, size);
  in_.erase(0, size);
  return out;
}

std::string Client::read_until(std::string_view wanted) {
  while (in_.find(wanted) == std::string::npos)
    if (!receive(5000)) break;
  return std::exchange(in_, {});
}

Reply Client::reply() {
  std::size_t end;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos)
    if (!receive(5000)) return {};
  Reply reply;
  std::from_chars(in_.data() + 9, in_.data() + 12, reply.status);
  std::string_view head = std::string_view(in_).substr(0, end);
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    std::string name(line.substr(0, line.find(": ")));
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    reply.headers[name] = line.substr(line.find(": ") + 2);
    at = next;
  }
  in_.erase(0, end + 4);
  const auto length = reply.headers.find("content-length");
  const std::size_t size = length == reply.headers.end() ? 0 : std::stoul(length->second);
  while (in_.size() < size)
    if (!receive(5000)) return {};
  reply.body = in_.substr(0, size);
  in_.erase(0, size);
  return reply;
}

Reply Client::ask(std::string_view method, std::string_view target, std::string_view body, std::string_view headers) {
  std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}", method, target, headers);
  if (!body.empty() || method == "POST" || method == "PUT")
    request += fmt::format("Content-Length: {}\r\n", body.size());
  send(request + "\r\n" + std::string(body));
  return reply();
}

Reply Client::publish(std::string_view topic, std::string_view json) {
  return ask("POST", fmt::format("/v1/topics/{}/events", topic), json,
             "Content-Type: application/cloudevents+json\r\n");
}

Served::Served(ServerOptions options) {
  options.port = 0;
  auto started = Server::start(node, options, clock);
  EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
  server = std::move(*started);
}

std::string event_json(std::string_view id, std::string_view subject, std::string_view data) {
  return fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/test","type":"Made","subject":"{}","data":{}}})", id,
                     subject, data);
}

}  // namespace continuo::serve
