// A blocking HTTP client for the tests of sessions: sends bytes as they are told, reads answers strictly.
#pragma once

#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "continuo/serve/fake_node_test.h"
#include "continuo/serve/server.h"

namespace continuo::serve {

struct Reply {
  int status = 0;                              ///< 0: the connection ended before an answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  boost::json::value json() const { return boost::json::parse(body); }
  std::string text(std::string_view member) const;  ///< of a JSON body; "" when absent
};

class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  /// One answer; interim answers (1xx) are given too. Fails the test after 5 s.
  Reply reply();
  Reply ask(std::string_view method, std::string_view target, std::string_view body = {},
            std::string_view headers = {});
  Reply publish(std::string_view topic, std::string_view event_json);
  /// What has come, until it contains `wanted` or 5 s are over.
  std::string read_until(std::string_view wanted);
  /// So many bytes as they come; fewer when the connection ends or 5 s are over.
  std::string read_exactly(std::size_t size);
  /// True when the server closes within `ms`.
  bool closed(int ms = 2000);
  void close_sending();
  void close();
  int socket() const { return socket_; }

 private:
  bool receive(int timeout_ms);
  int socket_ = -1;
  std::string in_;
};

/// Time that stands still until a test moves it.
class HandClock final : public Clock {
 public:
  WallTime wall() override { return WallTime{wall_.load()}; }
  Micros steady() override { return Micros{steady_.load()}; }
  void advance(Millis by) {
    wall_ += by.count();
    steady_ += by.count() * 1000;
  }

 private:
  std::atomic<std::int64_t> wall_{1'795'253'400'123};  // 2026-11-21T09:30:00.123Z
  std::atomic<std::int64_t> steady_{1'000'000};
};

/// A server in front of a fake node.
struct Served {
  explicit Served(ServerOptions options = {});
  Client client() const { return Client(server->port()); }
  FakeNode node;
  HandClock clock;
  std::unique_ptr<Server> server;
};

/// {"specversion":"1.0","id":ID,"source":"/test","type":"Made","subject":SUBJECT,"data":DATA}
std::string event_json(std::string_view id, std::string_view subject = "k", std::string_view data = "{\"n\":1}");

}  // namespace continuo::serve
