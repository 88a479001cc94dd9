#include "run.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

namespace continuo::conformance {
namespace {

constexpr int longest_answer_ms = 20'000;
constexpr int silence_ms = 1'000;  // of bytes that need not be answered

}  // namespace

Connection::Connection(const std::string& host, std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 ||
      connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fmt::print(stderr, "{}:{} cannot be reached\n", host, port);
}

Connection::~Connection() { ::close(socket_); }

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

Connection::Fate Connection::read(std::string& out, std::size_t size, int timeout_ms) {
  out.resize(size);
  for (std::size_t have = 0; have < size;) {
    pollfd wanted{socket_, POLLIN, 0};
    if (poll(&wanted, 1, timeout_ms) <= 0) return Fate::silent;
    const ssize_t got = ::recv(socket_, out.data() + have, size - have, 0);
    if (got <= 0) return Fate::closed;
    have += static_cast<std::size_t>(got);
  }
  return Fate::answered;
}

Connection::Fate Connection::receive(std::string& frame, int timeout_ms) {
  std::string length;
  if (const Fate fate = read(length, sizeof(std::int32_t), timeout_ms); fate != Fate::answered) return fate;
  return read(frame, static_cast<std::uint32_t>(big_endian(load<std::int32_t>(length.data()))), timeout_ms);
}

void Run::play(std::string_view name, void (*scenario)(Run&)) {
  scenario_ = name;
  scenario(*this);
  connections_.clear();
}

void Run::ask_bytes(std::string_view step, std::string_view bytes) {
  at(0).send(bytes);
  std::string frame;
  const Connection::Fate fate = at(0).receive(frame, silence_ms);
  boost::json::value said(fate == Connection::Fate::closed ? "closed" : "silent");
  if (fate == Connection::Fate::answered) said = boost::json::value(hex(behind_header(frame, false)));
  connections_.erase(0);
  print(step, "bytes", 0, std::move(said));
}

void Run::wait(int ms) { poll(nullptr, 0, ms); }

std::string_view Run::behind_header(std::string_view frame, bool tags) {
  frame.remove_prefix(std::min(frame.size(), sizeof(std::int32_t) + (tags ? 1u : 0u)));
  return frame;
}

Connection& Run::at(std::size_t connection) { return connections_.try_emplace(connection, host_, port_).first->second; }

// An answer to anything but what was asked last is as wrong as none: nothing may be left over.
Run::Frame Run::frame(Sent sent) {
  std::string frame;
  const Connection::Fate fate = at(sent.connection).receive(frame, longest_answer_ms);
  if (fate != Connection::Fate::answered) {
    connections_.erase(sent.connection);
    return {std::nullopt, fate == Connection::Fate::closed ? "closed" : "silent"};
  }
  if (frame.size() < sizeof sent.number || big_endian(load<std::int32_t>(frame.data())) != sent.number)
    return {std::nullopt, "an answer to another request"};
  return {std::move(frame), {}};
}

void Run::print(std::string_view step, std::string_view api, std::int16_t version, boost::json::value answer) const {
  if (quiet_) return;
  const boost::json::object line{
      {"at", scenario_ + ": " + std::string{step}}, {"api", api}, {"version", version}, {"answer", std::move(answer)}};
  fmt::print("{}\n", boost::json::serialize(line));
  std::fflush(stdout);
}

}  // namespace continuo::conformance
