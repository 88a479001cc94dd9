// A partition against a plain list of batches: whatever is appended, trimmed, written behind, checkpointed and
// restored, readers see it all.
#include "continuo/log/partition_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "continuo/disk/simulated_disk.h"
#include "continuo/log/sample_batch_test.h"

namespace continuo::log {
namespace {

constexpr PartitionRef ref{TopicId{1}, PartitionId{3}};
constexpr std::uint64_t segment_bytes = 3'000;
constexpr Sequence everything{~0ull};

// What one partition must hold: the slow and obvious way.
struct Model {
  struct Batch {
    AppendedBatch batch;
    Sequence sequence;
    WallTime appended;
  };
  std::vector<Batch> batches;
  Offset first{0};

  Offset end() const { return batches.empty() ? Offset{0} : batches.back().batch.next; }
  std::vector<Batch>::const_iterator holding(Offset offset) const {
    return std::ranges::find_if(batches, [&](const Batch& each) { return each.batch.next > offset; });
  }
  Offset at(WallTime time) const {
    for (const Batch& each : batches)
      if (each.appended >= time) return std::max(each.batch.base, first);
    return end();
  }
};

class Subject {
 public:
  Subject() { make(); }

  void append() {
    const AppendedBatch batch =
        sample_batch(ref, model.end(), *rc::gen::inRange(1, 5), static_cast<std::size_t>(*rc::gen::inRange(0, 900)));
    wall_ += *rc::gen::inRange(0, 20);
    model.batches.push_back({batch, Sequence{++sequence_}, WallTime{wall_}});
    log->append(batch, Sequence{sequence_}, WallTime{wall_});
  }
  void trim() {
    const Offset before{*rc::gen::inRange<std::int64_t>(0, model.end().value + 1)};
    model.first = std::max(model.first, before);
    log->trim(before);
    trims_.push_back(before);
  }
  void flush() { RC_ASSERT(log->flush(static_cast<std::uint64_t>(*rc::gen::inRange(1, 5'000)), cache).has_value()); }
  void remove_trimmed() { RC_ASSERT(log->remove_trimmed().has_value()); }
  void checkpoint(bool commits) {
    // Of any group: what came after it is replayed.
    const Sequence upto{*rc::gen::inRange<std::uint64_t>(checkpointed_.value, sequence_ + 1)};
    auto record = log->checkpoint(upto, static_cast<std::uint64_t>(*rc::gen::inRange(0, 4'000)), cache);
    RC_ASSERT(record.has_value());
    if (!commits) return;
    checkpointed_ = upto;
    if (!*record) return;
    record_ = **record;
    trims_.clear();
    log->checkpoint_done();
  }
  // As recovery does it: the last committed record, then what came after it from the journal.
  void restart(bool power_cut) {
    log.reset();
    SeededRandom random{*rc::gen::arbitrary<std::uint64_t>()};
    disk = power_cut ? disk->crash_image(random) : disk->kill_image();
    make();
    if (!record_.empty()) RC_ASSERT(log->restore(record_).has_value());
    for (const Model::Batch& each : model.batches)
      if (each.sequence > checkpointed_ && each.batch.base >= log->end())
        log->append(each.batch, each.sequence, each.appended);
    for (const Offset before : trims_) log->trim(before);
  }

  void check_read(Offset from, std::uint64_t max_bytes) {
    bool cold = false;
    const auto read = log->read(from, max_bytes, cold);
    if (from < model.first || from > model.end()) {
      RC_ASSERT(!read.has_value());
      RC_ASSERT(read.error().code == Code::offset_out_of_range);
      return;
    }
    if (!read) RC_FAIL(to_string(read.error()));
    RC_ASSERT(read->first == model.first && read->end == model.end());
    RC_ASSERT(read->batches.size() == read->groups.size());
    RC_ASSERT(read->batches.empty() == (from == model.end()));
    auto expected = model.holding(from);
    for (std::size_t i = 0; i < read->batches.size(); ++i, ++expected) {
      RC_ASSERT(expected != model.batches.end());
      RC_ASSERT(*read->batches[i] == *expected->batch.bytes);
      RC_ASSERT(read->groups[i] == expected->sequence);
    }
    RC_ASSERT(read->next == (read->batches.empty() ? from : std::prev(expected)->batch.next));
  }
  void check() {
    RC_ASSERT(log->first() == model.first && log->end() == model.end());
    const auto any = [&] { return Offset{*rc::gen::inRange<std::int64_t>(0, model.end().value + 3)}; };
    for (int i = 0; i < 3; ++i) check_read(any(), static_cast<std::uint64_t>(*rc::gen::inRange(0, 6'000)));
    for (Offset at = model.first; at < model.end();) {  // from the first to the last, read by read
      bool cold = false;
      const auto read = log->read(at, 700, cold);
      if (!read) RC_FAIL(to_string(read.error()));
      RC_ASSERT(read->next > at);
      at = read->next;
    }
    const WallTime time{*rc::gen::inRange<std::int64_t>(-5, wall_ + 25)};
    const auto found = log->offset_at(time);
    if (!found) RC_FAIL(to_string(found.error()));
    RC_ASSERT(*found == model.at(time));
    if (const Offset offset = any(); offset >= model.first) {
      const auto expected = model.holding(offset);
      const auto appended = log->appended_at(offset);
      if (expected == model.batches.end())
        RC_ASSERT(!appended && appended.error().code == Code::not_found);
      else
        RC_ASSERT(appended && *appended == expected->appended);
    }
  }

  Model model;
  std::unique_ptr<disk::SimulatedDisk> disk = std::make_unique<disk::SimulatedDisk>();
  std::unique_ptr<OpenFiles> files;
  PageCache cache{2 * segment_bytes};
  std::unique_ptr<PartitionLog> log;

 private:
  void make() {
    log.reset();
    files = std::make_unique<OpenFiles>(*disk, 8);
    log = std::make_unique<PartitionLog>(*files, ref, segment_bytes);
  }

  std::uint64_t sequence_ = 0;
  std::int64_t wall_ = 0;
  std::string record_;
  Sequence checkpointed_{0};
  std::vector<Offset> trims_;  // since the record
};

TEST(PartitionLog, HoldsWhatAPlainListHolds) {
  EXPECT_TRUE(rc::check([] {
    Subject subject;
    const int steps = *rc::gen::inRange(1, 60);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 12)) {
        case 0: subject.trim(); break;
        case 1: subject.remove_trimmed(); break;
        case 2:
        case 3: subject.flush(); break;
        case 4: subject.checkpoint(true); break;
        case 5: subject.checkpoint(*rc::gen::inRange(0, 2) == 0); break;
        case 6: subject.restart(*rc::gen::inRange(0, 2) == 0); break;
        default: subject.append(); break;
      }
      subject.check();
    }
  }));
}

class PartitionLogTest : public testing::Test {
 protected:
  void append(int count = 1, std::size_t value_bytes = 100) {
    for (int i = 0; i < count; ++i) {
      const auto batch = sample_batch(ref, log_->end(), 1, value_bytes);
      log_->append(batch, Sequence{static_cast<std::uint64_t>(batch.next.value)}, WallTime{batch.base.value * 10});
    }
  }
  std::size_t read_all(Offset from = Offset{0}) {
    std::size_t count = 0;
    while (from < log_->end()) {
      const auto read = log_->read(from, 500, cold_);
      if (!read) return 0;
      count += read->batches.size();
      from = read->next;
    }
    return count;
  }

  disk::SimulatedDisk disk_;
  OpenFiles files_{disk_, 8};
  PageCache cache_{2 * segment_bytes};
  std::unique_ptr<PartitionLog> log_ = std::make_unique<PartitionLog>(files_, ref, segment_bytes);
  bool cold_ = false;
};

TEST_F(PartitionLogTest, IsDueWhenItHoldsEnoughOrLongEnough) {
  EXPECT_FALSE(log_->due(Micros{0}, 100, Micros{1000}));
  append();
  EXPECT_FALSE(log_->due(Micros{0}, 1'000, Micros{1'000}));
  EXPECT_FALSE(log_->due(Micros{999}, 1'000, Micros{1'000}));
  EXPECT_TRUE(log_->due(Micros{1'000}, 1'000, Micros{1'000}));
  EXPECT_TRUE(log_->due(Micros{0}, 100, Micros{1'000}));
  ASSERT_TRUE(log_->flush(~0ull, cache_));
  EXPECT_FALSE(log_->due(Micros{5'000}, 1'000, Micros{1'000}));
}

TEST_F(PartitionLogTest, CountsWhatItHoldsAndStores) {
  append(4);
  const auto held = log_->held_bytes();
  EXPECT_GT(held, 0u);
  EXPECT_EQ(log_->stored_bytes(), held);
  EXPECT_EQ(log_->flush(1, cache_), held / 4) << "at least one batch";
  EXPECT_EQ(log_->held_bytes(), held / 4 * 3);
  EXPECT_EQ(log_->stored_bytes(), held);
  EXPECT_EQ(log_->flush(~0ull, cache_), held / 4 * 3);
  EXPECT_EQ(log_->held_bytes(), 0u);
  EXPECT_EQ(log_->flush(~0ull, cache_), 0u);
}

TEST_F(PartitionLogTest, ReadsAreColdOnlyFromFiles) {
  append(2);
  EXPECT_TRUE(log_->read(Offset{0}, 1, cold_));
  EXPECT_FALSE(cold_);
  ASSERT_TRUE(log_->flush(1, cache_));
  EXPECT_TRUE(log_->read(Offset{0}, 1, cold_));
  EXPECT_TRUE(cold_);
  EXPECT_TRUE(log_->read(Offset{1}, 1, cold_));
  EXPECT_FALSE(cold_) << "still in memory";
  EXPECT_TRUE(log_->read(Offset{2}, 1, cold_));
  EXPECT_FALSE(cold_);
}

TEST_F(PartitionLogTest, RollsSegmentsAndRemovesThoseBeforeTheFirstOffset) {
  append(50);
  ASSERT_TRUE(log_->flush(~0ull, cache_));
  const auto segments = log_->old_segments();
  ASSERT_GT(segments.size(), 2u);
  for (const OldSegment& segment : segments) EXPECT_LE(segment.bytes, segment_bytes);
  EXPECT_EQ(segments.back().next, Offset{50});
  const auto stored = log_->stored_bytes();
  log_->trim(Offset{segments[1].next.value - 1});
  ASSERT_TRUE(log_->remove_trimmed());
  EXPECT_EQ(log_->old_segments().size(), segments.size() - 1) << "a segment with one record that is kept stays";
  EXPECT_EQ(log_->stored_bytes(), stored - segments[0].bytes);
  EXPECT_EQ(disk_.list(log_->folder())->size(), 2 * (segments.size() - 1));
  log_->trim(Offset{50});
  ASSERT_TRUE(log_->remove_trimmed());
  EXPECT_EQ(disk_.list(log_->folder())->size(), 0u);
  append(3);
  EXPECT_EQ(read_all(Offset{50}), 3u);
}

TEST_F(PartitionLogTest, AfterARestartNothingIsWrittenBehindFilesThatAreGone) {
  append(2);
  const std::string record = log_->checkpoint(everything, 1, cache_).value().value();
  log_->trim(Offset{2});
  ASSERT_TRUE(log_->remove_trimmed());
  log_ = std::make_unique<PartitionLog>(files_, ref, segment_bytes);  // stopped before the next checkpoint
  ASSERT_TRUE(log_->restore(record));
  log_->trim(Offset{2});
  append(2);
  ASSERT_TRUE(log_->flush(~0ull, cache_));
  EXPECT_EQ(read_all(Offset{2}), 2u);
}

TEST_F(PartitionLogTest, ALargeBatchHasASegmentOfItsOwn) {
  append(1, 2 * segment_bytes);
  append(1, 10);
  ASSERT_TRUE(log_->flush(~0ull, cache_));
  EXPECT_EQ(log_->old_segments().size(), 2u);
  EXPECT_EQ(read_all(), 2u);
}

TEST_F(PartitionLogTest, SmallTailsAreCarriedLargeOnesSynced) {
  append(3);
  const auto calls = disk_.calls();
  auto record = log_->checkpoint(everything, 1 << 20, cache_);
  ASSERT_TRUE(record && *record);
  EXPECT_EQ(disk_.calls(), calls) << "1,000 quiet partitions do not mean 1,000 syncs";
  log_->checkpoint_done();
  append(1);
  ASSERT_TRUE(log_->checkpoint(everything, 1, cache_));
  EXPECT_GT(disk_.calls(), calls);
  EXPECT_EQ(log_->held_bytes(), 0u);
}

TEST_F(PartitionLogTest, WhatCameAfterTheCheckpointsGroupIsLeftToTheJournal) {
  append(4);
  const Sequence upto{2};
  const std::string record = log_->checkpoint(upto, 1 << 20, cache_).value().value();
  log_->checkpoint_done();
  EXPECT_TRUE(log_->checkpoint(upto, 1 << 20, cache_).value()) << "the rest is not yet in a checkpoint";
  log_ = std::make_unique<PartitionLog>(files_, ref, segment_bytes);
  ASSERT_TRUE(log_->restore(record));
  EXPECT_EQ(log_->end(), Offset{2});
}

TEST_F(PartitionLogTest, NothingChangedIsNotRecordedAgain) {
  ASSERT_TRUE(log_->checkpoint(everything, 1'000, cache_).value()) << "a new partition is";
  EXPECT_TRUE(log_->checkpoint(everything, 1'000, cache_).value()) << "until it is committed";
  log_->checkpoint_done();
  EXPECT_FALSE(log_->checkpoint(everything, 1'000, cache_).value());
  append();
  EXPECT_TRUE(log_->checkpoint(everything, 1'000, cache_).value());
  log_->checkpoint_done();
  log_->trim(Offset{1});
  EXPECT_TRUE(log_->checkpoint(everything, 1'000, cache_).value());
  log_->checkpoint_done();
  log_->skip(Offset{0}, Offset{1});
  EXPECT_TRUE(log_->checkpoint(everything, 1'000, cache_).value());
}

TEST_F(PartitionLogTest, SkippedOffsetsArePassedOverAlsoAfterARestore) {
  append(3, 1'000);
  ASSERT_TRUE(log_->flush(~0ull, cache_));
  disk_.flip_bit(log_->folder() + "/00000000000000000000.log", 1'200, 0);
  EXPECT_EQ(log_->read(Offset{1}, 1, cold_).error().code, Code::damaged_data);
  log_->skip(Offset{1}, Offset{2});
  const auto passed = log_->read(Offset{1}, 1, cold_);
  ASSERT_TRUE(passed);
  EXPECT_TRUE(passed->batches.empty());
  EXPECT_EQ(passed->next, Offset{2});
  EXPECT_EQ(read_all(), 2u);
  const auto record = log_->checkpoint(everything, 1, cache_);
  ASSERT_TRUE(record && *record);
  log_ = std::make_unique<PartitionLog>(files_, ref, segment_bytes);
  ASSERT_TRUE(log_->restore(**record));
  EXPECT_EQ(read_all(), 2u);
}

TEST_F(PartitionLogTest, ARecordThatIsCutOrDamagedIsRefused) {
  append(3);
  ASSERT_TRUE(log_->flush(200, cache_));
  log_->skip(Offset{0}, Offset{1});
  const std::string record = log_->checkpoint(everything, 1 << 20, cache_).value().value();
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_EQ(PartitionLog(files_, ref, segment_bytes).restore(record.substr(0, size)).error().code, Code::wrong_format)
        << size;
  EXPECT_FALSE(PartitionLog(files_, ref, segment_bytes).restore(record + "x"));
  for (std::string other : {record, record}) {
    other.front() = 2;
    EXPECT_FALSE(PartitionLog(files_, ref, segment_bytes).restore(other)) << "another version";
    other = record;
    other[other.size() - 10] ^= 1;
    EXPECT_FALSE(PartitionLog(files_, ref, segment_bytes).restore(other)) << "a carried batch guards its bytes";
  }
}

TEST_F(PartitionLogTest, AFullDiskLeavesAllInMemory) {
  append(3);
  disk_.fail_at(disk_.calls() + 3, disk::SimulatedDisk::Fault::disk_full, true);
  EXPECT_EQ(log_->flush(~0ull, cache_).error().code, Code::disk_full);
  EXPECT_EQ(read_all(), 3u);
  disk_.heal();
  EXPECT_TRUE(log_->flush(~0ull, cache_));
  EXPECT_EQ(read_all(), 3u);
}

TEST_F(PartitionLogTest, AFailedSyncIsAnError) {
  append(3);
  disk_.fail_at(disk_.calls() + 5, disk::SimulatedDisk::Fault::io_error, true);
  EXPECT_EQ(log_->checkpoint(everything, 1, cache_).error().code, Code::io_error);
}

TEST_F(PartitionLogTest, AVeryLongChainIsFreedWithoutRecursion) {
  const auto batch = sample_batch(ref, Offset{0});
  for (std::int64_t base = 0; base < 300'000; ++base)
    log_->append({ref, Offset{base}, Offset{base + 1}, 0, batch.bytes}, Sequence{1}, WallTime{0});
  log_.reset();
}

}  // namespace
}  // namespace continuo::log
