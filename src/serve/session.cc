// Session: reading. What is answered, and how, is in session_answer.cc.
#include "continuo/serve/session.h"

#include <boost/asio/buffer.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "continuo/wire/http/requests.h"

namespace continuo::serve {
namespace {

using wire::http::Head;
using wire::http::Route;

constexpr std::size_t first_capacity = 4 * 1024;
constexpr std::size_t slack = 1024;  // so that a read can be pending while the request is worked on
constexpr std::size_t largest_read = 256 * 1024;
constexpr std::size_t kept_capacity = 256 * 1024;   // a larger buffer is given back after its request
constexpr std::size_t most_unsent = 256 * 1024;     // then no more pipelined requests are begun
constexpr std::size_t decoded_ahead = 1024 * 1024;  // of a body that is read while it is answered

bool lines_route(const wire::http::Match& match, const wire::http::Request& request) {
  if (match.route != Route::publish) return false;
  const auto format = wire::http::event_format(request);
  return format && *format == wire::http::EventFormat::lines;
}

}  // namespace

Session::Session(IoThread& thread, Socket socket)
    : thread_(thread), socket_(std::move(socket)), share_(thread.door().budget) {}

Session::~Session() = default;

void Session::start() {
  boost::system::error_code ignored;
  socket_->set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_->non_blocking(true, ignored);
  in_.reserve(first_capacity);
  last_read_ = started_ = thread_.clock().steady();
  thread_.counters().connections_opened.add();
  read_more();
}

// --- reading
// ----------------------------------------------------------------------------------------------------------

// How large the buffer should be for what is being received: it grows with what came, not with what was announced.
std::size_t Session::wanted_capacity() const {
  const std::size_t have = in_.size();
  if (state_ == State::whole_body) {
    const std::size_t whole = parser_.head().size + static_cast<std::size_t>(parser_.head().content_length) + slack;
    if (whole <= in_.capacity()) return in_.capacity();
    return std::min(whole, std::max<std::size_t>(64 * 1024, 4 * have));
  }
  if (state_ == State::head || state_ == State::working) return std::max(in_.capacity(), have * 2);
  return std::max<std::size_t>(in_.capacity(), 64 * 1024);
}

// The buffer moves only here, where no read into it is under way and no handler looks at it.
void Session::read_more() {
  if (reading_ || ended_ || state_ == State::closed) return;
  if (state_ == State::lines && has_enough()) return;
  if (state_ == State::dropping) return drop_more();
  if (state_ != State::working) {
    if (in_.empty() && in_.capacity() > kept_capacity && state_ == State::head) in_.reserve(first_capacity);
    if (in_.empty() || in_.spare_size() < first_capacity / 2) in_.compact();
    const std::size_t wanted = wanted_capacity();
    if (wanted > in_.capacity() && (in_.spare_size() == 0 || state_ == State::whole_body)) {
      if (!share_.try_hold(wanted + decoded_.capacity() + out_.capacity()))
        return refuse_and_close({Code::overloaded, "too much is being received at once", {}, {}, 1});
      in_.reserve(wanted);
    }
  }
  if (in_.spare_size() == 0) return;
  reading_ = true;
  const std::size_t room = std::min(in_.spare_size(), largest_read);
  socket_->async_read_some(
      boost::asio::mutable_buffer(in_.spare(), room),
      [self = self()](const boost::system::error_code& error, std::size_t bytes) { self->received(error, bytes); });
}

void Session::received(const boost::system::error_code& error, std::size_t bytes) {
  reading_ = false;
  if (state_ == State::closed) return;
  if (error) return error == boost::asio::error::eof ? ended() : close();
  last_read_ = thread_.clock().steady();
  if (state_ == State::head && in_.empty()) {
    started_ = last_read_;
    thread_.look_again(*this);
  }
  thread_.counters().bytes_received.add(bytes);
  if (state_ == State::lingering) {
    in_.use_up(in_.size());
    return read_more();
  }
  in_.filled(bytes);
  body_received_ += bytes;
  go_on();
}

// The client sends no more. Who waits for something that may never come is taken to have gone; others still get their
// answers, and flush() closes after the last.
void Session::ended() {
  ended_ = true;
  if (state_ == State::lingering) return close();
  if (state_ == State::lines && got_body_) return;
  if (activity_) return close();
  if (state_ == State::working) return;
  if (state_ != State::head) closing_ = true;  // half a body: nothing comes of it
  state_ = State::head;
  if (unsent() == 0) close();
}

// As far as it goes. A pipelined request that was held back by the answers before it has its turn when these could be
// sent at once: nobody else would call for it.
void Session::go_on() {
  do {
    held_back_ = false;
    advance();
    flush();
  } while (held_back_ && state_ == State::head && unsent() <= most_unsent);
  read_more();
}

void Session::advance() {
  if (advancing_) return;
  advancing_ = true;
  while (step()) {
  }
  advancing_ = false;
}

/// True when something changed and there may be more to do.
bool Session::step() {
  finished_activity_.reset();
  switch (state_) {
    case State::head: return read_head();
    case State::whole_body:
      if (in_.size() < parser_.head().size + parser_.head().content_length) return false;
      dispatch();
      return true;
    case State::decoded_body: return decode_body();
    case State::lines: return feed_lines();
    case State::dropping: return drop_rest();
    default: return false;
  }
}

bool Session::read_head() {
  if (closing_) return false;
  held_back_ = unsent() > most_unsent;
  if (held_back_) return false;
  if (parser_.head().fields.empty())  // RFC 9112 2.2: empty lines before a request do not count
    while (!in_.empty() && (in_.view().front() == '\r' || in_.view().front() == '\n')) in_.use_up(1);
  if (in_.empty()) return false;
  const auto complete = parser_.read_head(in_.view());
  if (!complete) {
    refuse_and_close(complete.error());
    return true;
  }
  if (!*complete) return false;
  on_head();
  return true;
}

void Session::on_head() {
  const Head& head = parser_.head();
  begun_ = got_body_ = false;
  request_ = {&head, in_.view().substr(0, head.size), {}};
  started_ = last_read_;
  body_received_ = in_.size() - head.size;
  if (thread_.door().stopping.load(std::memory_order_relaxed) || !head.keep_alive) closing_ = true;
  const auto target = wire::http::split_target(request_.target());
  auto found = wire::http::match(head.method, target);
  matched_ = found.has_value();
  if (!matched_) return refuse_unmatched(found.error());
  match_ = *found;
  if (!check_size() || !admit()) return;
  if (head.expect_continue && !head.http_1_0 && body_received_ == 0) out_ += wire::http::continue_line;
  start_body();
}

void Session::refuse_unmatched(const Error& error) {
  if (parser_.head().has_body()) return refuse_and_close(error);
  state_ = State::working;
  refuse(error, {});
}

bool Session::check_size() {
  const Head& head = parser_.head();
  if (head.content_length <= thread_.door().options.max_body_bytes || lines_route(match_, request_)) return true;
  refuse_and_close({Code::too_large,
                    fmt::format("the body has {} bytes; at most {} are taken", head.content_length,
                                thread_.door().options.max_body_bytes),
                    "Content-Length", "send less in one request, or application/x-ndjson"});
  return false;
}

// A publish that the node would refuse is refused at its head, and one that is let in has its place while its body
// comes. The body of a refused one is dropped unread: it costs no memory and next to no time, and the connection goes
// on.
bool Session::admit() {
  const Head& head = parser_.head();
  if (match_.route != Route::publish || head.content_length == 0 || lines_route(match_, request_)) return true;
  if (in_.size() >= head.size + head.content_length) return true;  // all here: asked when it is handled
  Door& door = thread_.door();
  const auto open = thread_.node().may_publish(door.admitted.load(std::memory_order_relaxed) + head.content_length);
  if (open) {
    admitted_ = head.content_length;
    door.admitted.fetch_add(admitted_, std::memory_order_relaxed);
    return true;
  }
  got_body_ = true;
  state_ = State::working;
  refuse(open.error(), {});
  return false;
}

void Session::release_admission() {
  if (admitted_ != 0) thread_.door().admitted.fetch_sub(admitted_, std::memory_order_relaxed);
  admitted_ = 0;
}

bool Session::drop_rest() {
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(in_.size(), to_drop_));
  in_.use_up(here);
  to_drop_ -= here;
  if (to_drop_ != 0) return false;
  state_ = State::head;
  return true;
}

// The kernel throws the bytes away without copying them (tcp(7), MSG_TRUNC).
void Session::drop_more() {
  reading_ = true;
  socket_->async_wait(Socket::wait_read, [self = self()](const boost::system::error_code& error) {
    self->reading_ = false;
    if (self->state_ == State::closed) return;
    if (error) return self->close();
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(self->to_drop_, 1u << 30));
    const ssize_t dropped = ::recv(self->socket_->native_handle(), nullptr, most, MSG_TRUNC | MSG_DONTWAIT);
    if (dropped == 0 || (dropped < 0 && errno != EAGAIN && errno != EINTR)) return self->close();
    if (dropped > 0) {
      self->to_drop_ -= static_cast<std::uint64_t>(dropped);
      self->body_received_ += static_cast<std::uint64_t>(dropped);
      self->last_read_ = self->thread_.clock().steady();
      self->thread_.counters().bytes_received.add(static_cast<std::uint64_t>(dropped));
    }
    self->go_on();
  });
}

void Session::start_body() {
  const Head& head = parser_.head();
  const bool lines = lines_route(match_, request_);
  if (!lines && head.body_in_place()) {
    state_ = State::whole_body;
    return;
  }
  // The head moves out of the way of the body. Spans in the match point into the head: they are found again in the
  // copy.
  head_copy_.assign(request_.bytes);
  in_.use_up(head.size);
  request_.bytes = head_copy_;
  match_ = *wire::http::match(head.method, wire::http::split_target(request_.target()));
  decoded_.clear();
  state_ = lines ? State::lines : State::decoded_body;
  if (!lines) return;
  used_at_ = last_read_;
  received_then_ = decoded_in_all_ = used_up_ = 0;
  handle(*this);
}

bool Session::decode_body() {
  const std::uint64_t limit = thread_.door().options.max_body_bytes;
  auto used = parser_.read_body(in_.view(), static_cast<std::size_t>(limit + 1 - decoded_.size()), decoded_);
  if (!used) {
    refuse_and_close(used.error());
    return true;
  }
  in_.use_up(*used);
  if (decoded_.size() > limit) {
    refuse_and_close({Code::too_large, fmt::format("the body has more than {} bytes", limit), "body", {}});
    return true;
  }
  if (!share_.try_hold(in_.capacity() + decoded_.capacity() + out_.capacity())) {
    refuse_and_close({Code::overloaded, "too much is being received at once", {}, {}, 1});
    return true;
  }
  if (parser_.body_complete()) {
    dispatch();
    return true;
  }
  return *used != 0 && !in_.empty();
}

bool Session::has_enough() const { return activity_ && activity_->has_enough() && decoded_.size() >= decoded_ahead; }

// Gives the activity more of the body; it uses up what it can.
bool Session::feed_lines() {
  if (!activity_ || got_body_ || has_enough()) return false;
  const std::size_t before = decoded_.size();
  auto used = parser_.read_body(in_.view(), decoded_ahead, decoded_);
  if (!used) {
    refuse_and_close(used.error());
    return true;
  }
  in_.use_up(*used);
  got_body_ = parser_.body_complete();
  decoded_in_all_ += decoded_.size() - before;
  if (decoded_.size() == before && !got_body_) return false;
  decoded_.reserve(decoded_.size() + record::json_padding);
  hold_budget();
  activity_->body(got_body_);
  return state_ == State::lines;
}

// Called by the activity, possibly from inside its body(): then the loop of advance() goes on by itself.
void Session::want_body() {
  if (state_ != State::lines) return;
  if (advancing_) return;
  go_on();
}

void Session::dispatch() {
  const Head& head = parser_.head();
  if (state_ == State::whole_body) {
    const bool moved = request_.bytes.data() != in_.view().data();
    request_.bytes = in_.view().substr(0, head.size);
    request_.body = in_.view().substr(head.size, static_cast<std::size_t>(head.content_length));
    if (moved) match_ = *wire::http::match(head.method, wire::http::split_target(request_.target()));
  } else {
    decoded_.reserve(decoded_.size() + record::json_padding);
    request_.body = decoded_;
  }
  got_body_ = true;
  release_admission();
  state_ = State::working;
  handle(*this);
}

bool Session::body_pending() const { return parser_.head().has_body() && !got_body_; }

void Session::watch(TopicId topic) {
  if (watched_) return;
  watched_ = topic;
  thread_.watch(topic, *this);
}

}  // namespace continuo::serve
