// Consumer groups: who is a member, when a rebalance begins and ends, what each member is told. The rules are those of
// Kafka's classic group coordinator, whose clients depend on every one of them.
#include "continuo/engines/groups/groups_test.h"

namespace continuo::engines::groups_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::vector<std::string> ids_of(const JoinAnswer& answer) {
  std::vector<std::string> ids;
  for (const JoinAnswer::Member& each : answer.members) ids.push_back(each.id);
  return ids;
}

// ---- joining --------------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, TheFirstMembersOfAGroupGatherBeforeTheFirstGeneration) {
  const auto first = join();
  pass(Millis{100});
  const auto second = join();
  EXPECT_FALSE(answered(first));
  pass(Millis{149});
  EXPECT_FALSE(answered(first)) << "250 ms, and somebody came meanwhile";
  pass(Millis{250});
  EXPECT_FALSE(answered(first)) << "extended once";
  pass(Millis{1});
  EXPECT_EQ(joined(first).generation, 1);
  EXPECT_EQ(joined(second).generation, 1);
  EXPECT_EQ(joined(first).leader, "m1");
  EXPECT_EQ(joined(second).leader, "m1");
  EXPECT_THAT(ids_of(joined(first)), ElementsAre("m1", "m2"));
  EXPECT_THAT(joined(second).members, IsEmpty()) << "only the leader is told of all";
  EXPECT_EQ(joined(first).members[1].metadata, subscription({"a"}));
}

TEST_F(GroupsTest, GatheringEndsWithTheRebalanceTimeout) {
  const auto hasty = [this] {
    JoinGroup made = request();
    made.rebalance_timeout = Millis{600};
    return join(made);
  };
  const auto first = hasty();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(answered(first));
    pass(Millis{199});
    hasty();
  }
  pass(Millis{3});
  EXPECT_TRUE(answered(first)) << "although somebody came all the time";
}

TEST_F(GroupsTest, ANewMemberMustComeBackWithTheIdItIsGivenFromJoinVersionFourOn) {
  JoinGroup wanted = request();
  wanted.requires_known_member = true;
  const auto first = join(wanted);
  EXPECT_EQ(refusal(first), GroupError::member_id_required);
  EXPECT_EQ(joined(first).member, "m1");
  EXPECT_THAT(recorded_.content(), IsEmpty()) << "of one who never comes back nothing is kept";
  wanted.member = "m1";
  const auto second = join(wanted);
  EXPECT_FALSE(answered(second));
  pass(Millis{250});
  EXPECT_EQ(joined(second).error, GroupError::none);
  EXPECT_EQ(joined(second).member, "m1");
}

TEST_F(GroupsTest, AJoinWaitsForIdsThatWereGivenUntilTheyRunOut) {
  const auto ids = stable(1);
  JoinGroup wanted = request();
  wanted.requires_known_member = true;
  join(wanted);
  const auto again = join(ids[0]);
  EXPECT_FALSE(answered(again)) << "somebody is about to join";
  pass(Millis{9'999});
  EXPECT_FALSE(answered(again));
  pass(Millis{1});
  EXPECT_EQ(joined(again).generation, 2);
}

TEST_F(GroupsTest, AnIdThatRanOutIsUnknown) {
  JoinGroup wanted = request();
  wanted.requires_known_member = true;
  join(wanted);
  pass(Millis{10'000});
  EXPECT_EQ(engine().size(), 0u) << "the group was never more than an id";
  wanted.member = "m1";
  EXPECT_EQ(refusal(join(wanted)), GroupError::unknown_member_id);
}

TEST_F(GroupsTest, AnIdThatWasGivenCanBeGivenBack) {
  JoinGroup wanted = request();
  wanted.requires_known_member = true;
  join(wanted);
  EXPECT_EQ(leave("m1"), GroupError::none);
  EXPECT_EQ(engine().size(), 0u);
}

TEST_F(GroupsTest, AJoinThatMakesNoSenseIsRefused) {
  JoinGroup wrong = request();
  wrong.group.clear();
  EXPECT_EQ(refusal(join(wrong)), GroupError::invalid_group_id);
  wrong = request();
  wrong.session_timeout = Millis{5'999};
  EXPECT_EQ(refusal(join(wrong)), GroupError::invalid_session_timeout);
  wrong.session_timeout = Millis{1'800'001};
  EXPECT_EQ(refusal(join(wrong)), GroupError::invalid_session_timeout);
  wrong = request();
  wrong.protocols.clear();
  EXPECT_EQ(refusal(join(wrong)), GroupError::inconsistent_group_protocol);
  EXPECT_EQ(refusal(join("stranger")), GroupError::unknown_member_id);
  wrong = request();
  wrong.protocols[0].metadata.assign(1'000, 'x');
  EXPECT_EQ(refusal(join(wrong)), GroupError::too_large);
  EXPECT_EQ(engine().size(), 0u);
}

TEST_F(GroupsTest, AMemberMustKnowAProtocolThatAllKnow) {
  stable(1);
  JoinGroup wrong = request();
  wrong.protocols = {{"sticky", "x"}};
  EXPECT_EQ(refusal(join(wrong)), GroupError::inconsistent_group_protocol);
  wrong = request();
  wrong.protocol_type = "connect";
  EXPECT_EQ(refusal(join(wrong)), GroupError::inconsistent_group_protocol);
  EXPECT_EQ(state(), GroupState::stable) << "nobody noticed";
}

TEST_F(GroupsTest, TheProtocolThatMostMembersLikeBestIsChosen) {
  JoinGroup wanted = request();
  const auto likes = [&](std::vector<GroupProtocol> protocols) {
    wanted = request();
    wanted.protocols = std::move(protocols);
    return join(wanted);
  };
  const auto first = likes({{"only mine", "0"}, {"range", "1"}, {"sticky", "2"}});
  likes({{"sticky", "3"}, {"range", "4"}});
  likes({{"sticky", "5"}, {"range", "6"}});
  pass(Millis{1'000});
  EXPECT_EQ(joined(first).protocol, "sticky");
  EXPECT_EQ(joined(first).members[1].metadata, "3") << "what members say in the chosen protocol";
}

TEST_F(GroupsTest, GroupsAndMembersAreLimited) {
  stable(5);
  EXPECT_EQ(refusal(join()), GroupError::group_max_size_reached);
  JoinGroup more = request();
  more.requires_known_member = true;
  EXPECT_EQ(refusal(join(more)), GroupError::group_max_size_reached);
  for (const char* name : {"h", "i", "j"}) {
    JoinGroup elsewhere = request();
    elsewhere.group = name;
    join(elsewhere);
  }
  more.group = "k";
  EXPECT_EQ(refusal(join(more)), GroupError::limit_reached);
}

// ---- rebalances -----------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, ANewMemberMakesTheOthersRejoin) {
  const auto ids = stable(2);
  const auto third = join();
  EXPECT_EQ(state(), GroupState::preparing_rebalance);
  EXPECT_EQ(heartbeat(ids[0]), GroupError::rebalance_in_progress);
  EXPECT_EQ(heartbeat(ids[1]), GroupError::rebalance_in_progress);
  const auto first = join(ids[0]);
  EXPECT_FALSE(answered(third)) << "one is missing";
  const auto second = join(ids[1]);
  EXPECT_EQ(joined(first).generation, 2);
  EXPECT_EQ(joined(third).generation, 2);
  EXPECT_EQ(joined(third).leader, ids[0]) << "who rejoined goes on leading";
  EXPECT_THAT(joined(first).members, SizeIs(3));
  finish({first, second, third});
}

TEST_F(GroupsTest, WhoDoesNotRejoinInTimeIsOut) {
  const auto ids = stable(2);
  const auto third = join();
  const auto second = join(ids[1]);
  pass(Millis{5'000});
  EXPECT_EQ(heartbeat(ids[0]), GroupError::rebalance_in_progress) << "alive, and does not rejoin";
  pass(Millis{9'000});
  heartbeat(ids[0]);
  pass(Millis{5'999});
  EXPECT_FALSE(answered(third));
  pass(Millis{1});
  EXPECT_EQ(joined(third).generation, 2);
  EXPECT_EQ(joined(third).leader, ids[1]) << "the leader is out";
  EXPECT_THAT(ids_of(joined(second)), ElementsAre(ids[1], "m3"));
  EXPECT_EQ(heartbeat(ids[0]), GroupError::unknown_member_id);
  EXPECT_EQ(refusal(join(ids[0])), GroupError::unknown_member_id);
}

TEST_F(GroupsTest, AFollowerThatRejoinsUnchangedGetsTheGenerationAtOnce) {
  const auto ids = stable(2);
  const auto again = join(ids[1]);
  EXPECT_EQ(joined(again).generation, 1);
  EXPECT_EQ(joined(again).leader, ids[0]);
  EXPECT_THAT(joined(again).members, IsEmpty());
  EXPECT_EQ(state(), GroupState::stable);
  EXPECT_EQ(synced(sync(ids[1])).assignment, "for " + ids[1]);
}

TEST_F(GroupsTest, ALeaderThatRejoinsAndAFollowerThatChangedRebalance) {
  const auto ids = stable(2);
  const auto leader = join(ids[0]);
  EXPECT_EQ(state(), GroupState::preparing_rebalance);
  const auto follower = join(ids[1]);
  finish({leader, follower});
  JoinGroup changed = request(ids[1]);
  changed.protocols[0].metadata = subscription({"a"}, "owns a-0");
  join(changed);
  EXPECT_EQ(state(), GroupState::preparing_rebalance) << "as cooperative consumers do when they gave up partitions";
}

TEST_F(GroupsTest, AMemberThatLostItsJoinAnswerGetsItAgain) {
  const auto first = join();
  const auto second = join();
  pass(Millis{1'000});
  const auto leader = join(joined(first).member);
  EXPECT_EQ(joined(leader).generation, 1);
  EXPECT_THAT(joined(leader).members, SizeIs(2));
  EXPECT_THAT(joined(join(joined(second).member)).members, IsEmpty());
  EXPECT_EQ(state(), GroupState::completing_rebalance);
}

TEST_F(GroupsTest, AChangedMemberThatRejoinsBeforeTheSyncsBeginsAnew) {
  const auto first = join();
  const auto second = join();
  pass(Millis{1'000});
  generation_ = 1;
  const auto waits = sync(joined(second).member);
  EXPECT_FALSE(answered(waits));
  JoinGroup changed = request(joined(first).member);
  changed.protocols[0].metadata = subscription({"a", "b"});
  join(changed);
  EXPECT_EQ(refusal(waits), GroupError::rebalance_in_progress);
}

TEST_F(GroupsTest, AnOlderJoinOfTheSameMemberIsAnsweredWhenItAsksAgain) {
  const auto ids = stable(2);
  const auto older = join(ids[0]);
  const auto newer = join(ids[0]);
  EXPECT_EQ(refusal(older), GroupError::rebalance_in_progress);
  EXPECT_FALSE(answered(newer));
}

// ---- syncing --------------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, SyncAssignmentBytesAreNeverEmptyUnderARebalance) {
  const auto first = join();
  const auto second = join();
  pass(Millis{1'000});
  generation_ = 1;
  const std::string leader = joined(first).member, follower = joined(second).member;
  const auto early = sync(follower);
  EXPECT_FALSE(answered(early)) << "it waits for the leader instead of being told of nothing";
  const auto leads = sync(leader, {leader, follower});
  EXPECT_EQ(synced(early).assignment, "for " + follower);
  EXPECT_EQ(synced(leads).assignment, "for " + leader);
  EXPECT_EQ(synced(leads).protocol, "range");
  EXPECT_EQ(synced(leads).protocol_type, "consumer");
  join();
  EXPECT_EQ(refusal(sync(follower)), GroupError::rebalance_in_progress) << "not the old one, not an empty one";
}

TEST_F(GroupsTest, AMemberTheLeaderForgotGetsEmptyBytes) {
  const auto first = join();
  const auto second = join();
  pass(Millis{1'000});
  generation_ = 1;
  sync(joined(first).member, {joined(first).member, "stranger"});
  const SyncAnswer& answer = synced(sync(joined(second).member));
  EXPECT_EQ(answer.error, GroupError::none);
  EXPECT_EQ(answer.assignment, "");
}

TEST_F(GroupsTest, ASyncOfAnotherGenerationProtocolOrStrangerIsRefused) {
  const auto ids = stable(1);
  EXPECT_EQ(refusal(sync("stranger")), GroupError::unknown_member_id);
  generation_ = 0;
  EXPECT_EQ(refusal(sync(ids[0])), GroupError::illegal_generation);
  generation_ = 1;
  SyncGroup wrong{.token = ++token_, .who = who(ids[0]), .protocol = "sticky"};
  take(engine().sync(wrong, now_));
  EXPECT_EQ(refusal(token_), GroupError::inconsistent_group_protocol);
  wrong = {.token = ++token_, .who = who(ids[0]), .protocol_type = "connect"};
  take(engine().sync(wrong, now_));
  EXPECT_EQ(refusal(token_), GroupError::inconsistent_group_protocol);
  wrong = {.token = ++token_, .who = {"", "m", {}, 0}};
  take(engine().sync(wrong, now_));
  EXPECT_EQ(refusal(token_), GroupError::invalid_group_id);
}

TEST_F(GroupsTest, ALeaderThatDoesNotSyncInTimeIsOut) {
  const auto first = join();
  const auto second = join();
  pass(Millis{250});
  pass(Millis{250});
  generation_ = 1;
  const auto waits = sync(joined(second).member);
  const Elapsed joined_at = now_;
  while (now_ < joined_at + Millis{19'000}) {
    pass(Millis{1'000});
    EXPECT_EQ(heartbeat(joined(first).member), GroupError::none) << "alive, and does not sync";
  }
  EXPECT_FALSE(answered(waits));
  pass(Millis{1'000});
  EXPECT_EQ(refusal(waits), GroupError::rebalance_in_progress);
  EXPECT_EQ(heartbeat(joined(first).member), GroupError::unknown_member_id);
  const auto again = join(joined(second).member);
  EXPECT_EQ(joined(again).leader, joined(second).member);
  EXPECT_EQ(joined(again).generation, 2);
}

TEST_F(GroupsTest, AFollowerThatDoesNotSyncInTimeIsOutAlsoWhenTheGroupIsStable) {
  const auto first = join();
  const auto second = join();
  pass(Millis{500});
  generation_ = 1;
  sync(joined(first).member, {joined(first).member, joined(second).member});
  EXPECT_EQ(state(), GroupState::stable);
  for (int i = 0; i < 20; ++i) {
    pass(Millis{1'000});
    heartbeat(joined(first).member);
    heartbeat(joined(second).member);
  }
  EXPECT_EQ(heartbeat(joined(second).member), GroupError::unknown_member_id);
  EXPECT_EQ(heartbeat(joined(first).member), GroupError::rebalance_in_progress);
}

TEST_F(GroupsTest, AnAssignmentThatDoesNotFitIsRefusedToAllThatWait) {
  const auto first = join();
  const auto second = join();
  pass(Millis{1'000});
  generation_ = 1;
  const auto waits = sync(joined(second).member);
  SyncGroup large{.token = ++token_, .who = who(joined(first).member)};
  large.assignments.push_back({joined(first).member, std::string(1'000, 'x')});
  take(engine().sync(large, now_));
  EXPECT_EQ(refusal(token_), GroupError::too_large);
  EXPECT_EQ(refusal(waits), GroupError::too_large);
  EXPECT_EQ(state(), GroupState::preparing_rebalance);
  EXPECT_THAT(recorded_.content(), IsEmpty()) << "no generation was finished";
}

TEST_F(GroupsTest, AllOfAGroupsMembersTogetherAreLimitedInBytes) {
  JoinGroup large = request();
  large.protocols[0].metadata.assign(800, 'x');
  for (int i = 0; i < 3; ++i) {
    large.fresh_member = "l" + std::to_string(i);
    EXPECT_FALSE(answered(join(large)));
  }
  large.fresh_member = "l3";
  EXPECT_EQ(refusal(join(large)), GroupError::too_large);
  large.member = "l1";
  EXPECT_FALSE(answered(join(large))) << "it takes no more than before";
  large.protocols.push_back({"sticky", std::string(200, 'x')});
  EXPECT_EQ(refusal(join(large)), GroupError::too_large);
}

// ---- sessions -------------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, AMemberThatIsNotHeardOfExpiresAndTheOthersRebalance) {
  const auto ids = stable(2);
  pass(Millis{8'000});
  EXPECT_EQ(heartbeat(ids[0]), GroupError::none);
  pass(Millis{2'000});
  EXPECT_EQ(heartbeat(ids[1]), GroupError::unknown_member_id);
  EXPECT_EQ(heartbeat(ids[0]), GroupError::rebalance_in_progress);
  EXPECT_EQ(joined(join(ids[0])).generation, 2) << "nobody else is left to wait for";
}

TEST_F(GroupsTest, ACommitIsASignOfLife) {
  const auto ids = stable(1);
  pass(Millis{8'000});
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{1}), GroupError::none);
  pass(Millis{9'999});
  EXPECT_EQ(heartbeat(ids[0]), GroupError::none);
}

TEST_F(GroupsTest, AMemberThatWaitsIsAlive) {
  const auto ids = stable(2);
  const auto waits = join(ids[0]);
  pass(Millis{19'000});
  EXPECT_EQ(joined(waits).generation, 2) << "the other's session ended; its own would have, too";
  EXPECT_THAT(ids_of(joined(waits)), ElementsAre(ids[0]));
}

TEST_F(GroupsTest, AMemberThatWaitedLongForItsAssignmentHasAFreshSession) {
  const auto first = join();
  const auto second = join();
  pass(Millis{500});
  generation_ = 1;
  const auto waits = sync(joined(second).member);
  for (int i = 0; i < 15; ++i) {
    pass(Millis{1'000});
    heartbeat(joined(first).member);
  }
  sync(joined(first).member, {joined(second).member});
  EXPECT_TRUE(answered(waits));
  pass(Millis{9'999});
  EXPECT_EQ(heartbeat(joined(second).member), GroupError::none);
}

TEST_F(GroupsTest, ANewMemberWhoseJoinNeverEndsExpires) {
  JoinGroup patient = request();
  patient.instance = "away";
  patient.session_timeout = Millis{1'800'000};
  patient.rebalance_timeout = Millis{1'800'000};
  const auto first = join(patient);
  pass(Millis{1'000});
  generation_ = 1;
  sync(joined(first).member, {joined(first).member});
  const auto waits = join();
  pass(Millis{299'999});
  EXPECT_FALSE(answered(waits));
  pass(Millis{1});
  EXPECT_EQ(refusal(waits), GroupError::unknown_member_id);
}

TEST_F(GroupsTest, AMemberWhoseConnectionWentAwayIsKeptAndNotAnswered) {
  const auto ids = stable(2);
  const auto first = join(ids[0]);
  engine().forget(first);
  engine().forget(999);
  const auto second = join(ids[1]);
  EXPECT_FALSE(answered(first));
  EXPECT_EQ(joined(second).generation, 2) << "the other had joined";
  EXPECT_EQ(joined(second).leader, ids[0]);
  const auto again = join(ids[0]);
  EXPECT_EQ(joined(again).generation, 2);
  EXPECT_THAT(joined(again).members, SizeIs(2)) << "it leads, and is told now";
}

TEST_F(GroupsTest, AHeartbeatOfAnotherGenerationOrStrangerIsRefused) {
  const auto ids = stable(1);
  EXPECT_EQ(heartbeat("stranger"), GroupError::unknown_member_id);
  EXPECT_EQ(engine().heartbeat({"h", ids[0], {}, 1}, now_), GroupError::unknown_member_id);
  EXPECT_EQ(engine().heartbeat({"", ids[0], {}, 1}, now_), GroupError::invalid_group_id);
  EXPECT_EQ(engine().heartbeat({"g", ids[0], {}, 2}, now_), GroupError::illegal_generation);
  EXPECT_EQ(engine().heartbeat({"g", ids[0], "i", 1}, now_), GroupError::unknown_member_id);
}

// ---- leaving --------------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, AMemberThatLeavesMakesTheOthersRebalance) {
  const auto ids = stable(2);
  EXPECT_EQ(leave(ids[0]), GroupError::none);
  EXPECT_EQ(leave(ids[0]), GroupError::unknown_member_id);
  EXPECT_EQ(heartbeat(ids[1]), GroupError::rebalance_in_progress);
  EXPECT_EQ(joined(join(ids[1])).generation, 2);
}

TEST_F(GroupsTest, TheLastMemberThatLeavesLeavesAnEmptyGroup) {
  const auto ids = stable(2);
  LeaveOutcome outcome = engine().leave({"g", {{ids[0], {}}, {"stranger", {}}, {ids[1], {}}, {"", "nobody"}}}, now_);
  EXPECT_THAT(outcome.members, ElementsAre(GroupError::none, GroupError::unknown_member_id, GroupError::none,
                                           GroupError::unknown_member_id));
  take(std::move(outcome));
  EXPECT_EQ(state(), GroupState::empty);
  EXPECT_EQ(engine().describe("g")->group.protocol_type, "consumer");
  EXPECT_EQ(engine().leave({"h", {{ids[0], {}}}}, now_).error, GroupError::unknown_member_id);
  EXPECT_EQ(engine().leave({"", {{ids[0], {}}}}, now_).error, GroupError::invalid_group_id);
}

TEST_F(GroupsTest, OneThatLeavesWhileItWaitsIsAnswered) {
  const auto ids = stable(2);
  const auto waits = join(ids[0]);
  EXPECT_EQ(leave(ids[0]), GroupError::none);
  EXPECT_EQ(refusal(waits), GroupError::unknown_member_id);
}

TEST_F(GroupsTest, AnEmptyGroupIsForgottenAfterAWhileAndItsNumberNeverComesBack) {
  leave(stable(1)[0]);
  pass(Millis{599'999});
  EXPECT_EQ(engine().size(), 1u);
  pass(Millis{1});
  EXPECT_EQ(engine().size(), 0u);
  const std::string counter(1, 'G'), second{"g\0\0\0\2", 5};
  EXPECT_THAT(recorded_.content(), ElementsAre(testing::Key(counter)));
  recorded_.checkpoint(~std::size_t{0});
  restart();
  stable(1);
  EXPECT_THAT(recorded_.content(), Contains(testing::Key(second)));
}

// ---- restarts -------------------------------------------------------------------------------------------------------

TEST_F(GroupsTest, AfterARestartTheFinishedGenerationStandsAndSessionsAreFresh) {
  const auto ids = stable(2);
  pass(Millis{9'000});
  restart();
  EXPECT_EQ(state(), GroupState::stable);
  pass(Millis{9'999});
  EXPECT_EQ(heartbeat(ids[0]), GroupError::none);
  EXPECT_EQ(heartbeat(ids[1]), GroupError::none);
  EXPECT_EQ(synced(sync(ids[1])).assignment, "for " + ids[1]);
  const auto description = engine().describe("g");
  EXPECT_EQ(description->protocol, "range");
  EXPECT_EQ(description->members[0].client_id, "client");
  EXPECT_EQ(description->members[0].client_host, "/10.0.0.1");
  EXPECT_EQ(description->members[0].assignment, "for " + ids[0]);
  EXPECT_EQ(joined(join(ids[1])).generation, 1) << "unchanged in the only protocol it knows";
}

TEST_F(GroupsTest, ARestartForgetsARebalance) {
  const auto ids = stable(2);
  const auto third = join();
  join(ids[0]);
  restart();
  EXPECT_EQ(state(), GroupState::stable);
  EXPECT_EQ(heartbeat(ids[1]), GroupError::none);
  EXPECT_FALSE(answered(third)) << "its connection is gone";
}

TEST_F(GroupsTest, ARestartAfterAMemberLeftRebalances) {
  const auto ids = stable(2);
  leave(ids[0]);
  restart();
  EXPECT_EQ(heartbeat(ids[1]), GroupError::rebalance_in_progress) << "what the other had is nobody's";
  EXPECT_EQ(joined(join(ids[1])).generation, 2);
}

TEST_F(GroupsTest, ARestartAfterTheLastMemberLeftFindsAnEmptyGroup) {
  const auto ids = stable(2);
  leave(ids[0]);
  join();
  leave(ids[1]);
  restart();
  pass(Millis{0});
  EXPECT_EQ(state(), GroupState::empty);
}

TEST_F(GroupsTest, ARestartFindsAnEmptyGroupAsEmptyAndItsGenerationsGoOn) {
  leave(stable(1)[0]);
  restart();
  EXPECT_EQ(state(), GroupState::empty);
  const auto again = join();
  pass(Millis{250});
  EXPECT_EQ(joined(again).generation, 3) << "that without members was the second";
}

TEST_F(GroupsTest, LookingAtGroups) {
  stable(2);
  join();
  JoinGroup elsewhere = request();
  elsewhere.group = "h";
  join(elsewhere);
  const auto groups = engine().list();
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[0].name, "g");
  EXPECT_EQ(groups[0].protocol_type, "consumer");
  EXPECT_EQ(groups[1].state, GroupState::preparing_rebalance);
  EXPECT_FALSE(engine().describe("i"));
  EXPECT_EQ(engine().describe("g")->protocol, "") << "between two generations there is none";
  EXPECT_EQ(engine().describe("g")->members[0].assignment, "");
}

}  // namespace
}  // namespace continuo::engines::groups_test
