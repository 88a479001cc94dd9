// Event patterns over HTTP: reads and tails that pass over what does not match, filters of subscriptions, and why.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "continuo/serve/client_test.h"
#include "continuo/wire/http/uri.h"

namespace continuo::serve {
namespace {

constexpr std::string_view as_stream = "Accept: text/event-stream\r\n";

struct Filters : testing::Test {
  Served served;
  Client client = served.client();

  static std::string event(int id, std::string_view type, std::string_view data = "{}") {
    return fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/s","type":"{}","data":{}}})", id, type, data);
  }
  void publish(int id, std::string_view type, std::string_view data = "{}") {
    ASSERT_EQ(client.publish("t", event(id, type, data)).status, 201);
  }
  static std::string with_filter(std::string_view path, std::string_view filter) {
    std::string target = fmt::format("{}{}filter=", path, path.find('?') == std::string_view::npos ? "?" : "&");
    wire::http::percent_encode(filter, target);
    return target;
  }
  Reply read(std::string_view path, std::string_view filter) { return client.ask("GET", with_filter(path, filter)); }
  static std::string ids(const Reply& reply) {
    std::string found;
    const auto json = reply.json();
    for (const auto& each : json.as_array()) found += std::string(each.at("id").as_string()) + " ";
    return found;
  }
};

// ---- reads ----------------------------------------------------------------------------------------------------------

TEST_F(Filters, AReadGivesWhatMatchesAndCountsOnlyThat) {
  for (int i = 0; i < 30; ++i) publish(i, i % 10 == 3 ? "Paid" : "Sent", fmt::format("{{\"n\":{}}}", i));
  EXPECT_EQ(ids(read("/v1/topics/t/events", R"({"type":["Paid"]})")), "3 13 23 ");
  EXPECT_EQ(ids(read("/v1/topics/t/events", R"({"data":{"n":[{"numeric":[">=",27]}]}})")), "27 28 29 ");
  const Reply first = read("/v1/topics/t/events?partition=0&limit=2", R"({"type":["Paid"]})");
  EXPECT_EQ(ids(first), "3 13 ");
  EXPECT_EQ(first.headers.at("continuo-next"), "14") << "behind the last that matched";
  const Reply none = read("/v1/topics/t/events?partition=0", R"({"type":["Lost"]})");
  EXPECT_EQ(none.body, "[]");
  EXPECT_EQ(none.headers.at("continuo-next"), "30") << "behind all that was looked at";
}

TEST_F(Filters, AcrossPartitionsTheOrderStays) {
  client.ask("PUT", "/v1/topics/t", R"({"partitions":4})");
  std::string expected;
  for (int i = 0; i < 60; ++i) {
    client.publish("t", fmt::format(R"({{"specversion":"1.0","id":"{0}","source":"/s","type":"{1}","subject":"k{2}"}})",
                                    i, i % 3 == 0 ? "Paid" : "Sent", i % 7));
    if (i % 3 == 0) expected += std::to_string(i) + " ";
  }
  std::string got, from = "earliest";
  for (int i = 0; i < 20; ++i) {
    const Reply page = read("/v1/topics/t/events?limit=3&from=" + from, R"({"type":["Paid"]})");
    got += ids(page);
    from = page.headers.at("continuo-next");
  }
  EXPECT_EQ(got, expected);
}

TEST_F(Filters, ALongPollWaitsForWhatMatches) {
  client.ask("PUT", "/v1/topics/t", "{}");
  Client other = served.client();
  const std::string poll = "GET " + with_filter("/v1/topics/t/events?partition=0&wait=20s", R"({"type":["Paid"]})") +
                           " HTTP/1.1\r\nHost: t\r\n\r\n";
  other.send(poll);
  std::this_thread::sleep_for(Millis{50});
  publish(1, "Sent");
  publish(2, "Paid");
  EXPECT_EQ(ids(other.reply()), "2 ");
  publish(3, "Sent");
  other.send("GET " + with_filter("/v1/topics/t/events?partition=0&from=3&wait=20s", R"({"type":["Paid"]})") +
             " HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(Millis{50});
  publish(4, "Sent");
  std::this_thread::sleep_for(Millis{50});
  served.clock.advance(Millis{20'001});
  const Reply empty = other.reply();
  EXPECT_EQ(empty.body, "[]");
  EXPECT_EQ(empty.headers.at("continuo-next"), "4");
}

TEST_F(Filters, ATailGivesWhatMatchesAndSaysThatItIsThere) {
  client.ask("PUT", "/v1/topics/t", "{}");
  Client tail = served.client();
  tail.send(fmt::format("GET {} HTTP/1.1\r\nHost: t\r\n{}\r\n",
                        with_filter("/v1/topics/t/events?from=earliest", R"({"type":["Paid"]})"), as_stream));
  tail.read_until("\r\n\r\n");
  publish(1, "Sent");
  publish(2, "Paid");
  const std::string text = tail.read_until("\n\n");
  EXPECT_EQ(text.find("\"id\":\"1\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"id\":\"2\""), std::string::npos) << text;
  std::this_thread::sleep_for(Millis{20});
  served.clock.advance(Millis{15'100});
  EXPECT_NE(tail.read_until(": \n\n").find(": \n\n"), std::string::npos);
}

TEST_F(Filters, ABadFilterIsToldWithItsPlace) {
  publish(1, "Sent");
  const Reply refused = read("/v1/topics/t/events", R"({"type":[{"prefixx":"P"}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.text("code"), "bad_pattern");
  EXPECT_TRUE(refused.text("at").starts_with("filter.type[0]")) << refused.text("at");
  EXPECT_NE(refused.text("hint").find("prefix"), std::string::npos);
}

// ---- subscriptions --------------------------------------------------------------------------------------------------

TEST_F(Filters, ASubscriptionShowsItsFilter) {
  client.ask("PUT", "/v1/topics/t", "{}");
  const Reply made =
      client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"],"filter":{ "type" : ["Paid", "Sent out"] }})");
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.body.find(R"("filter":{"type":["Paid","Sent out"]})"), std::string::npos) << made.body;
  EXPECT_EQ(
      client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"],"filter":{"type":["Paid","Sent out"]}})").status, 200)
      << "the same, however it is written";
  EXPECT_EQ(client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"]})").status, 409);
  EXPECT_EQ(client.ask("GET", "/v1/subscriptions/s").json().at("filter").at("type").at(0).as_string(), "Paid");
  EXPECT_EQ(
      client.ask("GET", "/v1/subscriptions").json().at("subscriptions").at(0).at("filter").at("type").at(1).as_string(),
      "Sent out");
}

TEST_F(Filters, AFilterIsChanged) {
  client.ask("PUT", "/v1/topics/t", "{}");
  client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"],"filter":{"type":["Paid"]}})");
  publish(1, "Paid");
  const Reply changed = client.ask("PATCH", "/v1/subscriptions/s", R"({"filter":{"type":["Sent"]}})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.body.find(R"("filter":{"type":["Sent"]})"), std::string::npos);
  EXPECT_NE(changed.body.find(R"("filtered_from":[{"topic":"t","partition":0,"offset":"1"}])"), std::string::npos)
      << changed.body;
  const Reply none = client.ask("PATCH", "/v1/subscriptions/s", R"({"filter":null})");
  EXPECT_EQ(none.body.find("\"filter\":"), std::string::npos) << none.body;
  EXPECT_EQ(client.ask("PATCH", "/v1/subscriptions/none", R"({"filter":null})").status, 404);
}

TEST_F(Filters, AChangeThatCannotBeIsRefused) {
  client.ask("PUT", "/v1/topics/t", "{}");
  client.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"]})");
  const auto refused = [&](std::string_view body) {
    const Reply reply = client.ask("PATCH", "/v1/subscriptions/s", body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  EXPECT_EQ(refused("{}"), "bad_setting at filter");
  EXPECT_EQ(refused(R"({"filter":null,"order_by":"none"})"), "unsupported at order_by");
  EXPECT_EQ(refused(R"({"filter":null,"parked":"discard"})"), "unsupported at parked");
  EXPECT_EQ(refused(R"({"filter":null,"parked":"lose"})"), "bad_setting at parked");
  EXPECT_EQ(refused(R"({"filtre":null})"), "unknown_field at filtre");
  EXPECT_EQ(refused(R"({"filter":{"type":["a"],"type":["b"]}})").substr(0, 11), "bad_pattern");
  EXPECT_EQ(client.ask("PATCH", "/v1/subscriptions/s", R"({"filter":null,"parked":"keep"})").status, 200);
}

// ---- explain --------------------------------------------------------------------------------------------------------

TEST_F(Filters, APatternIsExplained) {
  const Reply no = client.ask(
      "POST", "/v1/patterns/explain",
      R"({"pattern":{"data":{"amount":[{"numeric":[">",100]}]}},"event":)" + event(1, "Paid", R"({"amount":7})") + "}");
  EXPECT_EQ(no.status, 200) << no.body;
  EXPECT_EQ(no.text("matches"), "false");
  const auto because = no.json().at("because").at(0);
  EXPECT_EQ(because.at("at").as_string(), "data.amount");
  EXPECT_EQ(because.at("reason").as_string(), "not_met");
  EXPECT_EQ(boost::json::serialize(because.at("wanted")), R"({"numeric":[">",100]})");
  EXPECT_EQ(boost::json::serialize(because.at("found")), "7");
  const Reply yes =
      client.ask("POST", "/v1/patterns/explain", R"({"pattern":{"type":["Paid"]},"event":)" + event(1, "Paid") + "}");
  EXPECT_EQ(yes.text("matches"), "true");
}

TEST_F(Filters, AStoredEventIsExplained) {
  publish(1, "Sent");
  publish(2, "Paid");
  const auto matches = [&](int offset) {
    return client
        .ask("POST", "/v1/patterns/explain",
             fmt::format(R"({{"pattern":{{"type":["Paid"]}},"event":{{"topic":"t","partition":0,"offset":"{}"}}}})",
                         offset))
        .text("matches");
  };
  EXPECT_EQ(matches(0), "false");
  EXPECT_EQ(matches(1), "true");
  EXPECT_EQ(client
                .ask("POST", "/v1/patterns/explain",
                     R"({"subscriptions":true,"event":{"topic":"t","partition":0,"offset":"9"}})")
                .text("code"),
            "offset_out_of_range");
}

TEST_F(Filters, TheFiltersOfATopicAreExplained) {
  client.ask("PUT", "/v1/topics/t", "{}");
  client.ask("PUT", "/v1/topics/u", "{}");
  client.ask("PUT", "/v1/subscriptions/a", R"({"topics":["t"],"filter":{"type":["Paid"]}})");
  client.ask("PUT", "/v1/subscriptions/b", R"({"topics":["t"],"filter":{"type":["Sent"]}})");
  client.ask("PUT", "/v1/subscriptions/c", R"({"topics":["t"]})");
  client.ask("PUT", "/v1/subscriptions/d", R"({"topics":["u"]})");
  const auto verdicts = [&](std::string_view which) {
    const Reply reply =
        client.ask("POST", "/v1/patterns/explain", fmt::format(R"({{{},"event":{}}})", which, event(1, "Paid")));
    std::string all;
    const auto json = reply.json();
    EXPECT_TRUE(json.at("complete").as_bool());
    for (const auto& each : json.at("subscriptions").as_array())
      all += std::string(each.at("name").as_string()) + (each.at("matches").as_bool() ? "+" : "-");
    return all;
  };
  EXPECT_EQ(verdicts(R"("topic":"t")"), "a+b-c+");
  EXPECT_EQ(verdicts(R"("subscriptions":true)"), "a+b-c+d+");
}

TEST_F(Filters, WhatCannotBeExplainedIsRefused) {
  const auto refused = [&](const std::string& body) {
    const Reply reply = client.ask("POST", "/v1/patterns/explain", body);
    return fmt::format("{} at {}", reply.text("code"), reply.text("at"));
  };
  const std::string some = event(1, "Paid");
  EXPECT_EQ(refused(R"({"event":)" + some + "}"), "bad_setting at pattern");
  EXPECT_EQ(refused(R"({"pattern":{"type":["x"]},"subscriptions":true,"event":)" + some + "}"),
            "bad_setting at pattern");
  EXPECT_EQ(refused(R"({"pattern":{"type":["x"]}})"), "bad_setting at event");
  EXPECT_EQ(refused(R"({"pattern":{"type":["x"]},"event":{"specversion":"1.0"}})").substr(0, 12), "bad_event at");
  EXPECT_TRUE(refused(R"({"pattern":{"type":"x"},"event":)" + some + "}").starts_with("bad_pattern at pattern.type"));
  EXPECT_EQ(refused(R"({"topic":"none","event":)" + some + "}"), "unknown_topic at topic");
  EXPECT_EQ(refused(R"({"subscriptions":true,"event":{"topic":"none","partition":0,"offset":"0"}})"),
            "unknown_topic at topic");
}

}  // namespace
}  // namespace continuo::serve
