// The journal: what is written is replayed, the ring turns, a tear is cut off, rot is named. Crash images are the
// simulator's matter.
#include "continuo/log/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/base/bytes.h"
#include "continuo/disk/simulated_disk.h"

namespace continuo::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t block = journal_block;

struct Found {
  Sequence sequence;
  Epoch epoch;
  Now now;
  std::uint32_t frames;
  std::string body;
  bool operator==(const Found&) const = default;
};

JournalOptions tiny(std::uint32_t slots = 4, std::uint64_t blocks = 8) {
  JournalOptions options;
  options.slots = slots;
  options.slot_bytes = blocks * block;
  options.max_group = (blocks - 1) * block;
  return options;
}

Now at(std::int64_t ms) { return {WallTime{1'000'000 + ms}, Elapsed{ms}}; }

class JournalTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Journal>> open(const JournalOptions& options = tiny()) {
    return Journal::open(*disk_, options, random_);
  }
  // Opened, replayed from `from` into found_, and started.
  std::unique_ptr<Journal> start(const JournalOptions& options = tiny(), Sequence from = Sequence{1}) {
    auto journal = open(options);
    CHECK(journal.has_value());
    const auto replayed = replay(**journal, from);
    EXPECT_TRUE(replayed) << to_string(replayed.error());
    while (!(*journal)->prepare().value()) {
    }
    EXPECT_TRUE((*journal)->start());
    return std::move(*journal);
  }
  Result<void> replay(Journal& journal, Sequence from = Sequence{1}) {
    found_.clear();
    return journal.replay(from, [&](const ReplayedGroup& group) -> Result<void> {
      found_.push_back({group.sequence, group.epoch, group.now, group.frame_count, std::string{group.body}});
      return {};
    });
  }
  Result<void> replay_anew(const JournalOptions& options = tiny()) {
    auto journal = open(options);
    if (!journal) return pass(journal);
    return replay(**journal);
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const Found& found : found_)
      if (!found.body.empty()) all.push_back(found.body);
    return all;
  }
  static Sequence put(Journal& journal, std::string_view body) {
    const auto written = journal.write(at(1), 1, std::span{&body, 1});
    CHECK(written.has_value());
    return *written;
  }
  std::string slot(int index) const { return "journal/0" + std::to_string(index); }
  std::string bytes(const std::string& path, std::uint64_t from, std::size_t size) {
    auto file = disk_->open(path, {});
    return disk::read_exactly(**file, from, size, path).value();
  }
  void overwrite(const std::string& path, std::uint64_t from, std::string_view content) {
    auto file = disk_->open(path, {});
    CHECK((*file)->write(from, content).has_value() && (*file)->sync().has_value());
  }

  SeededRandom random_{11};
  std::unique_ptr<disk::SimulatedDisk> disk_ = std::make_unique<disk::SimulatedDisk>();
  std::vector<Found> found_;
};

// ---- writing and replaying ------------------------------------------------------------------------------------------

TEST_F(JournalTest, ReplaysWhatWasWritten) {
  auto journal = start();
  const std::string_view pieces[] = {"frame one", "", "frame two"};
  EXPECT_EQ(journal->write(at(5), 2, pieces), Sequence{1});
  EXPECT_EQ(journal->write(at(6), 1, std::span{pieces, 1}), Sequence{2});
  EXPECT_EQ(journal->last(), Sequence{2});
  journal.reset();
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(found_, ElementsAre(Found{Sequence{1}, Epoch{1}, at(5), 2, "frame oneframe two"},
                                  Found{Sequence{2}, Epoch{1}, at(6), 1, "frame one"}));
}

TEST_F(JournalTest, AnEmptyJournalHoldsNothing) {
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(found_, IsEmpty());
}

TEST_F(JournalTest, EveryStartOpensASegmentUnderANewEpoch) {
  for (std::uint32_t epoch = 1; epoch <= 3; ++epoch) {
    const auto journal = start();
    EXPECT_EQ(journal->epoch(), Epoch{epoch});
    put(*journal, "in epoch " + std::to_string(epoch));
  }
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("in epoch 1", "in epoch 2", "in epoch 3"));
  EXPECT_EQ(found_.back().epoch, Epoch{3});
}

TEST_F(JournalTest, ReplayWritesNothingAndASecondOneFindsTheSame) {
  put(*start(), "a");
  const auto before = disk_->fingerprint();
  ASSERT_TRUE(replay_anew());
  const auto first = found_;
  ASSERT_TRUE(replay_anew());
  EXPECT_EQ(found_, first);
  EXPECT_EQ(disk_->fingerprint(), before);
}

TEST_F(JournalTest, AnErrorOfTheVisitorEndsReplay) {
  put(*start(), "a");
  auto journal = open();
  const auto replayed = (*journal)->replay(
      Sequence{1}, [](const ReplayedGroup&) -> Result<void> { return fail(Code::wrong_format, "no"); });
  EXPECT_EQ(replayed.error().code, Code::wrong_format);
}

TEST_F(JournalTest, ReplayBeginsWhereItIsAsked) {
  auto journal = start();
  for (const char* body : {"one", "two", "three"}) put(*journal, body);
  journal = *open();
  ASSERT_TRUE(replay(*journal, Sequence{3}));
  EXPECT_THAT(bodies(), ElementsAre("three"));
  journal = *open();
  ASSERT_TRUE(replay(*journal, Sequence{4}));
  EXPECT_THAT(bodies(), IsEmpty()) << "all of it is in a checkpoint";
}

TEST_F(JournalTest, AGroupTheCheckpointKnowsOfMustBeThere) {
  put(*start(), "one");
  auto journal = open();
  const auto replayed = replay(**journal, Sequence{5});
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Code::damaged_journal);
  disk_ = std::make_unique<disk::SimulatedDisk>();
  journal = open();
  EXPECT_EQ(replay(**journal, Sequence{5}).error().code, Code::damaged_journal)
      << "an empty journal is not one that was forgotten";
}

TEST_F(JournalTest, RoundTripOfAnyGroupsOverLapsAndRestarts) {
  EXPECT_TRUE(rc::check([&] {
    disk_ = std::make_unique<disk::SimulatedDisk>();
    auto journal = start();
    std::vector<std::string> written;  // those not released
    std::uint64_t first = 1;
    const int count = *rc::gen::inRange(1, 40);
    for (int i = 0; i < count; ++i) {
      const auto size = static_cast<std::size_t>(*rc::gen::inRange(0, 5 * static_cast<int>(block)));
      const std::string body(size, static_cast<char>('a' + i % 26));
      if (!journal->has_room(size)) {  // a checkpoint of everything
        journal->release(journal->last());
        first = journal->last().value + 1;
        written.clear();
        RC_ASSERT(journal->has_room(size));
      }
      RC_ASSERT(put(*journal, body).value == first + written.size());
      written.push_back(body);
      if (*rc::gen::inRange(0, 10) != 0) continue;
      if (journal->free_slots() > 0) journal = start(tiny(), Sequence{first});
    }
    journal = *open();
    RC_ASSERT(replay(*journal, Sequence{first}).has_value());
    std::vector<std::string> found;
    for (const Found& each : found_) found.push_back(each.body);
    RC_ASSERT(found == written);
  }));
}

// ---- the ring -------------------------------------------------------------------------------------------------------

TEST_F(JournalTest, RollsIntoTheNextSlotWhenAGroupDoesNotFit) {
  auto journal = start();
  const std::string three_blocks(3 * block - GroupHeader::size, 'x');
  EXPECT_EQ(Journal::padded(three_blocks.size()), 3 * block);
  put(*journal, three_blocks);
  put(*journal, three_blocks);
  EXPECT_EQ(journal->usage().used, 1u);
  put(*journal, three_blocks);
  EXPECT_EQ(journal->usage().used, 2u);
  EXPECT_EQ(journal->free_slots(), 2u);
  ASSERT_TRUE(replay_anew());
  EXPECT_EQ(found_.size(), 3u);
}

TEST_F(JournalTest, AFullRingTakesNothingUntilSlotsAreReleased) {
  auto journal = start();
  const std::string seven_blocks(7 * block - GroupHeader::size, 'x');
  for (int i = 0; i < 4; ++i) put(*journal, seven_blocks);
  EXPECT_FALSE(journal->has_room(1));
  EXPECT_EQ(journal->free_slots(), 0u);
  std::string_view body = "x";
  const auto refused = journal->write(at(1), 1, std::span{&body, 1});
  EXPECT_EQ(refused.error().code, Code::limit_reached);
  EXPECT_FALSE(journal->failed()) << "a full ring is no disk error";
  journal->release(Sequence{2});
  EXPECT_EQ(journal->usage().used, 2u);
  EXPECT_TRUE(journal->has_room(1));
  put(*journal, "after the release");
  journal = *open();
  ASSERT_TRUE(replay(*journal, Sequence{3}));
  EXPECT_EQ(bodies(), (std::vector<std::string>{seven_blocks, seven_blocks, "after the release"}));
}

TEST_F(JournalTest, TheSlotBeingWrittenIsNeverReleased) {
  auto journal = start();
  put(*journal, "a");
  journal->release(journal->last());
  EXPECT_EQ(journal->usage().used, 1u);
}

TEST_F(JournalTest, GroupsOfAnEarlierLapAreNotFound) {
  auto journal = start();
  const std::string seven_blocks(7 * block - GroupHeader::size, 'o');
  for (int i = 0; i < 4; ++i) put(*journal, seven_blocks);
  journal->release(Sequence{4});
  put(*journal, "new");  // the rest of its slot still holds the old lap
  journal = *open();
  ASSERT_TRUE(replay(*journal, Sequence{5}));
  EXPECT_THAT(bodies(), ElementsAre("new"));
}

TEST_F(JournalTest, SlotsAreMadeTwoFirstAndTheRestOneByOne) {
  auto journal = *open();
  EXPECT_EQ(journal->usage().prepared, 2u);
  EXPECT_EQ(journal->prepare(), false);
  EXPECT_EQ(journal->usage().prepared, 3u);
  EXPECT_EQ(journal->prepare(), true);
  EXPECT_EQ(journal->usage().prepared, 4u);
  EXPECT_EQ(journal->prepare(), true);
  EXPECT_THAT(disk_->list("journal").value(), ElementsAre("00", "01", "02", "03"));
}

TEST_F(JournalTest, AHalfMadeSlotIsMadeAgain) {
  {
    auto journal = *open();
  }
  CHECK(disk_->open("journal/02", {.create = true}).value()->write(0, std::string(100, '\0')).has_value());
  auto journal = *open();
  EXPECT_EQ(journal->usage().prepared, 2u);
  EXPECT_EQ(journal->prepare(), false);
  EXPECT_EQ(bytes("journal/02", 0, 8 * block), std::string(8 * block, '\0'));
}

TEST_F(JournalTest, AGroupOverTheLimitIsRefusedAndHarmsNothing) {
  auto journal = start();
  const std::string large(7 * block, 'x');
  std::string_view body = large;
  EXPECT_EQ(journal->write(at(1), 1, std::span{&body, 1}).error().code, Code::too_large);
  put(*journal, "small");
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("small"));
}

TEST_F(JournalTest, ARingOfAnotherSizeIsRefusedUntouched) {
  put(*start(), "acknowledged");
  const auto before = disk_->fingerprint();
  for (const std::uint64_t blocks : {4, 16}) {
    const auto opened = open(tiny(4, blocks));
    ASSERT_FALSE(opened) << blocks;
    EXPECT_EQ(opened.error().code, Code::wrong_format);
    EXPECT_THAT(opened.error().detail, HasSubstr(std::to_string(8 * block)));
  }
  EXPECT_EQ(disk_->fingerprint(), before);
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("acknowledged"));
}

TEST_F(JournalTest, ARingOfFewerSlotsIsRefusedOfMoreTaken) {
  for (int i = 0; i < 5; ++i) put(*start(tiny(6)), "acknowledged");  // the last one in slot 05
  const auto opened = open(tiny(5));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::wrong_format);
  EXPECT_TRUE(replay_anew(tiny(8)));
  EXPECT_EQ(bodies().size(), 5u);
}

// ---- failures -------------------------------------------------------------------------------------------------------

TEST_F(JournalTest, AfterAFailedWriteNothingIsWrittenAnyMore) {
  for (const auto fault : {disk::SimulatedDisk::Fault::io_error, disk::SimulatedDisk::Fault::disk_full,
                           disk::SimulatedDisk::Fault::short_write}) {
    disk_ = std::make_unique<disk::SimulatedDisk>();
    auto journal = start();
    put(*journal, "acknowledged");
    disk_->fail_at(disk_->calls() + 1, fault, false);
    const std::string lost(2 * block, 'l');
    std::string_view body = lost;
    EXPECT_FALSE(journal->write(at(1), 1, std::span{&body, 1}));
    EXPECT_TRUE(journal->failed());
    const auto calls = disk_->calls();
    EXPECT_EQ(journal->write(at(1), 1, std::span{&body, 1}).error().code, Code::node_failed);
    EXPECT_TRUE(journal->seal(at(1))) << "a failed journal seals nothing";
    EXPECT_EQ(disk_->calls(), calls);
    ASSERT_TRUE(replay_anew());
    EXPECT_THAT(bodies(), ElementsAre("acknowledged"));
  }
}

TEST_F(JournalTest, AFailedRollIsAFailedWrite) {
  auto journal = start();
  put(*journal, std::string(7 * block - GroupHeader::size, 'x'));
  disk_->fail_at(disk_->calls() + 1, disk::SimulatedDisk::Fault::io_error, false);
  std::string_view body = "lost";
  EXPECT_EQ(journal->write(at(1), 1, std::span{&body, 1}).error().code, Code::io_error);
  EXPECT_TRUE(journal->failed());
}

TEST_F(JournalTest, EveryCallOfOpeningMayFail) {
  put(*start(), "a");
  const auto calls_before = disk_->calls();
  ASSERT_TRUE(open());
  const auto calls = disk_->calls() - calls_before;
  EXPECT_GT(calls, 0u) << "it flushes before it reads";
  for (std::uint64_t call = 1; call <= calls; ++call) {
    disk_->fail_at(disk_->calls() + call, disk::SimulatedDisk::Fault::io_error, true);
    EXPECT_FALSE(open()) << "call " << call;
    disk_->heal();
  }
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("a"));
}

// ---- torn and rotten ------------------------------------------------------------------------------------------------

TEST_F(JournalTest, ATornLastGroupIsCutOff) {
  auto journal = start();
  put(*journal, "whole");
  put(*journal, std::string(2 * block, 't'));
  overwrite(slot(1), 3 * block, std::string(512, '\0'));  // the middle of the second group
  journal = start();
  EXPECT_THAT(bodies(), ElementsAre("whole"));
  EXPECT_EQ(put(*journal, "after"), Sequence{2}) << "the number goes to the next group";
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("whole", "after")) << "what lies beyond the end is never read again";
}

TEST_F(JournalTest, DamageBeforeAnotherGroupIsRotAndNamed) {
  auto journal = start();
  for (const char* body : {"one", "two", "three"}) put(*journal, body);
  disk_->flip_bit(slot(1), 2 * block + GroupHeader::size, 0);
  const auto replayed = replay_anew();
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Code::damaged_journal);
  EXPECT_EQ(replayed.error().at, "journal/01 byte 8192 sequence 2");
  EXPECT_THAT(replayed.error().detail, HasSubstr("group 3"));
  EXPECT_THAT(bodies(), ElementsAre("one"));
}

TEST_F(JournalTest, EveryByteOfAnAcknowledgedGroupIsGuarded) {
  auto journal = start();
  put(*journal, "one");
  put(*journal, "two");
  journal.reset();
  for (std::uint64_t byte = 0; byte < GroupHeader::size + 3; ++byte) {
    disk_->flip_bit(slot(1), block + byte, static_cast<int>(byte % 8));
    const auto replayed = replay_anew();
    EXPECT_FALSE(replayed) << "byte " << byte;
    disk_->flip_bit(slot(1), block + byte, static_cast<int>(byte % 8));
  }
  EXPECT_TRUE(replay_anew());
}

TEST_F(JournalTest, TheSealTellsRotOfTheLastGroupFromATear) {
  auto journal = start();
  put(*journal, "last");
  auto unsealed = disk_->kill_image();
  ASSERT_TRUE(journal->seal(at(2)));
  disk_->flip_bit(slot(1), block + GroupHeader::size, 0);
  EXPECT_EQ(replay_anew().error().code, Code::damaged_journal);
  unsealed->flip_bit(slot(1), block + GroupHeader::size, 0);
  journal.reset();
  disk_ = std::move(unsealed);
  EXPECT_TRUE(replay_anew()) << "without it the damage is taken for a tear: what GUARANTEES.md says of the last 100 ms";
  EXPECT_THAT(bodies(), IsEmpty());
}

TEST_F(JournalTest, SealsOnceUntilTheNextGroup) {
  auto journal = start();
  put(*journal, "a");
  ASSERT_TRUE(journal->seal(at(2)));
  ASSERT_TRUE(journal->seal(at(3)));
  EXPECT_EQ(journal->last(), Sequence{2});
  put(*journal, "b");
  ASSERT_TRUE(journal->seal(at(4)));
  EXPECT_EQ(journal->last(), Sequence{4});
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("a", "b"));
  EXPECT_EQ(found_.size(), 4u) << "seals are groups of nothing";
}

TEST_F(JournalTest, RotInAnEarlierSegmentIsProvenByALaterOne) {
  auto journal = start();
  put(*journal, "only group of its segment");
  journal = start();
  put(*journal, "next epoch");
  disk_->flip_bit(slot(1), block + 20, 3);
  const auto replayed = replay_anew();
  ASSERT_FALSE(replayed);
  EXPECT_THAT(replayed.error().at, HasSubstr("journal/01 byte 4096 sequence 1"));
}

TEST_F(JournalTest, ADamagedSegmentHeaderIsRotWhenGroupsFollow) {
  put(*start(), "one");
  put(*start(), "two");
  disk_->flip_bit(slot(2), 9, 1);
  const auto replayed = replay_anew();
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Code::damaged_journal);
  EXPECT_THAT(replayed.error().detail, HasSubstr("segment header is damaged"));
}

TEST_F(JournalTest, ADamagedSegmentHeaderWithoutGroupsIsAnUnfinishedStart) {
  put(*start(), "one");
  start().reset();
  disk_->flip_bit(slot(2), 9, 1);
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("one"));
}

TEST_F(JournalTest, LossIsAcceptedOnlyWhenAskedFor) {
  auto journal = start();
  for (const char* body : {"one", "two", "three"}) put(*journal, body);
  disk_->flip_bit(slot(1), 2 * block, 0);
  ASSERT_FALSE(replay_anew());
  auto accepting = tiny();
  accepting.accept_loss = true;
  journal = start(accepting);
  EXPECT_THAT(bodies(), ElementsAre("one"));
  put(*journal, "two again");
  ASSERT_TRUE(journal->seal(at(9)));
  ASSERT_TRUE(replay_anew()) << "once accepted, it is over";
  EXPECT_THAT(bodies(), ElementsAre("one", "two again"));
}

TEST_F(JournalTest, NumbersOfLostGroupsAreNotGivenAgain) {
  auto journal = start();
  for (const char* body : {"one", "two", "three"}) put(*journal, body);
  disk_->flip_bit(slot(1), 2 * block, 0);
  auto accepting = tiny();
  accepting.accept_loss = true;
  journal = Journal::open(*disk_, accepting, random_).value();
  ASSERT_TRUE(journal->replay(Sequence{1}, [](const ReplayedGroup&) { return Result<void>{}; }));
  ASSERT_TRUE(journal->start(Sequence{9}));
  put(*journal, "nine");
  put(*start(), "ten");
  EXPECT_THAT(bodies(), ElementsAre("one", "nine"));
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("one", "nine", "ten"));
  EXPECT_EQ(start()->last(), Sequence{10});
}

TEST_F(JournalTest, WithTheBeginningLostNothingAfterItIsGiven) {
  put(*start(), "one");
  put(*start(), "two");
  disk_->flip_bit(slot(1), 0, 0);  // the header of the first segment
  EXPECT_EQ(replay_anew().error().code, Code::damaged_journal);
  auto accepting = tiny();
  accepting.accept_loss = true;
  put(*start(accepting), "begun anew");
  EXPECT_THAT(bodies(), IsEmpty()) << "what the second group says stands on the first";
  ASSERT_TRUE(replay_anew());
  EXPECT_THAT(bodies(), ElementsAre("begun anew"));
}

TEST_F(JournalTest, APayloadThatIsAGroupIsNotTakenForOne) {
  auto journal = start();
  put(*journal, "one");
  put(*journal, "torn");
  const std::string header_and_body = bytes(slot(1), block, block);  // group 1, to the byte
  GroupHeader later = *GroupHeader::decode(bytes(slot(1), 2 * block, block));
  later.sequence = Sequence{9};
  std::string forged(block, '\0');
  later.salt ^= 1;  // an outsider does not know the salt
  later.encode(forged.data());
  put(*journal, std::string(block - GroupHeader::size, '.') + header_and_body + forged);
  overwrite(slot(1), 2 * block, std::string(2 * block, '\0'));  // groups 2 and the head of 3 never came to the disk
  ASSERT_TRUE(replay_anew()) << "blocks inside a torn payload look like groups, with another salt or an old number";
  EXPECT_THAT(bodies(), ElementsAre("one"));
}

TEST_F(JournalTest, AnyTornTailGivesAllThatWasAcknowledgedBefore) {
  EXPECT_TRUE(rc::check([&] {
    disk_ = std::make_unique<disk::SimulatedDisk>();
    auto journal = start(tiny(4, 16));
    std::vector<std::string> written;
    const int count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i)
      written.push_back(std::string(static_cast<std::size_t>(*rc::gen::inRange(1, 9000)), static_cast<char>('a' + i)));
    for (const std::string& body : written) put(*journal, body);
    std::size_t end = block;
    for (std::size_t i = 0; i + 1 < written.size(); ++i) end += Journal::padded(written[i].size());
    const auto torn =
        static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(GroupHeader::size + written.back().size())));
    disk_->flip_bit(slot(1), end + torn, *rc::gen::inRange(0, 8));
    written.pop_back();
    RC_ASSERT(replay_anew(tiny(4, 16)).has_value());
    RC_ASSERT(bodies() == written);
  }));
}

}  // namespace
}  // namespace continuo::log
