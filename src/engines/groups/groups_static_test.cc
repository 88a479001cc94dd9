// Static members (KIP-345): a consumer that is restarted within its session takes its own place again.
#include "continuo/engines/groups/groups_test.h"

namespace continuo::engines::groups_test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StaticMembersTest : public GroupsTest {
 protected:
  // "a" leads, "b" follows.
  std::vector<std::string> two() {
    const auto first = join(static_request("a"));
    const auto second = join(static_request("b"));
    pass(Millis{1'000});
    return finish({first, second});
  }
  Membership who(const std::string& member, const std::string& instance) {
    return {"g", member, instance, generation_};
  }
};

TEST_F(StaticMembersTest, NeedNotComeBackWithAnIdBeforeTheyJoin) {
  JoinGroup wanted = static_request("a");
  wanted.requires_known_member = true;
  const auto token = join(wanted);
  pass(Millis{250});
  EXPECT_EQ(joined(token).error, GroupError::none);
  EXPECT_EQ(joined(token).members[0].instance, "a");
}

TEST_F(StaticMembersTest, OneThatComesBackTakesItsPlaceWithoutARebalance) {
  const auto ids = two();
  const auto back = join(static_request("b"));
  EXPECT_EQ(joined(back).error, GroupError::none);
  EXPECT_EQ(joined(back).member, "m3");
  EXPECT_EQ(joined(back).generation, 1);
  EXPECT_EQ(joined(back).leader, ids[0]);
  EXPECT_FALSE(joined(back).skip_assignment);
  EXPECT_EQ(state(), GroupState::stable);
  EXPECT_EQ(synced(sync("m3")).assignment, "for " + ids[1]) << "what it had";
  EXPECT_EQ(engine().heartbeat(who(ids[1], "b"), now_), GroupError::fenced_instance_id) << "its former self";
  EXPECT_EQ(engine().heartbeat(who("m3", "b"), now_), GroupError::none);
  restart();
  EXPECT_EQ(engine().heartbeat(who("m3", "b"), now_), GroupError::none);
  EXPECT_EQ(state(), GroupState::stable);
}

TEST_F(StaticMembersTest, ALeaderThatComesBackLeadsAndSkipsTheAssignment) {
  const auto ids = two();
  const auto back = join(static_request("a"));
  EXPECT_TRUE(joined(back).skip_assignment);
  EXPECT_EQ(joined(back).leader, "m3");
  EXPECT_THAT(joined(back).members, SizeIs(2)) << "it watches the topics of all";
  EXPECT_EQ(synced(sync("m3")).assignment, "for " + ids[0]);
  restart();
  join(request("m3"));
  EXPECT_EQ(state(), GroupState::preparing_rebalance) << "it leads";
}

TEST_F(StaticMembersTest, ALeaderThatCannotSkipTheAssignmentIsToldThatItsFormerSelfLeads) {
  const auto ids = two();
  JoinGroup old_client = static_request("a");
  old_client.can_skip_assignment = false;
  const auto back = join(old_client);
  EXPECT_FALSE(joined(back).skip_assignment);
  EXPECT_EQ(joined(back).leader, ids[0]);
  EXPECT_THAT(joined(back).members, IsEmpty());
}

TEST_F(StaticMembersTest, OneThatComesBackOwningNothingNeedsNoRebalance) {
  JoinGroup owner = static_request("a");
  owner.protocols[0].metadata = subscription({"a"}, "owns a-0 and a-1");
  const auto first = join(owner);
  pass(Millis{250});
  finish({first});
  EXPECT_EQ(joined(join(static_request("a"))).generation, 1);
}

// What a cooperative member says of the partitions of topic "a" that it owns, and what an assignment gives.
std::string partitions_of_a(std::initializer_list<std::int32_t> partitions) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.be(std::int32_t{1});
  writer.be(std::int16_t{1});
  writer.raw("a");
  writer.be(static_cast<std::int32_t>(partitions.size()));
  for (const std::int32_t each : partitions) writer.be(each);
  return bytes;
}
std::string owner_of(std::initializer_list<std::int32_t> partitions) {
  return subscription({"a"}, std::string(4, '\0') + partitions_of_a(partitions));
}
std::string assignment_of(std::initializer_list<std::int32_t> partitions) {
  return std::string("\0\1", 2) + partitions_of_a(partitions) + std::string(4, '\0');
}

// Found by the history checker: "a" gives a partition up so that "b" may have it, and is restarted before it says so.
TEST_F(StaticMembersTest, OneThatComesBackHalfWayThroughACooperativeRebalanceIsGivenANewOne) {
  const auto first = join(static_request("a"));
  pass(Millis{250});
  const auto a = finish({first}).front();
  JoinGroup owner = static_request("a", a);
  owner.protocols[0].metadata = owner_of({0, 1});
  const auto second = join(static_request("b"));
  const auto again = join(owner);
  generation_ = joined(again).generation;
  take(engine().sync({.token = ++token_,
                      .who = {"g", a, "a", generation_},
                      .assignments = {{a, assignment_of({0})}, {joined(second).member, assignment_of({})}}},
                     now_));
  sync(joined(second).member);
  ASSERT_EQ(state(), GroupState::stable);
  restart();  // nothing of it is lost with the server
  EXPECT_FALSE(answered(join(static_request("a"))));
  EXPECT_EQ(state(), GroupState::preparing_rebalance) << "or nobody owns partition 1 until something else happens";
}

TEST_F(StaticMembersTest, OneThatComesBackWhenAllIsAssignedNeedsNoRebalanceWhateverItOwned) {
  JoinGroup owner = static_request("a");
  owner.protocols[0].metadata = owner_of({0, 1});
  const auto first = join(owner);
  pass(Millis{250});
  generation_ = joined(first).generation;
  take(engine().sync({.token = ++token_,
                      .who = {"g", joined(first).member, "a", generation_},
                      .assignments = {{joined(first).member, assignment_of({0, 1, 2})}}},
                     now_));
  EXPECT_EQ(joined(join(static_request("a"))).generation, 1);
}

TEST_F(StaticMembersTest, OneThatComesBackWithOtherTopicsOrProtocolsRebalances) {
  two();
  JoinGroup changed = static_request("b");
  changed.protocols[0].metadata = subscription({"a", "b"});
  const auto topics = join(changed);
  EXPECT_FALSE(answered(topics));
  EXPECT_EQ(state(), GroupState::preparing_rebalance);
}

TEST_F(StaticMembersTest, OneThatComesBackInARebalanceFencesWhatItsFormerSelfWaitsFor) {
  const auto ids = two();
  const auto rejoin = join(static_request("b", ids[1]));
  EXPECT_TRUE(answered(rejoin)) << "unchanged";
  join(static_request("c"));
  const auto waits = join(static_request("b", ids[1]));
  EXPECT_FALSE(answered(waits));
  const auto back = join(static_request("b"));
  EXPECT_EQ(refusal(waits), GroupError::fenced_instance_id);
  EXPECT_FALSE(answered(back));
  const auto leader = join(static_request("a", ids[0]));
  EXPECT_EQ(joined(back).generation, 2);
  EXPECT_THAT(joined(leader).members, SizeIs(3));
}

TEST_F(StaticMembersTest, OneThatComesBackBeforeTheSyncsBeginsAnewSoThatTheLeaderKnowsItsId) {
  const auto first = join(static_request("a"));
  const auto second = join(static_request("b"));
  pass(Millis{1'000});
  generation_ = 1;
  const auto waits = sync(joined(second).member);
  const auto back = join(static_request("b"));
  EXPECT_EQ(refusal(waits), GroupError::fenced_instance_id);
  EXPECT_FALSE(answered(back));
  EXPECT_EQ(refusal(sync(joined(first).member)), GroupError::rebalance_in_progress);
}

TEST_F(StaticMembersTest, AStrangerWithAnotherOnesInstanceIsFenced) {
  const auto ids = two();
  EXPECT_EQ(refusal(join(static_request("b", ids[0]))), GroupError::fenced_instance_id);
  EXPECT_EQ(refusal(join(static_request("nobody", ids[0]))), GroupError::unknown_member_id);
  EXPECT_EQ(commit(who("stranger", "b"), zero, Offset{1}), GroupError::fenced_instance_id);
  EXPECT_EQ(leave("stranger", "b"), GroupError::fenced_instance_id);
}

TEST_F(StaticMembersTest, StayWhenTheyDoNotRejoinUntilTheirSessionEnds) {
  JoinGroup patient = static_request("b");
  patient.session_timeout = Millis{60'000};
  const auto first = join(static_request("a"));
  const auto second = join(patient);
  pass(Millis{1'000});
  const auto ids = finish({first, second});
  const Elapsed heard_of = now_;
  const auto rejoin = join(ids[0]);
  pass(Millis{20'000});
  EXPECT_EQ(joined(rejoin).generation, 2);
  EXPECT_THAT(joined(rejoin).members, SizeIs(2)) << "the leader assigns to it all the same";
  generation_ = 2;
  sync(ids[0], ids);
  while (now_ < heard_of + Millis{59'000}) {
    pass(Millis{1'000});
    EXPECT_EQ(heartbeat(ids[0]), GroupError::none);
  }
  pass(Millis{1'000});
  EXPECT_EQ(heartbeat(ids[0]), GroupError::rebalance_in_progress) << "now it is gone";
}

TEST_F(StaticMembersTest, ThatAreAllAwayAreWaitedForUntilTheirSessionsEnd) {
  JoinGroup patient = static_request("a");
  patient.session_timeout = Millis{60'000};
  const auto first = join(patient);
  pass(Millis{250});
  finish({first});
  const auto second = join();
  EXPECT_EQ(leave("m2"), GroupError::none);
  EXPECT_EQ(refusal(second), GroupError::unknown_member_id);
  pass(Millis{59'000});
  EXPECT_EQ(state(), GroupState::preparing_rebalance);
  pass(Millis{1'000});
  EXPECT_EQ(state(), GroupState::empty);
}

TEST_F(StaticMembersTest, AreRemovedByTheirInstanceAlone) {
  const auto ids = two();
  EXPECT_EQ(leave("", "b"), GroupError::none);
  EXPECT_EQ(leave("", "b"), GroupError::unknown_member_id);
  EXPECT_EQ(engine().heartbeat(who(ids[1], "b"), now_), GroupError::unknown_member_id);
  EXPECT_EQ(leave(ids[0], "a"), GroupError::none);
  EXPECT_EQ(state(), GroupState::empty);
}

TEST_F(StaticMembersTest, AFullGroupTakesBackItsOwn) {
  std::vector<Token> tokens;
  for (int i = 0; i < 5; ++i) tokens.push_back(join(static_request("i" + std::to_string(i))));
  pass(Millis{1'000});
  finish(tokens);
  EXPECT_EQ(refusal(join(static_request("i4"))), GroupError::none);
  EXPECT_EQ(refusal(join(static_request("i5"))), GroupError::group_max_size_reached);
}

}  // namespace
}  // namespace continuo::engines::groups_test
