#include "continuo/history/committed_offset.h"

#include <gmock/gmock.h>

namespace continuo::history {
namespace {

using testing::UnorderedElementsAre;

TEST(CommittedOffset, IsWhatWasAcknowledgedLast) {
  CommittedOffset offset;
  EXPECT_THAT(offset.possible(1), UnorderedElementsAre(-1));
  offset.begin_write(1, 0, 1, 10);
  EXPECT_THAT(offset.possible(2), UnorderedElementsAre(-1, 10));
  offset.applied(3, 0, 1);
  EXPECT_THAT(offset.possible(4), UnorderedElementsAre(10));
}

TEST(CommittedOffset, AReadSeesWhatOverlapsIt) {
  CommittedOffset offset;
  offset.begin_read(1);
  offset.begin_write(2, 0, 1, 10);
  offset.applied(3, 0, 1);
  offset.begin_write(4, 0, 2, 20);
  offset.applied(5, 0, 2);
  EXPECT_THAT(offset.possible(1), UnorderedElementsAre(-1, 10, 20));
  offset.end_read(1);
  EXPECT_THAT(offset.possible(6), UnorderedElementsAre(20));
}

TEST(CommittedOffset, WhatWasRefusedMayHaveBeenDoneBeforeAndNotLater) {
  CommittedOffset offset;
  offset.begin_write(1, 0, 1, 10);
  offset.refused(2, 0, 1);
  EXPECT_THAT(offset.possible(3), UnorderedElementsAre(-1, 10));
  offset.begin_write(4, 1, 1, 20);
  offset.applied(5, 1, 1);
  EXPECT_THAT(offset.possible(6), UnorderedElementsAre(20));
}

TEST(CommittedOffset, WhatWasGivenUpMayBeDoneUntilTheServerIsStartedAgain) {
  CommittedOffset offset;
  offset.begin_write(1, 0, 1, 10);
  offset.gave_up(0, 1);
  offset.begin_write(2, 1, 1, 20);
  offset.applied(3, 1, 1);
  EXPECT_THAT(offset.possible(4), UnorderedElementsAre(10, 20));
  offset.server_restarted(5);
  offset.begin_write(6, 1, 2, 30);
  offset.applied(7, 1, 2);
  EXPECT_THAT(offset.possible(8), UnorderedElementsAre(30));
}

TEST(CommittedOffset, AClientThatDiedGivesUpAllAndOthersGoOn) {
  CommittedOffset offset;
  offset.begin_write(1, 0, 1, 10);
  offset.begin_write(2, 1, 1, 20);
  offset.client_died(0);
  offset.server_restarted(3);
  EXPECT_EQ(offset.applied(4, 0, 1), std::nullopt);
  const auto applied = offset.applied(4, 1, 1);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->floor, -1);
  EXPECT_THAT(offset.possible(5), UnorderedElementsAre(10, 20));
}

}  // namespace
}  // namespace continuo::history
