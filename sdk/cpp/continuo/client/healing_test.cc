// What the client says of parked keys, and reads of them.
#include "continuo/client/healing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/client/scripted_server_test.h"

namespace continuo::client {
namespace {

using testing::HasSubstr;

constexpr std::string_view parked_key =
    R"({"key":"c/42","id":"~00000000000000ff","state":"repairing","topic":"orders","partition":3,"offset":"41",)"
    R"("head":{"event":{"specversion":"1.0","id":"o-1","source":"/s","type":"OrderPaid","subject":"c/42",)"
    R"("partition":"3","offset":"41","data":{"n": 1.50}},"error":{"code":"bad_amount","message":"no \"n\""},)"
    R"("fingerprint":"f1","attempts":5,"repairs":2,"edited":true},"waiting":12,"repair_by":"person",)"
    R"("since":"2026-01-31T08:00:00Z"})";
constexpr std::string_view too_large =
    R"({"key":null,"id":"~0000000000000001","state":"parked","topic":"orders","partition":0,"offset":"7",)"
    R"("head":{"event":null,"event_bytes":9000000,"error":{"code":"x","message":""},"fingerprint":"f2","attempts":1,)"
    R"("repairs":0,"edited":false},"waiting":1,"repair_by":"workflow","since":"2026-01-31T08:00:00Z"})";

void expect_read(const ParkedKey& parked) {
  EXPECT_EQ(parked.key, "c/42");
  EXPECT_EQ(parked.id, "~00000000000000ff");
  EXPECT_EQ(parked.state, "repairing");
  EXPECT_EQ(parked.partition, PartitionId{3});
  EXPECT_EQ(parked.offset, Offset{41});
  ASSERT_TRUE(parked.event);
  EXPECT_EQ(parked.event->id, "o-1");
  EXPECT_EQ(parked.event->data, R"({"n": 1.50})") << "as it was written";
  EXPECT_EQ(parked.code, "bad_amount");
  EXPECT_EQ(parked.message, "no \"n\"");
  EXPECT_EQ(parked.fingerprint, "f1");
  EXPECT_EQ(parked.attempts, 5u);
  EXPECT_EQ(parked.repairs, 2u);
  EXPECT_TRUE(parked.edited);
  EXPECT_EQ(parked.waiting, 12u);
  EXPECT_EQ(parked.repair_by, "person");
}

TEST(Healing, lists_parked_keys) {
  ScriptedServer server;
  server.answer(200, R"({"keys":[)" + std::string(parked_key) + "," + std::string(too_large) + R"(],"next":"n1"})");
  server.answer(200, R"({"keys":[]})");
  Client client(server.options());
  Healing healing(client, "a b");
  auto page = healing.parked({.fingerprint = "f&1", .type = "OrderPaid", .limit = 2});
  ASSERT_TRUE(page) << to_string(page.error());
  ASSERT_EQ(page->keys.size(), 2u);
  expect_read(page->keys[0]);
  EXPECT_FALSE(page->keys[1].event);
  EXPECT_EQ(page->keys[1].key, "");
  EXPECT_EQ(page->next, "n1");
  EXPECT_TRUE(healing.parked({.key = "c/42", .after = page->next})->keys.empty());
  EXPECT_THAT(server.requests()[0],
              HasSubstr("GET /v1/subscriptions/a%20b/parked?limit=2&fingerprint=f%261&type=OrderPaid "));
  EXPECT_THAT(server.requests()[1], HasSubstr("/parked?limit=100&key=c%2F42&after=n1 "));
}

TEST(Healing, decides_about_one_key) {
  ScriptedServer server;
  server.answer(200, "{}");
  server.answer(200, "{}");
  server.answer(200, R"({"events":12})");
  server.answer(200, "{}");
  server.answer(409, R"({"code":"not_parked","detail":"the key is not parked"})");
  Client client(server.options());
  Healing healing(client, "s");
  ASSERT_TRUE(healing.retry("c/42"));
  ASSERT_TRUE(healing.skip("c", {.by = "ann", .reason = "paid \"by hand\""}));
  EXPECT_EQ(healing.cancel("c", {.by = "ann"}), 12u);
  const Event mended = Event{.id = "o-1", .source = "/s", .type = "T", .subject = "c"}.json("{\"n\": 2.50}");
  ASSERT_TRUE(healing.edit("~00000000000000ff", mended, {.reason = "cents"}, false));
  EXPECT_EQ(healing.retry("c").error().code, Code::not_parked);
  const auto asked = server.requests();
  EXPECT_THAT(asked[0], HasSubstr("POST /v1/subscriptions/s/parked/c%2F42/retry "));
  EXPECT_THAT(asked[0], HasSubstr("\r\n\r\n{}"));
  EXPECT_THAT(asked[1], HasSubstr("/parked/c/skip "));
  EXPECT_THAT(asked[1], HasSubstr(R"({"by":"ann","reason":"paid \"by hand\""})"));
  EXPECT_THAT(asked[2], HasSubstr("/parked/c/cancel "));
  EXPECT_THAT(asked[3], HasSubstr("/parked/~00000000000000ff/edit "));
  EXPECT_THAT(asked[3], HasSubstr(R"({"reason":"cents","event":{)"));
  EXPECT_THAT(asked[3], HasSubstr(R"("data":{"n": 2.50}},"release":false})"));
}

TEST(Healing, releases_many_keys) {
  ScriptedServer server;
  server.answer(200, R"({"matching":50,"released":0,"relapsed":0,"stop_at_relapse":true})");
  server.answer(202, R"({"release":3,"state":"running","matching":50,"released":1,"relapsed":0})");
  server.answer(200, R"({"release":3,"state":"relapsed","matching":50,"released":7,"relapsed":1})");
  server.answer(200, R"({"state":"none"})");
  Client client(server.options());
  Healing healing(client, "s");
  auto counted = healing.release({.dry_run = true});
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->matching, 50u);
  EXPECT_EQ(counted->number, 0u);
  auto begun = healing.release(
      {.fingerprint = "f1", .before = "2026-01-31T08:00:00Z", .rate = "100/s", .stop_at_relapse = false},
      {.by = "ann", .reason = "mended"});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->state, "running");
  auto ended = healing.last_release();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, "relapsed");
  EXPECT_EQ(ended->number, 3u);
  EXPECT_EQ(ended->released, 7u);
  EXPECT_EQ(ended->relapsed, 1u);
  EXPECT_EQ(healing.stop_release()->state, "none");
  EXPECT_THAT(server.requests()[0], HasSubstr(R"({"dry_run":true})"));
  EXPECT_THAT(server.requests()[1],
              HasSubstr(R"({"by":"ann","reason":"mended","fingerprint":"f1","before":"2026-01-31T08:00:00Z",)"
                        R"("rate":"100/s","stop_at_relapse":false})"));
  EXPECT_THAT(server.requests()[2], HasSubstr("GET /v1/subscriptions/s/parked/release "));
  EXPECT_THAT(server.requests()[3], HasSubstr("DELETE /v1/subscriptions/s/parked/release "));
}

TEST(Healing, is_done_by_workflows) {
  ScriptedServer server;
  server.answer(200, R"({"repairs":[{"lease":"l1","parked":)" + std::string(parked_key) + "}]}");
  server.answer(200, R"({"settled":2,"refused":[{"lease":"l3","code":"lease_lost"}]})");
  Client client(server.options());
  Healing healing(client, "s");
  auto repairs = healing.receive_repairs({.max = 5, .wait = Millis{20'000}});
  ASSERT_TRUE(repairs) << to_string(repairs.error());
  ASSERT_EQ(repairs->size(), 1u);
  EXPECT_EQ((*repairs)[0].lease, "l1");
  expect_read((*repairs)[0].parked);
  SettleRepairs settle;
  settle.repaired.push_back({"l1", *(*repairs)[0].parked.event, "cents"});
  settle.needs_person.push_back({"l2", {}});
  settle.skip.push_back({"l3", "twice"});
  settle.by = "robot";
  auto settled = healing.settle_repairs(settle);
  ASSERT_TRUE(settled) << to_string(settled.error());
  EXPECT_EQ(settled->settled, 2u);
  EXPECT_EQ(settled->refused.at(0).lease, "l3");
  EXPECT_THAT(server.requests()[0], HasSubstr("POST /v1/subscriptions/s/receive?role=repair "));
  EXPECT_THAT(server.requests()[1], HasSubstr("POST /v1/subscriptions/s/settle?role=repair "));
  EXPECT_THAT(server.requests()[1], HasSubstr(R"({"repaired":[{"lease":"l1","reason":"cents","event":{)"));
  EXPECT_THAT(server.requests()[1],
              HasSubstr(R"(],"needs_person":[{"lease":"l2"}],"skip":[{"lease":"l3","reason":"twice"}],"by":"robot"})"));
}

TEST(Healing, moves_a_subscription) {
  ScriptedServer server;
  server.answer(200, R"({"epoch":2})");
  server.answer(200, R"({"epoch":3})");
  Client client(server.options());
  Healing healing(client, "s");
  ASSERT_TRUE(healing.seek("earliest"));
  ASSERT_TRUE(healing.seek("2026-01-31T08:00:00Z", false, {.by = "ann"}));
  EXPECT_THAT(server.requests()[0], HasSubstr(R"({"to":"earliest"})"));
  EXPECT_THAT(server.requests()[1], HasSubstr(R"({"by":"ann","to":"2026-01-31T08:00:00Z","parked":"discard"})"));
}

TEST(Healing, takes_no_other_answers) {
  ScriptedServer server;
  for (const char* other : {"[]", "{}", R"({"keys":[1]})", R"({"keys":[{}]})"}) server.answer(200, other);
  Client client(server.options());
  Healing healing(client, "s");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(healing.parked().error().code, Code::connection_failed) << i;
}

}  // namespace
}  // namespace continuo::client
