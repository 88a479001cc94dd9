// Sockets of generators. Errors are exceptions: a generator that cannot go on ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace load {

/// A connection that waits and sends small packets at once; the caller closes it.
int open_socket(std::uint16_t port, const std::string& address = "127.0.0.1");
/// All of it, waiting where the socket takes no more.
void send_all(int socket, std::string_view text);

}  // namespace load
