// Request and reply over real sockets: who waits, who gets what, and what comes too late.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "continuo/serve/client_test.h"

namespace continuo::serve {
namespace {

constexpr std::string_view structured = "Content-Type: application/cloudevents+json\r\n";

void send_request(Client& client, std::string_view id, std::string_view query = "wait_for=reply&timeout=5s") {
  const std::string body = event_json(id);
  client.send(fmt::format("POST /v1/topics/asked/events?{} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}",
                          query, structured, body.size(), body));
}

std::string reply_json(std::string_view id, std::string_view cause) {
  return fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/s","type":"Answered","causationid":"{}"}})", id,
                     cause);
}

// The request is there.
void wait_for_requests(Client& client, std::size_t count) {
  std::size_t there = 0;
  for (int i = 0; i < 500 && there < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    const Reply reply = client.ask("GET", "/v1/topics/asked/events");
    if (reply.status == 200) there = reply.json().as_array().size();
  }
  ASSERT_EQ(there, count);
}

TEST(RequestReply, EachGetsTheFirstEventThatNamesItsRequest) {
  Served served;
  Client other = served.client(), first = served.client(), second = served.client();
  send_request(first, "q1");
  send_request(second, "q2");
  wait_for_requests(other, 2);
  other.publish("asked.replies", reply_json("r0", "q0"));
  other.publish("asked.replies", reply_json("r2", "q2"));
  other.publish("asked.replies", reply_json("r1", "q1"));
  other.publish("asked.replies", reply_json("again", "q1"));
  const Reply one = first.reply(), two = second.reply();
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.headers.at("content-type"), "application/cloudevents+json");
  EXPECT_EQ(one.text("id"), "r1");
  EXPECT_EQ(two.text("id"), "r2");
  const auto asked = other.ask("GET", "/v1/topics/asked/events").json();
  EXPECT_EQ(asked.at(0).at("replyto").as_string(), "asked.replies");
}

TEST(RequestReply, TellsWhereTheRequestIsWhenNoneComes) {
  Served served;
  Client client = served.client(), other = served.client();
  send_request(client, "q1", "wait_for=reply&timeout=2s");
  wait_for_requests(other, 1);
  served.clock.advance(Millis{3'000});
  const Reply late = client.reply();
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.text("code"), "reply_timeout");
  EXPECT_EQ(late.json().at("request").at("offset").as_string(), "0");
  EXPECT_EQ(client.ask("GET", "/livez").status, 200) << "the connection goes on";
}

TEST(RequestReply, OneWhoGoesIsForgotten) {
  Served served;
  Client other = served.client();
  {
    Client gone = served.client();
    send_request(gone, "q1");
    wait_for_requests(other, 1);
  }
  other.publish("asked.replies", reply_json("r1", "q1"));
  EXPECT_EQ(other.ask("GET", "/livez").status, 200);
}

}  // namespace
}  // namespace continuo::serve
