// Every kind of request against a fake node: what is answered, and what is refused with which problem.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "continuo/delivery/push_metrics.h"
#include "continuo/serve/client_test.h"
#include "continuo/serve/handlers.h"

namespace continuo::serve {
namespace {

constexpr std::string_view structured = "Content-Type: application/cloudevents+json\r\n";
constexpr std::string_view batch = "Content-Type: application/cloudevents-batch+json\r\n";
constexpr std::string_view lines = "Content-Type: application/x-ndjson\r\n";

struct Doors : testing::Test {
  Served served;
  Client client = served.client();
  Reply post(std::string_view headers, std::string_view body) {
    return client.ask("POST", "/v1/topics/t/events", body, headers);
  }
};

TEST_F(Doors, DefineTopics) {
  EXPECT_EQ(
      client
          .ask("PUT", "/v1/topics/orders",
               R"({"partitions":6,"retention":{"time":"7d","bytes":"10GiB"},"cleanup":"delete","dedup_window":"2m"})")
          .status,
      201);
  EXPECT_EQ(client.ask("PUT", "/v1/topics/orders", R"({"partitions":6,"retention":{"time":"7d","bytes":10737418240}})")
                .status,
            200);
  const Reply other = client.ask("PUT", "/v1/topics/orders", R"({"partitions":7})");
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.text("code"), "topic_exists");
  EXPECT_EQ(other.headers.at("content-type"), "application/problem+json");
  const auto topic = client.ask("GET", "/v1/topics/orders/").json();
  EXPECT_EQ(topic.at("partitions").as_array().size(), 6u);
  EXPECT_EQ(topic.at("partitions").at(5).at("next").as_string(), "0");
  EXPECT_EQ(topic.at("retention").at("time").as_string(), "7d");
  EXPECT_EQ(client.ask("GET", "/v1/topics").json().at("topics").at(0).at("name").as_string(), "orders");
  EXPECT_EQ(client.ask("DELETE", "/v1/topics/orders").status, 204);
  EXPECT_EQ(client.ask("DELETE", "/v1/topics/orders").text("code"), "unknown_topic");
}

TEST_F(Doors, RefuseBadTopics) {
  const auto refused = [&](std::string_view name, std::string_view body) {
    const Reply reply = client.ask("PUT", fmt::format("/v1/topics/{}", name), body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  EXPECT_EQ(refused("a%20b", "{}"), "bad_name at topic");
  EXPECT_EQ(refused("..", "{}"), "bad_name at topic");
  EXPECT_EQ(refused(std::string(201, 'a'), "{}"), "bad_name at topic");
  EXPECT_EQ(refused("continuo.x", "{}"), "system_name at topic");
  EXPECT_EQ(refused("t", R"({"partitons":1})"), "unknown_field at partitons");
  EXPECT_EQ(refused("t", R"({"partitions":0})"), "bad_setting at partitions");
  EXPECT_EQ(refused("t", R"({"partitions":"6"})"), "bad_setting at partitions");
  EXPECT_EQ(refused("t", R"({"retention":{"time":7}})"), "bad_setting at retention.time");
  EXPECT_EQ(refused("t", R"({"retention":{"tme":"7d"}})"), "unknown_field at retention.tme");
  EXPECT_EQ(refused("t", R"({"cleanup":"compact"})"), "unsupported at cleanup");
  EXPECT_EQ(refused("t", R"({"partitions":1,"partitions":2})"), "bad_request at partitions");
  EXPECT_EQ(refused("t", "{\n \"partitions\": }"), "bad_json at line 2, column 16");
  EXPECT_EQ(refused("t", "[]"), "bad_request at body");
  EXPECT_EQ(client.ask("PUT", "/v1/topics/t", R"({"partitons":1})").text("hint").substr(0, 24),
            "did you mean 'partitions");
  EXPECT_EQ(client.ask("GET", "/v1/topics").body, R"({"topics":[]})");
}

TEST_F(Doors, ChangeTopics) {
  client.ask("PUT", "/v1/topics/orders", R"({"retention":{"time":"7d","bytes":1000000}})");
  const auto change = [&](std::string_view body) { return client.ask("PATCH", "/v1/topics/orders", body); };
  const Reply changed = change(R"({"partitions":3,"retention":{"bytes":null},"max_batch":"2MiB","timestamps":"appended",
                                   "segment":"64MiB","dedup_window":"0s"})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  const auto topic = client.ask("GET", "/v1/topics/orders").json();
  EXPECT_EQ(topic.at("partitions").as_array().size(), 3u);
  EXPECT_EQ(topic.at("retention").at("time").as_string(), "7d") << "what is not named stays";
  EXPECT_FALSE(topic.at("retention").as_object().contains("bytes"));
  EXPECT_EQ(topic.at("max_batch").as_int64(), 2 << 20);
  EXPECT_EQ(topic.at("timestamps").as_string(), "appended");
  EXPECT_EQ(topic.at("segment").as_int64(), 64 << 20);
  EXPECT_EQ(topic.at("dedup_window").as_string(), "0ms");
  EXPECT_EQ(change(R"({"retention":null,"segment":null})").status, 200);
  const auto bare = client.ask("GET", "/v1/topics/orders").json();
  EXPECT_FALSE(bare.as_object().contains("retention") || bare.as_object().contains("segment"));
  const auto refused = [&](std::string_view body) {
    const Reply reply = change(body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  EXPECT_EQ(refused(R"({"max_batch":"8MiB"})"), "bad_setting at max_batch");
  EXPECT_EQ(refused(R"({"max_batch":0})"), "bad_setting at max_batch");
  EXPECT_EQ(refused(R"({"segment":1000})"), "bad_setting at segment");
  EXPECT_EQ(refused(R"({"timestamps":"never"})"), "bad_setting at timestamps");
  EXPECT_EQ(refused(R"({"partitions":null})"), "bad_setting at partitions");
  EXPECT_EQ(refused(R"({"name":"x"})"), "unknown_field at name");
  EXPECT_EQ(client.ask("PATCH", "/v1/topics/none", "{}").text("code"), "unknown_topic");
  EXPECT_EQ(client.ask("PATCH", "/v1/topics/continuo.events", "{}").text("code"), "system_name");
}

TEST_F(Doors, TrimTopics) {
  for (int i = 0; i < 5; ++i) client.publish("t", event_json(std::to_string(i)));
  EXPECT_EQ(client.ask("POST", "/v1/topics/t/trim", R"({"partition":0,"before":"3"})").text("first"), "3");
  EXPECT_EQ(client.ask("GET", "/v1/topics/t/events?partition=0&from=1").text("code"), "offset_out_of_range");
  EXPECT_EQ(client.ask("POST", "/v1/topics/t/trim", R"({"partition":0})").text("at"), "before");
  EXPECT_EQ(client.ask("POST", "/v1/topics/t/trim", R"({"partition":0,"before":"x"})").text("code"), "bad_setting");
}

TEST_F(Doors, PublishInAllShapes) {
  EXPECT_EQ(post(structured, event_json("1")).text("events"), R"([{"partition":0,"offset":"0","duplicate":false}])");
  EXPECT_EQ(post(structured, event_json("1")).text("events"), R"([{"partition":0,"offset":"0","duplicate":true}])");
  EXPECT_EQ(post(structured, event_json("1", "other")).text("code"), "id_reused");
  EXPECT_EQ(post(batch, fmt::format("[{},{}]", event_json("2"), event_json("3"))).json().at("events").as_array().size(),
            2u);
  EXPECT_EQ(post(batch, "[]").status, 201);
  EXPECT_EQ(post("ce-specversion: 1.0\r\nce-id: 4\r\nce-source: /s\r\nce-type: T\r\nce-subject: "
                 "Z%C3%BCrich%20%22x%22\r\nce-traceparent: "
                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nContent-Type: text/plain\r\n",
                 "hello")
                .status,
            201);
  const auto read = client.ask("GET", "/v1/topics/t/events?partition=0&from=3").json().at(0);
  EXPECT_EQ(read.at("subject").as_string(), "Zürich \"x\"");
  EXPECT_EQ(read.at("correlationid").as_string(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(read.at("data").as_string(), "hello");
}

TEST_F(Doors, RefuseBadEvents) {
  const auto refused = [&](std::string_view headers, std::string_view body) {
    const Reply reply = post(headers, body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  EXPECT_EQ(refused(structured, R"({"specversion":"1.0","id":"1","source":"/s"})"), "bad_event at type");
  EXPECT_EQ(refused(structured, R"({"specversion":"1.0","id":"1","source":"/s","type":"T","time":"noon"})"),
            "bad_event at time");
  EXPECT_EQ(refused(structured, R"({"specversion":"1.0","id":"1","source":"/s","type":"T","Bad-Name":"x"})"),
            "bad_event at Bad-Name");
  EXPECT_EQ(refused(structured, "{\"specversion\":\"1.0\",\n\"id\":1,}"), "bad_json at line 2, column 8");
  EXPECT_EQ(refused(structured, "{\"specversion\":\"1.0\",\"id\":\"\xff\"}").substr(0, 8), "bad_utf8");
  EXPECT_EQ(refused(batch, fmt::format("[{},{{}}]", event_json("1"))).substr(0, 16), "bad_event at [1]");
  EXPECT_EQ(refused("ce-id: 1\r\n", "x"), "bad_event at specversion");
  EXPECT_EQ(refused("ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\n", "x"), "bad_event at type");
  EXPECT_EQ(refused("ce-specversion: 1.0\r\nce-id: %zz\r\n", "x"), "bad_event at id");
  EXPECT_EQ(
      refused("ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: T\r\nContent-Type: application/json\r\n",
              "{\"a\": nul}"),
      "bad_json at line 1, column 7");
  EXPECT_EQ(refused("Content-Type: text/csv\r\n", "x"), "unsupported_media_type at Content-Type");
  EXPECT_EQ(client.ask("POST", "/v1/topics/t/events?wait_for=all", event_json("1"), structured).text("code"),
            "bad_setting");
  EXPECT_EQ(client.ask("POST", "/v1/topics/continuo.x/events", event_json("1"), structured).status, 403);
  EXPECT_EQ(served.node.publishes, 0);
}

TEST_F(Doors, PublishLinesInChunks) {
  std::string body;
  for (int i = 0; i < 2500; ++i) body += event_json(std::to_string(i)) + (i % 2 ? "\r\n" : "\n\n");
  client.send(fmt::format("POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n{}\r\n{}", body.size(),
                          lines, body));
  const std::string answer = client.read_until("\r\n0\r\n\r\n");
  std::uint64_t events = 0;
  for (std::size_t at = 0; (at = answer.find("\"events\":", at)) != std::string::npos; at += 9) {
    const auto count = std::stoul(answer.substr(at + 9));
    EXPECT_LE(count, 1000u);
    events += count;
  }
  EXPECT_EQ(events, 2500u);
  EXPECT_NE(answer.find("\"lines\":[1,"), std::string::npos);
  EXPECT_EQ(client.ask("GET", "/livez").status, 200);
}

TEST_F(Doors, CommitTheLinesBeforeABadOne) {
  const std::string body =
      event_json("1") + "\n" + event_json("2") + "\n{\"specversion\":\"1.0\",}\n" + event_json("3") + "\n";
  client.send(fmt::format("POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n{}\r\n{}", body.size(),
                          lines, body));
  const std::string answer = client.read_until("\r\n0\r\n\r\n");
  EXPECT_NE(answer.find("\"lines\":[1,2],\"events\":2"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\"at\":\"line 3, column 22\""), std::string::npos) << answer;
  Client other = served.client();
  EXPECT_EQ(other.ask("GET", "/v1/topics/t/events").json().as_array().size(), 2u);
  EXPECT_EQ(other.ask("POST", "/v1/topics/t/events", "nonsense\n", lines).text("at"), "line 1, column 1");
}

TEST_F(Doors, HoldBackLinesWhileTheNodeIsOverloaded) {
  EXPECT_EQ(client.ask("PUT", "/v1/topics/t", "{}").status, 201);
  served.node.refuse_publishes(Error{Code::overloaded, "busy", {}, {}, 2});
  const std::string body = event_json("1");
  client.send(fmt::format("POST /v1/topics/t/events HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n{}\r\n{}", body.size(),
                          lines, body));
  while (served.node.publishes < 2) std::this_thread::sleep_for(Millis{1});
  served.node.refuse_publishes({});
  EXPECT_NE(client.read_until("\r\n0\r\n\r\n").find("\"events\":1"), std::string::npos);
}

TEST_F(Doors, SayWhenToTryAgain) {
  EXPECT_EQ(client.ask("PUT", "/v1/topics/t", "{}").status, 201);
  served.node.refuse_publishes(Error{Code::overloaded, "busy", {}, {}, 2});
  const Reply reply = client.publish("t", event_json("1"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "2");
}

TEST_F(Doors, RunSubscriptions) {
  for (int i = 0; i < 3; ++i) client.publish("orders", event_json(fmt::format("o{}", i), "c42"));
  const std::string_view settings =
      R"({"topics":["orders"],"from":"earliest","retry":{"attempts":3,"backoff":"fixed","base":"2s"},)"
      R"("target":{"pull":{}}})";
  EXPECT_EQ(client.ask("PUT", "/v1/subscriptions/s", settings).status, 201);
  EXPECT_EQ(client
                .ask("PUT", "/v1/subscriptions/s",
                     R"({"topics":["orders"],"from":"earliest","retry":{"attempts":3,"delay":"2s"}})")
                .status,
            200);
  const auto deliveries =
      client.ask("POST", "/v1/subscriptions/s/receive", R"({"max":3})").json().at("deliveries").as_array();
  ASSERT_EQ(deliveries.size(), 3u);
  EXPECT_EQ(deliveries[0].at("event").at("id").as_string(), "o0");
  EXPECT_EQ(deliveries[0].at("attempt").as_int64(), 1);
  const auto lease = [&](std::size_t i) { return std::string(deliveries[i].at("lease").as_string()); };
  const Reply settled =
      client.ask("POST", "/v1/subscriptions/s/settle",
                 fmt::format(R"({{"ack":["{}"],"nack":[{{"lease":"{}","error":{{"code":"fatal","message":"no"}}}}],)"
                             R"("publish":[{{"topic":"shipments","event":{}}}]}})",
                             lease(0), lease(1), event_json("s0")));
  EXPECT_EQ(settled.text("settled"), "2");
  const auto made = client.ask("GET", "/v1/topics/shipments/events").json().at(0);
  EXPECT_EQ(made.at("correlationid").as_string(), "o0");
  EXPECT_EQ(made.at("causationid").as_string(), "o0");
  const Reply late = client.ask(
      "POST", "/v1/subscriptions/s/settle",
      fmt::format(R"({{"ack":["{}"],"publish":[{{"topic":"shipments","event":{}}}]}})", lease(0), event_json("s1")));
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(late.json().at("refused").at(0).at("code").as_string(), "lease_lost");
  const auto parked = client.ask("GET", "/v1/subscriptions/s/parked").json().at("keys").at(0);
  EXPECT_EQ(parked.at("key").as_string(), "c42");
  EXPECT_EQ(parked.at("head").at("event").at("id").as_string(), "o1");
  EXPECT_EQ(parked.at("head").at("error").at("code").as_string(), "fatal");
  EXPECT_EQ(client.ask("GET", "/v1/subscriptions/s").text("parked_keys"), "1");
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/parked/none/retry").text("code"), "not_parked");
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/parked/c42/skip", R"({"reason":"seen to"})").status, 200);
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/pause").text("paused"), "true");
  EXPECT_EQ(client.ask("DELETE", "/v1/subscriptions/s").status, 204);
}

TEST_F(Doors, RefuseBadSubscriptions) {
  client.ask("PUT", "/v1/topics/t", "{}");
  const auto refused = [&](std::string_view body) {
    const Reply reply = client.ask("PUT", "/v1/subscriptions/s", body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  EXPECT_EQ(refused("{}"), "bad_setting at topics");
  EXPECT_EQ(refused(R"({"topics":[]})"), "bad_setting at topics");
  EXPECT_EQ(refused(R"({"topics":["t"],"filter":{}})"), "bad_pattern at filter (line 1, column 1)");
  EXPECT_EQ(refused(R"({"topics":["t"],"filter":"x"})"), "bad_setting at filter");
  EXPECT_TRUE(refused(R"({"topics":["t"],"filter":{"type":[{"prefixx":"x"}]}})").starts_with("bad_pattern at filter."));
  EXPECT_EQ(refused(R"({"topics":["t"],"retry":{"backoff":"quadratic"}})"), "bad_setting at retry.backoff");
  EXPECT_EQ(refused(R"({"topics":["t"],"target":{"webhook":{}}})"), "bad_setting at target.webhook.url");
  EXPECT_EQ(refused(R"({"topics":["t"],"order_by":"tenant"})"), "unsupported at order_by");
  EXPECT_EQ(refused(R"({"topics":["t"],"lease":"30"})"), "bad_setting at lease");
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/none/receive").text("code"), "unknown_subscription");
  EXPECT_EQ(client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"]})").status, 201);
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/settle", R"({"ack":["nonsense"]})").text("at"), "ack[0]");
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/settle", R"({"nack":[{"lase":"x"}]})").text("at"), "nack[0].lase");
  EXPECT_EQ(client.ask("POST", "/v1/subscriptions/s/seek", "{}").text("at"), "to");
  EXPECT_EQ(client.ask("GET", "/v1/queues/s").text("code"), "unknown_queue") << "an ordinary subscription";
}

TEST_F(Doors, ShowTheNode) {
  EXPECT_EQ(client.ask("GET", "/v1/node").text("home"), "embedded");
  EXPECT_EQ(client.ask("GET", "/openapi.json").text("openapi"), "3.1.0");
  EXPECT_EQ(client.ask("GET", "/errors/unknown_topic").text("status"), "404");
  EXPECT_EQ(client.ask("GET", "/errors/unknown_topic", {}, "Accept: text/plain\r\n").body.substr(0, 19),
            "unknown_topic (404)");
  EXPECT_EQ(client.ask("GET", "/errors/none").status, 404);
  served.node.its_health = node::Health::failed;
  EXPECT_EQ(client.ask("GET", "/readyz").text("code"), "node_failed");
}

// docs/metrics.md and the page name the same metrics.
TEST_F(Doors, DocumentEveryMetric) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../docs/metrics.md");
  std::set<std::string> documented, shown;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("| `")) documented.insert(line.substr(3, line.find('`', 3) - 3));
  ASSERT_FALSE(documented.empty());
  Served whole({.other_metrics = [] { return delivery::push_metrics({}); }});
  std::istringstream page(whole.client().ask("GET", "/metrics").body);
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("# TYPE ")) shown.insert(line.substr(7, line.find(' ', 7) - 7));
  EXPECT_EQ(documented, shown);
}

// docs/http.md and the page of the node tell the same limits, with the values they have unless told otherwise.
TEST_F(Doors, DocumentEveryLimit) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../docs/http.md");
  std::map<std::string, std::string> documented, shown;
  bool limits = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) limits = line == "## Limits";
    if (!limits || !line.starts_with("| `")) continue;
    const std::size_t end = line.find('`', 3), value = line.find("| ", end) + 2;
    documented[line.substr(3, end - 3)] = line.substr(value, line.find(' ', value) - value);
  }
  const auto page = client.ask("GET", "/v1/node").json();
  for (const auto& [name, value] : page.at("limits").as_object()) shown[name] = boost::json::serialize(value);
  EXPECT_EQ(documented, shown);
}

TEST_F(Doors, DoNotCreateTopicsWhenTold) {
  Served strict({.auto_create = false});
  Client other = strict.client();
  EXPECT_EQ(other.publish("t", event_json("1")).text("code"), "unknown_topic");
}

}  // namespace
}  // namespace continuo::serve
