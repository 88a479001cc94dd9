// Consumer groups over HTTP: Kafka clients make them, operators look at them and set their offsets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/serve/kafka/client_test.h"
#include "continuo/wire/http/uri.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string quoted(const boost::json::value& value) { return boost::json::serialize(value); }

struct GroupDoors : testing::Test {
  GroupDoors() {
    served.make_topic("orders", 2);
    served.make_topic("payments");
  }

  void produce(const std::string& topic, std::int32_t partition, int records, std::int64_t timestamp = 0) {
    const std::vector<std::string> values(static_cast<std::size_t>(records), "v");
    const std::string batch =
        timestamp == 0 ? batch_of(values) : record::produced_batch(values, timestamp, record::ProducedBy{});
    ASSERT_EQ(kafka.ask(produce_to(topic, partition, batch)).topics.at(0).partitions.at(0).error_code, 0);
  }
  void commit(const std::string& group, const std::string& topic, std::int32_t partition, std::int64_t offset,
              const JoinGroupResponse& join = {}) {
    OffsetCommitRequest request;
    request.group_id = group;
    request.generation_id = join.member_id.empty() ? -1 : join.generation_id;
    request.member_id = join.member_id;
    request.topics = {{topic, {{partition, offset, -1, "at lunch"}}}};
    ASSERT_EQ(kafka.ask(request).topics.at(0).partitions.at(0).error_code, 0);
  }
  /// A group with one member that was told this.
  JoinGroupResponse join(const std::string& group, const std::string& assignment,
                         const std::string& type = "consumer") {
    JoinGroupRequest request;
    request.group_id = group;
    request.session_timeout_ms = request.rebalance_timeout_ms = 10'000;
    request.protocol_type = type;
    request.protocols = {{"range", Bytes{"wants"}}};
    request.member_id = kafka.ask(request).member_id;
    const auto joined = kafka.ask(request);
    SyncGroupRequest sync;
    sync.group_id = group;
    sync.generation_id = joined.generation_id;
    sync.member_id = joined.member_id;
    sync.assignments = {{joined.member_id, Bytes{assignment}}};
    EXPECT_EQ(kafka.ask(sync).error_code, 0);
    return joined;
  }
  void leave(const std::string& group, const JoinGroupResponse& join) {
    LeaveGroupRequest request;
    request.group_id = group;
    request.members = {{join.member_id, std::nullopt, std::nullopt}};
    ASSERT_EQ(kafka.ask(request).error_code, 0);
  }
  Reply reset(const std::string& group, const std::string& body) {
    return client.ask("POST", "/v1/groups/" + group + "/offsets", body);
  }
  /// {"before","committed","lag"} of each partition, or the problem.
  std::string offsets(const Reply& reply) {
    if (reply.status != 200) return reply.text("code") + " at " + reply.text("at");
    std::string all;
    const auto document = reply.json();
    for (const auto& each : document.at("partitions").as_array())
      all += fmt::format("{}{}>{} lag {}", all.empty() ? "" : "; ", quoted(each.at("before")),
                         quoted(each.at("committed")), quoted(each.at("lag")));
    return all;
  }

  KafkaServed served;
  KafkaClient kafka = served.client();
  Client client{served.server->port()};
};

// orders 0 and 1, and a topic that is not there.
const std::string two_and_a_stranger =
    "\0\1\0\0\0\2\0\6orders\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0\7\0\4gone\0\0\0\1\0\0\0\0\xff\xff\xff\xff"s;

TEST_F(GroupDoors, AreShownWithMembersAndLag) {
  produce("orders", 0, 5);
  produce("orders", 1, 3);
  produce("payments", 0, 4);
  const auto member = join("billing", two_and_a_stranger);
  commit("billing", "orders", 0, 2, member);
  commit("billing", "payments", 0, 9, member);
  const auto group = client.ask("GET", "/v1/groups/billing").json();
  EXPECT_EQ(group.at("name").as_string(), "billing");
  EXPECT_EQ(group.at("state").as_string(), "Stable");
  EXPECT_EQ(group.at("protocol_type").as_string(), "consumer");
  EXPECT_EQ(group.at("protocol").as_string(), "range");
  EXPECT_EQ(group.at("generation").as_int64(), 1);
  EXPECT_EQ(group.at("leader").as_string(), member.member_id);
  EXPECT_EQ(group.at("lag").as_int64(), 3);
  const auto& members = group.at("members").as_array();
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].at("id").as_string(), member.member_id);
  EXPECT_TRUE(members[0].at("instance_id").is_null());
  EXPECT_EQ(members[0].at("client_id").as_string(), "test");
  EXPECT_EQ(members[0].at("host").as_string(), "/127.0.0.1");
  EXPECT_EQ(quoted(members[0].at("assigned")), R"([{"topic":"orders","partitions":[0,1]}])");
  const std::string own = fmt::format(R"("member":"{}")", member.member_id);
  EXPECT_EQ(quoted(group.at("partitions")),
            R"([{"topic":"orders","partition":0,"committed":"2","metadata":"at lunch","next":"5","lag":3,)" + own +
                R"(},{"topic":"orders","partition":1,"committed":null,"metadata":null,"next":"3","lag":null,)" + own +
                R"(},{"topic":"payments","partition":0,"committed":"9","metadata":"at lunch","next":"4","lag":0,)"
                R"("member":null}])");
}

TEST_F(GroupDoors, WithoutMembersOrOffsetsAreShownAsFarAsThereIsAnything) {
  const auto member = join("workers", "not a consumer's", "connect");
  auto group = client.ask("GET", "/v1/groups/workers").json();
  EXPECT_EQ(quoted(group.at("members").at(0).at("assigned")), "[]");
  EXPECT_TRUE(group.at("lag").is_null());
  EXPECT_EQ(quoted(group.at("partitions")), "[]");
  leave("workers", member);
  group = client.ask("GET", "/v1/groups/workers").json();
  EXPECT_EQ(group.at("state").as_string(), "Empty");
  EXPECT_TRUE(group.at("leader").is_null());
  EXPECT_TRUE(group.at("protocol").is_null());
  EXPECT_EQ(quoted(group.at("members")), "[]");
  const Reply none = client.ask("GET", "/v1/groups/nobody");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.text("code"), "unknown_group");
}

TEST_F(GroupDoors, AreListedSomeAtATime) {
  EXPECT_EQ(client.ask("GET", "/v1/groups").body, R"({"groups":[]})");
  produce("orders", 0, 5);
  produce("payments", 0, 1);
  join("a", two_and_a_stranger);
  commit("b", "payments", 0, 0);
  commit("b", "orders", 0, 1);
  commit("c", "orders", 0, 5);
  const auto all = client.ask("GET", "/v1/groups").json();
  EXPECT_EQ(quoted(all), R"({"groups":[)"
                         R"({"name":"a","path":"/v1/groups/a","state":"Stable","protocol_type":"consumer","members":1,)"
                         R"("topics":[],"lag":null},)"
                         R"({"name":"b","path":"/v1/groups/b","state":"Empty","protocol_type":"","members":0,)"
                         R"("topics":["orders","payments"],"lag":5},)"
                         R"({"name":"c","path":"/v1/groups/c","state":"Empty","protocol_type":"","members":0,)"
                         R"("topics":["orders"],"lag":0}]})");
  std::string names, after;
  do {
    const auto page = client.ask("GET", "/v1/groups?limit=1" + after).json();
    ASSERT_EQ(page.at("groups").as_array().size(), 1u);
    names += page.at("groups").at(0).at("name").as_string();
    const auto* next = page.as_object().if_contains("next");
    after = next == nullptr ? "" : "&after=" + std::string(next->as_string());
  } while (!after.empty() && names.size() < 5);
  EXPECT_EQ(names, "abc");
  EXPECT_EQ(client.ask("GET", "/v1/groups?limit=0").text("at"), "limit");
  EXPECT_EQ(client.ask("GET", "/v1/groups?after=%20").text("at"), "after");
  EXPECT_EQ(client.ask("GET", "/v1/groups?stat=Empty").text("code"), "unknown_field");
}

TEST_F(GroupDoors, OfAnyNameAreFound) {
  for (const std::string& name : {"a/b c?"s, "..."s, "\xff\x00\""s, std::string(1'000, '%')}) {
    commit(name, "orders", 0, 1);
    std::string path = "/v1/groups/";
    wire::http::percent_encode(name, path);
    const auto list = client.ask("GET", "/v1/groups").json();
    ASSERT_EQ(list.at("groups").as_array().size(), 1u);
    EXPECT_EQ(list.at("groups").at(0).at("path").as_string(), path);
    EXPECT_EQ(client.ask("GET", path).status, 200) << path;
    EXPECT_EQ(client.ask("POST", path + "/offsets", R"({"topic":"orders","to":"latest"})").status, 200) << path;
    EXPECT_EQ(client.ask("DELETE", path).status, 204) << path;
    EXPECT_EQ(client.ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(client.ask("GET", "/v1/groups/%f").text("at"), "group");
  EXPECT_EQ(offsets(reset(std::string(1'001, 'g'), R"({"topic":"orders","to":"latest"})")), "too_large at group");
}

TEST_F(GroupDoors, AreDeletedWhenEmpty) {
  const auto member = join("g", two_and_a_stranger);
  commit("g", "orders", 0, 1, member);
  const Reply refused = client.ask("DELETE", "/v1/groups/g");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.text("code"), "group_not_empty");
  leave("g", member);
  EXPECT_EQ(client.ask("DELETE", "/v1/groups/g").status, 204);
  EXPECT_EQ(client.ask("DELETE", "/v1/groups/g").text("code"), "unknown_group");
}

TEST_F(GroupDoors, HaveTheirOffsetsSet) {
  produce("orders", 0, 5, 1'000'000);
  produce("orders", 1, 3, 2'000'000);
  const std::string all = R"("topic":"orders")";
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"to":"earliest","dry_run":true})")),
            R"(null>"0" lag 5; null>"0" lag 3)");
  EXPECT_EQ(client.ask("GET", "/v1/groups/g").status, 404) << "a dry run makes nothing";
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"to":"earliest"})")), R"(null>"0" lag 5; null>"0" lag 3)");
  EXPECT_EQ(client.ask("GET", "/v1/groups/g").json().at("lag").as_int64(), 8);
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"to":"4"})")), R"("0">"4" lag 1; "0">"3" lag 0)") << "as far as it goes";
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"partition":1,"to":"latest"})")), R"("3">"3" lag 0)");
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"to":"1970-01-01T00:20:00Z"})")), R"("4">"5" lag 0; "3">"0" lag 3)");
  client.ask("POST", "/v1/topics/orders/trim", R"({"partition":0,"before":"2"})");
  EXPECT_EQ(offsets(reset("g", "{" + all + R"(,"partition":0,"to":"0"})")), R"("5">"2" lag 3)");
  ASSERT_TRUE(served.running.node->health() == node::Health::running);
  EXPECT_EQ(client.ask("GET", "/v1/groups/g").json().at("lag").as_int64(), 6);
}

TEST_F(GroupDoors, HaveTheirOffsetsSetOnlyWhileEmpty) {
  const auto member = join("g", two_and_a_stranger);
  const std::string body = R"({"topic":"orders","to":"latest"})";
  EXPECT_EQ(offsets(reset("g", body)), "group_not_empty at group");
  EXPECT_EQ(offsets(reset("g", R"({"topic":"orders","to":"latest","dry_run":true})")), "group_not_empty at group");
  leave("g", member);
  EXPECT_EQ(reset("g", body).status, 200);
}

TEST_F(GroupDoors, RefuseBadResets) {
  const auto refused = [&](const std::string& body) { return offsets(reset("g", body)); };
  EXPECT_EQ(refused("{}"), "bad_setting at topic");
  EXPECT_EQ(refused(R"({"topic":"orders"})"), "bad_setting at to");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"latest","partitoin":1})"), "unknown_field at partitoin");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"sometime"})"), "bad_setting at to");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"-1"})"), "bad_setting at to");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"AQEAAA"})"), "bad_setting at to") << "a position of a read";
  EXPECT_EQ(refused(R"({"topic":"orders","to":"2026-99-01T00:00:00Z"})"), "bad_setting at to");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"latest","partition":-1})"), "bad_setting at partition");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"latest","dry_run":"no"})"), "bad_setting at dry_run");
  EXPECT_EQ(refused(R"({"topic":"a b","to":"latest"})"), "bad_name at topic");
  EXPECT_EQ(refused(R"({"topic":"nowhere","to":"latest"})"), "unknown_topic at topic");
  EXPECT_EQ(refused(R"({"topic":"orders","to":"latest","partition":2})"), "unknown_partition at partition");
  EXPECT_EQ(client.ask("GET", "/v1/groups").body, R"({"groups":[]})");
  EXPECT_EQ(client.ask("PUT", "/v1/groups/g", "{}").text("code"), "method_not_allowed");
}

TEST_F(GroupDoors, HaveSeriesOfTheirLag) {
  produce("orders", 0, 5);
  produce("orders", 1, 3);
  commit("billing \"x\"\\\n", "orders", 0, 4);
  commit("billing \"x\"\\\n", "orders", 1, 1);
  commit("\xff", "orders", 0, 1);
  join("watchers", two_and_a_stranger);
  const std::string page = client.ask("GET", "/metrics").body;
  EXPECT_THAT(page, HasSubstr("\ncontinuo_group_lag{group=\"billing \\\"x\\\"\\\\\\n\",topic=\"orders\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_group_members{group=\"watchers\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_consumer_groups{state=\"Empty\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_consumer_groups{state=\"Stable\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_consumer_groups_left_out 1\n")) << "a name that is no text";
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

TEST_F(GroupDoors, BeyondAThousandHaveNoSeries) {
  for (int i = 0; i < 1'003; ++i) commit(fmt::format("g{}", i), "orders", 0, 0);
  const std::string page = client.ask("GET", "/metrics").body;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = page.find("\ncontinuo_group_lag{", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 1'000u);
  EXPECT_THAT(page, HasSubstr("\ncontinuo_consumer_groups_left_out 3\n"));
  EXPECT_THAT(page, HasSubstr("\ncontinuo_consumer_groups{state=\"Empty\"} 1003\n"));
}

// The core may have to wait for the disk; who watches the node wants to know that then.
TEST(Metrics, ComeWithoutGroupsWhenTheCoreDoesNotAnswer) {
  Served served;
  served.node.hold();
  Client client = served.client();
  client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  while (served.node.held() == 0) std::this_thread::sleep_for(Millis{1});
  served.clock.advance(Millis{2'000});
  const Reply page = client.reply();
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("\n# TYPE continuo_group_lag gauge\n"));
  EXPECT_THAT(page.body, Not(HasSubstr("\ncontinuo_consumer_groups{")));
  served.node.release();
  EXPECT_EQ(client.ask("GET", "/livez").body, R"({"live":true})") << "the late word harms no later request";
  EXPECT_THAT(client.ask("GET", "/metrics").body, HasSubstr("\ncontinuo_consumer_groups{state=\"Empty\"} 0\n"));
}

}  // namespace
}  // namespace continuo::serve
