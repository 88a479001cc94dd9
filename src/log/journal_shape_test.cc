// The ring's shape, as its files tell it.
#include "continuo/log/journal_shape.h"

#include <gtest/gtest.h>

#include "continuo/base/random.h"
#include "continuo/disk/simulated_disk.h"
#include "continuo/log/journal.h"

namespace continuo::log {
namespace {

class JournalShapeTest : public testing::Test {
 protected:
  void make(std::uint32_t slots, std::uint64_t blocks) {
    JournalOptions options{.slots = slots, .slot_bytes = blocks * journal_block, .max_group = 4 * journal_block};
    auto journal = Journal::open(disk_, options, random_).value();
    while (!journal->prepare().value()) continue;
    ASSERT_TRUE(journal->replay(Sequence{1}, [](const ReplayedGroup&) { return Result<void>{}; }));
    ASSERT_TRUE(journal->start());
  }
  SeededRandom random_{5};
  disk::SimulatedDisk disk_;
};

TEST_F(JournalShapeTest, OfNoJournalIsNone) {
  const auto shape = journal_shape(disk_);
  ASSERT_TRUE(shape);
  EXPECT_FALSE(shape->has_value());
}

TEST_F(JournalShapeTest, IsWhatTheRingWasMadeWith) {
  make(7, 9);
  const auto shape = journal_shape(disk_);
  ASSERT_TRUE(shape && *shape);
  EXPECT_EQ((*shape)->slots, 7u);
  EXPECT_EQ((*shape)->slot_bytes, 9 * journal_block);
}

TEST_F(JournalShapeTest, IsFoundWithoutAnIntactHeader) {
  make(5, 8);
  for (const char* path : {"journal/00", "journal/01", "journal/02"}) disk_.flip_bit(path, 20, 1);
  const auto shape = journal_shape(disk_);
  ASSERT_TRUE(shape && *shape);
  EXPECT_EQ((*shape)->slots, 5u);
  EXPECT_EQ((*shape)->slot_bytes, 8 * journal_block);
}

TEST_F(JournalShapeTest, OfAHalfMadeRingIsTheSmallestThatHoldsIt) {
  JournalOptions options{.slots = 16, .slot_bytes = 8 * journal_block, .max_group = 4 * journal_block};
  ASSERT_TRUE(Journal::open(disk_, options, random_));  // makes two
  const auto shape = journal_shape(disk_);
  ASSERT_TRUE(shape && *shape);
  EXPECT_EQ((*shape)->slots, 4u);
}

}  // namespace
}  // namespace continuo::log
