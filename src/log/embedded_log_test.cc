// The embedded home: its folder, recovery through checkpoints, a full disk, and readers beside the write-behind thread.
#include "continuo/log/embedded_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "continuo/log/embedded_log_fixture_test.h"
#include "continuo/log/thread_sanitizer_test.h"

namespace continuo::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- the folder -----------------------------------------------------------------------------------------------------

TEST_F(EmbeddedLogTest, MakesAFolderThatSaysItsFormat) {
  start();
  auto file = disk_->open("FORMAT", {});
  EXPECT_EQ(disk::read_exactly(**file, 0, 16, "FORMAT"), "continuo data 1\n");
  EXPECT_TRUE(log_->durable());
  EXPECT_EQ(log_->mode().file_system, "simulated");
}

TEST_F(EmbeddedLogTest, RefusesAnotherFormatUntouched) {
  start();
  log_.reset();
  ASSERT_TRUE(disk_->open("FORMAT", {}).value()->write(0, "continuo data 9\n"));
  const auto before = disk_->fingerprint();
  const auto started = try_start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::wrong_format);
  EXPECT_THAT(started.error().detail, HasSubstr("continuo data 9"));
  EXPECT_EQ(disk_->fingerprint(), before);
}

TEST_F(EmbeddedLogTest, AFirstStartThatWasCutOffBeginsAgain) {
  ASSERT_TRUE(disk_->open("FORMAT", {.create = true}).value()->write(0, "contin"));
  start();
}

TEST_F(EmbeddedLogTest, OneProcessAtATime) {
  start();
  SeededRandom random{1};
  const auto second = EmbeddedLog::open(*disk_, tiny(), random);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::data_locked);
}

TEST_F(EmbeddedLogTest, PutsAsideFoldersNobodyKnows) {
  start();
  make_topic();
  append_many(1);
  ASSERT_TRUE(checkpoint());
  log_.reset();
  ASSERT_TRUE(disk_->make_folder("topics/strange"));
  ASSERT_TRUE(disk_->open("topics/strange/precious", {.create = true}));
  start();
  EXPECT_EQ(disk_->list("topics/strange")->size(), 0u);
  const auto quarantine = disk_->list("quarantine").value();
  ASSERT_EQ(quarantine.size(), 1u);
  EXPECT_THAT(quarantine.front(), testing::StartsWith("strange-"));
  EXPECT_EQ(disk_->exists("quarantine/" + quarantine.front() + "/precious"), true) << "nothing is deleted on doubt";
  EXPECT_EQ(count(), 1);
}

// ---- recovery -------------------------------------------------------------------------------------------------------

TEST_F(EmbeddedLogTest, RecoversFromTheJournalAlone) {
  start();
  make_topic(topic, 2);
  append_many(3);
  append_many(2, {topic, PartitionId{1}});
  start();
  EXPECT_EQ(count(), 3);
  EXPECT_EQ(count({topic, PartitionId{1}}), 2);
  EXPECT_EQ(sink_.groups.size(), 6u);
  EXPECT_EQ(sink_.last, (Now{WallTime{60}, Elapsed{6}}));
  EXPECT_EQ(log_->last(), Sequence{6});
}

TEST_F(EmbeddedLogTest, RecoversFromACheckpointAndWhatCameAfter) {
  start();
  make_topic();
  append_many(20);
  ASSERT_TRUE(log_->work(Micros{0}));
  ASSERT_TRUE(checkpoint({{"kept", Sequence{21}, "state"}, {"gone", Sequence{21}, std::nullopt}}));
  append_many(3);
  start();
  EXPECT_EQ(count(), 23);
  EXPECT_EQ(sink_.groups, (std::vector{Sequence{21}, Sequence{22}, Sequence{23}, Sequence{24}}))
      << "first the head of the checkpoint, then the groups after it";
  EXPECT_EQ(sink_.units.at("kept").second, "state");
  EXPECT_EQ(sink_.units.at("kept").first, Sequence{21});
  EXPECT_EQ(sink_.units.at("gone").second, std::nullopt) << "replay must know what was erased";
}

TEST_F(EmbeddedLogTest, TombstonesGoWithTheNextCheckpoint) {
  start();
  make_topic();
  ASSERT_TRUE(checkpoint(
      {{"a", Sequence{1}, std::nullopt}, {"b", Sequence{1}, std::nullopt}, {"b", Sequence{1}, "made again"}}));
  start();
  EXPECT_EQ(sink_.units.size(), 2u);
  append_many(1);
  ASSERT_TRUE(checkpoint());
  start();
  EXPECT_EQ(sink_.units.size(), 1u);
  EXPECT_EQ(sink_.units.at("b").second, "made again");
}

TEST_F(EmbeddedLogTest, ACheckpointLetsTheRingTurn) {
  start();
  make_topic();
  while (log_->stats().prepared_slots < 4) ASSERT_TRUE(log_->work(Micros{0}));
  for (int i = 0; i < 1'000; ++i) {
    if (!log_->has_room(1'000)) {
      ASSERT_TRUE(checkpoint());
    }
    ASSERT_TRUE(append());
  }
  EXPECT_GT(log_->stats().checkpoints, 3u);
  EXPECT_EQ(count(), 1'000);
  start();
  EXPECT_EQ(count(), 1'000);
}

TEST_F(EmbeddedLogTest, TopicsThatAreRemovedTakeTheirFilesAlong) {
  start();
  make_topic();
  append_many(30);
  ASSERT_TRUE(checkpoint());
  ASSERT_EQ(disk_->exists("topics/00000001"), true);
  Group group;
  group.begin_frame();
  group.remove_topic({topic});
  group.end_frame();
  ASSERT_TRUE(commit(group));
  EXPECT_EQ(log_->read(partition, Offset{0}, 1).error().code, Code::unknown_topic);
  for (const bool after_restart : {false, true}) {
    if (after_restart) start();
    ASSERT_TRUE(log_->work(Micros{0}));
    EXPECT_EQ(disk_->exists("topics/00000001"), false);
    EXPECT_EQ(log_->state(partition).error().code, Code::unknown_topic);
  }
  ASSERT_TRUE(checkpoint());
  start();
  EXPECT_EQ(log_->state(partition).error().code, Code::unknown_topic);
}

TEST_F(EmbeddedLogTest, TrimsAndSkipsSurvive) {
  start();
  make_topic();
  append_many(10);
  Group group;
  group.begin_frame();
  group.trim({partition, Offset{4}});
  group.skip({partition, Offset{6}, Offset{8}, "given up"});
  group.end_frame();
  ASSERT_TRUE(commit(group));
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(log_->state(partition)->first, Offset{4});
    EXPECT_EQ(log_->read(partition, Offset{3}, 1).error().code, Code::offset_out_of_range);
    EXPECT_EQ(log_->read(partition, Offset{6}, 1)->next, Offset{8});
    if (round == 1) {
      ASSERT_TRUE(checkpoint());
    }
    start();
  }
}

TEST_F(EmbeddedLogTest, AnEffectNobodyKnowsIsAnotherFormat) {
  start();
  Group group;
  group.begin_frame();
  group.effect(9, 1, "from the future");
  group.end_frame();
  ASSERT_TRUE(commit(group));
  const auto started = try_start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::wrong_format);
}

TEST_F(EmbeddedLogTest, ASecondStrangerOfTheSameNameIsPutAsideToo) {
  start();
  for (int i = 0; i < 3; ++i) {
    log_.reset();
    ASSERT_TRUE(disk_->make_folder("topics/stranger"));
    ASSERT_TRUE(disk_->open("topics/stranger/file", {.create = true}));
    start();
  }
  EXPECT_THAT(*disk_->list("quarantine"), ElementsAre("stranger-0", "stranger-0.2", "stranger-0.3"));
  EXPECT_THAT(*disk_->list("topics"), IsEmpty());
}

TEST_F(EmbeddedLogTest, NamesOfItsFoldersLastBeforeTheyAreWrittenTo) {
  std::vector<std::string> calls;
  disk_->trace([&](std::uint64_t, const std::string& what) { calls.push_back(what); });
  start();
  const auto first_slot = std::ranges::find(calls, "create journal/00");
  ASSERT_NE(first_slot, calls.end());
  const auto format = std::ranges::find(calls, "sync FORMAT");
  EXPECT_EQ(std::count(format, first_slot, "sync-folder "), 2) << "of FORMAT, and of the folders";
}

TEST_F(EmbeddedLogTest, RefusesSegmentsThatItsIndexCannotCount) {
  auto options = tiny();
  options.topic_segment_bytes = 4ull << 30;
  const auto started = try_start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::bad_setting);
  EXPECT_EQ(started.error().at, "topic_segment_bytes");
}

TEST_F(EmbeddedLogTest, KnowsWhatItHoldsWithoutAskingEveryPartition) {
  start();
  make_topic(topic, 2);
  make_topic(TopicId{2});
  const PartitionRef second{topic, PartitionId{1}}, other{TopicId{2}, PartitionId{0}};
  const std::uint64_t one = sample_batch(partition, Offset{0}, 1, 100).bytes->size();
  for (const PartitionRef ref : {partition, second, other, other}) ASSERT_TRUE(append(ref));
  EXPECT_EQ(log_->stats().tail_bytes, 4 * one);
  Group trimming;
  trimming.begin_frame();
  trimming.trim({partition, Offset{1}});
  trimming.end_frame();
  ASSERT_TRUE(commit(trimming));
  EXPECT_EQ(log_->stats().tail_bytes, 4 * one) << "in memory until it is written";
  Group removing;
  removing.begin_frame();
  removing.remove_topic({TopicId{2}});
  removing.end_frame();
  ASSERT_TRUE(commit(removing));
  EXPECT_EQ(log_->stats().tail_bytes, 2 * one);
  start();
  EXPECT_EQ(log_->stats().tail_bytes, 2 * one) << "replayed";
  ASSERT_TRUE(checkpoint());
  start();
  EXPECT_EQ(log_->stats().tail_bytes, 2 * one) << "carried by the checkpoint";
  ASSERT_TRUE(log_->work(Micros{1}));
  ASSERT_TRUE(log_->work(Micros{5'000'000}));
  EXPECT_EQ(log_->stats().tail_bytes, 0u);
}

TEST_F(EmbeddedLogTest, AThousandPartitionsNeedFewOpenFiles) {
  auto options = tiny();
  options.journal.slots = 40;
  options.open_files = 64;
  start(options);
  while (log_->stats().prepared_slots < log_->stats().slots) ASSERT_TRUE(log_->work(Micros{0}));
  constexpr std::uint32_t partitions = 1'000;
  const std::size_t others = disk_->open_files();
  make_topic(topic, partitions);
  const auto ref = [](std::uint32_t id) { return PartitionRef{topic, PartitionId{id}}; };
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t id = 0; id < partitions; ++id) ASSERT_TRUE(append(ref(id)));
    ASSERT_TRUE(log_->work(Micros{time_ * 2'000'000}));
    ASSERT_TRUE(log_->work(Micros{time_ * 2'000'000 + 2'000'000}));
    EXPECT_EQ(log_->stats().tail_bytes, 0u);
    for (std::uint32_t id = 0; id < partitions; ++id) ASSERT_EQ(count(ref(id)), round + 1);
    EXPECT_LE(disk_->open_files(), others + 64);
    ASSERT_TRUE(checkpoint());
  }
  start(options);
  for (std::uint32_t id = 0; id < partitions; ++id) ASSERT_EQ(count(ref(id)), 2);
  EXPECT_LE(disk_->open_files(), others + 64);
}

TEST_F(EmbeddedLogTest, WithoutAFreeDescriptorWritingBehindWaits) {
  start();
  while (log_->stats().prepared_slots < log_->stats().slots) ASSERT_TRUE(log_->work(Micros{0}));
  make_topic();
  append_many(3);
  disk_->set_open_limit(disk_->open_files());
  ASSERT_TRUE(log_->work(Micros{1}));
  ASSERT_TRUE(log_->work(Micros{5'000'000}));
  EXPECT_TRUE(log_->stats().short_of_files);
  EXPECT_GT(log_->stats().tail_bytes, 0u);
  EXPECT_EQ(count(), 3) << "from memory";
  append_many(30);
  const auto refused = checkpoint();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(passes(refused.error()));
  disk_->set_open_limit(~std::size_t{0});
  ASSERT_TRUE(log_->work(Micros{10'000'000}));
  ASSERT_TRUE(log_->work(Micros{15'000'000}));
  EXPECT_FALSE(log_->stats().short_of_files);
  EXPECT_EQ(log_->stats().tail_bytes, 0u);
  ASSERT_TRUE(checkpoint());
  start();
  disk_->set_open_limit(disk_->open_files());
  EXPECT_EQ(log_->read(partition, Offset{0}, 1'000).error().code, Code::overloaded);
  disk_->set_open_limit(~std::size_t{0});
  EXPECT_EQ(count(), 33);
}

TEST_F(EmbeddedLogTest, EffectsOfEnginesAreOnlyCarried) {
  start();
  Group group;
  group.begin_frame();
  group.effect(first_engine_effect, 1, "whatever");
  group.effect(200, 3, "whatever");
  group.end_frame();
  ASSERT_TRUE(commit(group));
  start();
  EXPECT_THAT(sink_.types, ElementsAre(first_engine_effect, 200));
}

TEST_F(EmbeddedLogTest, WhenStartsHaveEatenUpTheRingACheckpointGivesItBack) {
  start();
  make_topic();
  append_many(2);
  while (log_->stats().used_slots < log_->stats().slots) start();
  EXPECT_EQ(try_start().error().code, Code::limit_reached);
  log_.reset();
  log_ = std::move(*EmbeddedLog::open(*disk_, tiny(), random_));
  ASSERT_TRUE(log_->recover(sink_));
  ASSERT_TRUE(checkpoint()) << "recovered, not started: that is when the core makes one";
  ASSERT_TRUE(log_->start());
  append_many(1);
  EXPECT_EQ(count(), 3);
}

TEST_F(EmbeddedLogTest, StartsOnAFullDisk) {
  start();
  make_topic();
  append_many(2);
  log_.reset();
  const auto space = disk_->space().value();
  disk_->set_capacity(space.total_bytes - space.free_bytes);
  start();
  EXPECT_TRUE(log_->stats().disk_full);
  append_many(1);
  EXPECT_EQ(count(), 3);
}

TEST_F(EmbeddedLogTest, EveryDiskCallOfAStartMayFail) {
  start();
  make_topic();
  append_many(20);
  ASSERT_TRUE(checkpoint());
  append_many(5);
  log_.reset();
  const auto healthy = disk_->kill_image();
  for (std::uint64_t call = 1;; ++call) {
    disk_ = healthy->kill_image();
    disk_->fail_at(call, disk::SimulatedDisk::Fault::io_error, true);
    if (try_start()) break;
    disk_->heal();
    start();
    ASSERT_EQ(count(), 25) << "after call " << call << " had failed";
    log_.reset();
  }
}

TEST_F(EmbeddedLogTest, ARemovedTopicIsNoStrangerWhileItsFilesCannotGo) {
  start();
  make_topic();
  append_many(20);
  ASSERT_TRUE(checkpoint());
  Group group;
  group.begin_frame();
  group.remove_topic({topic});
  group.end_frame();
  ASSERT_TRUE(commit(group));
  log_.reset();
  const auto healthy = disk_->kill_image();
  int stayed = 0;
  bool failed = false;
  for (std::uint64_t call = 1; call == 1 || failed; ++call) {
    disk_ = healthy->kill_image();
    disk_->fail_at(call, disk::SimulatedDisk::Fault::disk_full, false);
    const bool started = try_start().has_value();
    failed = disk_->calls() >= call;
    if (!started) continue;
    stayed += disk_->exists("topics/00000001") == true ? 1 : 0;
    EXPECT_THAT(*disk_->list("quarantine"), IsEmpty()) << "after call " << call << " had failed";
    disk_->heal();
    ASSERT_TRUE(log_->work(Micros{0}));
    EXPECT_EQ(disk_->exists("topics/00000001"), false) << "after call " << call << " had failed";
  }
  EXPECT_EQ(stayed, 1);
}

// ---- reading --------------------------------------------------------------------------------------------------------

TEST_F(EmbeddedLogTest, AnswersReadersFromMemoryAndFiles) {
  start();
  make_topic();
  append_many(40);
  ASSERT_TRUE(log_->work(Micros{0}));
  append_many(2);
  const auto read = log_->read(partition, Offset{0}, 1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->newest, Sequence{43});
  EXPECT_EQ(read->groups.front(), Sequence{2});
  EXPECT_EQ(log_->stats().cold_reads, 1u);
  EXPECT_EQ(log_->offset_at(partition, WallTime{0}).value(), Offset{0});
  EXPECT_EQ(log_->offset_at(partition, WallTime{50}).value(), Offset{3});
  EXPECT_EQ(log_->offset_at(partition, WallTime{10'000}).value(), Offset{42});
  EXPECT_EQ(log_->appended_at(partition, Offset{41}).value(), WallTime{430});
  EXPECT_FALSE(log_->old_segments(partition).empty());
  const PartitionRef none{topic, PartitionId{1}};
  EXPECT_EQ(log_->read(none, Offset{0}, 1).error().code, Code::unknown_partition);
  EXPECT_EQ(log_->offset_at(none, WallTime{0}).error().code, Code::unknown_partition);
  EXPECT_EQ(log_->appended_at(none, Offset{0}).error().code, Code::unknown_partition);
  EXPECT_EQ(log_->state({TopicId{9}, PartitionId{0}}).error().code, Code::unknown_topic);
  EXPECT_THAT(log_->old_segments(none), IsEmpty());
}

TEST_F(EmbeddedLogTest, WorkWaitsForAPieceOrForAge) {
  start();
  make_topic();
  append_many(1);
  ASSERT_TRUE(log_->work(Micros{0}));
  EXPECT_EQ(log_->stats().written_behind_bytes, 0u);
  ASSERT_TRUE(log_->work(Micros{2'000'000}));
  EXPECT_GT(log_->stats().written_behind_bytes, 0u);
  EXPECT_EQ(log_->stats().tail_bytes, 0u);
}

// ---- trouble --------------------------------------------------------------------------------------------------------

TEST_F(EmbeddedLogTest, AFailedJournalWriteMakesNothingVisible) {
  start();
  make_topic();
  append_many(1);
  disk_->fail_at(disk_->calls() + 1, disk::SimulatedDisk::Fault::io_error, false);
  EXPECT_EQ(append().error().code, Code::io_error);
  EXPECT_EQ(append().error().code, Code::node_failed);
  EXPECT_EQ(count(), 1);
}

TEST_F(EmbeddedLogTest, AFullDiskStopsWritingBehindAndNothingElse) {
  auto options = tiny();
  options.ballast_bytes = 1 << 20;
  start(options);
  EXPECT_EQ(disk_->exists("ballast"), true);
  while (log_->stats().prepared_slots < 4) ASSERT_TRUE(log_->work(Micros{0}));
  make_topic();
  append_many(20);
  const auto space = disk_->space().value();
  disk_->set_capacity(space.total_bytes - space.free_bytes + 100);
  ASSERT_TRUE(log_->work(Micros{0}));
  EXPECT_TRUE(log_->stats().disk_full);
  EXPECT_EQ(disk_->exists("ballast"), false) << "the ballast is given up";
  EXPECT_EQ(count(), 20);
  append_many(1);  // the journal's files are there already
  ASSERT_TRUE(log_->work(Micros{0})) << "with the ballast's room it goes on";
  EXPECT_EQ(log_->stats().tail_bytes, 0u);
  disk_->set_capacity(100 << 20);
  ASSERT_TRUE(log_->work(Micros{0}));
  EXPECT_FALSE(log_->stats().disk_full);
  EXPECT_EQ(disk_->exists("ballast"), true);
}

TEST_F(EmbeddedLogTest, ACheckpointWithoutSpaceIsRepeated) {
  start();
  make_topic();
  append_many(20);
  const auto space = disk_->space().value();
  disk_->set_capacity(space.total_bytes - space.free_bytes);
  EXPECT_EQ(checkpoint({{"a", Sequence{21}, "1"}}).error().code, Code::disk_full);
  EXPECT_TRUE(log_->stats().disk_full);
  start();
  EXPECT_EQ(count(), 20);
  disk_->set_capacity(100 << 20);
  ASSERT_TRUE(checkpoint({{"a", Sequence{21}, "1"}}));
  start();
  EXPECT_EQ(sink_.units.size(), 1u);
  EXPECT_EQ(count(), 20);
}

TEST_F(EmbeddedLogTest, AnInputOutputErrorBehindIsGivenBack) {
  start();
  make_topic();
  append_many(20);
  disk_->fail_at(disk_->calls() + 3, disk::SimulatedDisk::Fault::io_error, true);
  EXPECT_EQ(log_->work(Micros{0}).error().code, Code::io_error);
  EXPECT_FALSE(checkpoint());
}

// ---- threads --------------------------------------------------------------------------------------------------------

TEST(EmbeddedLogThreads, ReadersSeeEveryRecordWhileItIsWrittenBehind) {
  std::string folder = testing::TempDir() + "/continuo-log-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    auto disk = disk::open_real_disk(folder);
    auto options = tiny();
    options.journal.slots = 8;
    options.write_behind_age = Micros{100};
    auto opened = EmbeddedLog::open(**disk, options, system_random());
    ASSERT_TRUE(opened) << to_string(opened.error());
    EmbeddedLog& log = **opened;
    Sink sink;
    ASSERT_TRUE(log.recover(sink) && log.start());
    Group making;
    making.begin_frame();
    making.make_partitions({topic, 2});
    making.end_frame();
    ASSERT_TRUE(log.write(making));
    log.publish(making);

    constexpr std::int64_t events = 600;
    std::atomic<std::uint64_t> published{making.sequence.value};
    std::atomic<bool> done{false};
    std::jthread behind([&] {
      for (std::int64_t now = 0; !done; now += 1'000) {
        ASSERT_TRUE(log.work(Micros{now}));
        if (log.stats().used_slots > 2) {
          ASSERT_TRUE(log.checkpoint(Sequence{published}, {}, {}));
        }
      }
    });
    std::vector<std::jthread> readers;
    for (std::uint32_t id = 0; id < 2; ++id)
      readers.emplace_back([&, ref = PartitionRef{topic, PartitionId{id}}] {
        for (Offset at{0}; at < Offset{events};) {
          const auto batches = log.read(ref, at, 2'000);
          ASSERT_TRUE(batches) << to_string(batches.error());
          for (const auto& batch : batches->batches) {
            EXPECT_EQ(record::read_batch_header(*batch)->base_offset, at);
            at = record::check_batch(*batch)->next_offset();
          }
          EXPECT_EQ(batches->next, at);
          (void)log.offset_at(ref, WallTime{at.value});
        }
      });
    for (std::int64_t base = 0; base < events;) {
      if (!log.has_room(2'000)) {
        std::this_thread::yield();
        continue;
      }
      Group group;
      group.now = {WallTime{base}, Elapsed{base}};
      for (std::uint32_t id = 0; id < 2; ++id) group.append(sample_batch({topic, PartitionId{id}}, Offset{base}));
      ASSERT_TRUE(log.write(group));
      log.publish(group);
      published = group.sequence.value;
      ++base;
    }
    readers.clear();
    done = true;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace continuo::log
