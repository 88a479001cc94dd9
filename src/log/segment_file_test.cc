#include "continuo/log/segment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/base/bytes.h"
#include "continuo/disk/simulated_disk.h"
#include "continuo/log/hex_test.h"
#include "continuo/log/sample_batch_test.h"

namespace continuo::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr PartitionRef partition{TopicId{1}, PartitionId{0}};

IndexEntry sample_entry() {
  IndexEntry entry;
  entry.base = Offset{100};
  entry.next = Offset{103};
  entry.sequence = Sequence{42};
  entry.appended = WallTime{1'763'713'800'000};
  entry.max_timestamp_ms = 1'763'713'799'999;
  entry.position = 4096;
  entry.length = 1234;
  entry.batch_crc = 0x01020304;
  entry.head_check = 0x05060708;
  entry.flags = 0;
  return entry;
}

TEST(IndexEntry, GoldenBytes) {
  const char* golden =
      "64 00 00 00 00 00 00 00 "  // base offset 100
      "03 00 00 00 "              // 3 offsets: the next one is 103
      "00 00 00 00 "              // flags
      "2a 00 00 00 00 00 00 00 "  // group 42
      "40 d7 88 a5 9a 01 00 00 "  // appended at 1763713800000 ms
      "3f d7 88 a5 9a 01 00 00 "  // max timestamp 1763713799999 ms
      "00 10 00 00 "              // at byte 4096
      "d2 04 00 00 "              // 1234 bytes
      "04 03 02 01 "              // CRC of the batch, as it stands there
      "08 07 06 05 "              // CRC-32C of its first 17 bytes
      "00 00 00 00 "              // reserved
      "80 21 32 d7 ";             // CRC-32C of all before
  std::string made;
  sample_entry().encode(made);
  EXPECT_EQ(hex(made), golden);
  EXPECT_EQ(made.size(), IndexEntry::size);
}

TEST(IndexEntry, IsReadBackAndGuardsEveryBit) {
  std::string made;
  sample_entry().encode(made);
  const auto read = IndexEntry::decode(made);
  ASSERT_TRUE(read);
  std::string again;
  read->encode(again);
  EXPECT_EQ(again, made);
  EXPECT_EQ(read->base, Offset{100});
  EXPECT_EQ(read->next, Offset{103});
  EXPECT_EQ(read->appended, sample_entry().appended);
  for (std::size_t bit = 0; bit < made.size() * 8; ++bit) {
    made[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(IndexEntry::decode(made)) << bit;
    made[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
  EXPECT_FALSE(IndexEntry::decode(std::string_view{made}.substr(0, 63)));
}

TEST(IndexEntry, VerifiesItsBatchByEveryByte) {
  const AppendedBatch batch = sample_batch(partition, Offset{5}, 2);
  const IndexEntry entry = entry_of(batch, Sequence{1}, WallTime{1});
  EXPECT_EQ(entry.length, batch.bytes->size());
  EXPECT_TRUE(verify(entry, *batch.bytes, "file"));
  for (std::size_t byte = 0; byte < batch.bytes->size(); ++byte) {
    std::string damaged = *batch.bytes;
    damaged[byte] ^= 0x10;
    const auto verified = verify(entry, damaged, "file");
    ASSERT_FALSE(verified) << "byte " << byte;
    EXPECT_EQ(verified.error().code, Code::damaged_data);
    EXPECT_THAT(verified.error().detail, HasSubstr("offsets 5 to 6"));
  }
  EXPECT_FALSE(verify(entry, std::string_view{*batch.bytes}.substr(1), "file"));
  EXPECT_FALSE(verify(IndexEntry{}, "", "file"));
}

class SegmentFileTest : public testing::Test {
 protected:
  // Appends one batch of so many records, at this time.
  void write(int records, std::int64_t appended, std::size_t value_bytes = 10) {
    const AppendedBatch batch = sample_batch(partition, next_, records, value_bytes);
    auto held = std::make_shared<HeldBatch>();
    held->entry = entry_of(batch, Sequence{++sequence_}, WallTime{appended});
    held->bytes = batch.bytes;
    next_ = batch.next;
    written_.push_back(batch.bytes);
    ASSERT_TRUE(file_.write(std::span{&held, 1}, extent_));
  }
  Result<Batches> read(Offset from, std::uint64_t max_bytes = ~0ull) {
    Batches out;
    if (auto done = file_.read(extent_, from, max_bytes, out); !done) return pass(done);
    return out;
  }

  disk::SimulatedDisk disk_;
  OpenFiles files_{disk_, 64};
  SegmentFile file_{files_, "topics/00000001/0000", Offset{100}};
  SegmentExtent extent_;
  Offset next_{100};
  std::uint64_t sequence_ = 0;
  std::vector<std::shared_ptr<const std::string>> written_;
};

TEST_F(SegmentFileTest, NamesItsFilesByTheFirstOffset) {
  EXPECT_EQ(file_.log_path(), "topics/00000001/0000/00000000000000000100.log");
  EXPECT_EQ(file_.index_path(), "topics/00000001/0000/00000000000000000100.index");
}

TEST_F(SegmentFileTest, ReadsFromTheBatchThatHoldsTheOffset) {
  write(3, 10);  // 100 to 102
  write(1, 20);  // 103
  write(2, 30);  // 104 and 105
  for (const auto& [from, first] : {std::pair{100, 0}, {102, 0}, {103, 1}, {104, 2}, {105, 2}}) {
    const auto batches = read(Offset{from});
    ASSERT_TRUE(batches);
    ASSERT_EQ(batches->batches.size(), 3u - static_cast<unsigned>(first)) << from;
    EXPECT_EQ(*batches->batches.front(), *written_[static_cast<std::size_t>(first)]);
    EXPECT_EQ(batches->next, Offset{106});
    EXPECT_EQ(batches->groups.front(), Sequence{static_cast<std::uint64_t>(first) + 1});
  }
  EXPECT_TRUE(read(Offset{106})->batches.empty());
  EXPECT_EQ(read(Offset{0})->batches.size(), 3u) << "from before its first offset";
}

TEST_F(SegmentFileTest, ReadsAtLeastOneBatchAndNoMoreThanAsked) {
  for (int i = 0; i < 10; ++i) write(1, i, 100);
  EXPECT_EQ(read(Offset{100}, 1)->batches.size(), 1u);
  EXPECT_EQ(read(Offset{100}, 0)->batches.size(), 1u);
  EXPECT_EQ(read(Offset{100}, 2 * written_[0]->size())->batches.size(), 2u);
  EXPECT_EQ(read(Offset{100}, 2 * written_[0]->size() - 1)->batches.size(), 1u) << "no more than asked";
}

TEST_F(SegmentFileTest, ManyReadersGoOnWhereTheyWere) {
  for (int i = 0; i < 300; ++i) write(1 + i % 3, i, 20);
  std::vector<Offset> at(20, Offset{100});  // more readers than places are remembered
  for (int round = 0; round < 301; ++round)
    for (std::size_t reader = 0; reader < at.size(); ++reader) {
      const auto batches = read(at[reader], 1 + 100 * reader);
      ASSERT_TRUE(batches);
      ASSERT_EQ(batches->batches.empty(), at[reader] == extent_.next);
      if (batches->batches.empty()) continue;
      EXPECT_EQ(record::read_batch_header(*batches->batches.front())->base_offset, at[reader]);
      at[reader] = batches->next;
    }
  for (const Offset each : at) EXPECT_EQ(each, extent_.next);
}

TEST_F(SegmentFileTest, SeesOnlyItsExtent) {
  write(1, 10);
  const SegmentExtent one = extent_;
  write(1, 20);
  Batches out;
  ASSERT_TRUE(file_.read(one, Offset{100}, ~0ull, out));
  EXPECT_EQ(out.batches.size(), 1u);
  EXPECT_EQ(one.entries, 1u);
  EXPECT_EQ(one.next, Offset{101});
  EXPECT_EQ(one.newest, WallTime{10});
  EXPECT_FALSE(file_.find(one, Offset{101}).value());
}

TEST_F(SegmentFileTest, FindsByOffsetAndByTime) {
  for (int i = 0; i < 300; ++i) write(1 + i % 3, 10 * (i / 2));
  std::int64_t base = 100;
  for (int i = 0; i < 300; ++i) {
    const auto by_offset = file_.find(extent_, Offset{base + i % 3});
    ASSERT_TRUE(by_offset && *by_offset);
    EXPECT_EQ((*by_offset)->base, Offset{base});
    base += 1 + i % 3;
  }
  EXPECT_EQ(file_.find(extent_, WallTime{-5}).value()->base, Offset{100});
  EXPECT_EQ(file_.find(extent_, WallTime{10}).value()->appended, WallTime{10});
  EXPECT_EQ(file_.find(extent_, WallTime{11}).value()->appended, WallTime{20});
  EXPECT_FALSE(file_.find(extent_, WallTime{5'000}).value());
}

TEST_F(SegmentFileTest, GoesOnWhereItWas) {
  write(1, 10);
  ASSERT_TRUE(file_.sync());
  SegmentFile again{files_, "topics/00000001/0000", Offset{100}};
  Batches out;
  ASSERT_TRUE(again.read(extent_, Offset{100}, ~0ull, out));
  EXPECT_EQ(*out.batches.front(), *written_.front());
}

TEST_F(SegmentFileTest, LoadsItsTailForACheckpoint) {
  for (int i = 0; i < 5; ++i) write(1, i);
  const auto tail = file_.load(extent_, 3);
  ASSERT_TRUE(tail);
  ASSERT_EQ(tail->size(), 2u);
  EXPECT_EQ(*(*tail)[0]->bytes.load(), *written_[3]);
  EXPECT_EQ((*tail)[1]->entry.base, Offset{104});
  EXPECT_TRUE(file_.load(extent_, 5)->empty());
}

TEST_F(SegmentFileTest, ADamagedBatchIsNeverServed) {
  for (int i = 0; i < 3; ++i) write(1, i);
  const auto place = written_[0]->size() + 70;
  disk_.flip_bit(file_.log_path(), place, 2);
  const auto before = read(Offset{100});
  ASSERT_TRUE(before) << "what lies before it is still given";
  EXPECT_EQ(before->batches.size(), 1u);
  EXPECT_EQ(before->next, Offset{101}) << "and reading goes on at the damage, not after it";
  const auto damaged = read(Offset{101});
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::damaged_data);
  EXPECT_THAT(damaged.error().detail, HasSubstr("offsets 101 to 101"));
  EXPECT_THAT(damaged.error().at, HasSubstr(".log byte " + std::to_string(written_[0]->size())));
  EXPECT_TRUE(read(Offset{102})) << "other batches are not harmed";
  EXPECT_FALSE(file_.load(extent_, 0));
}

TEST_F(SegmentFileTest, ADamagedIndexEntryHidesItsBatchAndNoOther) {
  for (int i = 0; i < 3; ++i) write(1, i);
  disk_.flip_bit(file_.index_path(), IndexEntry::size + 8, 0);
  EXPECT_TRUE(read(Offset{100}));
  EXPECT_TRUE(read(Offset{102}));
  const auto result = read(Offset{101});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::damaged_data);
  EXPECT_THAT(result.error().detail, HasSubstr("offsets 101 to 101"));
  EXPECT_THAT(result.error().at, HasSubstr(".index entry 1"));
  EXPECT_FALSE(file_.find(extent_, Offset{101}));
  EXPECT_FALSE(file_.find(extent_, WallTime{1}));
  EXPECT_TRUE(file_.find(extent_, Offset{102}));
}

TEST_F(SegmentFileTest, AFileThatIsTooShortIsDamage) {
  write(1, 1);
  ASSERT_TRUE(disk_.open(file_.log_path(), {}).value()->truncate(20));
  EXPECT_EQ(read(Offset{100}).error().code, Code::damaged_data);
  ASSERT_TRUE(disk_.open(file_.index_path(), {}).value()->truncate(0));
  EXPECT_EQ(read(Offset{100}).error().code, Code::damaged_data);
}

TEST_F(SegmentFileTest, AFailedWriteLeavesTheExtentAndIsRepeated) {
  write(1, 1);
  const SegmentExtent before = extent_;
  for (std::uint64_t call = 1; call <= 2; ++call) {
    disk_.fail_at(disk_.calls() + call, disk::SimulatedDisk::Fault::disk_full, false);
    const AppendedBatch batch = sample_batch(partition, next_);
    auto held = std::make_shared<HeldBatch>();
    held->entry = entry_of(batch, Sequence{9}, WallTime{9});
    held->bytes = batch.bytes;
    EXPECT_EQ(file_.write(std::span{&held, 1}, extent_).error().code, Code::disk_full);
    EXPECT_EQ(extent_, before);
  }
  write(1, 2);
  EXPECT_EQ(read(Offset{100})->batches.size(), 2u);
}

TEST_F(SegmentFileTest, AbsentFilesAreErrors) {
  extent_.entries = 1;
  EXPECT_FALSE(read(Offset{100}));
  EXPECT_FALSE(file_.sync());
  EXPECT_FALSE(file_.load(extent_, 0));
  EXPECT_FALSE(file_.find(extent_, Offset{100}));
  EXPECT_FALSE(file_.find(extent_, WallTime{1}));
}

}  // namespace
}  // namespace continuo::log
