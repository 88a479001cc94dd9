#include "sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace load {

int open_socket(std::uint16_t port, const std::string& address) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  if (connect(made, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(errno)));
  const int on = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0) throw std::runtime_error("the server hung up");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace load
