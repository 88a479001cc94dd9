// Reading over real sockets: batches, positions, waiting, live tails, the order across partitions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "continuo/serve/client_test.h"
#include "continuo/serve/reading.h"

namespace continuo::serve {
namespace {

constexpr std::string_view as_stream = "Accept: text/event-stream\r\n";

std::vector<std::string> ids(const Reply& reply) {
  std::vector<std::string> found;
  const auto json = reply.json();
  for (const auto& event : json.as_array()) found.emplace_back(event.at("id").as_string());
  return found;
}

TEST(Read, GivesEventsWithTheirPlacesAndWhereToGoOn) {
  Served served;
  Client client = served.client();
  for (int i = 0; i < 5; ++i) client.publish("t", event_json(std::to_string(i)));
  Reply reply = client.ask("GET", "/v1/topics/t/events?partition=0&from=1&limit=2");
  EXPECT_EQ(reply.headers.at("content-type"), "application/cloudevents-batch+json");
  EXPECT_EQ(ids(reply), (std::vector<std::string>{"1", "2"}));
  const auto first = reply.json().as_array().at(0).as_object();
  EXPECT_EQ(first.at("partition").as_string(), "0");
  EXPECT_EQ(first.at("offset").as_string(), "1");
  EXPECT_EQ(first.at("time").as_string(), "2026-11-21T09:30:00.123Z");
  EXPECT_EQ(first.at("correlationid").as_string(), "1");
  EXPECT_EQ(first.at("data").at("n").as_int64(), 1);
  EXPECT_EQ(reply.headers.at("continuo-next"), "3");
  EXPECT_EQ(ids(client.ask("GET", "/v1/topics/t/events?partition=0&from=latest")).size(), 0u);
  EXPECT_EQ(ids(client.ask("GET", "/v1/topics/t/events?from=2026-11-21T09:30:00.124Z")).size(), 0u);
  EXPECT_EQ(ids(client.ask("GET", "/v1/topics/t/events?from=2026-11-21T09:30:00Z")).size(), 5u);
}

TEST(Read, MergesPartitionsInTheOrderOfAppending) {
  Served served;
  Client client = served.client();
  client.ask("PUT", "/v1/topics/t", R"({"partitions":5})");
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(std::to_string(i));
    client.publish("t", event_json(expected.back(), fmt::format("key-{}", i * 7 % 13)));
  }
  std::vector<std::string> got;
  std::string from = "earliest";
  for (int i = 0; i < 40 && got.size() < 100; ++i) {
    const Reply reply = client.ask("GET", fmt::format("/v1/topics/t/events?limit=7&from={}", from));
    for (auto& id : ids(reply)) got.push_back(id);
    from = reply.headers.at("continuo-next");
  }
  EXPECT_EQ(got, expected);
}

TEST(Read, GoesOnFromThePositionOfAPublish) {
  Served served;
  Client client = served.client();
  client.publish("t", event_json("1"));
  const std::string position = client.publish("t", event_json("2")).text("position");
  served.clock.advance(Millis{5});
  client.publish("t", event_json("3"));
  EXPECT_EQ(ids(client.ask("GET", "/v1/topics/t/events?from=" + position)), std::vector<std::string>{"3"});
}

TEST(Read, WaitsForTheFirstEventAndNoLonger) {
  Served served;
  Client client = served.client(), other = served.client();
  client.ask("PUT", "/v1/topics/t", "{}");
  client.send("GET /v1/topics/t/events?wait=20s HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(Millis{50});
  other.publish("t", event_json("1"));
  EXPECT_EQ(ids(client.reply()), std::vector<std::string>{"1"});
  client.send("GET /v1/topics/t/events?from=latest&wait=20s HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(Millis{50});
  served.clock.advance(Millis{20'001});
  EXPECT_EQ(client.reply().body, "[]");
}

TEST(Read, FindsOneStoryByItsCorrelation) {
  Served served;
  Client client = served.client();
  const auto with = [](int id, const char* correlation) {
    return fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/s","type":"T","correlationid":"{}"}})", id,
                       correlation);
  };
  for (int i = 0; i < 30; ++i) client.publish("t", with(i, i % 10 == 3 ? "mine" : "other"));
  EXPECT_EQ(ids(client.ask("GET", "/v1/topics/t/events?correlation=mine")),
            (std::vector<std::string>{"3", "13", "23"}));
}

TEST(Read, RefusesWhatIsNotThere) {
  Served served;
  Client client = served.client();
  client.ask("PUT", "/v1/topics/t", R"({"partitions":2})");
  client.ask("PUT", "/v1/topics/u", "{}");
  const auto code = [&](std::string_view target) { return client.ask("GET", target).text("code"); };
  EXPECT_EQ(code("/v1/topics/none/events"), "unknown_topic");
  EXPECT_EQ(code("/v1/topics/t/events?partition=2"), "unknown_partition");
  EXPECT_EQ(code("/v1/topics/t/events?partition=0&from=7"), "offset_out_of_range");
  EXPECT_EQ(code("/v1/topics/t/events?from=7"), "bad_position");
  EXPECT_EQ(code("/v1/topics/t/events?from=yesterday"), "bad_position");
  EXPECT_EQ(code("/v1/topics/t/events?partition=x"), "bad_setting");
  EXPECT_EQ(code("/v1/topics/t/events?limit=0"), "bad_setting");
  EXPECT_EQ(code("/v1/topics/t/events?wait=5"), "bad_setting");
  EXPECT_EQ(code("/v1/topics/t/events?filter=x"), "bad_pattern");
  EXPECT_EQ(code("/v1/topics/t/events?form=earliest"), "unknown_field");
  const std::string of_t = client.ask("GET", "/v1/topics/t/events").headers.at("continuo-next");
  EXPECT_EQ(code("/v1/topics/u/events?from=" + of_t), "bad_position");
}

TEST(Tail, GivesEventsAsTheyComeAndResumes) {
  Served served;
  Client client = served.client(), tail = served.client();
  client.publish("t", event_json("1"));
  tail.send(fmt::format("GET /v1/topics/t/events?from=earliest&partition=0 HTTP/1.1\r\nHost: t\r\n{}\r\n", as_stream));
  std::string text = tail.read_until("\"id\":\"1\"");
  EXPECT_NE(text.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_NE(text.find("id: 1\ndata: {"), std::string::npos) << text;
  client.publish("t", event_json("2", "k", "{\n \"n\": 2\r\n}"));
  text = tail.read_until("\n\n");
  EXPECT_NE(text.find("id: 2\ndata: {"), std::string::npos) << text;
  EXPECT_NE(text.find("\ndata:  \"n\": 2\ndata: }"), std::string::npos) << text;
  Client again = served.client();
  again.send(
      fmt::format("GET /v1/topics/t/events?partition=0 HTTP/1.1\r\nHost: t\r\nLast-Event-ID: 1\r\n{}\r\n", as_stream));
  EXPECT_EQ(again.read_until("\n\n").find("\"id\":\"1\""), std::string::npos);
}

TEST(Tail, SaysThatItIsThere) {
  Served served;
  Client client = served.client(), tail = served.client();
  client.ask("PUT", "/v1/topics/t", "{}");
  tail.send(fmt::format("GET /v1/topics/t/events HTTP/1.1\r\nHost: t\r\n{}\r\n", as_stream));
  tail.read_until("\r\n\r\n");
  std::this_thread::sleep_for(Millis{20});
  served.clock.advance(Millis{15'100});
  EXPECT_NE(tail.read_until(": \n\n").find(": \n\n"), std::string::npos);
}

TEST(Tail, EndsWithItsLimitAndWithTheServer) {
  Served served;
  Client client = served.client(), tail = served.client(), endless = served.client();
  for (int i = 0; i < 5; ++i) client.publish("t", event_json(std::to_string(i)));
  tail.send(fmt::format("GET /v1/topics/t/events?from=earliest&limit=3 HTTP/1.1\r\nHost: t\r\n{}\r\n", as_stream));
  const std::string text = tail.read_until("0\r\n\r\n");
  EXPECT_NE(text.find("\"id\":\"2\""), std::string::npos);
  EXPECT_EQ(text.find("\"id\":\"3\""), std::string::npos);
  EXPECT_EQ(tail.ask("GET", "/livez").status, 200);
  endless.send(fmt::format("GET /v1/topics/t/events HTTP/1.1\r\nHost: t\r\n{}\r\n", as_stream));
  endless.read_until("\r\n\r\n");
  served.server->stop();
  EXPECT_NE(endless.read_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos);
}

TEST(Tail, IsNotReadAheadOfASlowReader) {
  Served served;
  Client client = served.client(), tail = served.client();
  const std::string data = fmt::format("\"{}\"", std::string(100'000, 'x'));
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.publish("t", event_json(std::to_string(i), "k", data)).status, 201);
  tail.send(fmt::format("GET /v1/topics/t/events?from=earliest HTTP/1.1\r\nHost: t\r\n{}\r\n", as_stream));
  std::this_thread::sleep_for(Millis{300});
  const std::string page = client.ask("GET", "/metrics").body;
  const std::size_t at = page.find("\ncontinuo_http_buffer_bytes ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoul(page.substr(at + 28)), 2u << 20);  // one piece, not 30 MB
  std::size_t seen = 0;
  while (seen < 300) {
    const std::string text = tail.read_until("\n\n");
    if (text.empty()) break;
    for (std::size_t i = 0; (i = text.find("\"specversion\"", i)) != std::string::npos; ++i) ++seen;
  }
  EXPECT_EQ(seen, 300u);
}

}  // namespace
}  // namespace continuo::serve
