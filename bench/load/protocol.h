// What the load generator says to a server, and how it knows the answer: one implementation for each kind of server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace load {

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string peer = "continuo";  // continuo, nats, redis
  std::string mode = "publish";   // livez, publish, batch, consume
  std::string topic = "load";
  unsigned connections = 64;
  double seconds = 5;
  double warmup = 1;
  std::size_t size = 1024;  // of one event, about
  unsigned batch = 100;
  unsigned keys = 1000;
  double rate = 0;     // requests a second; 0: closed loop
  bool plain = false;  // nats: `size` bytes of nothing in place of an event
};

/// One answer at the front of what was received; size 0: not complete yet.
struct Answer {
  bool accepted = false;
  std::size_t size = 0;
  unsigned events = 0;  // that it stands for
};

/// What one connection remembers between requests.
struct Conversation {
  std::vector<std::string> leases;
  bool settling = false;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Sent when a connection is opened; its answers, if any, are read away by `greeted`: true once the first request may
  /// follow.
  virtual std::string greeting() { return {}; }
  virtual bool greeted(std::string&) { return true; }
  virtual const std::string& next(Conversation& conversation) = 0;
  virtual Answer answer_in(Conversation& conversation, std::string_view received) = 0;
};

std::unique_ptr<Protocol> continuo_protocol(const Settings& settings);
std::unique_ptr<Protocol> nats_protocol(const Settings& settings);
std::unique_ptr<Protocol> redis_protocol(const Settings& settings);

/// A text with digits that are written over: identities never used twice, keys in turn.
class Template {
 public:
  static constexpr std::string_view id_mark = "################";
  static constexpr std::string_view key_mark = "@@@@@@@@";
  Template() = default;
  Template(std::string text, unsigned keys);
  const std::string& next();

 private:
  void digits(std::uint64_t value, std::size_t at, std::size_t width);
  std::string text_;
  std::vector<std::size_t> ids_, key_places_;
  std::uint64_t serial_ = 0, key_ = 0, keys_ = 1;
};

/// About `size` bytes of JSON: an event with the marks of Template.
std::string event_json(std::size_t size);

}  // namespace load
