// A server for webhooks that behaves as a test tells it, down to the bytes: plain sockets, a thread a connection.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace continuo::delivery::webhook {

/// A connection, as the receiver's answer has it.
class Peer {
 public:
  Peer(int socket, SSL* tls, const std::atomic<bool>& stopping) : socket_(socket), tls_(tls), stopping_(stopping) {}
  /// False once the other side is gone.
  bool send(std::string_view bytes);
  std::string receive();  ///< some bytes; empty at the end
  /// Waits so long, less when the test ends.
  void wait(std::chrono::milliseconds time) const;
  void reset();  ///< ends with RST instead of FIN
  void close() { closed_ = true; }
  bool closed() const { return closed_; }

 private:
  int socket_;
  SSL* tls_;
  const std::atomic<bool>& stopping_;
  bool closed_ = false;
};

struct Request {
  std::string head, body;
  int connection = 0;  ///< from 1
  /// The header's value; empty when there is none.
  std::string header(std::string_view name) const;
};

class Receiver {
 public:
  using Answer = std::function<void(Peer&, const Request&)>;
  explicit Receiver(bool tls = false);
  ~Receiver();

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const;
  /// From the next request on. At first: 204 to all.
  void answer(Answer answer);
  std::vector<Request> requests() const;
  int connections() const { return connections_; }
  std::size_t most_at_once() const { return most_; }
  const std::string& certificate() const { return certificate_; }  ///< PEM; for localhost, signed by itself

 private:
  void make_certificate();
  void listen();
  void accept();
  void serve(int socket, int number);
  void converse(Peer& peer, int number);

  mutable std::mutex mutex_;
  Answer answer_;
  std::vector<Request> requests_;
  std::vector<std::jthread> threads_;
  std::vector<int> sockets_;
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> now_{0}, most_{0};
  std::atomic<bool> stopping_{false};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::string certificate_;
  SSL_CTX* tls_ = nullptr;
  std::jthread acceptor_;
};

}  // namespace continuo::delivery::webhook
