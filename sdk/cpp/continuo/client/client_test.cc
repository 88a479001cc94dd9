// The client against a server that follows a script: connections that break, refusals, streams.
#include "continuo/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/client/scripted_server_test.h"
#include "continuo/client/stream.h"

namespace continuo::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view one_place = R"({"durable":true,"events":[{"partition":2,"offset":"41","duplicate":false}]})";

std::string event_text(int number) {
  return R"({"specversion":"1.0","id":"e)" + std::to_string(number) +
         R"(","source":"/s","type":"T","partition":"1","offset":")" + std::to_string(number) + R"(","data":{"n":)" +
         std::to_string(number) + ".50}}";
}

std::string sent_event(int number) {
  return "id: p" + std::to_string(number) + "\ndata: " + event_text(number) + "\n\n";
}

std::string chunk(const std::string& bytes) {
  char size[17];
  std::snprintf(size, sizeof size, "%zx", bytes.size());
  return std::string{size} + "\r\n" + bytes + "\r\n";
}

TEST(Address, is_read_from_urls) {
  EXPECT_EQ(parse_address("http://10.0.0.5:90")->port, 90);
  EXPECT_EQ(parse_address("localhost:8080/")->host, "localhost");
  EXPECT_EQ(parse_address("http://[::1]:81")->host, "::1");
  EXPECT_EQ(to_string(*parse_address("[::1]:81")), "[::1]:81");
  EXPECT_EQ(parse_address("http://host")->port, 80);
  for (const std::string_view bad : {"", "http://", "host:99999", "host:x", "https://host", ":80", "a/b"})
    EXPECT_FALSE(parse_address(bad)) << bad;
}

TEST(Event, keeps_its_data_as_it_was_written) {
  const std::string text =
      R"({"specversion":"1.0","id":"1","source":"/s","type":"T","subject":"k","tries":3,"partition":"4","offset":"77","data":{"b":1.10, "a":[]}})";
  auto event = parse_event(text);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, R"({"b":1.10, "a":[]})");
  EXPECT_EQ(event->offset, Offset{77});
  EXPECT_EQ(event->partition, PartitionId{4});
  EXPECT_EQ(event->extension("tries"), "3");
  EXPECT_EQ(event->extension("offset"), "");
  EXPECT_EQ(event->key(), "k");
  auto again = parse_event(to_json(*event));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->data, event->data);
}

TEST(Event, key_is_the_partitionkey_before_the_subject) {
  Event event{.subject = "s"};
  EXPECT_EQ(event.extend("partitionkey", "p").extend("partitionkey", "q").key(), "q");
}

TEST(Event, refuses_what_is_none) {
  EXPECT_EQ(parse_event("{").error().code, Code::bad_json);
  EXPECT_EQ(parse_event(R"({"specversion":"1.0"})").error().code, Code::bad_event);
}

TEST(Client, publishes_over_one_kept_connection) {
  ScriptedServer server;
  server.answer(201, std::string{one_place});
  server.answer(201, std::string{one_place});
  Client client(server.options());
  for (int i = 0; i < 2; ++i) {
    auto place = client.publish("orders", Event{.source = "/s", .type = "T"}.json("{}"));
    ASSERT_TRUE(place) << to_string(place.error());
    EXPECT_EQ(place->offset, Offset{41});
    EXPECT_EQ(place->partition, PartitionId{2});
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(server.requests()[0], HasSubstr("POST /v1/topics/orders/events HTTP/1.1"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Content-Type: application/cloudevents+json"));
}

TEST(Client, gives_subscriptions_and_reads_their_filters) {
  ScriptedServer server;
  server.answer(201, "{}");
  server.answer(200, R"({"name":"s","filtered_from":[{"topic":"orders","partition":1,"offset":"41"}]})");
  server.answer(200, R"({"name":"s","filtered_from":[]})");
  server.answer(200, "[]", "Continuo-Next: 7\r\n");
  Client client(server.options());
  const std::string filter = R"({"data":{"amount":[{"numeric":[">",1.0]}]}})";
  ASSERT_TRUE(client.put_subscription("s", {.topics = {"orders"}, .filter = filter}));
  const auto from = client.change_subscription("s", {.filter = filter, .keep_parked = true});
  ASSERT_TRUE(from) << to_string(from.error());
  ASSERT_EQ(from->size(), 1u);
  EXPECT_EQ((*from)[0].topic, "orders");
  EXPECT_EQ((*from)[0].partition, PartitionId{1});
  EXPECT_EQ((*from)[0].offset, Offset{41});
  ASSERT_TRUE(client.change_subscription("s", {.filter = ""}));
  ASSERT_TRUE(client.read("orders", {.filter = R"({"type":["A"]})"}));
  EXPECT_THAT(server.requests()[0], HasSubstr("\"filter\":" + filter)) << "numbers stay as they were written";
  EXPECT_THAT(server.requests()[1], HasSubstr("PATCH /v1/subscriptions/s HTTP/1.1"));
  EXPECT_THAT(server.requests()[1], HasSubstr("\"filter\":" + filter + ",\"parked\":\"keep\"}"));
  EXPECT_THAT(server.requests()[2], HasSubstr("{\"filter\":null}"));
  EXPECT_THAT(server.requests()[3], HasSubstr("&filter=%7B%22type%22%3A%5B%22A%22%5D%7D"));
}

TEST(Client, says_every_setting_of_a_subscription) {
  ScriptedServer server;
  server.answer(201, "{}");
  for (int i = 0; i < 2; ++i) server.answer(200, R"({"name":"s","filtered_from":[]})");
  Client client(server.options());
  SubscriptionSettings settings{.topics = {"orders"}, .from = "2026-01-31T08:00:00Z"};
  settings.retry = {.attempts = 3, .backoff = "listed", .delays = {Millis{1'000}, Millis{60'000}}};
  settings.retry.rules = {{.codes = {"bad_amount", "http_4*"}, .attempts = 1},
                          {.codes = {"timeout"}, .base = Millis{500}, .jitter = true}};
  settings.on_failure = "dead_letter";
  settings.dead_letter = "s.dead";
  settings.ttl = Millis{3'600'000};
  settings.expires = Millis{7 * 86'400'000};
  settings.storm = {.keys = 50, .within = Millis{10'000}};
  settings.repairs = R"([{"patch":[]}])";
  settings.target = R"({"topic":{"name":"copies"}})";
  ASSERT_TRUE(client.put_subscription("s", settings));
  SubscriptionChange change;
  change.retry = Retry{.attempts = 5, .base = Millis{200}, .jitter = true};
  change.on_failure = "park";
  change.ttl.emplace();
  change.expires = Millis{60'000};
  change.storm.emplace();
  change.repairs = "";
  change.target = "";
  ASSERT_TRUE(client.change_subscription("s", change));
  ASSERT_TRUE(client.change_subscription("s", {.concurrency = 7, .lease = Millis{10'000}, .target = settings.target}));
  EXPECT_THAT(server.requests()[0],
              HasSubstr(R"({"topics":["orders"],"from":"2026-01-31T08:00:00Z","order_by":"key",)"
                        R"("retry":{"attempts":3,"backoff":"listed","delays":["1s","1m"],"rules":[)"
                        R"({"codes":["bad_amount","http_4*"],"attempts":1},)"
                        R"({"codes":["timeout"],"base":"500ms","jitter":true}]},"on_failure":"dead_letter",)"
                        R"("dead_letter":"s.dead","ttl":"1h","expires":"7d","storm":{"keys":50,"within":"10s"},)"
                        R"("repairs":[{"patch":[]}],"target":{"topic":{"name":"copies"}}})"));
  EXPECT_THAT(server.requests()[1],
              HasSubstr(R"({"retry":{"attempts":5,"base":"200ms","jitter":true},"on_failure":"park","ttl":null,)"
                        R"("expires":"1m","storm":null,"repairs":null,"target":{"pull":{}}})"));
  EXPECT_THAT(server.requests()[2],
              HasSubstr(R"({"concurrency":7,"lease":"10s","target":{"topic":{"name":"copies"}}})"));
}

TEST(Client, sends_messages_and_makes_their_queue) {
  ScriptedServer server;
  server.answer(201, "{}");
  server.answer(201, R"({"durable":true,"messages":[{"id":"a","partition":0,"offset":"41","duplicate":false},)"
                     R"({"id":"b","partition":1,"offset":"7","duplicate":true}]})");
  Client client{server.options()};
  EXPECT_TRUE(*client.put_queue("mail", {.fifo = true, .lease = Millis{20'000}, .max_receives = 3}));
  std::vector<Message> messages(2);
  messages[0].event.json(R"({"amount":1.50})");
  messages[0].delay = Millis{5'000};
  messages[0].group = "g";
  messages[1].event = Event{.id = "b", .source = "/s", .type = "T"};
  messages[1].dedup_id = "once";
  const auto sent = client.send("mail", messages);
  ASSERT_TRUE(sent) << to_string(sent.error());
  EXPECT_EQ(sent->at(0).offset, Offset{41});
  EXPECT_EQ(sent->at(1).id, "b");
  EXPECT_TRUE(sent->at(1).duplicate);
  const auto requests = server.requests();
  EXPECT_NE(requests[0].find(R"({"fifo":true,"lease":"20s","max_receives":3})"), std::string::npos) << requests[0];
  EXPECT_NE(requests[1].find(R"({"data":{"amount":1.50},"delay":"5s","group":"g"})"), std::string::npos) << requests[1];
  EXPECT_NE(requests[1].find(R"("dedup_id":"once")"), std::string::npos) << requests[1];
}

TEST(Client, waits_for_the_reply_to_a_request) {
  ScriptedServer server;
  server.answer(200, R"({"specversion":"1.0","id":"r","source":"/s","type":"T","causationid":"q"})");
  server.answer(504, R"({"code":"reply_timeout","detail":"none","status":504})",
                "Content-Type: application/problem+json\r\n");
  Client client{server.options()};
  const Event asked{.id = "q", .source = "/s", .type = "Asked"};
  const auto reply = client.request("quotes", asked, Millis{2'000});
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->id, "r");
  EXPECT_EQ(client.request("quotes", asked, Millis{100}).error().code, Code::reply_timeout);
  EXPECT_NE(server.requests()[0].find("POST /v1/topics/quotes/events?wait_for=reply&timeout=2s"), std::string::npos);
}

TEST(Client, sends_again_with_the_same_id_when_the_kept_connection_is_gone) {
  ScriptedServer server;
  server.answer(200, R"({"topics":[]})");
  server.raw("CLOSE");
  server.answer(201, std::string{one_place});
  Client client(server.options());
  ASSERT_TRUE(client.topics());
  ASSERT_TRUE(client.publish("orders", Event{.source = "/s", .type = "T"}));
  EXPECT_EQ(server.connections(), 2);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1], requests[2]);
  EXPECT_THAT(requests[2], HasSubstr("\"id\":\""));
}

TEST(Client, tells_a_lost_connection_without_patience) {
  ScriptedServer server;
  server.raw("CLOSE");
  Client client(server.options());
  EXPECT_EQ(client.topics().error().code, Code::connection_failed);
}

TEST(Client, waits_out_overload_and_broken_connections_with_patience) {
  ScriptedServer server;
  server.answer(503, R"({"code":"overloaded","detail":"later"})");
  server.raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalfCLOSE");
  server.answer(200, R"({"topics":[{"name":"a"},{"name":"b"}]})");
  Client client(server.options(Millis{5'000}));
  auto topics = client.topics();
  ASSERT_TRUE(topics) << to_string(topics.error());
  EXPECT_THAT(*topics, ElementsAre("a", "b"));
}

TEST(Client, does_not_repeat_what_was_refused_for_good) {
  ScriptedServer server;
  server.answer(404, R"({"code":"unknown_topic","detail":"there is no topic 'x'","at":"topic","hint":"make it"})");
  Client client(server.options(Millis{5'000}));
  const Error error = client.topic("x").error();
  EXPECT_EQ(error.code, Code::unknown_topic);
  EXPECT_EQ(error.at, "topic");
  EXPECT_EQ(error.hint, "make it");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Client, reads_retry_after) {
  const Answer answer{.status = 503, .headers = {{"retry-after", "7"}}, .body = "no JSON"};
  EXPECT_EQ(error_of(answer).code, Code::overloaded);
  EXPECT_EQ(error_of(answer).retry_after_s, 7);
}

TEST(Client, reads_chunked_answers) {
  ScriptedServer server;
  server.raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontinuo-next: p9\r\nTransfer-Encoding: chunked\r\n\r\n" +
             chunk("[" + event_text(1) + ",") + chunk(event_text(2) + "]") + "0\r\nTrailer: x\r\n\r\n");
  server.answer(200, R"({"topics":[]})");
  Client client(server.options());
  auto page = client.read("orders");
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_EQ(page->events.size(), 2u);
  EXPECT_EQ(page->next, "p9");
  EXPECT_TRUE(client.topics());
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, reads_on_over_empty_pages_until_it_stands_still) {
  ScriptedServer server;
  server.answer(200, "[" + event_text(1) + "]", "Continuo-Next: p1\r\n");
  server.answer(200, "[]", "Continuo-Next: p2\r\n");
  server.answer(200, "[" + event_text(2) + "]", "Continuo-Next: p3\r\n");
  server.answer(200, "[]", "Continuo-Next: p3\r\n");
  Client client(server.options());
  int seen = 0;
  auto next = client.read_all("orders", {}, [&](const Event&) { return ++seen > 0; });
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, "p3");
  EXPECT_EQ(seen, 2);
}

TEST(Client, goes_on_tailing_where_the_stream_broke) {
  ScriptedServer server;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  server.answer(200, "[]", "Continuo-Next: here\r\nConnection: close\r\n");
  server.raw(head + "CLOSE");  // before the first event
  server.raw(head + chunk(": comment\n\n" + sent_event(1)) + chunk("id: p2\nda") + "CLOSE");
  server.raw(head + chunk(sent_event(2).substr(0, 20)) + chunk(sent_event(2).substr(20) + sent_event(3)));
  Client client(server.options(Millis{5'000}));
  std::vector<std::int64_t> offsets;
  auto tailed = client.tail("orders", {}, [&](const Event& event) {
    offsets.push_back(event.offset->value);
    return offsets.size() < 3;
  });
  ASSERT_TRUE(tailed) << to_string(tailed.error());
  EXPECT_THAT(offsets, ElementsAre(1, 2, 3));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_THAT(requests[1], HasSubstr("from=here"));
  EXPECT_THAT(requests[2], HasSubstr("from=here"));
  EXPECT_THAT(requests[3], HasSubstr("Last-Event-ID: p1"));
}

TEST(Client, tells_when_a_tail_is_refused) {
  ScriptedServer server;
  server.answer(404, R"({"code":"unknown_topic","detail":"no"})");
  Client client(server.options(Millis{5'000}));
  auto tailed = client.tail("x", {.from = "earliest"}, [](const Event&) { return true; });
  EXPECT_EQ(tailed.error().code, Code::unknown_topic);
}

TEST(Client, stops_waiting_when_asked_to) {
  ScriptedServer server;
  std::stop_source stop;
  Options options = server.options(Millis{60'000});
  options.timeout = Millis{60'000};
  options.stop = stop.get_token();
  Client client(options);
  std::jthread later([&] {
    pause_for(Millis{100}, {});
    stop.request_stop();
  });
  const Micros begin = system_clock().steady();
  EXPECT_EQ(client.topics().error().code, Code::connection_failed);
  EXPECT_LT(system_clock().steady() - begin, Millis{5'000});
}

TEST(Client, escapes_names_in_paths) { EXPECT_EQ(percent_encode("a/b c\xc3\xa9~"), "a%2Fb%20c%C3%A9~"); }

TEST(EventStream, puts_pieces_together) {
  EventStream stream;
  std::vector<std::string> seen;
  const std::string text = "id: 1\r\ndata: a\r\ndata: b\r\n\r\n: note\n\nevent: x\nid:2\ndata:c\n\n";
  for (const char c : text) {
    auto fed = stream.feed({&c, 1}, [&](std::string_view id, std::string_view data) -> Result<bool> {
      seen.push_back(std::string{id} + "=" + std::string{data});
      return true;
    });
    ASSERT_TRUE(fed);
  }
  EXPECT_THAT(seen, ElementsAre("1=a\nb", "2=c"));
}

}  // namespace
}  // namespace continuo::client
