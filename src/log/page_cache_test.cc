// The bound on written bytes that stay cached: the oldest go first, and a write-back that failed is told.
#include "continuo/log/page_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/disk/simulated_disk.h"
#include "continuo/log/sample_batch_test.h"

namespace continuo::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::uint64_t page = 4'096;

class PageCacheTest : public testing::Test {
 protected:
  PageCacheTest() {
    disk_.trace([this](std::uint64_t, const std::string& what) {
      if (what.starts_with("drop-cached")) dropped_.push_back(what);
    });
  }
  // A segment with something in it.
  std::shared_ptr<SegmentFile> segment(const std::string& folder) {
    auto file = std::make_shared<SegmentFile>(files_, folder, Offset{0});
    auto batch = std::make_shared<HeldBatch>();
    const AppendedBatch sample = sample_batch({TopicId{1}, PartitionId{0}}, Offset{0}, 1, 10);
    batch->entry = entry_of(sample, Sequence{1}, WallTime{1});
    batch->bytes = sample.bytes;
    SegmentExtent extent;
    CHECK(file->write(std::vector{batch}, extent).has_value());
    return file;
  }
  disk::SimulatedDisk disk_;
  std::vector<std::string> dropped_;
  OpenFiles files_{disk_, 8};
  PageCache cache_{100 * page};
};

TEST_F(PageCacheTest, KeepsWhatWasWrittenLast) {
  const auto a = segment("a"), b = segment("b");
  ASSERT_TRUE(cache_.wrote(a, 0, 60 * page));
  ASSERT_TRUE(cache_.wrote(b, 0, 40 * page));
  EXPECT_THAT(dropped_, IsEmpty());
  ASSERT_TRUE(cache_.wrote(b, 40 * page, 41 * page));
  EXPECT_THAT(dropped_, ElementsAre("drop-cached " + a->log_path() + " 0+245760"));
  EXPECT_EQ(cache_.bytes(), 41 * page);
}

// Pieces of a few bytes from thousands of quiet partitions: each holds a page, and few are remembered.
TEST_F(PageCacheTest, CountsTheWholePagesThatASmallPieceHolds) {
  const auto a = segment("a");
  for (std::uint64_t i = 0; i <= 100; ++i) ASSERT_TRUE(cache_.wrote(a, i * 10, i * 10 + 10));
  EXPECT_EQ(cache_.bytes(), 100 * page);
  EXPECT_EQ(dropped_.size(), 1u);
}

TEST_F(PageCacheTest, APageThatTwoPiecesShareGoesWithTheSecond) {
  const auto a = segment("a");
  ASSERT_TRUE(cache_.wrote(a, 0, 60 * page + 100));
  ASSERT_TRUE(cache_.wrote(a, 60 * page + 100, 90 * page));
  ASSERT_TRUE(cache_.wrote(segment("b"), 0, 100 * page));
  EXPECT_THAT(dropped_, ElementsAre("drop-cached " + a->log_path() + " 0+245860",
                                    "drop-cached " + a->log_path() + " 245760+122880"));
}

TEST_F(PageCacheTest, APieceLargerThanTheBoundGoesAtOnce) {
  ASSERT_TRUE(cache_.wrote(segment("a"), 0, 500 * page));
  EXPECT_EQ(cache_.bytes(), 0u);
}

TEST_F(PageCacheTest, LeavesSegmentsAloneThatAreGone) {
  ASSERT_TRUE(cache_.wrote(segment("a"), 0, 90 * page));  // trimmed: nobody holds it any more
  const auto b = segment("b");
  ASSERT_TRUE(disk_.remove(b->log_path()));
  files_.forget(b->log_path());
  ASSERT_TRUE(cache_.wrote(b, 0, 90 * page));  // removed, but a reader still holds it
  ASSERT_TRUE(cache_.wrote(segment("c"), 0, 90 * page));
  EXPECT_THAT(dropped_, IsEmpty());
}

TEST_F(PageCacheTest, TellsOfAWriteBackThatFailed) {
  const auto a = segment("a");
  ASSERT_TRUE(cache_.wrote(a, 0, 90 * page));
  disk_.fail_at(disk_.calls() + 1, disk::SimulatedDisk::Fault::disk_full, false);
  const auto told = cache_.wrote(a, 90 * page, 180 * page);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::io_error) << "also for want of room: nobody will be told again";
}

}  // namespace
}  // namespace continuo::log
