// Consumer groups over connections, in every version a client may speak.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int16_t none = 0;

// From version 4 on a new member is given an id first, and joins with it (KIP-394).
JoinGroupResponse joined(KafkaClient& client, const std::string& group, std::int16_t version) {
  auto answer = client.ask(join_of(group), version);
  if (version < 4) return answer;
  EXPECT_EQ(answer.error_code, number(KafkaError::member_id_required));
  EXPECT_FALSE(answer.member_id.empty());
  return client.ask(join_of(group, answer.member_id), version);
}

SyncGroupRequest sync_of(const std::string& group, const JoinGroupResponse& join) {
  SyncGroupRequest request;
  request.group_id = group;
  request.generation_id = join.generation_id;
  request.member_id = join.member_id;
  request.assignments = {{join.member_id, Bytes{"has"}}};
  return request;
}

HeartbeatRequest heartbeat_of(const std::string& group, const JoinGroupResponse& join) {
  HeartbeatRequest request;
  request.group_id = group;
  request.generation_id = join.generation_id;
  request.member_id = join.member_id;
  return request;
}

// Each request in the version that goes with that version of the join, as far as it has one.
TEST(KafkaGroups, AMemberLivesThroughItsLifeInEveryVersion) {
  const KafkaServed served;
  KafkaClient client = served.client();
  for (std::int16_t version = 0; version <= 9; ++version) {
    SCOPED_TRACE(version);
    const std::string group = "g" + std::to_string(version);
    const auto up_to = [version](std::int16_t most) { return std::min(version, most); };
    const auto join = joined(client, group, version);
    ASSERT_EQ(join.error_code, none);
    EXPECT_EQ(join.leader, join.member_id);
    EXPECT_EQ(join.protocol_name, "range");
    ASSERT_THAT(join.members, SizeIs(1));
    EXPECT_EQ(join.members[0].metadata, "wants");
    const auto sync = client.ask(sync_of(group, join), up_to(5));
    EXPECT_EQ(sync.error_code, none);
    EXPECT_EQ(sync.assignment, "has");
    EXPECT_EQ(client.ask(heartbeat_of(group, join), up_to(4)).error_code, none);
    auto old = heartbeat_of(group, join);
    --old.generation_id;
    EXPECT_EQ(client.ask(old, up_to(4)).error_code, number(KafkaError::illegal_generation));
    LeaveGroupRequest leave;
    leave.group_id = group;
    leave.member_id = join.member_id;
    leave.members = {{join.member_id, std::nullopt, std::nullopt}};
    EXPECT_EQ(client.ask(leave, up_to(5)).error_code, none);
    EXPECT_EQ(client.ask(heartbeat_of(group, join), up_to(4)).error_code, number(KafkaError::unknown_member_id));
  }
}

// Trap: offsets come back with the metadata they were committed with, in every version.
TEST(KafkaGroups, OffsetsComeBackInEveryVersion) {
  KafkaServed served;
  served.make_topic("orders", 2);
  KafkaClient client = served.client();
  for (std::int16_t version = 2; version <= 8; ++version) {
    OffsetCommitRequest commit;
    commit.group_id = "g";
    commit.topics = {{"orders", {{0, 40 + version, 0, "at lunch"}, {7, 1, 0, ""}}}};
    const auto answer = client.ask(commit, version);
    EXPECT_EQ(answer.topics.at(0).partitions.at(0).error_code, none);
    EXPECT_EQ(answer.topics[0].partitions.at(1).error_code, number(KafkaError::unknown_topic_or_partition));
  }
  for (std::int16_t version = 1; version <= 8; ++version) {
    SCOPED_TRACE(version);
    OffsetFetchRequest fetch;
    fetch.group_id = "g";
    fetch.topics.emplace();
    fetch.topics->push_back({"orders", {0, 1}});
    fetch.groups = {{"g", fetch.topics}};
    const auto answer = client.ask(fetch, version);
    const auto& topics = version < 8 ? answer.topics : answer.groups.at(0).topics;
    EXPECT_EQ(topics.at(0).partitions.at(0).committed_offset, 48);
    EXPECT_EQ(topics[0].partitions[0].metadata, "at lunch");
    EXPECT_EQ(topics[0].partitions.at(1).committed_offset, -1);
    EXPECT_EQ(topics[0].partitions[1].error_code, none);
  }
  OffsetFetchRequest all;
  all.group_id = "g";
  EXPECT_THAT(client.ask(all, 7).topics.at(0).partitions, SizeIs(1));
}

TEST(KafkaGroups, ACommitOfMuchMetadataIsRefusedForItsPartition) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.topics = {{"orders", {{0, 1, 0, std::string(5'000, 'x')}}}};
  EXPECT_EQ(client.ask(commit).topics.at(0).partitions.at(0).error_code, number(KafkaError::offset_metadata_too_large));
}

// Two members on two connections: the second's join begins a rebalance that both take part in.
TEST(KafkaGroups, ASecondMemberJoinsWhenTheFirstComesBack) {
  const KafkaServed served;
  KafkaClient first = served.client(), second = served.client();
  const auto alone = joined(first, "g", 9);
  EXPECT_EQ(first.ask(sync_of("g", alone)).error_code, none);
  const auto given = second.ask(join_of("g"));
  const auto waiting = second.send(join_of("g", given.member_id));
  while (first.ask(heartbeat_of("g", alone)).error_code == none) {
  }
  const auto again = first.ask(join_of("g", alone.member_id));
  const auto other = second.receive<JoinGroupRequest>(waiting);
  EXPECT_EQ(again.generation_id, alone.generation_id + 1);
  EXPECT_EQ(other.generation_id, again.generation_id);
  EXPECT_EQ(other.leader, again.member_id);
  EXPECT_THAT(again.members, SizeIs(2));
  EXPECT_THAT(other.members, IsEmpty()) << "only the leader hears of all";
  auto follower = sync_of("g", other);
  follower.assignments.clear();
  const auto synced = second.send(follower);
  auto leader = sync_of("g", again);
  leader.assignments = {{again.member_id, Bytes{"left"}}, {other.member_id, Bytes{"right"}}};
  EXPECT_EQ(first.ask(leader).assignment, "left");
  EXPECT_EQ(second.receive<SyncGroupRequest>(synced).assignment, "right");
}

TEST(KafkaGroups, AreListedDescribedAndDeleted) {
  const KafkaServed served;
  KafkaClient client = served.client();
  const auto join = joined(client, "g", 9);
  client.ask(sync_of("g", join));
  for (std::int16_t version = 0; version <= 4; ++version)
    EXPECT_THAT(client.ask(ListGroupsRequest{}, version).groups, SizeIs(1));
  EXPECT_THAT(client.ask(ListGroupsRequest{{"Empty"}}).groups, IsEmpty());
  for (std::int16_t version = 0; version <= 5; ++version) {
    const auto described = client.ask(DescribeGroupsRequest{{"g", "none"}}, version);
    ASSERT_THAT(described.groups, SizeIs(2));
    EXPECT_EQ(described.groups[0].group_state, "Stable");
    EXPECT_EQ(described.groups[0].members.at(0).client_host, "/127.0.0.1");
    EXPECT_EQ(described.groups[0].members[0].member_assignment, "has");
    EXPECT_EQ(described.groups[1].group_state, "Dead");
  }
  DeleteGroupsRequest remove;
  remove.groups = {"g", "none"};
  auto removed = client.ask(remove);
  EXPECT_EQ(removed.groups.at(0).error_code, number(KafkaError::non_empty_group));
  EXPECT_EQ(removed.groups.at(1).error_code, number(KafkaError::group_id_not_found));
  LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members = {{join.member_id, std::nullopt, std::nullopt}};
  client.ask(leave);
  EXPECT_EQ(client.ask(remove).groups.at(0).error_code, none);
  EXPECT_THAT(client.ask(ListGroupsRequest{}).groups, IsEmpty());
}

}  // namespace
}  // namespace continuo::serve
