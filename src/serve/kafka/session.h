// One Kafka connection: frames in, requests to their handlers, answers out, in the order asked.
//
// Requests are begun one after the other, each when all before it are answered, as clients expect of a broker; only
// produce requests follow each other without waiting, so that several share a flush. All on the thread of its loop. A
// read is always pending while there is room, so that a client that goes away is noticed while it waits.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "continuo/serve/input_buffer.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/kafka/call.h"
#include "continuo/serve/loop.h"

namespace continuo::serve {

class KafkaSession final : public Connection, public std::enable_shared_from_this<KafkaSession> {
 public:
  KafkaSession(IoThread& thread, Socket socket);
  ~KafkaSession() override;
  /// Call once, on the thread.
  void start();

  // Connection
  Micros tick(Micros now) override;
  void news() override;
  void stop() override;
  void abort() override { close(); }

  // For its calls
  IoThread& thread() { return thread_; }
  bool gone() const { return !socket_.has_value(); }
  /// "/127.0.0.1": how Kafka's tools show a client's host.
  const std::string& peer() const { return peer_; }
  /// A call has its answer, or needs none.
  void answered();
  /// Calls the waiter's news() when one of the topics gets records, until it is set again or to nothing, and its late()
  /// at the time given.
  void wait(std::shared_ptr<KafkaWaiter> waiter, const std::vector<TopicId>& topics, Millis most);
  void stop_waiting();
  /// The client sent what no client sends: nothing it says later can be understood.
  void broken();

 private:
  void read_more();
  bool make_room();
  void received(const boost::system::error_code& error, std::size_t bytes);
  void go_on();
  bool begin_next();
  bool may_begin(std::string_view frame);
  std::optional<std::size_t> frame_size() const;
  void send(wire::kafka::Output output);
  void flush();
  void close();
  std::size_t held() const { return in_.capacity() + unsent_; }

  struct Piece {
    std::shared_ptr<const std::string> owner;
    std::string_view bytes;
  };

  IoThread& thread_;
  std::optional<Socket> socket_;  // gone once closed
  std::string peer_;
  BudgetShare share_;
  InputBuffer in_;
  std::deque<std::shared_ptr<KafkaCall>> calls_;  // begun, in the order asked
  std::deque<Piece> out_;
  std::size_t unsent_ = 0;
  std::shared_ptr<KafkaWaiter> waiter_;
  std::vector<TopicId> watched_;
  boost::asio::steady_timer timer_;
  Micros last_read_{0};
  Micros frame_since_{0};    // part of a frame is here since then
  Micros blocked_since_{0};  // the socket took less than there was; of what is unsent now
  std::uint64_t taken_ = 0;  // since then
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;  // the client sends no more
  bool closing_ = false;
  bool going_on_ = false;
  bool held_back_ = false;  // a request, by answers that are not sent
};

}  // namespace continuo::serve
