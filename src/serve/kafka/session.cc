#include "continuo/serve/kafka/session.h"

#include <boost/asio/buffer.hpp>

#include <array>

#include "continuo/serve/kafka/handlers.h"

namespace continuo::serve {
namespace {

constexpr std::size_t length_bytes = sizeof(std::int32_t);
constexpr std::size_t first_capacity = 4 * 1024;
constexpr std::size_t largest_read = 256 * 1024;
constexpr std::size_t kept_capacity = 256 * 1024;  // a larger buffer is given back after its request
constexpr std::size_t read_ahead = 64 * 1024;      // of requests that are not begun
constexpr std::size_t most_unsent = 256 * 1024;    // then no more requests are begun
constexpr std::size_t most_calls = 64;
constexpr std::size_t most_pieces = 64;  // in one write: what Asio hands to the kernel at once
constexpr Millis idle_time{600'000};     // as Kafka's connections.max.idle.ms

}  // namespace

IoThread& KafkaCall::thread() { return session_->thread(); }

bool KafkaCall::gone() const { return session_->gone(); }

void KafkaCall::finish(wire::kafka::Output output) {
  CHECK(!done_, "a call is answered once");
  done_ = true;
  output_ = std::move(output);
  session_->answered();
}

KafkaSession::KafkaSession(IoThread& thread, Socket socket)
    : thread_(thread), socket_(std::move(socket)), share_(thread.door().budget), timer_(thread.loop().context) {}

KafkaSession::~KafkaSession() = default;

void KafkaSession::start() {
  boost::system::error_code ignored;
  socket_->set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_->non_blocking(true, ignored);
  const auto peer = socket_->remote_endpoint(ignored);
  peer_ = ignored ? std::string{} : "/" + peer.address().to_string();
  in_.reserve(first_capacity);
  last_read_ = thread_.clock().steady();
  thread_.counters().connections_opened.add();
  read_more();
}

// ---- reading --------------------------------------------------------------------------------------------------------

// Of the frame at the front, with its length; none while that is not there.
std::optional<std::size_t> KafkaSession::frame_size() const {
  if (in_.size() < length_bytes) return std::nullopt;
  return length_bytes + static_cast<std::uint32_t>(big_endian(load<std::int32_t>(in_.view().data())));
}

void KafkaSession::read_more() {
  if (reading_ || ended_ || closing_ || gone() || !make_room()) return;
  reading_ = true;
  socket_->async_read_some(boost::asio::mutable_buffer(in_.spare(), std::min(in_.spare_size(), largest_read)),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
                             self->received(error, bytes);
                           });
}

// The buffer moves only here, where no read into it is under way and no handler looks at it. It grows with what came,
// not with what was announced.
bool KafkaSession::make_room() {
  if (in_.empty() && in_.capacity() > kept_capacity) in_.reserve(first_capacity);
  if (in_.empty() || in_.spare_size() < first_capacity / 2) in_.compact();
  const std::size_t whole = frame_size().value_or(first_capacity);
  if (in_.size() >= std::max(whole, read_ahead)) return false;
  if (in_.spare_size() == 0) {
    const std::size_t wanted = std::min(std::max(whole, read_ahead), std::max(read_ahead, 4 * in_.size()));
    if (wanted > in_.capacity()) {
      if (!share_.try_hold(wanted + unsent_)) {
        broken();
        return false;
      }
      in_.reserve(wanted);
    }
  }
  return in_.spare_size() != 0;
}

void KafkaSession::received(const boost::system::error_code& error, std::size_t bytes) {
  reading_ = false;
  if (gone()) return;
  // Nobody half-closes a connection to a broker: who sends no more has gone.
  if (error) return close();
  last_read_ = thread_.clock().steady();
  thread_.counters().bytes_received.add(bytes);
  in_.filled(bytes);
  go_on();
}

// As far as it goes. A request that was held back by the answers before it has its turn when these could be sent at
// once: nobody else would call for it.
void KafkaSession::go_on() {
  if (going_on_) return;
  going_on_ = true;
  do {
    held_back_ = false;
    while (!gone() && begin_next()) {
    }
    flush();
  } while (!gone() && held_back_ && unsent_ <= most_unsent);
  going_on_ = false;
  if (!gone()) read_more();
}

bool KafkaSession::may_begin(std::string_view frame) {
  if (closing_) return false;
  held_back_ = unsent_ > most_unsent;
  if (held_back_) return false;
  if (calls_.empty()) return true;
  constexpr auto produce = static_cast<std::int16_t>(wire::kafka::ApiKey::produce);
  const bool is_produce = frame.size() >= sizeof produce && big_endian(load<std::int16_t>(frame.data())) == produce;
  return is_produce && calls_.back()->api().key == wire::kafka::ApiKey::produce && calls_.size() < most_calls;
}

// True when a request was begun, and the next may be.
bool KafkaSession::begin_next() {
  while (!calls_.empty() && calls_.front()->done()) {
    send(calls_.front()->take());
    calls_.pop_front();
  }
  const auto size = frame_size();
  if (!size) return false;
  if (*size - length_bytes > thread_.door().options.max_kafka_request_bytes) {
    broken();
    return false;
  }
  if (in_.size() < *size) {
    if (frame_since_ == Micros{0}) frame_since_ = last_read_, thread_.look_again(*this);
    return false;
  }
  const std::string_view frame = in_.view().substr(length_bytes, *size - length_bytes);
  if (!may_begin(frame)) return false;
  frame_since_ = Micros{0};
  const auto request = wire::kafka::read_request(frame);
  in_.use_up(*size);
  if (!request || request->api == nullptr) {
    broken();
    return false;
  }
  thread_.counters().kafka_requests.add();
  calls_.push_back(std::make_shared<KafkaCall>(shared_from_this(), request->header, *request->api));
  handle(*calls_.back(), *request);
  return !gone();
}

void KafkaSession::broken() {
  thread_.counters().kafka_broken.add();
  close();
}

// ---- waiting --------------------------------------------------------------------------------------------------------

void KafkaSession::wait(std::shared_ptr<KafkaWaiter> waiter, const std::vector<TopicId>& topics, Millis most) {
  waiter_ = std::move(waiter);
  for (const TopicId topic : topics) thread_.watch(topic, *this);
  watched_ = topics;
  timer_.expires_after(most);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || !self->waiter_) return;
    const auto late = self->waiter_;
    late->late();
  });
}

void KafkaSession::stop_waiting() {
  for (const TopicId topic : watched_) thread_.unwatch(topic, *this);
  watched_.clear();
  waiter_.reset();
  timer_.cancel();
}

void KafkaSession::news() {
  if (const auto waiter = waiter_) waiter->news();
}

// ---- writing --------------------------------------------------------------------------------------------------------

void KafkaSession::answered() {
  if (!gone()) go_on();
}

void KafkaSession::send(wire::kafka::Output output) {
  if (output.bytes.empty()) return;
  unsent_ += output.size();
  const auto own = std::make_shared<const std::string>(std::move(output.bytes));
  const std::string_view bytes = *own;
  std::size_t at = 0;
  for (wire::kafka::Output::Splice& splice : output.splices) {
    if (splice.at != at) out_.push_back({own, bytes.substr(at, splice.at - at)});
    out_.push_back({std::move(splice.piece.owner), splice.piece.bytes});
    at = splice.at;
  }
  if (at != bytes.size()) out_.push_back({own, bytes.substr(at)});
  share_.hold(held());
}

void KafkaSession::flush() {
  while (!writing_ && !gone() && !out_.empty()) {
    std::array<boost::asio::const_buffer, most_pieces> buffers;
    std::size_t count = 0;
    for (; count < most_pieces && count < out_.size(); ++count)
      buffers[count] = {out_[count].bytes.data(), out_[count].bytes.size()};
    boost::system::error_code error;
    std::size_t sent = socket_->write_some(std::span{buffers}.first(count), error);
    thread_.counters().bytes_sent.add(sent);
    unsent_ -= sent;
    taken_ += sent;
    for (; !out_.empty() && sent >= out_.front().bytes.size(); out_.pop_front()) sent -= out_.front().bytes.size();
    if (sent != 0) out_.front().bytes.remove_prefix(sent);
    if (!error) continue;
    if (error != boost::asio::error::would_block && error != boost::asio::error::try_again) return close();
    writing_ = true;
    if (blocked_since_ == Micros{0}) blocked_since_ = thread_.clock().steady(), taken_ = 0;
    socket_->async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& failed) {
      self->writing_ = false;
      if (self->gone()) return;
      if (failed) return self->close();
      self->go_on();
    });
  }
  if (gone() || !out_.empty()) return;
  blocked_since_ = Micros{0};
  share_.hold(held());
  if (closing_ && calls_.empty()) close();
}

// ---- closing --------------------------------------------------------------------------------------------------------

void KafkaSession::stop() {
  closing_ = true;
  if (const auto waiter = waiter_) waiter->late();
  if (!gone() && calls_.empty() && out_.empty()) close();
}

void KafkaSession::close() {
  if (gone()) return;
  const auto keep = shared_from_this();
  stop_waiting();
  boost::system::error_code ignored;
  socket_->close(ignored);
  socket_.reset();
  calls_.clear();
  out_.clear();
  unsent_ = 0;
  share_.hold(0);
  thread_.counters().connections_closed.add();
  thread_.door().connections.fetch_sub(1, std::memory_order_relaxed);
  thread_.remove(*this);
}

Micros KafkaSession::tick(Micros now) {
  const Timeouts& limits = thread_.door().options.timeouts;
  // A trickle is as good as nothing: what is under way holds memory for as long.
  const auto too_slow = [now](Micros since, Millis most, std::uint64_t bytes, std::uint64_t rate) {
    return since != Micros{0} && now - since > most &&
           bytes < rate * static_cast<std::uint64_t>((now - since).count() / 1'000'000);
  };
  const bool stuck = too_slow(blocked_since_, limits.write, taken_, limits.write_rate);
  const bool partial = calls_.empty() && too_slow(frame_since_, limits.body, in_.size(), limits.body_rate);
  const bool idle = calls_.empty() && out_.empty() && now - last_read_ > idle_time;
  if (stuck || partial) thread_.counters().connections_timed_out.add();
  if (stuck || partial || idle) {
    close();
    return now;
  }
  const bool quiet = calls_.empty() && out_.empty() && in_.empty();
  return quiet ? last_read_ + idle_time : now;
}

}  // namespace continuo::serve
