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
  double rate = 0;             // requests a second; 0: closed loop
  bool plain = false;          // nats: `size` bytes of nothing in place of an event
  std::uint64_t events = 0;    // ends after so many, however long it takes; 0: after `seconds`
  bool hot = false;            // every other event is of key 0
  bool stamped = false;        // events carry when they were due
  unsigned subscriptions = 0;  // consume: TOPIC-00000 and so many more, in turn; 0: the one named as the topic
  unsigned ill = 0;            // consume: every so many-th key is ill, and its events are not counted; 0: none is
  bool fail = false;           // what is ill fails; else it is acknowledged
  unsigned parts = 0;          // rate and memory are told for each of so many equal parts of `events`
  int pid = 0;                 // whose memory
};

/// One answer at the front of what was received; size 0: not complete yet.
struct Answer {
  bool accepted = false;
  std::size_t size = 0;
  unsigned events = 0;  // that it stands for
  unsigned lost = 0;    // leases that were refused when they were settled
};

/// What one connection remembers between requests.
struct Conversation {
  std::int64_t due_ns = 0;  // of the next request
  std::vector<std::string> leases, failed;
  unsigned counted = 0;  // of the leases
  unsigned subscription = 0;
  bool settling = false;
  bool drained = true;  // the last receive gave less than was asked for
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
  /// That a request publishes.
  virtual unsigned events_of_request() const { return 0; }
};

std::unique_ptr<Protocol> continuo_protocol(const Settings& settings);
std::unique_ptr<Protocol> nats_protocol(const Settings& settings);
std::unique_ptr<Protocol> redis_protocol(const Settings& settings);

/// A text with digits that are written over: identities never used twice, keys in turn, when it was due.
class Template {
 public:
  static constexpr std::string_view id_mark = "################";
  static constexpr std::string_view key_mark = "@@@@@@@@";
  static constexpr std::string_view due_mark = "%%%%%%%%%%%%%%%%%%%";
  Template() = default;
  Template(std::string text, unsigned keys, bool hot = false);
  const std::string& next(std::int64_t due_ns);

 private:
  void digits(std::uint64_t value, std::size_t at, std::size_t width);
  std::uint64_t next_key();
  std::string text_;
  std::vector<std::size_t> ids_, key_places_, due_places_;
  std::uint64_t serial_ = 0, key_ = 0, keys_ = 1;
  bool hot_ = false;
};

/// About `size` bytes of JSON: an event with the marks of Template; with `due_mark` when it is stamped.
std::string event_json(std::size_t size, bool stamped = false);

}  // namespace load
