// One request of a Kafka client on its way through the server.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "continuo/serve/io_thread.h"
#include "continuo/wire/kafka/api.h"
#include "continuo/wire/kafka/errors.h"

namespace continuo::serve {

class KafkaSession;

/// What waits on a connection for records or for its time to be over.
class KafkaWaiter {
 public:
  virtual ~KafkaWaiter() = default;
  virtual void news() = 0;
  virtual void late() = 0;
};

/// A request and the place its answer goes to. Held by whoever works on it; answered once, or not at all when the
/// client is gone. On its session's thread only.
class KafkaCall : public std::enable_shared_from_this<KafkaCall> {
 public:
  KafkaCall(std::shared_ptr<KafkaSession> session, wire::kafka::RequestHeader header, const wire::kafka::Api& api)
      : session_(std::move(session)), header_(std::move(header)), api_(api) {}

  KafkaSession& session() { return *session_; }
  IoThread& thread();
  node::Node& node() { return thread().node(); }
  bool gone() const;
  const wire::kafka::RequestHeader& header() const { return header_; }
  const wire::kafka::Api& api() const { return api_; }
  std::int16_t version() const { return header_.api_version; }

  template <class T>
  void answer(const T& message) {
    finish(wire::kafka::write_answer(api_, header_.api_version, header_.correlation_id, message));
  }
  /// As an older version of the answer: for clients that are newer than this server.
  template <class T>
  void answer_as(std::int16_t version, const T& message) {
    finish(wire::kafka::write_answer(api_, version, header_.correlation_id, message));
  }
  /// The client wants to hear nothing.
  void answer_nothing() { finish({}); }

  bool done() const { return done_; }
  wire::kafka::Output take() { return std::move(output_); }

 private:
  void finish(wire::kafka::Output output);

  std::shared_ptr<KafkaSession> session_;
  wire::kafka::RequestHeader header_;
  const wire::kafka::Api& api_;
  wire::kafka::Output output_;
  bool done_ = false;
};

}  // namespace continuo::serve
