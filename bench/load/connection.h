// A connection of a generator that waits for its answers. Errors are exceptions: a generator that cannot go on ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace load {

std::int64_t now_ns();

/// One thread's. What `line` and `take` return is valid until the next call of either.
class Connection {
 public:
  /// To this port of the loopback interface.
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view text);
  /// Without its CR LF.
  std::string_view line();
  std::string_view take(std::size_t count);

 private:
  void read_more();
  int socket_ = -1;
  std::string in_;  // what has come: [0, taken_) was given out
  std::size_t taken_ = 0;
};

}  // namespace load
