// Answers as bytes: heads, bodies, chunks, server-sent events, problem documents.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::wire::http {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view problem_type = "application/problem+json";
constexpr std::string_view ndjson_type = "application/x-ndjson";
constexpr std::string_view event_type = "application/cloudevents+json";
constexpr std::string_view batch_type = "application/cloudevents-batch+json";
constexpr std::string_view stream_type = "text/event-stream";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// "Sat, 21 Nov 2026 08:30:00 GMT" (RFC 9110, 5.6.7), made anew once a second. Not thread-safe: one per thread.
class DateText {
 public:
  std::string_view at(WallTime now);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

/// What stands around a body.
struct AnswerHead {
  int status = 200;
  std::string_view content_type = json_type;  ///< empty: none
  std::string_view date;
  bool close = false;           ///< say `Connection: close`
  bool keep_alive_1_0 = false;  ///< say `Connection: keep-alive` to a HTTP/1.0 client
  std::string_view extra;       ///< more header lines, each with its \r\n
};

std::string_view reason(int status);

/// Appends a head with Content-Length.
void write_head(const AnswerHead& head, std::uint64_t content_length, std::string& out);
/// Appends a head with `Transfer-Encoding: chunked`, or for HTTP/1.0 one whose body ends with the connection.
void write_streaming_head(const AnswerHead& head, bool chunked, std::string& out);
/// Appends one chunk; nothing for an empty piece (that would be the end).
void write_chunk(std::string_view piece, std::string& out);
constexpr std::string_view last_chunk = "0\r\n\r\n";
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

/// Appends the problem document of RFC 9457:
/// {"type":"/errors/CODE","title":...,"status":...,"code":...,"detail":...,"at":...,"hint":...}; `more` is appended
/// inside it as it is: `,"name":value`.
void write_problem(const Error& error, std::string& out, std::string_view more = {});
/// "Retry-After: 1\r\n" for 429 and 503, else empty.
std::string retry_after(const Error& error);

/// Appends one server-sent event: `id:` and `data:`; line ends inside `data` begin further data lines.
void write_server_sent_event(std::string_view id, std::string_view data, std::string& out);

/// Appends a decimal number.
void write_number(std::uint64_t number, std::string& out);

}  // namespace continuo::wire::http
