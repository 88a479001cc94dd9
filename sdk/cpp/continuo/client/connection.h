// HTTP/1.1 over one TCP socket, kept alive: what Client speaks through. Inside the library.
//
// Source: RFC 9112. Takes bodies by Content-Length, in chunks, or until the connection ends.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::client {

/// Where a server listens.
struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
};
/// "http://HOST:PORT", "HOST:PORT" or "http://[::1]:PORT"; without a port 80. Errors: bad_usage.
Result<Address> parse_address(std::string_view url);
/// "127.0.0.1:8080", "[::1]:8080"
std::string to_string(const Address& address);

struct Request {
  std::string_view method = "GET";
  std::string target;             ///< path and query
  std::string_view content_type;  ///< empty: no body
  std::string_view body;
  std::string_view accept;
  std::string last_event_id;
};

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  /// The value, or an empty view.
  std::string_view header(std::string_view name) const;
};

/// One socket. Not thread-safe. After an error it is closed and good for nothing.
class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;

  /// Errors: connection_failed, also when `stop` was requested.
  static Result<Connection> open(const Address& address, Millis timeout, std::stop_token stop = {});

  /// One request and its whole answer. `timeout` counts from the last byte that came.
  Result<Answer> ask(const Request& request, Millis timeout);
  /// Sends, and reads the head of the answer; its body is then read with next_piece, or closed with the connection.
  Result<Answer> begin(const Request& request, Millis timeout);
  /// The next bytes of the body; empty at its end. Valid until the next call.
  Result<std::string_view> next_piece(Millis timeout);

  /// From now on this is what ends waiting.
  void watch(std::stop_token stop) { stop_ = std::move(stop); }
  bool is_open() const { return socket_ >= 0; }
  /// Answers came over it before, so the server may have closed it meanwhile.
  bool was_used() const { return used_; }
  /// Nothing of the current answer has come yet.
  bool answer_untouched() const { return untouched_; }
  void close();

 private:
  enum class Framing : std::uint8_t { none, length, chunked, until_close };
  Result<void> send_all(std::string_view bytes, Millis timeout);
  Result<void> wait_for(short events, Millis timeout);
  Result<void> receive_more(Millis timeout);
  Result<std::string> read_line(Millis timeout);
  Result<Answer> read_head(Millis timeout);
  Result<void> read_headers(Answer& answer, Millis timeout);
  void set_framing(const Answer& answer, std::string_view method);
  Result<std::string_view> next_of_length(Millis timeout);
  Result<std::string_view> next_of_chunks(Millis timeout);
  Result<bool> begin_chunk(Millis timeout);
  void finish_body();
  std::unexpected<Error> broken(std::string why);

  int socket_ = -1;
  std::string peer_;
  std::string buffer_;      // received, not yet taken
  std::size_t taken_ = 0;   // how much of buffer_ is used up
  std::uint64_t left_ = 0;  // of the body, or of the current chunk
  Framing framing_ = Framing::none;
  bool first_chunk_ = true;
  bool close_after_ = false;
  bool used_ = false;
  bool untouched_ = true;
  std::stop_token stop_;
};

}  // namespace continuo::client
