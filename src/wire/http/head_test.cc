#include "continuo/wire/http/head.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace continuo::wire::http {
namespace {

constexpr std::string_view simple =
    "POST /v1/topics/t/events?x=1 HTTP/1.1\r\nHost: h\r\nContent-Type:  text/plain \r\nAccept: a\r\nX-Empty:\r\n"
    "Last-Event-ID: 42\r\nContent-Length: 5\r\n\r\nhello";

Code refusal(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestParser parser(limits);
  const auto complete = parser.read_head(bytes);
  EXPECT_FALSE(complete) << bytes;
  return complete ? Code::breach : complete.error().code;
}

TEST(RequestParser, FindsTheSameHeadHoweverItArrives) {
  for (std::size_t step : {1u, 2u, 3u, 7u, 50u, 1000u}) {
    RequestParser parser;
    std::string so_far;  // grows, and so moves
    bool complete = false;
    for (std::size_t at = 0; !complete && at < simple.size(); at += step) {
      so_far.append(simple.substr(at, step));
      const auto read = parser.read_head(so_far);
      ASSERT_TRUE(read);
      complete = *read;
    }
    ASSERT_TRUE(complete) << step;
    const Request request{&parser.head(), so_far, {}};
    EXPECT_EQ(parser.head().method, Method::post);
    EXPECT_EQ(request.target(), "/v1/topics/t/events?x=1");
    EXPECT_EQ(request.content_type(), "text/plain");
    EXPECT_EQ(request.last_event_id(), "42");
    EXPECT_EQ(request.field("x-EMPTY"), "");
    EXPECT_EQ(request.field("accept"), "a");
    EXPECT_EQ(parser.head().content_length, 5u);
    EXPECT_EQ(parser.head().size, simple.size() - 5);
    EXPECT_TRUE(parser.head().body_in_place());
    EXPECT_TRUE(parser.head().keep_alive);
  }
}

TEST(RequestParser, IsUsedAgain) {
  RequestParser parser;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(parser.read_head(simple));
    EXPECT_EQ(parser.head().fields.size(), 6u);
    parser.reset();
  }
  ASSERT_TRUE(*parser.read_head("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(parser.head().keep_alive);
  EXPECT_FALSE(parser.head().has_body());
}

TEST(RequestParser, HoldsItsLimits) {
  EXPECT_EQ(refusal("GET /" + std::string(200, 'x'), {.bytes = 100}), Code::header_too_large);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(200, 'x') + "\r\n\r\n", {.bytes = 100}),
            Code::header_too_large);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) many += "X: 1\r\n";
  EXPECT_EQ(refusal(many + "\r\n"), Code::header_too_large);
  std::string slowly = "GET / HTTP/1.1\r\nHost: h\r\n";  // many small fields, each within the limit
  for (int i = 0; i < 20; ++i) slowly += "X: 1234567890\r\n";
  EXPECT_EQ(refusal(slowly + "\r\n", {.bytes = 200}), Code::header_too_large);
}

TEST(RequestParser, RefusesWhatCouldBeReadInTwoWays) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"), Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"), Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), Code::bad_request);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"), Code::unsupported_media_type);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nContent-Encoding: deflate\r\n\r\n"), Code::unsupported_media_type);
  EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), Code::bad_request);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string chunked(std::string_view body, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += size) {
    const std::string_view piece = body.substr(at, size);
    out += fmt::format("{:x};ext=\"v\"\r\n{}\r\n", piece.size(), piece);
  }
  return out + "0\r\nTrailer: x\r\n\r\n";
}

// Feeds `raw` in pieces of `step` with `room` for each answer; the body, or the error's name.
std::string body_of(std::string_view headers, std::string_view raw, std::size_t step, std::size_t room) {
  RequestParser parser;
  const std::string head = fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
  EXPECT_TRUE(*parser.read_head(head));
  std::string pending, out;
  std::size_t given = 0;
  for (int rounds = 0; !parser.body_complete() && rounds < 1'000'000; ++rounds) {
    const std::string_view more = raw.substr(given, step);
    pending.append(more);
    given += more.size();
    const auto used = parser.read_body(pending, room, out);
    if (!used) return std::string(name(used.error().code));
    pending.erase(0, *used);
    if (more.empty() && *used == 0 && rounds > 100'000) return "(incomplete)";
  }
  return out;
}

TEST(RequestParser, JoinsAndInflatesBodies) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += fmt::format("line {} of {}\n", i, i * i);
  const std::string zipped = gzip(text);
  for (const std::size_t step : {1u, 5u, 100u, 1'000'000u})
    for (const std::size_t room : {100u, 10'000u, 1'000'000u}) {
      EXPECT_EQ(body_of(fmt::format("Content-Length: {}\r\n", text.size()), text, step, room), text);
      EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", chunked(text, 777), step, room), text);
      EXPECT_EQ(
          body_of(fmt::format("Content-Length: {}\r\nContent-Encoding: gzip\r\n", zipped.size()), zipped, step, room),
          text);
      EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", chunked(zipped, 33), step, room),
                text);
    }
}

TEST(RequestParser, RefusesBrokenBodies) {
  const std::string zipped = gzip("hello hello hello");
  EXPECT_EQ(body_of("Content-Length: 5\r\nContent-Encoding: gzip\r\n", "hello", 10, 100), "bad_request");
  EXPECT_EQ(
      body_of(fmt::format("Content-Length: {}\r\nContent-Encoding: gzip\r\n", zipped.size() - 4), zipped, 10, 100),
      "bad_request");
  EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n", 100, 100), "bad_request");
  EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", "5\r\nhelloworld\r\n0\r\n\r\n", 100, 100), "bad_request");
  EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", "5;" + std::string(10'000, 'x'), 20'000, 100), "bad_request");
  const std::string bomb = gzip(std::string(30u << 20, ' '));
  EXPECT_EQ(
      body_of(fmt::format("Content-Length: {}\r\nContent-Encoding: gzip\r\n", bomb.size()), bomb, 1u << 20, 64u << 20),
      "too_large");
}

}  // namespace
}  // namespace continuo::wire::http
