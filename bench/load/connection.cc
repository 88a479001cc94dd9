#include "connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "sockets.h"

namespace load {

Connection::Connection(std::uint16_t port) : socket_(open_socket(port)) {}

Connection::~Connection() { close(socket_); }

void Connection::send(std::string_view text) { send_all(socket_, text); }

std::string_view Connection::line() {
  std::size_t end;
  for (std::size_t from = taken_; (end = in_.find("\r\n", from)) == std::string::npos;) {
    const std::size_t unseen = in_.size() - taken_;
    read_more();
    from = taken_ + (unseen == 0 ? 0 : unseen - 1);
  }
  const std::string_view found = std::string_view(in_).substr(taken_, end - taken_);
  taken_ = end + 2;
  return found;
}

std::string_view Connection::take(std::size_t count) {
  while (in_.size() - taken_ < count) read_more();
  const std::string_view found = std::string_view(in_).substr(taken_, count);
  taken_ += count;
  return found;
}

void Connection::read_more() {
  in_.erase(0, taken_);
  taken_ = 0;
  char bytes[256 * 1024];
  const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) throw std::runtime_error("the server hung up");
  in_.append(bytes, static_cast<std::size_t>(got));
}

}  // namespace load
