// A server for tests that says what it was told to say, and remembers what it was asked.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "continuo/client/client.h"

namespace continuo::client {

/// Takes one connection at a time. Each request gets the next answer of the script; after "CLOSE" the connection is
/// closed, without an answer when that is all. An empty script answers nothing.
class ScriptedServer {
 public:
  ScriptedServer() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    listen(listener_, 8);
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
  ~ScriptedServer() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  void answer(int status, const std::string& body, const std::string& headers = "") {
    raw("HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body);
  }
  void raw(std::string bytes) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(bytes));
  }

  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const { return connections_; }
  Options options(Millis patience = Millis{0}) const {
    return {.server = {"127.0.0.1", port_}, .timeout = Millis{3'000}, .patience = patience};
  }

 private:
  static bool readable(int socket) {
    pollfd poll_for{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&poll_for, 1, 20) > 0;
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!readable(listener_)) continue;
      const int connection = accept(listener_, nullptr, nullptr);
      ++connections_;
      talk(connection, stop);
      close(connection);
    }
  }

  void talk(int connection, const std::stop_token& stop) {
    std::string seen;
    while (!stop.stop_requested()) {
      if (!readable(connection)) continue;
      char bytes[4096];
      const ssize_t got = recv(connection, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      seen.append(bytes, static_cast<std::size_t>(got));
      while (complete(seen))
        if (!reply(connection)) return;
    }
  }

  // Takes a whole request off the front.
  bool complete(std::string& seen) {
    const std::size_t head = seen.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t at = seen.find("Content-Length: ");
    const std::size_t length = at < head ? std::stoul(seen.substr(at + 16)) : 0;
    if (seen.size() < head + 4 + length) return false;
    const std::lock_guard lock(mutex_);
    requests_.push_back(seen.substr(0, head + 4 + length));
    seen.erase(0, head + 4 + length);
    return true;
  }

  bool reply(int connection) {
    std::string bytes;
    {
      const std::lock_guard lock(mutex_);
      if (script_.empty()) return true;
      bytes = std::move(script_.front());
      script_.pop_front();
    }
    const bool closing = bytes.ends_with("CLOSE");
    if (closing) bytes.resize(bytes.size() - 5);
    send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return !closing;
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::deque<std::string> script_;
  std::vector<std::string> requests_;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

}  // namespace continuo::client
