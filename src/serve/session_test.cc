// Sessions over real sockets: connections, pipelining, bodies in all their shapes, slow and vanished clients, limits,
// stopping.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <zlib.h>

#include <thread>

#include "continuo/serve/client_test.h"
#include "continuo/serve/exchange.h"

namespace continuo::serve {
namespace {

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

std::string publish_request(std::string_view body, std::string_view headers = {}) {
  return fmt::format(
      "POST /v1/topics/t/events HTTP/1.1\r\nHost: test\r\nContent-Type: "
      "application/cloudevents+json\r\n{}Content-Length: {}\r\n\r\n{}",
      headers, body.size(), body);
}

TEST(Session, KeepsTheConnectionOverRequestsAndRefusals) {
  Served served;
  Client client = served.client();
  EXPECT_EQ(client.ask("GET", "/livez").status, 200);
  EXPECT_EQ(client.ask("GET", "/nowhere").text("code"), "not_found");
  const Reply wrong = client.ask("PATCH", "/v1/topics");
  EXPECT_EQ(wrong.text("code"), "method_not_allowed");
  EXPECT_EQ(wrong.headers.at("allow"), "GET");
  EXPECT_EQ(client.ask("GET", "/readyz").status, 200);
}

TEST(Session, TakesRequestsByteByByte) {
  Served served;
  Client client = served.client();
  for (const char c : publish_request(event_json("1"))) client.send({&c, 1});
  EXPECT_EQ(client.reply().status, 201);
}

TEST(Session, AnswersPipelinedRequestsInOrder) {
  Served served;
  Client client = served.client();
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += i % 2 ? "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n" : publish_request(event_json(std::to_string(i)));
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.reply().status, i % 2 ? 200 : 201) << i;
  EXPECT_EQ(served.node.publishes, 25);
}

TEST(Session, AnswersAllThatWasAskedBeforeTheClientStoppedSending) {
  Served served;
  Client client = served.client();
  client.send(publish_request(event_json("1")) + publish_request(event_json("2")));
  client.close_sending();
  EXPECT_EQ(client.reply().status, 201);
  EXPECT_EQ(client.reply().status, 201);
  EXPECT_TRUE(client.closed());
}

TEST(Session, ReadsChunkedAndGzipBodies) {
  Served served;
  Client client = served.client();
  const std::string event = event_json("1");
  client.send(
      "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: "
      "application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : event) client.send(fmt::format("1;note=x\r\n{}\r\n", c));
  client.send("0\r\nTrailer: 1\r\n\r\n");
  EXPECT_EQ(client.reply().status, 201);

  const std::string small = gzip(event_json("2"));
  client.send(publish_request(small, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.reply().status, 201);
  EXPECT_EQ(
      client.ask("GET", "/v1/topics/t/events?limit=1&from=1&partition=0").json().as_array().at(0).at("id").as_string(),
      "2");
}

TEST(Session, RefusesBombsAndWrongEncodings) {
  Served served({.max_body_bytes = 64u << 20});
  {
    Client client = served.client();
    client.send(publish_request(gzip(std::string(40u << 20, ' ')), "Content-Encoding: gzip\r\n"));
    EXPECT_EQ(client.reply().text("code"), "too_large");
  }
  {
    Client client = served.client();
    client.send(publish_request("x", "Content-Encoding: br\r\n"));
    EXPECT_EQ(client.reply().text("code"), "unsupported_media_type");
  }
  Client client = served.client();
  client.send(publish_request("not gzip", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.reply().text("code"), "bad_request");
  EXPECT_EQ(served.node.publishes, 0);
}

TEST(Session, RefusesWhatIsTooLargeBeforeItIsSent) {
  Served served({.max_body_bytes = 1000});
  {
    Client client = served.client();
    client.send(
        "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: application/cloudevents+json\r\nContent-Length: "
        "1001\r\n\r\n");
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.headers.at("connection"), "close");
  }
  {
    Client client = served.client();
    client.send(
        "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: "
        "application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", 1500, std::string(1500, ' ')));
    EXPECT_EQ(client.reply().status, 413);
  }
  Client client = served.client();  // a client that sends all of a large body still sees the answer
  client.send(publish_request(std::string(8u << 20, ' ')));
  EXPECT_EQ(client.reply().status, 413);
}

TEST(Session, RefusesHeaderBombs) {
  Served served;
  {
    Client client = served.client();
    client.send("GET /livez HTTP/1.1\r\nHost: t\r\nX: " + std::string(40'000, 'x'));
    EXPECT_EQ(client.reply().status, 431);
  }
  {
    Client client = served.client();
    std::string many = "GET /livez HTTP/1.1\r\nHost: t\r\n";
    for (int i = 0; i < 101; ++i) many += fmt::format("X{}: 1\r\n", i);
    client.send(many + "\r\n");
    EXPECT_EQ(client.reply().text("code"), "header_too_large");
  }
  Client client = served.client();
  client.send("GET /" + std::string(40'000, 'x'));
  EXPECT_EQ(client.reply().status, 431);
}

TEST(Session, RefusesWhatIsNotHttp) {
  Served served;
  for (const char* bytes : {"\x16\x03\x01\x02\x01\x01", "GET /livez\r\n\r\n", "GET /livez HTTP/1.1\r\n\r\n",
                            "GET /livez HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                            "GET /livez HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                            "GET /livez HTTP/1.1\r\nHost: t\r\nX: a\r\n folded\r\n\r\n"}) {
    Client client = served.client();
    client.send(bytes);
    client.close_sending();
    const Reply reply = client.reply();
    EXPECT_TRUE(reply.status == 400 || reply.status == 0) << bytes << reply.status;
    EXPECT_TRUE(client.closed());
  }
}

TEST(Session, SaysContinueWhenAsked) {
  Served served;
  Client client = served.client();
  const std::string event = event_json("1");
  client.send(
      fmt::format("POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Type: "
                  "application/cloudevents+json\r\nContent-Length: {}\r\n\r\n",
                  event.size()));
  EXPECT_EQ(client.reply().status, 100);
  client.send(event);
  EXPECT_EQ(client.reply().status, 201);
}

TEST(Session, EndsSlowClients) {
  Served served;
  Client slow_head = served.client(), slow_body = served.client(), idle = served.client();
  slow_head.send("GET /livez HTT");
  slow_body.send(
      "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: application/cloudevents+json\r\nContent-Length: "
      "100\r\n\r\n{");
  EXPECT_EQ(idle.ask("GET", "/livez").status, 200);
  std::this_thread::sleep_for(Millis{50});
  served.clock.advance(Millis{11'000});
  EXPECT_EQ(slow_head.reply().text("code"), "request_timeout");
  EXPECT_TRUE(slow_head.closed());
  served.clock.advance(Millis{20'000});
  EXPECT_EQ(slow_body.reply().status, 408);
  served.clock.advance(Millis{100'000});
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(served.node.publishes, 0);
}

TEST(Session, EndsClientsThatSendOneByteAfterTheOther) {
  Served served;
  Client head = served.client(), body = served.client(), lines = served.client();
  head.send("GET /livez HTTP/1.1\r\nX: ");
  body.send(
      "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: application/cloudevents+json\r\nContent-Length: "
      "100000\r\n\r\n{");
  lines.send(
      "POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
      "100000\r\n\r\n{");
  for (int second = 0; second < 40; ++second) {
    std::this_thread::sleep_for(Millis{20});
    served.clock.advance(Millis{1'000});
    for (Client* client : {&head, &body, &lines}) client->send("x");
  }
  EXPECT_EQ(head.reply().text("code"), "request_timeout");
  EXPECT_EQ(body.reply().text("code"), "request_timeout");
  EXPECT_EQ(lines.reply().text("code"), "request_timeout");
  EXPECT_TRUE(head.closed() && body.closed() && lines.closed());
}

// Until nothing more comes: the server waits for room in the kernel's buffers.
void wait_until_blocked(int socket) {
  int there = 0;
  for (int same = 0, tries = 0; same < 10 && tries < 1'000; ++tries) {
    std::this_thread::sleep_for(Millis{10});
    int now = 0;
    CHECK(ioctl(socket, FIONREAD, &now) == 0);
    same = now == there && now != 0 ? same + 1 : 0;
    there = now;
  }
}

// Asks for far more than the kernel's buffers take; gives the connection's fate after 40 s in which so many bytes are
// taken each second.
bool ended_while_taking(std::size_t bytes_a_second) {
  Served served;
  Client other = served.client(), slow = served.client();
  for (int i = 0; i < 4; ++i)
    other.publish("t", event_json(std::to_string(i), "k", fmt::format("\"{}\"", std::string(1'000'000, 'x'))));
  for (int i = 0; i < 20; ++i) slow.send("GET /v1/topics/t/events HTTP/1.1\r\nHost: t\r\n\r\n");
  wait_until_blocked(slow.socket());
  std::string taken(bytes_a_second + 1, '\0');
  for (int second = 0; second < 40; ++second) {
    served.clock.advance(Millis{1'000});
    std::this_thread::sleep_for(Millis{20});
    std::size_t left = bytes_a_second;
    for (int tries = 0; left > 0 && tries < 500; ++tries) {  // the server may need a while on a busy machine
      const ssize_t got = recv(slow.socket(), taken.data(), left, MSG_DONTWAIT);
      if (got == 0) break;
      if (got > 0)
        left -= static_cast<std::size_t>(got);
      else
        std::this_thread::sleep_for(Millis{1});
    }
  }
  const auto ended = [&] {
    return other.ask("GET", "/metrics").body.find("continuo_http_timeouts_total 1\n") != std::string::npos;
  };
  for (int tries = 0; tries < 20 && !ended(); ++tries) std::this_thread::sleep_for(Millis{50});
  return ended();
}

TEST(Session, EndsClientsThatDoNotTakeTheirAnswer) { EXPECT_TRUE(ended_while_taking(0)); }
TEST(Session, EndsClientsThatTakeTheirAnswerInDrops) { EXPECT_TRUE(ended_while_taking(1'000)); }
TEST(Session, LetsSlowClientsTakeTheirAnswer) { EXPECT_FALSE(ended_while_taking(1'000'000)); }

// The answer comes before the body, which is dropped; then the connection goes on.
TEST(Session, RefusesAPublishWithoutRoomAtItsHead) {
  Served served;
  served.node.room = 1'000;
  Client client = served.client();
  const std::string request = publish_request(event_json("1", "k", fmt::format("\"{}\"", std::string(300'000, 'x'))));
  client.send(std::string_view{request}.substr(0, 500));
  const Reply refused = client.reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.text("code"), "overloaded");
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  for (std::size_t at = 500; at < request.size(); at += 50'000)
    client.send(std::string_view{request}.substr(at, 50'000));
  EXPECT_EQ(client.ask("GET", "/livez").status, 200);
  EXPECT_EQ(served.node.publishes, 0u);
  served.node.room = ~0ull;
  client.send(request);
  EXPECT_EQ(client.reply().status, 201);
}

// What one client was let in with, another has not: as long as its body comes.
TEST(Session, CountsWhatIsBeingReceived) {
  Served served;
  served.node.room = 250'000;
  Client one = served.client(), two = served.client();
  const std::string request = publish_request(event_json("1", "k", fmt::format("\"{}\"", std::string(200'000, 'x'))));
  one.send(std::string_view{request}.substr(0, 100'000));
  std::this_thread::sleep_for(Millis{100});
  two.send(request);
  EXPECT_EQ(two.reply().status, 503);
  one.send(std::string_view{request}.substr(100'000));
  EXPECT_EQ(one.reply().status, 201);
  two.send(request);
  EXPECT_EQ(two.reply().status, 201);
}

// The last answer may leave in one piece while the next request is held back for it.
TEST(Session, AnswersPipelinedRequestsForMuch) {
  Served served;
  Client client = served.client();
  for (int i = 0; i < 4; ++i)
    client.publish("t", event_json(std::to_string(i), "k", fmt::format("\"{}\"", std::string(500'000, 'x'))));
  constexpr int requests = 10;
  for (int i = 0; i < requests; ++i) client.send("GET /v1/topics/t/events HTTP/1.1\r\nHost: t\r\n\r\n");
  for (int i = 0; i < requests; ++i) EXPECT_EQ(client.reply().status, 200) << i;
}

TEST(Session, RefusesConnectionsBeyondTheLimit) {
  Served served({.max_connections = 2});
  Client one = served.client(), two = served.client();
  EXPECT_EQ(one.ask("GET", "/livez").status, 200);
  EXPECT_EQ(two.ask("GET", "/livez").status, 200);
  {
    Client three = served.client();
    const Reply reply = three.reply();
    EXPECT_EQ(reply.text("code"), "too_many_connections");
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
  }
  one.close();
  std::this_thread::sleep_for(Millis{100});
  Client four = served.client();
  EXPECT_EQ(four.ask("GET", "/livez").status, 200);
}

TEST(Session, FinishesRequestsUnderWayWhenStopped) {
  Served served;
  Client client = served.client(), idle = served.client();
  EXPECT_EQ(client.publish("t", event_json("0")).status, 201);
  EXPECT_EQ(idle.ask("GET", "/livez").status, 200);
  served.node.hold();
  client.send(publish_request(event_json("1")));
  while (served.node.publishes < 2) std::this_thread::sleep_for(Millis{1});
  std::thread stopping([&] { served.server->stop(); });
  EXPECT_TRUE(idle.closed());
  std::this_thread::sleep_for(Millis{50});
  served.node.release();
  EXPECT_EQ(client.reply().status, 201);
  EXPECT_TRUE(client.closed());
  stopping.join();
}

TEST(Session, LateAnswersFindNobody) {
  auto served = std::make_unique<Served>(ServerOptions{.timeouts = {.drain = Millis{100}}});
  served->node.hold();
  Client client = served->client();
  client.send(publish_request(event_json("1")));
  client.close();
  std::this_thread::sleep_for(Millis{50});
  served->server->stop();
  served->node.release();
  served->server.reset();
}

TEST(Session, TellsTheNodeWhenAWaitingConsumerGoes) {
  Served served;
  Client client = served.client();
  client.ask("PUT", "/v1/topics/t", "{}");
  client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"]})");
  served.node.hold();
  client.send("POST /v1/subscriptions/s/receive HTTP/1.1\r\nHost: t\r\nContent-Length: 15\r\n\r\n{\"wait\": \"20s\"}");
  while (!served.node.last_cancelled()) std::this_thread::sleep_for(Millis{1});
  EXPECT_FALSE(*served.node.last_cancelled());
  client.close();
  for (int i = 0; i < 2000 && !*served.node.last_cancelled(); ++i) std::this_thread::sleep_for(Millis{1});
  EXPECT_TRUE(*served.node.last_cancelled());
}

TEST(Session, AnswersOldClientsAndHead) {
  Served served;
  Client client = served.client();
  client.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.reply().headers.at("connection"), "keep-alive");
  client.send("HEAD /v1/node HTTP/1.1\r\nHost: t\r\n\r\nGET /livez HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  const std::string both = client.read_until("{\"live\":true}");
  EXPECT_NE(both.find("Content-Length: "), std::string::npos);
  EXPECT_EQ(both.find("\"version\""), std::string::npos);
  EXPECT_NE(both.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST(Server, ListensBeyondLoopbackOnlyWhenTold) {
  FakeNode node;
  const auto refused = Server::start(node, {.address = "0.0.0.0", .port = 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::bad_usage);
  EXPECT_NE(refused.error().hint.find("--i-accept-insecure"), std::string::npos);
  EXPECT_FALSE(Server::start(node, {.address = "nowhere", .port = 0}));
  const auto taken = Server::start(node, {.port = 0});
  ASSERT_TRUE(taken);
  const auto again = Server::start(node, {.port = (*taken)->port()});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::io_error);
  EXPECT_EQ((*taken)->endpoint(), fmt::format("127.0.0.1:{}", (*taken)->port()));
}

}  // namespace
}  // namespace continuo::serve
