// One server, asked: each answer becomes a line of JSON on the standard output,
//   {"at": "SCENARIO: STEP", "api": NAME, "version": N, "answer": {...} or "closed", "silent", "unreadable"}
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "continuo/wire/kafka/messages_test.h"
#include "printed.h"

namespace continuo::conformance {

using namespace wire::kafka;

/// A plain connection. What cannot be connected, sent or received is as good as closed.
class Connection {
 public:
  Connection(const std::string& host, std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Fate { answered, closed, silent };
  void send(std::string_view bytes);
  /// One frame without its length, within so many ms.
  Fate receive(std::string& frame, int timeout_ms);

 private:
  Fate read(std::string& out, std::size_t size, int timeout_ms);
  int socket_ = -1;
};

class Run {
 public:
  static constexpr std::int16_t newest = -1;

  Run(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

  /// Plays a scenario on fresh connections.
  void play(std::string_view name, void (*scenario)(Run&));

  struct Sent {
    std::int32_t number;
    std::int16_t version;
    std::size_t connection;
  };

  /// Asks and prints; what could not be read comes back as it was made. Connections are opened when they are used.
  template <class Q>
  auto ask(std::string_view step, const Q& request, std::int16_t version = newest, std::size_t connection = 0) {
    return receive<Q>(step, send(request, version, connection));
  }
  /// Asks until the answer is good, for 10 s at most, and prints nothing: for what Kafka does in its own time.
  template <class Q>
  void settle(const Q& request, std::int16_t version, auto good) {
    for (int tries = 0; tries < 100; ++tries, wait(100)) {
      quiet_ = true;
      const auto answer = ask("", request, version);
      quiet_ = false;
      if (good(answer)) return;
    }
  }
  /// In every version that is served, from `first` on; the last answer.
  template <class Q>
  auto ask_in_all(std::string_view step, const Q& request, std::int16_t first = 0) {
    const Api& api = api_of<Q>();
    for (std::int16_t version = std::max(first, api.min_version); version < api.max_version; ++version)
      if (version >= api.first_served) ask(step, request, version);
    return ask(step, request);
  }
  /// Sends and does not wait.
  template <class Q>
  Sent send(const Q& request, std::int16_t version = newest, std::size_t connection = 0) {
    const Api& api = api_of<Q>();
    if (version == newest) version = api.max_version;
    at(connection).send(write_request(api, version, ++number_, "differential", request));
    return {number_, version, connection};
  }
  template <class Q>
  typename AnswerOf<Q>::type receive(std::string_view step, Sent sent) {
    const Api& api = api_of<Q>();
    typename AnswerOf<Q>::type answer;
    const auto frame = this->frame(sent);
    boost::json::value said;
    if (!frame.text) {
      said = boost::json::value(frame.instead);
    } else {
      Reader reader{behind_header(*frame.text, api.flexible(sent.version) && api.key != ApiKey::api_versions),
                    sent.version, api.flexible(sent.version)};
      reader.structure(answer);
      said = reader.done() ? Printed::of(answer, sent.version) : boost::json::value("unreadable: " + hex(*frame.text));
    }
    print(step, api.name, sent.version, std::move(said));
    return answer;
  }
  /// Sends bytes as they are, and says what came: "closed", "silent" or the answer's bytes behind the header.
  void ask_bytes(std::string_view step, std::string_view bytes);
  /// Waits, for what a server does in its own time.
  static void wait(int ms);

 private:
  struct Frame {
    std::optional<std::string> text;
    std::string_view instead;  ///< of the text
  };
  template <class Q>
  static const Api& api_of() {
    return *find_api(static_cast<std::int16_t>(AnswerOf<Q>::key));
  }
  static std::string_view behind_header(std::string_view frame, bool tags);
  Connection& at(std::size_t connection);
  Frame frame(Sent sent);
  void print(std::string_view step, std::string_view api, std::int16_t version, boost::json::value answer) const;

  std::string host_;
  std::uint16_t port_;
  std::string scenario_;
  std::map<std::size_t, Connection> connections_;
  std::int32_t number_ = 0;
  bool quiet_ = false;
};

}  // namespace continuo::conformance
