// One connection: bytes in, requests to their handlers, answers out, in the order asked.
//
// A state machine over Asio callbacks, all on the thread of its loop:
//   head -> (whole_body | decoded_body) -> working -> head ...    an ordinary request
//   head -> lines -> head                                       a body read while it is answered (NDJSON)
//   head -> working -> dropping -> head                         a publish refused at its head
//   any -> lingering -> closed                                  refused otherwise before its body was read
// A read is always pending while there is room, so that a client that goes away is noticed while it waits. One write is
// under way at a time; answers to pipelined requests leave together.
#pragma once

#include <optional>

#include "continuo/serve/exchange.h"
#include "continuo/serve/input_buffer.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/loop.h"

namespace continuo::serve {

class Session final : public Exchange, public Connection {
 public:
  Session(IoThread& thread, Socket socket);
  ~Session() override;
  /// Call once, on the thread.
  void start();

  // Connection
  Micros tick(Micros now) override;
  void news() override;
  void stop() override;
  void abort() override { close(); }

  // Exchange
  IoThread& thread() override { return thread_; }
  const wire::http::Request& request() const override { return request_; }
  const wire::http::Match& match() const override { return match_; }
  bool gone() const override { return state_ == State::closed; }
  void answer(int status, std::string_view content_type, std::string_view body, std::string_view extra) override;
  void refuse(const Error& error, std::string_view more) override;
  void begin(int status, std::string_view content_type, std::string_view extra) override;
  bool begun() const override { return begun_; }
  void send(std::string_view piece) override;
  void finish(bool broken) override;
  std::size_t unsent() const override { return out_.size() - sent_; }
  void set_activity(std::unique_ptr<Activity> activity) override { activity_ = std::move(activity); }
  Activity* activity() override { return activity_.get(); }
  void watch(TopicId topic) override;
  std::string& decoded() override { return decoded_; }
  void want_body() override;

 private:
  enum class State : std::uint8_t { head, whole_body, decoded_body, lines, working, dropping, lingering, closed };

  std::shared_ptr<Session> self() { return std::static_pointer_cast<Session>(shared_from_this()); }

  // Reading (session.cc)
  void read_more();
  std::size_t wanted_capacity() const;
  void received(const boost::system::error_code& error, std::size_t bytes);
  void ended();
  void go_on();
  void advance();
  bool step();
  bool read_head();
  void on_head();
  void refuse_unmatched(const Error& error);
  bool check_size();
  bool admit();
  void release_admission();
  void drop_more();
  bool drop_rest();
  void start_body();
  bool decode_body();
  bool feed_lines();
  bool has_enough() const;
  void dispatch();

  // Answering (session_answer.cc)
  wire::http::AnswerHead answer_head(int status, std::string_view content_type, std::string_view extra);
  void drop_activity();
  void complete();
  void refuse_and_close(const Error& error);
  void flush();
  void write_ready(const boost::system::error_code& error);
  void sent_all();
  void linger();
  void close();
  void check_times(Micros now);
  bool is_body_late(Micros now);
  void hold_budget() { share_.hold(in_.capacity() + decoded_.capacity() + out_.capacity()); }
  bool body_pending() const;

  IoThread& thread_;
  std::optional<Socket> socket_;  ///< gone once closed: late answers may hold the session longer than its loop lives
  BudgetShare share_;
  wire::http::RequestParser parser_;
  InputBuffer in_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string head_copy_;  // of a request whose body is decoded
  std::string decoded_;
  wire::http::Request request_;
  wire::http::Match match_;
  std::unique_ptr<Activity> activity_;
  std::unique_ptr<Activity> finished_activity_;  // ended inside one of its own calls; gone at the next step
  std::optional<TopicId> watched_;
  Micros started_{0};  // of the request
  Micros last_read_{0};
  Micros blocked_since_{0};  // the socket took less than there was; of what is unsent now
  std::uint64_t taken_ = 0;  // since then
  std::uint64_t body_received_ = 0;
  std::uint64_t to_drop_ = 0;   // of the body of a request that was refused at its head
  std::uint64_t admitted_ = 0;  // bytes of a publish under way to the node
  // Of a body that is read while it is answered: when the last of it was used up, and what had come by then.
  Micros used_at_{0};
  std::uint64_t received_then_ = 0;
  std::uint64_t decoded_in_all_ = 0;
  std::uint64_t used_up_ = 0;
  State state_ = State::head;
  bool matched_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool flushing_ = false;
  bool advancing_ = false;
  bool ended_ = false;      // the client sends no more
  bool held_back_ = false;  // a pipelined request, by answers that are not sent
  bool closing_ = false;    // after what is under way
  bool unread_ = false;     // bytes of a refused request may still come
  bool begun_ = false;      // a streamed answer
  bool chunked_ = false;    // how it is streamed
  bool got_body_ = false;   // the request's body was read to its end
};

}  // namespace continuo::serve
