// A connection that speaks Kafka's protocol, for generators: requests go out without waiting, answers are taken in
// their order. Errors are exceptions: a generator that cannot go on ends.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "continuo/wire/kafka/api.h"

namespace load {

class KafkaConnection {
 public:
  explicit KafkaConnection(std::uint16_t port);
  ~KafkaConnection();
  KafkaConnection(const KafkaConnection&) = delete;
  KafkaConnection& operator=(const KafkaConnection&) = delete;
  int socket() const { return socket_; }

  /// Queues one frame, `head` copied and `body` by reference, and sends what the socket takes. The correlation id of
  /// the head is set to the returned number.
  std::int32_t send(std::string_view head, std::string_view body = {});
  /// Sends what is queued, as far as the socket takes it.
  void send_more();
  /// Reads all that has come. Throws when the server hung up.
  void receive();
  /// The next whole answer without its length; valid until receive().
  std::optional<std::string_view> answer();

  /// One request and its answer, waited for.
  template <class Answer, class Request>
  Answer ask(continuo::wire::kafka::ApiKey key, std::int16_t version, const Request& request) {
    using namespace continuo::wire::kafka;
    const Api& api = *find_api(static_cast<std::int16_t>(key));
    send(write_request(api, version, 0, "load", request));
    return read<Answer>(key, version, wait_for_answer());
  }
  template <class Answer>
  static Answer read(continuo::wire::kafka::ApiKey key, std::int16_t version, std::string_view frame) {
    using namespace continuo::wire::kafka;
    const Api& api = *find_api(static_cast<std::int16_t>(key));
    Answer answer;
    const std::size_t head = api.flexible(version) && key != ApiKey::api_versions ? 5 : 4;
    Reader reader{frame.substr(head), version, api.flexible(version)};
    reader.structure(answer);
    if (!reader.done()) throw std::runtime_error("an answer to " + std::string(api.name) + " cannot be read");
    return answer;
  }

 private:
  struct Piece {
    std::string head;
    std::string_view body;
    std::size_t sent = 0;
  };
  std::string_view wait_for_answer();
  void room_for(std::size_t bytes);

  int socket_ = -1;
  std::int32_t number_ = 0;
  std::deque<Piece> out_;
  // What came and was not taken: [taken_, filled_) of the buffer, which is never cleared, only grown.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t taken_ = 0;
  std::size_t filled_ = 0;
};

/// Waits for many connections; edges, so read all that is there.
class Poll {
 public:
  Poll();
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  void add(int socket, std::size_t number);
  /// Calls `ready(number)` for each that has news.
  template <class Ready>
  void wait(int timeout_ms, Ready ready) {
    for (const epoll_event& event : wait_for_events(timeout_ms)) ready(static_cast<std::size_t>(event.data.u64));
  }

 private:
  std::span<const epoll_event> wait_for_events(int timeout_ms);
  int epoll_;
  std::array<epoll_event, 256> events_{};
};

/// Topics, made and looked up before and after a run.
void make_topic(std::uint16_t port, const std::string& name, std::int32_t partitions);
void delete_topic(std::uint16_t port, const std::string& name);
/// Throws when it has not so many partitions with leaders within 60 s.
void wait_for_topic(std::uint16_t port, const std::string& name, std::int32_t partitions);

}  // namespace load
