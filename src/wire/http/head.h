// An HTTP/1.1 request as it arrives: the head incrementally, the body as it stands on the wire.
//
// RFC 9110, RFC 9112. Boost.Beast's basic_parser does the grammar (also against request smuggling); nothing of it shows
// here, and no header container is made: fields are kept as places in the session's own buffer.
//
//   RequestParser parser;
//   for (;;) { read more; auto done = parser.read_head(bytes_so_far); if (!done) refuse; if (*done) break; }
//   Request request{parser.head(), bytes_so_far};
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::wire::http {

enum class Method : std::uint8_t { get, head, put, post, patch, del, options, other };
std::string_view name(Method method);

/// A run of bytes in the request's buffer, from the request's first byte on.
struct Span {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
  bool empty() const { return size == 0; }
  std::string_view in(std::string_view bytes) const { return bytes.substr(at, size); }
};

enum class Encoding : std::uint8_t { identity, gzip };

struct HeadLimits {
  std::uint32_t bytes = 32 * 1024;  ///< request line and fields
  std::uint32_t fields = 100;
};

/// What the head of one request says. Spans count from the first byte of the request.
struct Head {
  struct Field {
    Span name;
    Span value;
  };
  Method method = Method::other;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool chunked = false;
  bool expect_continue = false;
  bool has_host = false;
  Encoding encoding = Encoding::identity;
  std::uint32_t size = 0;            ///< bytes of the head, its empty line included
  std::uint64_t content_length = 0;  ///< 0 when chunked or without a body
  Span target;
  Span content_type;
  Span accept;
  Span last_event_id;
  std::vector<Field> fields;

  bool has_body() const { return chunked || content_length > 0; }
  /// The body stands in the buffer as it is: Content-Length and no encoding.
  bool body_in_place() const { return !chunked && encoding == Encoding::identity; }
};

/// A head with the bytes its spans point into. A view: valid as long as both.
struct Request {
  const Head* head = nullptr;
  std::string_view bytes;
  std::string_view body;

  std::string_view target() const { return head->target.in(bytes); }
  std::string_view content_type() const { return head->content_type.in(bytes); }
  std::string_view accept() const { return head->accept.in(bytes); }
  std::string_view last_event_id() const { return head->last_event_id.in(bytes); }
  /// The first field of that name (any case), or empty.
  std::string_view field(std::string_view name) const;
};

/// Parses one request after the other; reset() between them. Not thread-safe.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits = {});
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  void reset();

  /// `bytes` begins at the request's first byte and holds at least what it held at the last call. True: the head is
  /// complete. Errors: bad_request, header_too_large, unsupported_media_type (Content-Encoding, Transfer-Encoding).
  Result<bool> read_head(std::string_view bytes);
  const Head& head() const { return head_; }

  /// Takes body bytes off the front of `raw` and appends what they mean - chunks joined, gzip inflated - to `out`, at
  /// most about `room` bytes. Gives how many bytes of `raw` were used up; what is left is given again. Errors:
  /// bad_request (chunk framing, gzip), too_large (a compression ratio nobody honest has).
  Result<std::size_t> read_body(std::string_view raw, std::size_t room, std::string& out);
  /// All of the body went through read_body.
  bool body_complete() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  Head head_;
  HeadLimits limits_;
};

}  // namespace continuo::wire::http
