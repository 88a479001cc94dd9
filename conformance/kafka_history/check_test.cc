#include "continuo/history/check.h"

#include "continuo/history/story_test.h"

namespace continuo::history {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto other = value_of(1, 0);  // the first value of the producer that is not idempotent

TEST(HistoryCheck, FindsNothingInACleanHistory) {
  Story story;
  story.produced(3).sent(3).producer(Kind::unknown, 3).sent(4).producer(Kind::refused, 4);
  story.assigned(0).owns(0, 1).polled(0, 0).polled(0, 1).committed(0, 1, 2).revoked(0);
  story.assigned(1).owns(1, 2).polled(1, 2).fetched(0, 2).committed(1, 1, 3).fetched(0, 3);
  story.assigned(3).owns(3, 1).polled(3, 0).polled(3, 1).polled(3, 2);
  story.drained(3);
  EXPECT_THAT(story.anomalies(), IsEmpty());
}

TEST(HistoryCheck, FindsALostRecord) {
  Story story;
  story.produced(3).drained(0, 0).drained(2, 2);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::lost));
}

TEST(HistoryCheck, FindsARecordThatWasReadAndIsGone) {
  Story story;
  story.produced(2).sent(2).assigned(0).polled(0, 0).polled(0, 1).polled(0, 2).drained(2);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::vanished));
}

TEST(HistoryCheck, FindsADoubledRecordOfAnIdempotentProducerOnly) {
  Story story;
  story.produced(2).drained(2).drained(2, 1);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::doubled));
  Story allowed;
  allowed.sent(other).acknowledged(other, 1).drained(0, other).drained(1, other);
  EXPECT_THAT(allowed.anomalies(), IsEmpty());
}

TEST(HistoryCheck, FindsADoubledRecordWhoseFateWasUnknown) {
  Story story;
  story.sent(0).producer(Kind::unknown, 0).drained(0, 0).drained(1, 0);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::doubled));
}

TEST(HistoryCheck, FindsReorderedRecordsOfAnIdempotentProducerOnly) {
  Story story;
  story.sent(0).sent(1).acknowledged(0, 1).acknowledged(1, 0).drained(0, 1).drained(1, 0);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::reordered));
  Story allowed;
  allowed.sent(other).sent(other + 1).drained(0, other + 1).drained(1, other);
  EXPECT_THAT(allowed.anomalies(), IsEmpty());
}

TEST(HistoryCheck, FindsARecordThatStandsBeforeWhatWasAcknowledgedBeforeIt) {
  Story story;
  story.sent(0).acknowledged(0, 1).sent(other).acknowledged(other, 0).drained(0, other).drained(1, 0);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::overtaken));
}

TEST(HistoryCheck, FindsRecordsNobodySent) {
  Story story;
  story.produced(1).sent(1, Story::other_place).drained(1).drained(1, no_value).drained(2, 77).drained(3, 1);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::invented, Anomaly::invented, Anomaly::invented));
}

TEST(HistoryCheck, FindsARefusedRecordThatIsThere) {
  Story story;
  story.sent(0).producer(Kind::refused, 0).drained(1);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::refused_but_there));
}

TEST(HistoryCheck, FindsInconsistentOffsets) {
  Story acknowledged_elsewhere;
  acknowledged_elsewhere.sent(0).acknowledged(0, 5).drained(1);
  EXPECT_THAT(acknowledged_elsewhere.anomalies(), ElementsAre(Anomaly::inconsistent_offset));
  Story read_otherwise;
  read_otherwise.produced(2).assigned(0).polled(0, 0, 1).drained(2);
  EXPECT_THAT(read_otherwise.anomalies(), ElementsAre(Anomaly::inconsistent_offset));
}

TEST(HistoryCheck, FindsPollsThatGoBackOrRepeat) {
  Story story;
  story.produced(3).assigned(0).polled(0, 0).polled(0, 1).polled(0, 1).polled(0, 0).drained(3);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::poll_back, Anomaly::poll_back));
}

TEST(HistoryCheck, FindsASkippedRecordAndAllowsGaps) {
  Story story;
  story.produced(3).assigned(0).polled(0, 0).polled(0, 2).drained(3);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::poll_skip));
  Story gap;
  gap.sent(0).acknowledged(0, 0).sent(1).acknowledged(1, 7).assigned(0).polled(0, 0, 0).polled(0, 7, 1);
  gap.drained(0, 0).drained(7, 1);
  EXPECT_THAT(gap.anomalies(), IsEmpty());
}

TEST(HistoryCheck, FindsPollsWithoutAnAssignment) {
  Story story;
  story.produced(2).assigned(0).polled(0, 0).revoked(0).polled(0, 1).drained(2);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::poll_unassigned));
}

TEST(HistoryCheck, FindsAnAssignmentThatBeginsBeyondWhatWasCommitted) {
  Story story;
  story.produced(4).assigned(0).polled(0, 0).polled(0, 1).committed(0, 1, 1).revoked(0);
  story.assigned(1).polled(1, 2).drained(4);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::start_skip));
  Story without_a_commit;
  without_a_commit.produced(4).assigned(0).polled(0, 1).drained(4);
  EXPECT_THAT(without_a_commit.anomalies(), ElementsAre(Anomaly::start_skip));
}

TEST(HistoryCheck, FindsAnAssignmentThatBeginsBeforeWhatWasCommitted) {
  Story story;
  story.produced(4).assigned(0).polled(0, 0).polled(0, 1).committed(0, 1, 1).committed(0, 2, 2).revoked(0);
  story.assigned(1).polled(1, 1).drained(4);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::start_back));
}

TEST(HistoryCheck, ACommitOfUnknownFateMayBeBegunFromOrNot) {
  for (const std::int64_t start : {1, 2}) {
    Story story;
    story.produced(4).assigned(0).polled(0, 0).polled(0, 1).committed(0, 1, 1);
    story.call(Kind::commit_begun, 0, 2, 2).died(0);
    story.assigned(1).polled(1, start).drained(4);
    EXPECT_THAT(story.anomalies(), IsEmpty()) << start;
  }
}

TEST(HistoryCheck, FindsACommitOfRecordsNobodyPolled) {
  Story story;
  story.produced(3).assigned(0).polled(0, 0).committed(0, 1, 3).drained(3);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::never_polled, Anomaly::never_polled));
}

TEST(HistoryCheck, FindsACommittedOffsetThatWentBack) {
  Story fetched;
  fetched.produced(2).assigned(0).polled(0, 0).polled(0, 1).committed(0, 1, 1).committed(0, 2, 2).fetched(1, 1);
  fetched.drained(2);
  EXPECT_THAT(fetched.anomalies(), ElementsAre(Anomaly::commit_back));
  Story forgotten;
  forgotten.produced(1).assigned(0).polled(0, 0).committed(0, 1, 1).restarted().fetched(1, -1).drained(1);
  EXPECT_THAT(forgotten.anomalies(), ElementsAre(Anomaly::commit_back));
  Story stale;  // a client that was replaced commits, and is not refused
  stale.produced(3).assigned(0).polled(0, 0).assigned(1).polled(1, 0).polled(1, 1).committed(1, 1, 2);
  stale.committed(0, 1, 1).drained(3);
  EXPECT_THAT(stale.anomalies(), ElementsAre(Anomaly::commit_back));
}

TEST(HistoryCheck, FindsACommittedOffsetThatNobodyCommitted) {
  Story story;
  story.produced(2).assigned(0).polled(0, 0).committed(0, 1, 1).fetched(1, 2).drained(2);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::commit_invented));
}

TEST(HistoryCheck, FindsAPlaceThatIsOwnedTwiceInAGeneration) {
  Story story;
  story.owns(0, 4).owns(1, 4);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::owned_twice));
  Story allowed;  // later generations, another group, the same static member, a generation nobody knows
  allowed.owns(0, 4).owns(1, 5).owns(2, 5).owns(3, 5).owns(0, -1);
  EXPECT_THAT(allowed.anomalies(), IsEmpty());
}

TEST(HistoryCheck, FindsAGenerationThatGoesBack) {
  Story story;
  story.owns(0, 4).owns(0, 3);
  EXPECT_THAT(story.anomalies(), ElementsAre(Anomaly::generation_back));
}

TEST(HistoryCheck, CountsAllAndKeepsAFew) {
  Story story;
  for (int each = 0; each < 100; ++each) story.sent(static_cast<std::uint64_t>(each)).acknowledged(each, each);
  const auto findings = check(story.history());
  EXPECT_EQ(findings.count(Anomaly::lost), 100u);
  EXPECT_EQ(findings.total(), 100u);
  EXPECT_EQ(findings.kept().size(), Findings::kept_of_each);
}

TEST(HistoryCheck, TellsOperationsInWords) {
  Story story;
  story.sent(value_of(1, 7)).call(Kind::commit_begun, 1, 3, 9).restarted().owns(2, 5);
  const auto history = story.history();
  EXPECT_EQ(describe(history, 0), "#0 sent producer=1 place=a/0 value=p1:7");
  EXPECT_EQ(describe(history, 1), "#1 commit_begun client=1 group=g0 member=1 place=a/0 offset=9 call=3");
  EXPECT_EQ(describe(history, 2), "#2 restarted");
  EXPECT_EQ(describe(history, 3), "#3 owns client=2 group=g0 member=1 place=a/0 generation=5");
}

}  // namespace
}  // namespace continuo::history
