// Consumer groups in a running node: answers wait for the disk, and a restart forgets nothing that was answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/node/groups.h"
#include "continuo/node/running_node_test.h"

namespace continuo::node {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class GroupsTest : public testing::Test {
 protected:
  GroupsTest() { CHECK(running_.start().has_value()); }
  Groups& groups() { return running_.node->groups(); }
  engines::JoinAnswer join(const std::string& member = {}) {
    engines::JoinGroup request{.group = "g", .member = member, .client_id = "test"};
    request.session_timeout = Millis{10'000};
    request.rebalance_timeout = Millis{10'000};
    request.protocol_type = "consumer";
    request.protocols = {{"range", "what I read"}};
    return *running_.edge.ask<engines::JoinAnswer>(
        [&](Edge& edge, auto answer) { groups().join(edge, request, std::move(answer)); });
  }
  engines::SyncAnswer sync(const engines::JoinAnswer& joined, const std::string& assignment) {
    engines::SyncGroup request{.who = {"g", joined.member, std::nullopt, joined.generation}};
    request.assignments = {{joined.member, assignment}};
    return *running_.edge.ask<engines::SyncAnswer>(
        [&](Edge& edge, auto answer) { groups().sync(edge, request, std::move(answer)); });
  }
  GroupError heartbeat(const engines::JoinAnswer& joined) {
    return *running_.edge.ask<GroupError>([&](Edge& edge, auto answer) {
      groups().heartbeat(edge, {"g", joined.member, std::nullopt, joined.generation}, std::move(answer));
    });
  }
  GroupOutcomes commit(const engines::JoinAnswer& joined, PartitionRef partition, std::int64_t offset) {
    engines::CommitOffsets request{.who = {"g", joined.member, std::nullopt, joined.generation}};
    request.partitions = {{partition, Offset{offset}, 0, "so far"}};
    return *running_.edge.ask<GroupOutcomes>(
        [&](Edge& edge, auto answer) { groups().commit(edge, request, std::move(answer)); });
  }
  std::vector<CommittedOffset> committed() {
    return *running_.edge.ask<std::vector<CommittedOffset>>(
        [&](Edge& edge, auto answer) { groups().committed(edge, "g", std::move(answer)); });
  }
  std::optional<engines::GroupDescription> describe() {
    return *running_.edge.ask<std::optional<engines::GroupDescription>>(
        [&](Edge& edge, auto answer) { groups().describe(edge, "g", std::move(answer)); });
  }
  RunningNode running_{testing::TempDir()};
};

TEST_F(GroupsTest, AGenerationAndItsOffsetsOutliveARestart) {
  const PartitionRef partition{running_.make_topic(), PartitionId{0}};
  const auto joined = join();
  ASSERT_EQ(joined.error, GroupError::none);
  EXPECT_EQ(joined.leader, joined.member);
  EXPECT_EQ(sync(joined, "all of it").assignment, "all of it");
  EXPECT_EQ(heartbeat(joined), GroupError::none);
  EXPECT_THAT(commit(joined, partition, 42).each, testing::ElementsAre(GroupError::none));
  ASSERT_TRUE(running_.start());
  EXPECT_EQ(heartbeat(joined), GroupError::none) << "the member goes on as if nothing had been";
  ASSERT_THAT(committed(), SizeIs(1));
  EXPECT_EQ(committed()[0].offset, Offset{42});
  EXPECT_EQ(committed()[0].metadata, "so far");
  const auto described = describe();
  ASSERT_TRUE(described.has_value());
  EXPECT_EQ(described->group.state, engines::GroupState::stable);
  ASSERT_THAT(described->members, SizeIs(1));
  EXPECT_EQ(described->members[0].assignment, "all of it");
}

TEST_F(GroupsTest, OffsetsGoWithTheirTopicAndAreNotTakenForAnotherOfItsName) {
  const PartitionRef partition{running_.make_topic(), PartitionId{0}};
  const auto joined = join();
  sync(joined, "x");
  commit(joined, partition, 42);
  ASSERT_TRUE(running_.edge.ask<void>(
      [&](Edge& edge, auto answer) { running_.node->delete_topic(edge, "t", std::move(answer)); }));
  EXPECT_THAT(committed(), IsEmpty());
  running_.make_topic();
  ASSERT_TRUE(running_.start());
  EXPECT_THAT(committed(), IsEmpty());
}

TEST_F(GroupsTest, MemberIdsAreNeverGivenTwice) {
  const auto first = join();
  sync(first, "x");
  engines::LeaveGroup leave{.group = "g", .members = {{first.member, std::nullopt}}};
  ASSERT_TRUE(running_.edge.ask<GroupOutcomes>(
      [&](Edge& edge, auto answer) { groups().leave(edge, leave, std::move(answer)); }));
  const auto second = join();
  EXPECT_NE(first.member, second.member);
  EXPECT_THAT(second.member, testing::StartsWith("test-"));
  EXPECT_GT(second.generation, first.generation);
}

TEST_F(GroupsTest, AreLookedAtTogetherAlsoAfterARestart) {
  const PartitionRef partition{running_.make_topic(), PartitionId{0}};
  const auto joined = join();
  sync(joined, "x");
  commit(joined, partition, 42);
  engines::CommitOffsets simple{.who = {"simple"}, .partitions = {{partition, Offset{7}, {}, {}}}};
  ASSERT_TRUE(running_.edge.ask<GroupOutcomes>(
      [&](Edge& edge, auto answer) { groups().commit(edge, simple, std::move(answer)); }));
  for (int start = 0; start < 2; ++start) {
    const auto survey = *running_.edge.ask<engines::GroupsSurvey>(
        [&](Edge& edge, auto answer) { groups().survey(edge, {}, std::move(answer)); });
    ASSERT_THAT(survey.groups, SizeIs(2));
    EXPECT_EQ(survey.groups[0].group.name, "g");
    EXPECT_EQ(survey.groups[0].members, 1u);
    EXPECT_THAT(survey.groups[0].committed, testing::ElementsAre(std::pair{partition, Offset{42}}));
    EXPECT_EQ(survey.groups[1].group.name, "simple");
    EXPECT_THAT(survey.groups[1].committed, testing::ElementsAre(std::pair{partition, Offset{7}}));
    EXPECT_THAT(survey.states, testing::ElementsAre(1, 0, 0, 1));
    ASSERT_TRUE(running_.start());
  }
}

// Who waits for a join when the node stops is answered.
TEST_F(GroupsTest, AWaitingJoinIsAnsweredOrForgottenWhenItsEdgeGoes) {
  const auto joined = join();
  sync(joined, "x");
  WaitingEdge other;
  running_.node->add_edge(other);
  engines::JoinGroup request{.group = "g", .client_id = "late"};
  request.session_timeout = request.rebalance_timeout = Millis{60'000};
  request.protocol_type = "consumer";
  request.protocols = {{"range", ""}};
  groups().join(other, request, [](Result<engines::JoinAnswer>) { FAIL() << "the edge is gone"; });
  running_.node->remove_edge(other);
  EXPECT_EQ(heartbeat(joined), GroupError::rebalance_in_progress);
}

}  // namespace
}  // namespace continuo::node
