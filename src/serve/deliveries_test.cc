// Receiving over real sockets: answers within their bound, records from a slow disk, consumers that go, large lines.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "continuo/serve/client_test.h"

namespace continuo::serve {
namespace {

constexpr std::string_view batch = "Content-Type: application/cloudevents-batch+json\r\n";
constexpr std::string_view lines = "Content-Type: application/x-ndjson\r\n";

std::string event_of_size(std::string_view id, std::size_t bytes) {
  return event_json(id, "k", fmt::format("\"{}\"", std::string(bytes, 'x')));
}

template <class True>
bool eventually(True is_true) {
  for (int i = 0; i < 5'000 && !is_true(); ++i) std::this_thread::sleep_for(Millis{1});
  return is_true();
}

void subscribe(Client& client) {
  EXPECT_EQ(client.ask("PUT", "/v1/topics/t", "{}").status, 201);
  EXPECT_EQ(client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"],"from":"earliest"})").status, 201);
}

std::vector<std::string> received(Client& client, std::string_view request = R"({"max":1000})") {
  std::vector<std::string> ids;
  const Reply reply = client.ask("POST", "/v1/subscriptions/s/receive", request);
  EXPECT_EQ(reply.status, 200);
  const auto json = reply.json();
  for (const auto& delivery : json.at("deliveries").as_array()) {
    EXPECT_EQ(delivery.at("attempt").as_int64(), 1);
    ids.emplace_back(delivery.at("event").at("id").as_string());
  }
  return ids;
}

TEST(Deliveries, AnAnswerHasABoundAndWhatDoesNotFitIsGivenBack) {
  Served served({.max_deliveries_bytes = 1'000'000});
  Client client = served.client();
  subscribe(client);
  for (int i = 0; i < 5; ++i) client.publish("t", event_of_size(std::to_string(i), 400'000));
  EXPECT_EQ(received(client), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(served.node.returned, 3u);
  EXPECT_EQ(received(client), (std::vector<std::string>{"2", "3"})) << "in order";
  EXPECT_EQ(received(client), (std::vector<std::string>{"4"}));
  EXPECT_EQ(served.node.returned, 4u);
}

TEST(Deliveries, OneEventAlwaysFits) {
  Served served({.max_deliveries_bytes = 1'000});
  Client client = served.client();
  subscribe(client);
  for (int i = 0; i < 2; ++i) client.publish("t", event_of_size(std::to_string(i), 5'000));
  EXPECT_EQ(received(client), (std::vector<std::string>{"0"}));
  EXPECT_EQ(received(client), (std::vector<std::string>{"1"}));
}

TEST(Deliveries, TheBoundIsOfWhatIsWrittenToo) {
  Served served({.max_deliveries_bytes = 10'000});
  Client client = served.client();
  subscribe(client);
  for (int i = 0; i < 3; ++i)
    client.ask(
        "POST", "/v1/topics/t/events", std::string(4'000, '\x01'),
        fmt::format("ce-specversion: 1.0\r\nce-id: {}\r\nce-source: /s\r\nce-type: T\r\nContent-Type: text/plain\r\n",
                    i));
  EXPECT_EQ(received(client).size(), 1u) << "control characters take six bytes each";
  EXPECT_EQ(served.node.returned, 2u);
}

TEST(Deliveries, AListOfParkedKeysLeavesOutEventsBeyondTheBound) {
  Served served({.max_deliveries_bytes = 10'000});
  Client client = served.client();
  subscribe(client);
  for (int i = 0; i < 3; ++i)
    client.publish(
        "t", event_json(std::to_string(i), fmt::format("k{}", i), fmt::format("\"{}\"", std::string(6'000, 'x'))));
  for (int i = 0; i < 3; ++i) {
    const auto delivery =
        client.ask("POST", "/v1/subscriptions/s/receive", R"({"max":1})").json().at("deliveries").at(0);
    client.ask("POST", "/v1/subscriptions/s/settle",
               fmt::format(R"({{"nack":[{{"lease":"{}","error":{{"code":"fatal","message":"no"}}}}]}})",
                           std::string(delivery.at("lease").as_string())));
  }
  const auto keys = client.ask("GET", "/v1/subscriptions/s/parked").json().at("keys").as_array();
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_TRUE(keys[0].at("head").at("event").is_object());
  EXPECT_TRUE(keys[1].at("head").at("event").is_null());
  EXPECT_GT(keys[1].at("head").at("event_bytes").as_int64(), 6'000);
  EXPECT_EQ(keys[2].at("key").as_string(), "k2");
  const auto alone = client.ask("GET", "/v1/subscriptions/s/parked?key=k2").json().at("keys").as_array();
  EXPECT_TRUE(alone.at(0).at("head").at("event").is_object());
}

TEST(Deliveries, ASlowDiskHoldsOnlyThoseWhoReadFromIt) {
  Served served({.io_threads = 1});
  Client consumer = served.client(), operating = served.client(), settling = served.client(), other = served.client();
  subscribe(other);
  std::string events = "[";
  for (int i = 0; i < 2'500; ++i) events += (i ? "," : "") + event_json(std::to_string(i), std::to_string(i));
  EXPECT_EQ(other.ask("POST", "/v1/topics/t/events", events + "]", batch).status, 201);
  const auto first =
      other.ask("POST", "/v1/subscriptions/s/receive", R"({"max":2})").json().at("deliveries").as_array();
  const auto lease = [&](std::size_t i) { return std::string(first.at(i).at("lease").as_string()); };
  other.ask("POST", "/v1/subscriptions/s/settle",
            fmt::format(R"({{"nack":[{{"lease":"{}","error":{{"code":"fatal","message":"no"}}}}]}})", lease(0)));
  served.node.disk_hangs = true;
  const std::string settle =
      fmt::format(R"({{"ack":["{}"],"publish":[{{"topic":"t","event":{}}}]}})", lease(1), event_json("x"));
  consumer.send("POST /v1/subscriptions/s/receive HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
  operating.send("GET /v1/subscriptions/s/parked HTTP/1.1\r\nHost: t\r\n\r\n");
  settling.send(fmt::format("POST /v1/subscriptions/s/settle HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{}",
                            settle.size(), settle));
  std::this_thread::sleep_for(Millis{50});
  EXPECT_EQ(other.ask("GET", "/livez").status, 200);
  EXPECT_EQ(other.publish("t", event_json("y")).status, 201);
  served.node.disk_hangs = false;
  EXPECT_EQ(consumer.reply().json().at("deliveries").at(0).at("event").at("id").as_string(), "2");
  EXPECT_EQ(operating.reply().json().at("keys").at(0).at("head").at("event").at("id").as_string(), "0");
  EXPECT_EQ(settling.reply().text("settled"), "1");
  const auto made = other.ask("GET", "/v1/topics/t/events?partition=0&from=2501").json().at(0);
  EXPECT_EQ(made.at("causationid").as_string(), "1");
}

TEST(Deliveries, WhatFindsItsWaitingConsumerGoneIsGivenBack) {
  Served served;
  Client client = served.client(), leaves = served.client();
  subscribe(client);
  client.publish("t", event_json("0"));
  served.node.hold();
  leaves.send("POST /v1/subscriptions/s/receive HTTP/1.1\r\nHost: t\r\nContent-Length: 14\r\n\r\n{\"wait\":\"20s\"}");
  EXPECT_TRUE(eventually([&] { return served.node.held() == 1; }));
  leaves.close();
  EXPECT_TRUE(eventually([&] { return served.node.last_cancelled()->load(); }));
  served.node.release();
  EXPECT_TRUE(eventually([&] { return served.node.returned == 1; }));
  EXPECT_EQ(received(client), (std::vector<std::string>{"0"}));
}

TEST(Deliveries, NothingIsLeasedWhileTooManyAnswersAreUnderWay) {
  Served served({.max_buffer_bytes = 0});
  Client client = served.client();
  subscribe(client);
  client.publish("t", event_json("0"));
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/receive", "{}").text("code"), "overloaded");
  EXPECT_EQ(served.node.last_cancelled(), nullptr);
}

TEST(Lines, AChunkHasABoundAndALargerLineIsOneOfItsOwn) {
  Served served;
  Client client = served.client();
  std::string body = event_of_size("0", 3'900'000) + "\n";  // a chunk of 4 MiB would be full with little more
  for (int i = 1; i <= 80; ++i) body += event_of_size(std::to_string(i), 10'000) + "\n";
  body += event_of_size("81", 7u << 20) + "\n" + event_json("82") + "\n";
  client.send(
      fmt::format("POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n{}\r\n", body.size(), lines));
  client.send(body);
  const std::string answer = client.read_until("\r\n0\r\n\r\n");
  EXPECT_EQ(answer.find("error"), std::string::npos) << answer;
  EXPECT_LE(served.node.largest_chunk, 4u << 20);
  std::uint64_t events = 0;
  for (std::size_t at = 0; (at = answer.find("\"events\":", at)) != std::string::npos; at += 9)
    events += std::stoul(answer.substr(at + 9));
  EXPECT_EQ(events, 83u);
}

}  // namespace
}  // namespace continuo::serve
