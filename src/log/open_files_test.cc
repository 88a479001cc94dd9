// The files that are open: bounded, those in use stay, and unsynced ones are synced before they are closed.
#include "continuo/log/open_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/disk/simulated_disk.h"

namespace continuo::log {
namespace {

using testing::Contains;
using testing::Not;

class OpenFilesTest : public testing::Test {
 protected:
  static constexpr std::size_t cap = 10;
  OpenFilesTest() {
    disk_.trace([this](std::uint64_t, const std::string& what) { calls_.push_back(what); });
  }
  static std::string name(int number) { return fmt::format("file{}", number); }
  void write(int number) {
    auto file = files_.open_to_write(name(number), true);
    ASSERT_TRUE(file && (*file)->write(0, name(number)));
  }
  disk::SimulatedDisk disk_;
  std::vector<std::string> calls_;
  OpenFiles files_{disk_, cap};
};

TEST_F(OpenFilesTest, AreNeverMoreThanTheCap) {
  for (int number = 0; number < 100; ++number) write(number);
  EXPECT_LE(disk_.open_files(), cap);
  for (int number = 0; number < 100; ++number) {
    auto file = files_.open(name(number));
    ASSERT_TRUE(file);
    EXPECT_EQ(disk::read_exactly(**file, 0, name(number).size(), ""), name(number));
  }
  EXPECT_LE(disk_.open_files(), cap);
  EXPECT_EQ(files_.count(), disk_.open_files());
}

TEST_F(OpenFilesTest, StayOpenForWhoUsesThem) {
  write(0);
  ASSERT_TRUE(files_.sync(name(0)));
  const auto used = files_.open(name(0)).value();
  for (int number = 1; number < 50; ++number) write(number);
  EXPECT_EQ(disk::read_exactly(*used, 0, 5, ""), "file0");
}

TEST_F(OpenFilesTest, AreSyncedBeforeTheyAreClosed) {
  for (int number = 0; number < 5; ++number) write(number);
  EXPECT_THAT(calls_, Not(Contains("sync file0")));
  for (int number = 5; number < 50; ++number) write(number);
  EXPECT_THAT(calls_, Contains("sync file0"));
  disk_.fail_at(disk_.calls() + 1, disk::SimulatedDisk::Fault::disk_full, false);
  EXPECT_EQ(files_.open_to_write(name(50), true).error().code, Code::io_error) << "a write of another file may be lost";
}

TEST_F(OpenFilesTest, GiveWayWhenTheProcessMayOpenNoMore) {
  for (int number = 0; number < 8; ++number) {
    write(number);
    ASSERT_TRUE(files_.sync(name(number)));
  }
  const auto used = files_.open(name(0)).value();
  disk_.set_open_limit(disk_.open_files());
  EXPECT_TRUE(files_.open(name(7)));
  write(9);
  disk_.set_open_limit(0);
  EXPECT_EQ(files_.open(name(3)).error().code, Code::overloaded);
}

TEST_F(OpenFilesTest, AreClosedWhenTheyAreForgotten) {
  write(0);
  files_.forget(name(0));
  files_.forget("never seen");
  EXPECT_EQ(disk_.open_files(), 0u);
}

}  // namespace
}  // namespace continuo::log
