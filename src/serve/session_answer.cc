// Session: answering, closing, time limits.
#include <boost/asio/buffer.hpp>

#include "continuo/serve/session.h"

namespace continuo::serve {
namespace {
using wire::http::AnswerHead;
using wire::http::Method;

constexpr std::size_t kept_capacity = 256 * 1024;
constexpr Micros linger_time{2'000'000};
}  // namespace

AnswerHead Session::answer_head(int status, std::string_view content_type, std::string_view extra) {
  Counters& counters = thread_.counters();
  counters.answers[Counters::row(matched_ ? &match_ : nullptr)][static_cast<std::size_t>(status / 100)].add();
  return {.status = status,
          .content_type = content_type,
          .date = thread_.date(),
          .close = closing_,
          .keep_alive_1_0 = parser_.head().http_1_0 && !closing_,
          .extra = extra};
}

void Session::answer(int status, std::string_view content_type, std::string_view body, std::string_view extra) {
  if (state_ == State::closed || begun_) return;
  if (body_pending()) closing_ = unread_ = true;
  wire::http::write_head(answer_head(status, content_type, extra), body.size(), out_);
  if (request_.head == nullptr || parser_.head().method != Method::head) out_ += body;
  complete();
}

void Session::refuse(const Error& error, std::string_view more) {
  if (state_ == State::closed || begun_) return;
  std::string body;
  wire::http::write_problem(error, body, more);
  std::string extra = wire::http::retry_after(error);
  if (error.code == Code::method_not_allowed) extra = "Allow: " + error.at + "\r\n";
  answer(info(error.code).http_status, wire::http::problem_type, body, extra);
}

// For what is refused before its body is read: what the client still sends is thrown away for a moment, so that the
// answer arrives before the connection's reset does.
void Session::refuse_and_close(const Error& error) {
  if (begun_) return close();
  closing_ = unread_ = true;
  refuse(error, {});
  flush();
}

void Session::begin(int status, std::string_view content_type, std::string_view extra) {
  if (state_ == State::closed || begun_) return;
  begun_ = true;
  chunked_ = !parser_.head().http_1_0;
  if (!chunked_) closing_ = true;
  wire::http::write_streaming_head(answer_head(status, content_type, extra), chunked_, out_);
  thread_.counters().streams.add();
  flush();
}

void Session::send(std::string_view piece) {
  if (state_ == State::closed || !begun_) return;
  if (chunked_)
    wire::http::write_chunk(piece, out_);
  else
    out_ += piece;
  hold_budget();
  flush();
}

void Session::finish(bool broken) {
  if (state_ == State::closed || !begun_) return;
  thread_.counters().streams.subtract();
  begun_ = false;
  if (broken) {
    closing_ = true;
  } else if (chunked_) {
    out_ += wire::http::last_chunk;
  }
  if (body_pending()) closing_ = unread_ = true;
  complete();
}

void Session::drop_activity() {
  if (watched_) thread_.unwatch(*watched_, *this);
  watched_.reset();
  if (activity_) finished_activity_ = std::move(activity_);
}

// The request is answered; on to the next.
void Session::complete() {
  drop_activity();
  release_admission();
  if (state_ == State::working && !parser_.head().chunked && head_copy_.empty()) {
    const std::uint64_t whole = parser_.head().size + parser_.head().content_length;
    const std::size_t here = static_cast<std::size_t>(std::min<std::uint64_t>(in_.size(), whole));
    in_.use_up(here);
    to_drop_ = whole - here;
  }
  head_copy_.clear();
  request_ = {};
  matched_ = false;
  if (decoded_.capacity() > kept_capacity) decoded_ = std::string();
  parser_.reset();
  state_ = to_drop_ != 0 ? State::dropping : State::head;
  if (!in_.empty()) started_ = last_read_ = thread_.clock().steady();
  hold_budget();
  if (!advancing_) go_on();
}

// --- writing
// ----------------------------------------------------------------------------------------------------------

void Session::flush() {
  if (writing_ || flushing_ || advancing_ || state_ == State::closed) return;
  flushing_ = true;
  while (state_ != State::closed && unsent() > 0) {
    boost::system::error_code error;
    const std::size_t sent = socket_->write_some(boost::asio::const_buffer(out_.data() + sent_, unsent()), error);
    sent_ += sent;
    taken_ += sent;
    thread_.counters().bytes_sent.add(sent);
    if (!error) {
      if (unsent() == 0) sent_all();
      continue;
    }
    if (error != boost::asio::error::would_block && error != boost::asio::error::try_again) {
      flushing_ = false;
      return close();
    }
    writing_ = true;
    if (blocked_since_ == Micros{0}) {
      blocked_since_ = thread_.clock().steady();
      taken_ = 0;
    }
    socket_->async_wait(Socket::wait_write,
                        [self = self()](const boost::system::error_code& failed) { self->write_ready(failed); });
    break;
  }
  flushing_ = false;
  if (state_ == State::head && unsent() == 0 && (closing_ || ended_)) linger();
}

void Session::sent_all() {
  sent_ = 0;
  blocked_since_ = Micros{0};
  if (out_.capacity() > kept_capacity)
    out_ = std::string();
  else
    out_.clear();
  hold_budget();
  if (activity_) activity_->drained();
}

void Session::write_ready(const boost::system::error_code& error) {
  writing_ = false;
  if (state_ == State::closed) return;
  if (error) return close();
  flush();
  if (state_ == State::closed || writing_) return;
  go_on();  // pipelined requests may have waited for room
}

// --- closing
// ----------------------------------------------------------------------------------------------------------

// All is answered. Closing with bytes unread would reset the connection, and the answer could be lost on the way.
void Session::linger() {
  if (ended_ || !unread_) return close();
  boost::system::error_code ignored;
  socket_->shutdown(Socket::shutdown_send, ignored);
  state_ = State::lingering;
  started_ = thread_.clock().steady();
  if (!reading_) in_.use_up(in_.size());
  read_more();
}

void Session::close() {
  if (state_ == State::closed) return;
  const auto keep = self();
  if (begun_) thread_.counters().streams.subtract();
  begun_ = false;
  drop_activity();
  release_admission();
  state_ = State::closed;
  boost::system::error_code ignored;
  socket_->close(ignored);
  socket_.reset();
  share_.hold(0);
  thread_.counters().connections_closed.add();
  thread_.door().connections.fetch_sub(1, std::memory_order_relaxed);
  // Answers still to come may hold the session for long; what waits for this client is told now, but not inside one of
  // its own calls.
  if (finished_activity_) thread_.post([keep] { keep->finished_activity_.reset(); });
  thread_.remove(*this);
}

void Session::stop() {
  const bool between = (state_ == State::head && in_.empty()) || state_ == State::dropping;
  if (state_ == State::lingering || (between && unsent() == 0)) return close();
  closing_ = true;
  if (activity_) activity_->stopping();
  flush();
}

void Session::news() {
  if (activity_) activity_->news();
}

Micros Session::tick(Micros now) {
  finished_activity_.reset();
  if (activity_) activity_->tick(now);
  if (state_ != State::closed) check_times(now);
  const bool idle = state_ == State::head && in_.empty() && unsent() == 0 && !activity_;
  return idle ? last_read_ + thread_.door().options.timeouts.idle : now;
}

// A body as a whole has its time, and one that is read while it is answered has it for each piece that can be used: a
// line may not be sent for ever.
bool Session::is_body_late(Micros now) {
  const Timeouts& limits = thread_.door().options.timeouts;
  const auto too_slow = [&](Micros since, std::uint64_t bytes) {
    const Micros waited = now - since;
    return waited > limits.body && bytes < limits.body_rate * static_cast<std::uint64_t>(waited.count() / 1'000'000);
  };
  if (state_ == State::whole_body || state_ == State::decoded_body || state_ == State::dropping)
    return too_slow(started_, body_received_);
  if (state_ != State::lines) return false;
  const std::uint64_t used_up = decoded_in_all_ - decoded_.size();
  if (used_up != used_up_ || !reading_ || (activity_ && activity_->has_enough())) {
    used_up_ = used_up;
    used_at_ = now;
    received_then_ = body_received_;
  }
  return too_slow(used_at_, body_received_ - received_then_);
}

void Session::check_times(Micros now) {
  const Timeouts& limits = thread_.door().options.timeouts;
  const auto timed_out = [this] { thread_.counters().connections_timed_out.add(); };
  // A trickle is as good as nothing: an answer holds memory for as long as it is not taken.
  const Micros blocked = blocked_since_ == Micros{0} ? Micros{0} : now - blocked_since_;
  if (blocked > limits.write && taken_ < limits.write_rate * static_cast<std::uint64_t>(blocked.count() / 1'000'000)) {
    timed_out();
    return close();
  }
  if (state_ == State::lingering && now - started_ > linger_time) return close();
  if (state_ == State::head && unsent() == 0) {
    if (in_.empty() && now - last_read_ > limits.idle) return close();
    if (!in_.empty() && now - started_ > limits.header) {
      timed_out();
      return refuse_and_close({Code::request_timeout, "the head of the request did not arrive in time", "head", {}});
    }
  }
  if (!is_body_late(now)) return;
  timed_out();
  refuse_and_close({Code::request_timeout, "the body of the request did not arrive in time", "body", {}});
}

}  // namespace continuo::serve
