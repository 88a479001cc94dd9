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
  PageCache cache_{1'000};
};

TEST_F(PageCacheTest, KeepsWhatWasWrittenLast) {
  const auto a = segment("a"), b = segment("b");
  ASSERT_TRUE(cache_.wrote(a, 0, 600));
  ASSERT_TRUE(cache_.wrote(b, 0, 400));
  EXPECT_THAT(dropped_, IsEmpty());
  ASSERT_TRUE(cache_.wrote(b, 400, 401));
  EXPECT_THAT(dropped_, ElementsAre("drop-cached " + a->log_path() + " 0+600"));
  EXPECT_EQ(cache_.bytes(), 401u);
}

TEST_F(PageCacheTest, APieceLargerThanTheBoundGoesAtOnce) {
  ASSERT_TRUE(cache_.wrote(segment("a"), 0, 5'000));
  EXPECT_EQ(cache_.bytes(), 0u);
}

TEST_F(PageCacheTest, LeavesSegmentsAloneThatAreGone) {
  ASSERT_TRUE(cache_.wrote(segment("a"), 0, 900));  // trimmed: nobody holds it any more
  const auto b = segment("b");
  ASSERT_TRUE(disk_.remove(b->log_path()));
  files_.forget(b->log_path());
  ASSERT_TRUE(cache_.wrote(b, 0, 900));  // removed, but a reader still holds it
  ASSERT_TRUE(cache_.wrote(segment("c"), 0, 900));
  EXPECT_THAT(dropped_, IsEmpty());
}

TEST_F(PageCacheTest, TellsOfAWriteBackThatFailed) {
  const auto a = segment("a");
  ASSERT_TRUE(cache_.wrote(a, 0, 900));
  disk_.fail_at(disk_.calls() + 1, disk::SimulatedDisk::Fault::disk_full, false);
  const auto told = cache_.wrote(a, 900, 1'800);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::io_error) << "also for want of room: nobody will be told again";
}

}  // namespace
}  // namespace continuo::log
