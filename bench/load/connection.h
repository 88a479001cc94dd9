// A connection of a generator that waits for its answers. Errors are exceptions: a generator that cannot go on ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace load {

/// One thread's. What `line`, `take` and `received` return is valid until more is read.
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
  /// What has come and was not taken, and a wait for more of it.
  std::string_view received() const { return std::string_view(in_).substr(taken_); }
  void read_more();

 private:
  int socket_ = -1;
  std::string in_;  // what has come: [0, taken_) was given out
  std::size_t taken_ = 0;
};

}  // namespace load
