// Committed offsets: who may commit, what comes back, how long it is kept.
#include "continuo/engines/groups/consumer_protocol.h"
#include "continuo/engines/groups/groups_test.h"

namespace continuo::engines::groups_test {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr Millis week{604'800'000};

class CommittedOffsetsTest : public GroupsTest {
 protected:
  std::optional<Offset> committed(PartitionRef partition, const std::string& group = "g") {
    const OffsetUnit* unit = engine().committed(group, partition);
    return unit == nullptr ? std::nullopt : std::optional{unit->committed.offset};
  }
  GroupError forget(const std::string& topic, PartitionRef partition) {
    OffsetsOutcome outcome = engine().delete_offsets({"g", {{topic, partition}}});
    if (!outcome.effects.empty()) recorded_.commit(std::move(outcome.effects), now_);
    return outcome.partitions[0];
  }
  GroupError remove(const std::string& group) {
    DeleteOutcome outcome = engine().delete_group(group);
    if (!outcome.effects.empty()) recorded_.commit(std::move(outcome.effects), now_);
    return outcome.error;
  }
};

TEST_F(CommittedOffsetsTest, OffsetAndMetadataAndLeaderEpochRoundTrip) {
  EXPECT_EQ(commit({"g", "", {}, -1}, zero, Offset{42}, "note of a client"), GroupError::none);
  restart();
  const OffsetCommitted& found = engine().committed("g", zero)->committed;
  EXPECT_EQ(found.offset, Offset{42});
  EXPECT_EQ(found.metadata, "note of a client");
  EXPECT_EQ(found.leader_epoch, 3u);
  EXPECT_EQ(found.committed, WallTime{8'000});
  EXPECT_EQ(found.at, Elapsed{1'000});
  EXPECT_EQ(committed(one), std::nullopt);
  EXPECT_EQ(committed(zero, "h"), std::nullopt);
}

TEST_F(CommittedOffsetsTest, TheLastCommitCountsAlsoWhenItGoesBack) {
  commit(zero, Offset{42});
  commit(one, Offset{7});
  commit(zero, Offset{41});
  EXPECT_EQ(committed(zero), Offset{41});
  const auto all = engine().committed("g");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0]->committed.partition, zero);
  EXPECT_EQ(all[1]->committed.offset, Offset{7});
  EXPECT_EQ(engine().offsets(), 2u);
  EXPECT_THAT(engine().committed("h"), IsEmpty());
}

TEST_F(CommittedOffsetsTest, MetadataThatIsTooLongIsRefusedForItsPartitionAlone) {
  const CommitOffsets request{
      {"g", "", {}, -1}, {{zero, Offset{1}, {}, std::string(21, 'x')}, {one, Offset{2}, {}, std::string(20, 'x')}}};
  OffsetsOutcome outcome = engine().commit_offsets(request, {WallTime{0}, now_});
  EXPECT_THAT(outcome.partitions, ElementsAre(GroupError::offset_metadata_too_large, GroupError::none));
  recorded_.commit(std::move(outcome.effects), now_);
  EXPECT_EQ(committed(zero), std::nullopt);
  EXPECT_EQ(committed(one), Offset{2});
}

TEST_F(CommittedOffsetsTest, AreLimitedAndSoAreGroupsOfSimpleConsumers) {
  for (std::uint32_t i = 0; i < 8; ++i)
    EXPECT_EQ(commit(PartitionRef{TopicId{1}, PartitionId{i}}, Offset{1}), GroupError::none);
  EXPECT_EQ(commit(other, Offset{1}), GroupError::limit_reached);
  EXPECT_EQ(commit(zero, Offset{2}), GroupError::none) << "no more than before";
  for (const char* name : {"h", "i", "j"}) {
    JoinGroup elsewhere = request();
    elsewhere.group = name;
    join(elsewhere);
  }
  EXPECT_EQ(commit({"k", "", {}, -1}, zero, Offset{1}), GroupError::limit_reached);
}

TEST_F(CommittedOffsetsTest, OnlyMembersCommitWhileThereAreMembers) {
  EXPECT_EQ(commit({"g", "m1", {}, 1}, zero, Offset{1}), GroupError::illegal_generation) << "there is no such group";
  const auto ids = stable(1);
  EXPECT_EQ(commit(zero, Offset{1}), GroupError::unknown_member_id) << "a simple consumer";
  EXPECT_EQ(commit({"g", "stranger", {}, 1}, zero, Offset{1}), GroupError::unknown_member_id);
  EXPECT_EQ(commit({"g", ids[0], {}, 0}, zero, Offset{1}), GroupError::illegal_generation);
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{1}), GroupError::none);
  leave(ids[0]);
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{2}), GroupError::unknown_member_id);
  EXPECT_EQ(commit(zero, Offset{3}), GroupError::none) << "an operator resets the group";
}

TEST_F(CommittedOffsetsTest, AMemberCommitsWhatItHasWhileItIsToRejoinAndNotBeforeItsSync) {
  const auto ids = stable(1);
  const auto second = join();
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{1}), GroupError::none) << "before it gives up its partitions";
  join(ids[0]);
  generation_ = 2;
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{2}), GroupError::rebalance_in_progress);
  sync(ids[0], {ids[0], joined(second).member});
  EXPECT_EQ(commit(who(ids[0]), zero, Offset{2}), GroupError::none);
  restart();
  EXPECT_EQ(committed(zero), Offset{2});
}

TEST_F(CommittedOffsetsTest, AGroupThatNeverFinishedAGenerationKeepsWhatItsMembersCommit) {
  const auto first = join();
  pass(Millis{250});
  join();
  generation_ = 1;
  EXPECT_EQ(commit(who(joined(first).member), zero, Offset{5}), GroupError::none);
  restart();
  EXPECT_EQ(state(), GroupState::empty);
  EXPECT_EQ(committed(zero), Offset{5});
  const auto again = join();
  pass(Millis{250});
  EXPECT_EQ(joined(again).generation, 2) << "generations go on";
}

TEST_F(CommittedOffsetsTest, AreNotTakenForAGroupWhoseNameIsTooLong) {
  EXPECT_EQ(commit({std::string(1'001, 'g'), "", {}, -1}, zero, Offset{1}), GroupError::invalid_group_id);
  EXPECT_EQ(commit({std::string(1'000, 'g'), "", {}, -1}, zero, Offset{1}), GroupError::none);
}

// ---- looking at many ------------------------------------------------------------------------------------------------

class SurveyTest : public CommittedOffsetsTest {
 protected:
  static std::vector<std::string> names(const GroupsSurvey& survey) {
    std::vector<std::string> all;
    for (const auto& each : survey.groups) all.push_back(each.group.name);
    return all;
  }
};

TEST_F(SurveyTest, ShowsGroupsWithTheirMembersAndOffsets) {
  const auto ids = stable(2);
  commit(who(ids[0]), one, Offset{7});
  commit(who(ids[0]), zero, Offset{42});
  commit({"simple", "", {}, -1}, other, Offset{1});
  const GroupsSurvey survey = engine().survey({});
  EXPECT_TRUE(survey.all);
  ASSERT_THAT(names(survey), ElementsAre("g", "simple"));
  EXPECT_EQ(survey.groups[0].group.state, GroupState::stable);
  EXPECT_EQ(survey.groups[0].members, 2u);
  EXPECT_THAT(survey.groups[0].committed, ElementsAre(std::pair{zero, Offset{42}}, std::pair{one, Offset{7}}));
  EXPECT_EQ(survey.groups[1].group.state, GroupState::empty);
  EXPECT_EQ(survey.groups[1].members, 0u);
  EXPECT_THAT(survey.groups[1].committed, SizeIs(1));
  EXPECT_THAT(survey.states, ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(engine().describe("g")->generation, generation_);
  EXPECT_EQ(engine().describe("g")->leader, ids[0]);
}

TEST_F(SurveyTest, GoesOnBehindAName) {
  for (const char* name : {"a", "b", "c"}) commit({name, "", {}, -1}, zero, Offset{1});
  const GroupsSurvey first = engine().survey({.groups = 2});
  EXPECT_THAT(names(first), ElementsAre("a", "b"));
  EXPECT_FALSE(first.all);
  EXPECT_THAT(first.states, ElementsAre(3, 0, 0, 0)) << "of all, not of those shown";
  const GroupsSurvey rest = engine().survey({.after = "b", .groups = 2});
  EXPECT_THAT(names(rest), ElementsAre("c"));
  EXPECT_TRUE(rest.all);
  EXPECT_THAT(names(engine().survey({.after = "bb"})), ElementsAre("c")) << "that group may be gone";
  EXPECT_THAT(names(engine().survey({.after = "c"})), IsEmpty());
  EXPECT_THAT(names(engine().survey({.after = ""})), SizeIs(3));
}

TEST_F(SurveyTest, EndsWithTheGroupThatHasAsManyOffsetsAsWereWanted) {
  for (std::uint32_t i = 0; i < 3; ++i) commit({"a", "", {}, -1}, {TopicId{1}, PartitionId{i}}, Offset{1});
  commit({"b", "", {}, -1}, zero, Offset{1});
  const GroupsSurvey survey = engine().survey({.offsets = 2});
  EXPECT_THAT(names(survey), ElementsAre("a"));
  EXPECT_THAT(survey.groups[0].committed, SizeIs(3)) << "a group is shown whole";
  EXPECT_FALSE(survey.all);
}

// ---- forgetting -----------------------------------------------------------------------------------------------------

TEST_F(CommittedOffsetsTest, ExpireAWeekAfterTheGroupBecameEmptyAndTheGroupWithThem) {
  const auto ids = stable(1);
  for (std::uint32_t i = 0; i < 8; ++i) commit(who(ids[0]), {TopicId{1}, PartitionId{i}}, Offset{1});
  for (int i = 0; i < 100; ++i) {
    pass(Millis{9'000});
    heartbeat(ids[0]);
  }
  leave(ids[0]);
  pass(week - Millis{1});
  EXPECT_EQ(committed(zero), Offset{1});
  pass(Millis{1});
  EXPECT_EQ(engine().offsets(), 0u);
  EXPECT_EQ(engine().size(), 0u);
}

TEST_F(CommittedOffsetsTest, NeverExpireWhileTheGroupHasMembers) {
  const auto ids = stable(1);
  commit(who(ids[0]), zero, Offset{1});
  for (int i = 0; i < 3; ++i) {
    now_ = now_ + week;  // nobody looks at the clock meanwhile
    ASSERT_EQ(heartbeat(ids[0]), GroupError::none);
    pass(Millis{1'000});
  }
  EXPECT_EQ(committed(zero), Offset{1});
}

TEST_F(CommittedOffsetsTest, OfSimpleConsumersExpireAWeekAfterTheirCommit) {
  commit(zero, Offset{1});
  pass(Millis{1'000'000});
  commit(one, Offset{1});
  pass(week - Millis{1'000'000});
  EXPECT_EQ(committed(zero), std::nullopt);
  EXPECT_EQ(committed(one), Offset{1});
  restart();
  pass(Millis{1'000'000});
  EXPECT_EQ(engine().size(), 0u);
}

TEST_F(CommittedOffsetsTest, AGroupOnlyEmptyIsDeletedAndItsOffsetsGoSomeAtATime) {
  const auto ids = stable(1);
  for (std::uint32_t i = 0; i < 8; ++i) commit(who(ids[0]), {TopicId{1}, PartitionId{i}}, Offset{1});
  EXPECT_EQ(remove("g"), GroupError::non_empty_group);
  EXPECT_EQ(remove("h"), GroupError::group_id_not_found);
  leave(ids[0]);
  EXPECT_EQ(remove("g"), GroupError::none);
  EXPECT_EQ(remove("g"), GroupError::group_id_not_found);
  EXPECT_EQ(committed(zero), std::nullopt);
  EXPECT_EQ(engine().offsets(), 8u);
  take(engine().tick(now_, 3));
  EXPECT_EQ(engine().offsets(), 5u);
  restart();
  commit(zero, Offset{9});
  EXPECT_EQ(engine().offsets(), 6u) << "a new group of the same name has its own";
  pass(Millis{0});
  EXPECT_EQ(engine().offsets(), 1u);
  EXPECT_EQ(committed(zero), Offset{9});
}

TEST_F(CommittedOffsetsTest, OfTopicsThatAreConsumedAreNotDeleted) {
  const auto ids = stable(1);
  commit(who(ids[0]), zero, Offset{1});
  commit(who(ids[0]), other, Offset{1});
  EXPECT_EQ(forget("a", zero), GroupError::group_subscribed_to_topic);
  EXPECT_EQ(forget("b", other), GroupError::none);
  EXPECT_EQ(committed(zero), Offset{1});
  EXPECT_EQ(committed(other), std::nullopt);
  leave(ids[0]);
  EXPECT_EQ(forget("a", zero), GroupError::none);
  EXPECT_EQ(forget("a", zero), GroupError::none) << "there is none";
  EXPECT_EQ(engine().delete_offsets({"h", {{"a", zero}}}).error, GroupError::group_id_not_found);
  pass(Millis{600'000});
  EXPECT_EQ(engine().size(), 0u) << "nothing is left of the group";
}

TEST_F(CommittedOffsetsTest, OfMembersWhoseTopicsNobodyKnowsAreNotDeleted) {
  JoinGroup odd = request();
  odd.protocols[0].metadata = "?";
  const auto first = join(odd);
  pass(Millis{250});
  finish({first});
  EXPECT_EQ(forget("b", other), GroupError::group_subscribed_to_topic);
}

TEST_F(CommittedOffsetsTest, OfGroupsThatAreNoConsumersAreDeletedOnlyWhenEmpty) {
  JoinGroup worker = request();
  worker.protocol_type = "connect";
  join(worker);
  EXPECT_EQ(forget("b", other), GroupError::non_empty_group);
}

TEST_F(CommittedOffsetsTest, GoWithTheirTopic) {
  commit(zero, Offset{1});
  commit(one, Offset{1});
  commit(other, Offset{1});
  commit({"h", "", {}, -1}, zero, Offset{1});
  engine().topic_removed(TopicId{1});
  EXPECT_EQ(engine().offsets(), 1u);
  EXPECT_EQ(committed(other), Offset{1});
  pass(Millis{600'000});
  EXPECT_FALSE(engine().describe("h")) << "nothing is left of it";
  EXPECT_TRUE(engine().describe("g"));
}

// ---- topics of a subscription ---------------------------------------------------------------------------------------

TEST(SubscribedTopics, AreReadFromAnyVersionsMetadata) {
  EXPECT_THAT(*subscribed_topics(subscription({"b", "a"})), ElementsAre("a", "b"));
  EXPECT_THAT(*subscribed_topics(subscription({}, "\xff\xff\xff\xff")), IsEmpty());
}

TEST(SubscribedTopics, OfMetadataThatIsCutAreUnknown) {
  const std::string whole = subscription({"b", "a"});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(subscribed_topics(whole.substr(0, size)));
  EXPECT_FALSE(subscribed_topics(std::string_view{"\xff\xff\0\0\0\0", 6})) << "a version below zero";
  EXPECT_FALSE(subscribed_topics(std::string_view{"\0\0\xff\xff\xff\xff", 6}));
  EXPECT_FALSE(subscribed_topics(std::string_view{"\0\0\0\0\0\1\xff\xff", 8}));
  EXPECT_FALSE(subscribed_topics(std::string_view{"\0\0\x7f\xff\xff\xff", 6})) << "and takes no time";
}

// ---- units that cannot be read --------------------------------------------------------------------------------------

class GroupUnitsTest : public testing::Test {
 protected:
  bool restores(std::string_view key, std::string_view bytes) {
    Machine machine;
    const auto restored = machine.restore(key, bytes, Sequence{1});
    EXPECT_TRUE(restored || restored.error().code == Code::wrong_format);
    machine.engine.recovered(Elapsed{0});
    return restored.has_value();
  }
  static Effect generation(std::uint32_t group, Elapsed since = Elapsed{0}, std::uint32_t number = 1) {
    return encode(GenerationFinished{.group = GroupId{group}, .name = "g", .generation = number, .since = since});
  }
  bool applies(const Effect& effect) { return Machine{}.apply(effect, Elapsed{0}).has_value(); }
};

TEST_F(GroupUnitsTest, AreRefusedWhenCutOrUnderAnotherKey) {
  const std::string key{"g\0\0\0\5", 5}, bytes = generation(5).payload;
  EXPECT_TRUE(restores(key, bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(restores(key, bytes.substr(0, size)));
  EXPECT_FALSE(restores(std::string_view{"g\0\0\0\6", 5}, bytes));
  EXPECT_FALSE(restores(std::string_view{"m\0\0\0\5", 5}, bytes));
  EXPECT_FALSE(restores("k", bytes)) << "another engine's";
  EXPECT_TRUE(restores("G", "\x01\x05"));
  EXPECT_FALSE(restores("G", "\x02\x05")) << "a version of the future";
  EXPECT_FALSE(restores("Gx", "\x01\x05"));
  EXPECT_FALSE(restores("G", std::string_view{"\x01\x00", 2}));
}

TEST_F(GroupUnitsTest, EffectsThatMakeNoSenseAreRefused) {
  EXPECT_TRUE(applies(generation(1)));
  EXPECT_FALSE(applies(generation(0)));
  EXPECT_FALSE(applies(generation(0xffff'ffff)));
  EXPECT_FALSE(applies(generation(1, Elapsed{-1})));
  EXPECT_FALSE(applies(generation(1, Elapsed{std::int64_t{1} << 60})));
  EXPECT_FALSE(applies(generation(1, Elapsed{0}, 1u << 30)));
  EXPECT_FALSE(applies(encode(GroupsNumbered{0})));
  EXPECT_FALSE(applies(encode(MemberAssigned{.group = GroupId{1}, .session_timeout = Millis{-1}})));
  EXPECT_FALSE(applies(encode(MemberAssigned{.group = GroupId{1}, .rebalance_timeout = Millis{1ll << 31}})));
  EXPECT_FALSE(applies(encode(OffsetCommitted{.group = GroupId{1}, .at = Elapsed{-1}})));
  EXPECT_FALSE(applies(encode(OffsetForgotten{GroupId{0}, zero})));
  EXPECT_FALSE(applies({EffectType::records_kept, 1, {}})) << "another engine's";
}

TEST_F(GroupUnitsTest, WithoutTheirGroupDoNoHarm) {
  Machine machine;
  ASSERT_TRUE(machine.apply(encode(MemberAssigned{.group = GroupId{7}, .member = "m"}), Elapsed{0}));
  ASSERT_TRUE(machine.apply(encode(MemberLeft{GroupId{8}, "m"}), Elapsed{0}));
  ASSERT_TRUE(machine.apply(encode(OffsetCommitted{.group = GroupId{7}, .partition = zero}), Elapsed{0}));
  ASSERT_TRUE(machine.apply(generation(9), Elapsed{0}));
  ASSERT_TRUE(machine.apply(generation(10), Elapsed{0}));
  machine.engine.recovered(Elapsed{0});
  for (const Effect& effect : machine.engine.tick(Elapsed{0}).effects) ASSERT_TRUE(machine.apply(effect, Elapsed{0}));
  EXPECT_EQ(machine.engine.offsets(), 0u);
}

}  // namespace
}  // namespace continuo::engines::groups_test
