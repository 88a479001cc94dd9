// What the simulated disk forgets, and what it must keep: the crash model that every crash test stands on.
#include "continuo/disk/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace continuo::disk {
namespace {

using testing::ElementsAre;

constexpr int images = 300;

std::string content(Disk& disk, const std::string& path) {
  auto file = disk.open(path, {});
  if (!file) return "(absent)";
  std::string bytes((*file)->size().value(), '?');
  EXPECT_EQ((*file)->read(0, bytes), bytes.size());
  return bytes;
}

std::unique_ptr<File> make(Disk& disk, const std::string& path, std::string_view bytes = {}) {
  auto file = disk.open(path, {.create = true, .durable = true});
  CHECK(file.has_value());
  if (!bytes.empty()) CHECK((*file)->write(0, bytes).has_value());
  return std::move(*file);
}

// A file of these bytes that no crash takes away.
std::unique_ptr<File> make_lasting(Disk& disk, const std::string& path, std::string_view bytes) {
  auto file = make(disk, path, bytes);
  CHECK(file->sync().has_value() && disk.sync_folder("").has_value());
  return file;
}

// Everything `path` may hold after a power failure, over many images.
std::set<std::string> after_crashes(const SimulatedDisk& disk, const std::string& path) {
  SeededRandom random{7};
  std::set<std::string> seen;
  for (int i = 0; i < images; ++i) seen.insert(content(*disk.crash_image(random), path));
  return seen;
}

TEST(SimulatedDisk, WhatWasSyncedIsThereInEveryImage) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "synced");
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("synced"));
  ASSERT_TRUE(file->write(6, " and more"));
  ASSERT_TRUE(file->sync());
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("synced and more"));
}

TEST(SimulatedDisk, WhatWasNotSyncedMayBeKeptLostTornOrGarbage) {
  SimulatedDisk disk;
  const std::string before(4096, 'a'), after(4096, 'b');
  const auto file = make_lasting(disk, "a", before);
  ASSERT_TRUE(file->write(0, after));
  const auto seen = after_crashes(disk, "a");
  EXPECT_TRUE(seen.contains(before)) << "lost";
  EXPECT_TRUE(seen.contains(after)) << "kept";
  std::size_t torn = 0, garbage = 0;
  for (const std::string& image : seen) {
    ASSERT_EQ(image.size(), before.size());
    const bool mixed = image.find_first_not_of("ab") == std::string::npos;
    torn += mixed && image != before && image != after ? 1 : 0;
    garbage += mixed ? 0 : 1;
    if (!mixed) continue;
    for (std::size_t sector = 0; sector < image.size(); sector += 512)
      EXPECT_EQ(image.substr(sector, 512), std::string(512, image[sector])) << "a sector is written as a whole";
  }
  EXPECT_GT(torn, 0u);
  EXPECT_GT(garbage, 0u);
}

TEST(SimulatedDisk, UnsyncedWritesAreLostIndependently) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "....");
  ASSERT_TRUE(file->write(0, "1"));
  ASSERT_TRUE(file->write(3, "2"));
  const auto seen = after_crashes(disk, "a");
  for (const char* each : {"....", "1...", "...2", "1..2"}) EXPECT_TRUE(seen.contains(each)) << each;
}

TEST(SimulatedDisk, ADurableWriteSyncsItselfAndNothingElse) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", std::string(2 * block_size, '.'));
  ASSERT_TRUE(file->write(block_size, "pending"));
  ASSERT_TRUE(file->write_durable(0, std::string(block_size, 'd')));
  bool lost = false;
  for (const std::string& image : after_crashes(disk, "a")) {
    EXPECT_EQ(image.substr(0, block_size), std::string(block_size, 'd'));
    lost = lost || image.substr(block_size, 7) == ".......";
  }
  EXPECT_TRUE(lost);
}

TEST(SimulatedDisk, ANewNameLastsWithItsFolder) {
  SimulatedDisk disk;
  const auto file = make(disk, "a", "x");
  ASSERT_TRUE(file->sync());
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("(absent)", "x")) << "the bytes are synced, the name is not";
  ASSERT_TRUE(disk.sync_folder(""));
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("x"));
}

TEST(SimulatedDisk, RemovalAndRenameLastWithTheirFolder) {
  SimulatedDisk disk;
  make_lasting(disk, "gone", "1");
  make_lasting(disk, "next", "new");
  make_lasting(disk, "log", "old");
  ASSERT_TRUE(disk.remove("gone"));
  ASSERT_TRUE(disk.rename("next", "log"));
  EXPECT_THAT(after_crashes(disk, "gone"), ElementsAre("(absent)", "1"));
  EXPECT_THAT(after_crashes(disk, "log"), ElementsAre("new", "old"));
  ASSERT_TRUE(disk.sync_folder(""));
  EXPECT_THAT(after_crashes(disk, "gone"), ElementsAre("(absent)"));
  EXPECT_THAT(after_crashes(disk, "log"), ElementsAre("new"));
}

TEST(SimulatedDisk, TruncationIsAWriteLikeOthers) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "12345");
  ASSERT_TRUE(file->truncate(2));
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("12", "12345"));
  ASSERT_TRUE(file->sync());
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("12"));
}

TEST(SimulatedDisk, SyncedBytesStandInEveryImageWhateverElseIsPending) {
  EXPECT_TRUE(rc::check([] {
    SimulatedDisk disk;
    const auto file = make_lasting(disk, "a", "");
    std::string synced;
    std::set<std::size_t> pending;  // places written since
    for (int i = 0; i < 15; ++i) {
      const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, 2000));
      const std::string bytes(static_cast<std::size_t>(*rc::gen::inRange(1, 700)), static_cast<char>('a' + i));
      RC_ASSERT(file->write(at, bytes).has_value());
      for (std::size_t place = at; place < at + bytes.size(); ++place) pending.insert(place);
      if (*rc::gen::inRange(0, 3) != 0) continue;
      RC_ASSERT(file->sync().has_value());
      synced = content(disk, "a");
      pending.clear();
    }
    SeededRandom random{*rc::gen::arbitrary<std::uint64_t>()};
    const std::string image = content(*disk.crash_image(random), "a");
    for (std::size_t place = 0; place < synced.size(); ++place)
      if (!pending.contains(place)) RC_ASSERT(image.size() > place && image[place] == synced[place]);
  }));
}

TEST(SimulatedDisk, AnImageIsADiskOfItsOwn) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "one");
  disk.set_capacity(1000);
  ASSERT_TRUE(disk.make_folder("f"));
  SeededRandom random{1};
  const auto image = disk.crash_image(random);
  ASSERT_TRUE(file->write(0, "two"));
  EXPECT_EQ(content(*image, "a"), "one");
  EXPECT_EQ(image->exists("f"), true);
  EXPECT_EQ(image->space()->total_bytes, 1000u);
  EXPECT_TRUE(image->lock("LOCK")) << "locks die with the process";
}

TEST(SimulatedDisk, AKillLosesNothing) {
  SimulatedDisk disk;
  make_lasting(disk, "a", "synced");
  const auto file = make(disk, "b", "pending");
  const auto image = disk.kill_image();
  EXPECT_EQ(content(*image, "a"), "synced");
  EXPECT_EQ(content(*image, "b"), "pending");
  EXPECT_EQ(image->fingerprint(), disk.fingerprint());
  EXPECT_THAT(after_crashes(*image, "b"), testing::Contains("(absent)")) << "but what was pending still is";
}

TEST(SimulatedDisk, CountsAndTracesChangingCallsOnly) {
  SimulatedDisk disk;
  std::vector<std::string> calls;
  disk.trace([&](std::uint64_t number, const std::string& what) {
    EXPECT_EQ(number, calls.size() + 1);
    calls.push_back(what);
  });
  const auto file = make(disk, "a", "12345");
  content(disk, "a");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->truncate(1));
  ASSERT_TRUE(file->write_durable(0, std::string(block_size, 'x')));
  ASSERT_TRUE(disk.sync_folder(""));
  ASSERT_TRUE(disk.rename("a", "b"));
  ASSERT_TRUE(disk.remove("b"));
  EXPECT_THAT(calls, ElementsAre("create a", "write a 0+5", "sync a", "truncate a 1", "write-durable a 0+4096",
                                 "sync-folder ", "rename a b", "remove b"));
  EXPECT_EQ(disk.calls(), calls.size());
}

TEST(SimulatedDisk, AfterTheCutNothingWorksAndTheLastCallIsPending) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", std::string(block_size, '.'));
  disk.cut_at(disk.calls() + 1);
  EXPECT_FALSE(disk.cut());
  EXPECT_EQ(file->write_durable(0, std::string(block_size, 'x')).error().code, Code::io_error);
  EXPECT_TRUE(disk.cut());
  std::string out(1, '?');
  EXPECT_FALSE(file->read(0, out));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(disk.open("a", {}));
  EXPECT_FALSE(disk.sync_folder(""));
  SeededRandom random{7};
  std::set<std::string> seen;
  for (int i = 0; i < images; ++i) seen.insert(content(*disk.crash_image(random), "a"));
  EXPECT_TRUE(seen.contains(std::string(block_size, '.')));
  EXPECT_TRUE(seen.contains(std::string(block_size, 'x')));
}

TEST(SimulatedDisk, OneCallFailsOrAllFromThereOn) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "....");
  disk.fail_at(disk.calls() + 2, SimulatedDisk::Fault::io_error, false);
  EXPECT_TRUE(file->write(0, "1"));
  EXPECT_EQ(file->write(0, "2").error().code, Code::io_error);
  EXPECT_TRUE(file->write(0, "3"));
  disk.fail_at(disk.calls() + 1, SimulatedDisk::Fault::disk_full, true);
  EXPECT_EQ(file->write(0, "4").error().code, Code::disk_full);
  EXPECT_EQ(file->sync().error().code, Code::io_error) << "whatever the reason";
  disk.heal();
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(content(disk, "a"), "3...");
}

TEST(SimulatedDisk, AShortWriteLeavesHalf) {
  SimulatedDisk disk;
  const auto file = make_lasting(disk, "a", "........");
  disk.fail_at(disk.calls() + 1, SimulatedDisk::Fault::short_write, false);
  EXPECT_EQ(file->write(0, "12345678").error().code, Code::io_error);
  EXPECT_EQ(content(disk, "a"), "1234....");
}

TEST(SimulatedDisk, TakesNoMoreThanItsCapacity) {
  SimulatedDisk disk;
  disk.set_capacity(10);
  const auto file = make(disk, "a", "12345678");
  EXPECT_EQ(disk.space()->free_bytes, 2u);
  EXPECT_EQ(file->write(8, "9ab").error().code, Code::disk_full);
  EXPECT_EQ(content(disk, "a"), "12345678") << "nothing of it is written";
  EXPECT_TRUE(file->write(0, "abcdefgh")) << "overwriting takes no room";
}

TEST(SimulatedDisk, RotIsDurable) {
  SimulatedDisk disk;
  make_lasting(disk, "a", "ab");
  disk.flip_bit("a", 1, 0);
  EXPECT_EQ(content(disk, "a"), "ac");
  EXPECT_THAT(after_crashes(disk, "a"), ElementsAre("ac"));
}

TEST(SimulatedDisk, EqualDisksHaveEqualFingerprints) {
  SimulatedDisk one, two;
  make(one, "a", "x");
  EXPECT_NE(one.fingerprint(), two.fingerprint());
  make(two, "a", "x");
  EXPECT_EQ(one.fingerprint(), two.fingerprint());
  make(two, "b");
  EXPECT_NE(one.fingerprint(), two.fingerprint());
}

}  // namespace
}  // namespace continuo::disk
