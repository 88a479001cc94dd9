// What every disk keeps, the machine's and the simulated one alike: one suite over both.
#include "continuo/disk/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>

#include "continuo/disk/simulated_disk.h"

namespace continuo::disk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A folder of its own on the machine, gone with the test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& parent = testing::TempDir()) : path_(parent + "/continuo-disk-XXXXXX") {
    CHECK(mkdtemp(path_.data()) != nullptr, "a temporary folder can be made");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class DiskContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string{GetParam()} == "simulated") {
      disk_ = std::make_unique<SimulatedDisk>();
      return;
    }
    folder_.emplace();
    auto opened = open_real_disk(folder_->path());
    ASSERT_TRUE(opened) << to_string(opened.error());
    disk_ = std::move(*opened);
  }

  std::unique_ptr<File> make(const std::string& path, std::string_view content = {}, bool durable = false) {
    auto file = disk_->open(path, {.create = true, .durable = durable});
    CHECK(file.has_value());
    if (!content.empty()) CHECK((*file)->write(0, content).has_value());
    return std::move(*file);
  }
  static std::string content(File& file) {
    std::string bytes(file.size().value(), '?');
    EXPECT_EQ(file.read(0, bytes), bytes.size());
    return bytes;
  }

  std::optional<TemporaryFolder> folder_;
  std::unique_ptr<Disk> disk_;
};

TEST_P(DiskContract, WhatIsWrittenIsRead) {
  const auto file = make("a", "hello world");
  EXPECT_EQ(content(*file), "hello world");
  ASSERT_TRUE(file->write(6, "there, world"));
  EXPECT_EQ(content(*file), "hello there, world");
  EXPECT_EQ(content(**disk_->open("a", {})), "hello there, world") << "another opening sees it too";
}

TEST_P(DiskContract, AHoleReadsAsZeros) {
  const auto file = make("a");
  ASSERT_TRUE(file->write(3, "x"));
  EXPECT_EQ(content(*file), std::string("\0\0\0x", 4));
}

TEST_P(DiskContract, PiecesAreFilledOneAfterTheOther) {
  const auto file = make("f");
  std::string content;
  for (int i = 0; i < 1'000; ++i) content += static_cast<char>('a' + i % 26);
  ASSERT_TRUE(file->write(0, content));
  std::vector<std::size_t> sizes;  // more pieces than the system takes at once, some of nothing
  std::size_t total = 0;
  for (std::size_t i = 0; i < 200; ++i) sizes.push_back(i % 9), total += sizes.back();
  const auto read = read_exactly(*file, 3, sizes, "f");
  ASSERT_TRUE(read);
  std::string together;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ((*read)[i].size(), sizes[i]);
    together += (*read)[i];
  }
  EXPECT_EQ(together, content.substr(3, total));
  sizes.push_back(content.size());
  const auto beyond = read_exactly(*file, 3, sizes, "f");
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::damaged_data);
  EXPECT_EQ(beyond.error().detail, "the file ends at byte 1000, 796 more were expected");
  EXPECT_TRUE(read_exactly(*file, 3, std::span<const std::size_t>{}, "f")->empty());
}

TEST_P(DiskContract, ReadsEndAtTheEnd) {
  const auto file = make("a", "12345");
  std::string out(10, '?');
  EXPECT_EQ(file->read(3, out), 2u);
  EXPECT_EQ(out.substr(0, 2), "45");
  EXPECT_EQ(file->read(5, out), 0u);
  EXPECT_EQ(file->read(1000, out), 0u);
}

TEST_P(DiskContract, ReadExactlyNamesAFileThatIsTooShort) {
  const auto file = make("a", "12345");
  EXPECT_EQ(read_exactly(*file, 1, 3, "a"), "234");
  const auto short_read = read_exactly(*file, 3, 3, "a");
  ASSERT_FALSE(short_read);
  EXPECT_EQ(short_read.error().code, Code::damaged_data);
  EXPECT_EQ(short_read.error().at, "a");
}

TEST_P(DiskContract, PiecesAreWrittenOneAfterTheOther) {
  const auto file = make("a");
  std::vector<std::string> texts;
  std::vector<std::string_view> pieces;
  for (int i = 0; i < 200; ++i)
    texts.push_back(i % 7 == 0 ? "" : std::string(static_cast<std::size_t>(i), 'a' + i % 26));
  std::string all;
  for (const std::string& text : texts) {
    pieces.push_back(text);
    all += text;
  }
  ASSERT_TRUE(file->write(0, pieces));
  EXPECT_EQ(content(*file), all) << "more pieces than one system call takes, empty ones among them";
}

TEST_P(DiskContract, DurableWritesGoToWholeBlocks) {
  ASSERT_TRUE(disk_->make_folder("journal"));
  ASSERT_TRUE(disk_->probe("journal"));
  const auto file = make("journal/00", std::string(4 * block_size, '\0'), true);
  AlignedBuffer buffer;
  buffer.append("group");
  buffer.pad();
  ASSERT_TRUE(file->write_durable(2 * block_size, buffer.view()));
  EXPECT_EQ(content(*file).substr(2 * block_size, 6), std::string("group\0", 6));
  EXPECT_EQ(file->size(), 4 * block_size) << "the file keeps its length";
}

TEST_P(DiskContract, SizeFollowsWritesAndTruncation) {
  const auto file = make("a");
  EXPECT_EQ(file->size(), 0u);
  ASSERT_TRUE(file->write(10, "x"));
  EXPECT_EQ(file->size(), 11u);
  ASSERT_TRUE(file->truncate(4));
  EXPECT_EQ(file->size(), 4u);
  ASSERT_TRUE(file->truncate(6));
  EXPECT_EQ(content(*file), std::string(6, '\0')) << "what was cut off does not come back";
}

TEST_P(DiskContract, SyncAndWriteBackSucceed) {
  const auto file = make("a", "x");
  EXPECT_TRUE(file->sync());
  file->start_write_back(0, 1);
  EXPECT_TRUE(file->drop_cached(0, 1));
  EXPECT_TRUE(disk_->sync_folder(""));
}

TEST_P(DiskContract, WhatIsDroppedFromTheCacheIsReadAgain) {
  const std::string bytes(3 * block_size + 17, 'd');
  const auto file = make("a", bytes);
  EXPECT_TRUE(file->drop_cached(100, bytes.size() - 100));
  EXPECT_EQ(read_exactly(*file, 0, bytes.size(), "a"), bytes);
  EXPECT_TRUE(file->drop_cached(bytes.size(), 10 * block_size)) << "beyond the end";
  EXPECT_EQ(file->size(), bytes.size());
}

TEST_P(DiskContract, OpeningAnAbsentFileIsAnError) {
  const auto absent = disk_->open("absent", {});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::io_error);
  EXPECT_EQ(disk_->exists("absent"), false);
}

TEST_P(DiskContract, ListsNamesSorted) {
  ASSERT_TRUE(disk_->make_folder("f/inner/deep"));
  make("f/b");
  make("f/a");
  make("f/inner/c");
  EXPECT_THAT(disk_->list("f").value(), ElementsAre("a", "b", "inner"));
  EXPECT_THAT(disk_->list("f/inner").value(), ElementsAre("c", "deep"));
  EXPECT_THAT(disk_->list("nowhere").value(), IsEmpty());
  EXPECT_THAT(disk_->list("").value(), ElementsAre("f")) << "the root is a folder as well";
}

TEST_P(DiskContract, FoldersMayBeMadeTwice) {
  EXPECT_TRUE(disk_->make_folder("x/y"));
  EXPECT_TRUE(disk_->make_folder("x/y"));
  EXPECT_EQ(disk_->exists("x"), true);
  EXPECT_EQ(disk_->exists("x/y"), true);
}

TEST_P(DiskContract, RenameMovesAFileOverAnother) {
  make("old", "old");
  make("new", "new");
  ASSERT_TRUE(disk_->rename("new", "old"));
  EXPECT_EQ(disk_->exists("new"), false);
  EXPECT_EQ(content(**disk_->open("old", {})), "new");
}

TEST_P(DiskContract, RenameMovesAFolderWithAllInIt) {
  ASSERT_TRUE(disk_->make_folder("from/inner"));
  make("from/a", "1");
  make("from/inner/b", "2");
  ASSERT_TRUE(disk_->rename("from", "to"));
  EXPECT_EQ(disk_->exists("from"), false);
  EXPECT_THAT(disk_->list("to").value(), ElementsAre("a", "inner"));
  EXPECT_EQ(content(**disk_->open("to/inner/b", {})), "2");
}

TEST_P(DiskContract, RenamingNothingIsAnError) { EXPECT_FALSE(disk_->rename("absent", "other")); }

TEST_P(DiskContract, RemoveTakesFilesAndFolders) {
  ASSERT_TRUE(disk_->make_folder("f/inner"));
  make("f/inner/a");
  make("fa");
  const auto open = make("open", "still readable");
  ASSERT_TRUE(disk_->remove("f"));
  ASSERT_TRUE(disk_->remove("open"));
  EXPECT_TRUE(disk_->remove("absent"));
  EXPECT_EQ(disk_->exists("f/inner/a"), false);
  EXPECT_EQ(disk_->exists("f"), false);
  EXPECT_EQ(disk_->exists("fa"), true) << "a name that only begins the same";
  EXPECT_EQ(content(*open), "still readable") << "who has it open keeps it";
}

TEST_P(DiskContract, OneLockAtATime) {
  auto lock = disk_->lock("LOCK");
  ASSERT_TRUE(lock);
  const auto second = disk_->lock("LOCK");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::data_locked);
  lock->reset();
  EXPECT_TRUE(disk_->lock("LOCK"));
}

TEST_P(DiskContract, KnowsItsSpace) {
  const auto space = disk_->space();
  ASSERT_TRUE(space);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(DiskContract, ReadsWhatAModelOfTheFileHolds) {
  EXPECT_TRUE(rc::check([&] {
    ASSERT_TRUE(disk_->remove("m"));
    const auto file = make("m");
    std::string model;
    for (int i = 0; i < 20; ++i) {
      const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, 300));
      if (*rc::gen::inRange(0, 5) == 0) {
        ASSERT_TRUE(file->truncate(at));
        model.resize(at);
      } else {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        ASSERT_TRUE(file->write(at, bytes));
        if (!bytes.empty() && model.size() < at + bytes.size()) model.resize(at + bytes.size());
        if (!bytes.empty()) model.replace(at, bytes.size(), bytes);
      }
      RC_ASSERT(content(*file) == model);
    }
  }));
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskContract, testing::Values("real", "simulated"),
                         [](const auto& tested) { return std::string{tested.param}; });

TEST(RealDisk, TellsHowDurableWritesAreMade) {
  const TemporaryFolder folder;
  auto disk = open_real_disk(folder.path());
  ASSERT_TRUE(disk);
  const auto mode = (*disk)->probe("");
  ASSERT_TRUE(mode);
  EXPECT_FALSE(mode->file_system.empty());
  EXPECT_THAT((*disk)->list("").value(), IsEmpty()) << "the probe leaves nothing behind";
  EXPECT_EQ((*disk)->native_root(), folder.path());
}

TEST(RealDisk, SaysThatMemoryDoesNotLast) {
  if (!std::filesystem::exists("/dev/shm")) GTEST_SKIP() << "there is no /dev/shm here";
  const TemporaryFolder folder{"/dev/shm"};
  auto disk = open_real_disk(folder.path());
  ASSERT_TRUE(disk);
  const auto mode = (*disk)->probe("");
  ASSERT_TRUE(mode);
  EXPECT_FALSE(mode->lasting);
  EXPECT_EQ(mode->file_system, "tmpfs");
}

TEST(RealDisk, NamesWhatItCannotOpen) {
  const TemporaryFolder folder;
  auto disk = open_real_disk(folder.path());
  const auto missing = (*disk)->open("no/such/file", {.create = true});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::io_error);
  EXPECT_THAT(missing.error().at, testing::EndsWith("no/such/file"));
  EXPECT_FALSE(open_real_disk("/proc/continuo"));
  EXPECT_FALSE((*disk)->sync_folder("absent"));
  EXPECT_FALSE((*disk)->probe("absent"));
  EXPECT_FALSE((*disk)->lock("no/such/lock"));
}

TEST(AlignedBuffer, StandsOnABlockAndPadsWithZeros) {
  AlignedBuffer buffer;
  buffer.append("");
  EXPECT_EQ(buffer.size(), 0u);
  buffer.append(std::string(block_size * 40, 'x'));
  buffer.append("y");
  buffer.pad();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % block_size, 0u);
  EXPECT_EQ(buffer.size(), 41 * block_size);
  EXPECT_EQ(buffer.view().substr(40 * block_size), "y" + std::string(block_size - 1, '\0'));
  buffer.clear();
  buffer.append("z");
  buffer.pad();
  EXPECT_EQ(buffer.view(), "z" + std::string(block_size - 1, '\0')) << "nothing of what was in it before";
  buffer.pad();
  EXPECT_EQ(buffer.size(), block_size);
}

}  // namespace
}  // namespace continuo::disk
