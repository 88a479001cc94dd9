#include "kafka_connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "clock.h"
#include "continuo/base/bytes.h"
#include "continuo/wire/kafka/metadata.h"
#include "continuo/wire/kafka/topics.h"
#include "sockets.h"

namespace load {

using namespace continuo;
using namespace continuo::wire::kafka;

namespace {
constexpr std::size_t frame_length_bytes = 4;
constexpr std::size_t correlation_id_at = 8;  // of a request, its length included
constexpr int patience_ms = 60'000;

[[noreturn]] void fail(std::string_view what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}
}  // namespace

KafkaConnection::KafkaConnection(std::uint16_t port) : socket_(open_socket(port)) {}

KafkaConnection::~KafkaConnection() { close(socket_); }

std::int32_t KafkaConnection::send(std::string_view head, std::string_view body) {
  out_.push_back({std::string(head), body, 0});
  store(out_.back().head.data() + correlation_id_at, big_endian(++number_));
  send_more();
  return number_;
}

void KafkaConnection::send_more() {
  while (!out_.empty()) {
    Piece& piece = out_.front();
    const std::size_t of_head = std::min(piece.sent, piece.head.size());
    const std::string_view head = std::string_view{piece.head}.substr(of_head);
    const std::string_view body = piece.body.substr(piece.sent - of_head);
    iovec parts[2] = {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) fail("the server does not take more");
    piece.sent += static_cast<std::size_t>(sent);
    if (piece.sent == piece.head.size() + piece.body.size()) out_.pop_front();
  }
}

void KafkaConnection::room_for(std::size_t bytes) {
  if (taken_ == filled_) taken_ = filled_ = 0;
  if (capacity_ - filled_ >= bytes) return;
  const std::size_t held = filled_ - taken_;
  if (capacity_ < held + bytes) {
    capacity_ = std::max(2 * capacity_, held + bytes);
    std::unique_ptr<char[]> larger{new char[capacity_]};  // not zeroed: it is only ever read where it was filled
    if (held != 0) std::memcpy(larger.get(), buffer_.get() + taken_, held);
    buffer_ = std::move(larger);
  } else {
    std::memmove(buffer_.get(), buffer_.get() + taken_, held);
  }
  taken_ = 0;
  filled_ = held;
}

void KafkaConnection::receive() {
  while (true) {
    room_for(16 * 1024);
    const ssize_t got = recv(socket_, buffer_.get() + filled_, capacity_ - filled_, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) fail("cannot read");
    if (got == 0) throw std::runtime_error("the server hung up");
    filled_ += static_cast<std::size_t>(got);
  }
}

std::optional<std::string_view> KafkaConnection::answer() {
  const std::size_t held = filled_ - taken_;
  if (held < frame_length_bytes) return std::nullopt;
  const auto size =
      static_cast<std::size_t>(big_endian(continuo::load<std::int32_t>(buffer_.get() + taken_))) + frame_length_bytes;
  if (held < size) {
    room_for(size - held);
    return std::nullopt;
  }
  const std::string_view frame{buffer_.get() + taken_ + frame_length_bytes, size - frame_length_bytes};
  taken_ += size;
  return frame;
}

std::string_view KafkaConnection::wait_for_answer() {
  while (true) {
    pollfd watched{socket_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    if (poll(&watched, 1, patience_ms) <= 0) throw std::runtime_error("no answer within a minute");
    send_more();
    receive();
    if (const auto frame = answer()) return *frame;
  }
}

Poll::Poll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
Poll::~Poll() { close(epoll_); }

void Poll::add(int socket, std::size_t number) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = number}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("cannot watch a connection");
}

std::span<const epoll_event> Poll::wait_for_events(int timeout_ms) {
  const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

// --- topics
// -----------------------------------------------------------------------------------------------------------

void make_topic(std::uint16_t port, const std::string& name, std::int32_t partitions) {
  CreateTopicsRequest request;
  request.topics.resize(1);
  request.topics[0].name = name;
  request.topics[0].num_partitions = partitions;
  request.topics[0].replication_factor = 1;
  const auto made = KafkaConnection{port}.ask<CreateTopicsResponse>(ApiKey::create_topics, 4, request);
  const auto& topic = made.topics.at(0);
  if (topic.error_code != 0)
    throw std::runtime_error(
        fmt::format("topic {}: error {} {}", name, topic.error_code, topic.error_message.value_or("")));
  wait_for_topic(port, name, partitions);
}

void delete_topic(std::uint16_t port, const std::string& name) {
  DeleteTopicsRequest request;
  request.topic_names = {name};
  request.timeout_ms = 30'000;
  const auto deleted = KafkaConnection{port}.ask<DeleteTopicsResponse>(ApiKey::delete_topics, 4, request);
  if (deleted.topics.at(0).error_code != 0)
    throw std::runtime_error(fmt::format("topic {}: error {}", name, deleted.topics[0].error_code));
}

void wait_for_topic(std::uint16_t port, const std::string& name, std::int32_t partitions) {
  MetadataRequest request;
  request.topics.emplace().push_back({{}, name});
  request.allow_auto_topic_creation = false;
  KafkaConnection connection{port};
  for (const std::int64_t begin = now_ns(); now_ns() - begin < std::int64_t{patience_ms} * 1'000'000;) {
    const auto told = connection.ask<MetadataResponse>(ApiKey::metadata, 4, request);
    std::int32_t led = 0;
    for (const auto& partition : told.topics.at(0).partitions)
      led += partition.error_code == 0 && partition.leader_id >= 0 ? 1 : 0;
    if (led == partitions) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  throw std::runtime_error(fmt::format("topic {} has not {} partitions with leaders", name, partitions));
}

}  // namespace load
