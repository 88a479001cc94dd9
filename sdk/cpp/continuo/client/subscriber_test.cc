// The loop of a service, against a server that follows a script.
#include "continuo/client/subscriber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/client/scripted_server_test.h"

namespace continuo::client {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string delivery(const std::string& lease, const std::string& key) {
  return R"({"lease":")" + lease + R"(","attempt":1,"event":{"specversion":"1.0","id":"id-)" + lease +
         R"(","source":"/s","type":"T","subject":")" + key +
         R"(","correlationid":"flow","partition":"0","offset":"1","data":{"n":1.0}}})";
}

std::string deliveries(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += (out.empty() ? "" : ",") + one;
  return R"({"deliveries":[)" + out + "]}";
}

Result<void> forward(const Delivery& one, Outbox& outbox) {
  if (one.lease.starts_with("bad")) return fail(Code::io_error, "it \"broke\"");
  outbox.publish("out", Event{.source = "/me", .type = "Done", .subject = one.event.subject});
  return {};
}

TEST(Subscriber, settles_and_publishes_in_one_request) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("a", "k"), delivery("b", "k")}));
  server.answer(
      200,
      R"({"settled":2,"refused":[],"events":[{"partition":0,"offset":"0","duplicate":false},{"partition":0,"offset":"1","duplicate":true}]})");
  Client client(server.options());
  Subscriber subscriber(client, "work", forward);
  auto round = subscriber.run_once();
  ASSERT_TRUE(round) << to_string(round.error());
  EXPECT_EQ(*round, 2u);
  const std::string settle = server.requests().at(1);
  EXPECT_THAT(settle, HasSubstr(R"("ack":["a","b"])"));
  EXPECT_THAT(settle, HasSubstr(R"("id":"id-a.Done")"));
  EXPECT_THAT(settle, HasSubstr(R"("correlationid":"flow")"));
  EXPECT_THAT(settle, HasSubstr(R"("causationid":"id-b")"));
  EXPECT_EQ(subscriber.counts().handled, 2u);
  EXPECT_EQ(subscriber.counts().published, 1u);
}

TEST(Subscriber, gives_back_what_failed_and_leaves_what_is_behind_it) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("bad", "k"), delivery("behind", "k"), delivery("other", "l")}));
  server.answer(200, R"({"settled":2,"refused":[],"events":[]})");
  Client client(server.options());
  Subscriber subscriber(client, "work", forward);
  ASSERT_TRUE(subscriber.run_once());
  const std::string settle = server.requests().at(1);
  EXPECT_THAT(settle, HasSubstr(R"("ack":["other"])"));
  EXPECT_THAT(settle, HasSubstr(R"("nack":[{"lease":"bad","error":{"code":"io_error","message":"it \"broke\""}}])"));
  EXPECT_THAT(settle, Not(HasSubstr("behind")));
  EXPECT_EQ(subscriber.counts().failed, 1u);
}

TEST(Subscriber, gives_back_under_a_code_of_its_own) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("a", "k"), delivery("b", "l")}));
  server.answer(200, R"({"settled":2,"refused":[],"events":[]})");
  Client client(server.options());
  Subscriber subscriber(client, "work", [](const Delivery& one, Outbox& outbox) -> Result<void> {
    outbox.publish("out", Event{.source = "/me", .type = "Done"});
    if (one.lease == "a") return outbox.give_back("bad_amount", "the amount is a text");
    return {};
  });
  ASSERT_TRUE(subscriber.run_once());
  const std::string settle = server.requests().at(1);
  EXPECT_THAT(settle, HasSubstr(R"("error":{"code":"bad_amount","message":"the amount is a text"})"));
  EXPECT_THAT(settle, HasSubstr(R"("ack":["b"])"));
  EXPECT_THAT(settle, Not(HasSubstr("id-a.Done")));
}

TEST(Subscriber, settles_one_by_one_when_a_lease_was_lost) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("late", "k"), delivery("fine", "l")}));
  server.answer(409, R"({"code":"settle_refused","detail":"nothing happened"})");
  server.answer(409, R"({"code":"settle_refused","detail":"nothing happened"})");
  server.answer(200, R"({"settled":1,"refused":[],"events":[{"partition":0,"offset":"0","duplicate":false}]})");
  Client client(server.options());
  Subscriber subscriber(client, "work", forward);
  ASSERT_TRUE(subscriber.run_once());
  EXPECT_THAT(server.requests().at(3), HasSubstr(R"("ack":["fine"])"));
  EXPECT_EQ(subscriber.counts().handled, 1u);
  EXPECT_EQ(subscriber.counts().lost, 1u);
}

TEST(Subscriber, repeats_a_settle_with_the_same_body_when_its_answer_was_lost) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("a", "k")}));
  server.raw("HTTP/1.1 200 OK\r\nContent-LenCLOSE");
  server.answer(200, R"({"settled":1,"refused":[],"events":[]})");
  Client client(server.options(Millis{5'000}));
  Subscriber subscriber(client, "work", forward);
  ASSERT_TRUE(subscriber.run_once());
  EXPECT_EQ(server.requests().at(1), server.requests().at(2));
}

TEST(Subscriber, ends_at_an_error_that_waiting_does_not_mend) {
  ScriptedServer server;
  server.answer(503, R"({"code":"not_ready"})");
  server.answer(404, R"({"code":"unknown_subscription","detail":"no"})");
  Client client(server.options());
  auto ended = subscribe(client, "work", forward);
  EXPECT_EQ(ended.error().code, Code::unknown_subscription);
}

TEST(Subscriber, settles_what_it_handled_when_it_is_told_to_stop) {
  ScriptedServer server;
  server.answer(200, deliveries({delivery("a", "k"), delivery("b", "l")}));
  server.answer(200, R"({"settled":1,"refused":[],"events":[]})");
  std::stop_source stop;
  Options options = server.options();
  options.stop = stop.get_token();
  Client client(options);
  Subscriber subscriber(client, "work", [&](const Delivery&, Outbox&) -> Result<void> {
    stop.request_stop();
    return {};
  });
  ASSERT_TRUE(subscriber.run());
  EXPECT_THAT(server.requests().at(1), HasSubstr(R"("ack":["a"])"));
  EXPECT_EQ(subscriber.counts().handled, 1u);
}

TEST(Outbox, takes_the_trail_of_the_consumed_event) {
  const Delivery cause{.lease = "", .attempt = 1, .event = Event{.id = "c"}.extend("partitionkey", "p")};
  Outbox outbox(cause);
  outbox.publish("t", Event{.id = "mine", .type = "T"}.extend("correlationid", "own"));
  const Event& event = outbox.events().front().event;
  EXPECT_EQ(event.id, "mine");
  EXPECT_EQ(event.extension("correlationid"), "own");
  EXPECT_EQ(event.extension("causationid"), "c");
  EXPECT_EQ(event.key(), "p");
}

}  // namespace
}  // namespace continuo::client
