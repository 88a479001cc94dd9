// Both state stores against one contract; and the file store's own: a torn transaction is as if it never was.
#include "continuo/log/state_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "continuo/base/random.h"
#include "continuo/disk/simulated_disk.h"

namespace continuo::log {
namespace {

using Content = std::map<std::string, std::string>;

class StateStoreContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (simulated()) return;
    CHECK(mkdtemp(folder_.data()) != nullptr);
  }
  void TearDown() override {
    store_.reset();
    if (!simulated()) std::filesystem::remove_all(folder_);
  }
  bool simulated() const { return std::string{GetParam()} == "file"; }
  void open() {
    store_.reset();  // LMDB may be open once in a process
    auto opened = simulated() ? open_file_store(disk_) : open_lmdb_store(folder_);
    ASSERT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }
  Content content() {
    Content all;
    std::string last;
    EXPECT_TRUE(store_->load([&](std::string_view key, std::string_view value) -> Result<void> {
      EXPECT_LT(last, key) << "in the order of keys";
      last = key;
      all.emplace(key, value);
      return {};
    }));
    return all;
  }

  disk::SimulatedDisk disk_;
  std::string folder_ = testing::TempDir() + "/continuo-store-XXXXXX";
  std::unique_ptr<StateStore> store_;
};

TEST_P(StateStoreContract, BeginsEmpty) {
  open();
  EXPECT_EQ(content(), Content{});
}

TEST_P(StateStoreContract, KeepsWhatWasCommitted) {
  open();
  ASSERT_TRUE(store_->commit({{"b", "2"}, {"a", "1"}, {"gone", "x"}}));
  ASSERT_TRUE(store_->commit({{"a", "new"}, {"gone", std::nullopt}, {"never there", std::nullopt}}));
  const Content expected{{"a", "new"}, {"b", "2"}};
  EXPECT_EQ(content(), expected);
  open();
  EXPECT_EQ(content(), expected);
}

TEST_P(StateStoreContract, TheLastChangeOfAKeyCounts) {
  open();
  ASSERT_TRUE(store_->commit({{"a", "1"}, {"a", std::nullopt}, {"b", std::nullopt}, {"b", "2"}}));
  EXPECT_EQ(content(), (Content{{"b", "2"}}));
}

TEST_P(StateStoreContract, TakesAnyBytesAndLargeValues) {
  open();
  const std::string key(400, '\xff'), value(300'000, '\0');
  ASSERT_TRUE(store_->commit({{key, value}, {std::string("\0\x01", 2), ""}}));
  open();
  EXPECT_EQ(content(), (Content{{key, value}, {std::string("\0\x01", 2), ""}}));
}

TEST_P(StateStoreContract, AnErrorOfTheVisitorEndsLoading) {
  open();
  ASSERT_TRUE(store_->commit({{"a", "1"}, {"b", "2"}}));
  int visited = 0;
  const auto loaded = store_->load([&](std::string_view, std::string_view) -> Result<void> {
    ++visited;
    return fail(Code::wrong_format, "enough");
  });
  EXPECT_EQ(loaded.error().code, Code::wrong_format);
  EXPECT_EQ(visited, 1);
}

// Not with RapidCheck: a commit of LMDB waits for the machine's disk, and hundreds of cases would take long.
TEST_P(StateStoreContract, HoldsWhatAModelHolds) {
  open();
  Content model;
  SeededRandom random{2026};
  for (int round = 0; round < 60; ++round) {
    std::vector<StoreChange> changes;
    for (auto left = random.below(8); left > 0; --left) {
      const std::string key = "k" + std::to_string(random.below(20));
      changes.push_back({key, std::nullopt});
      model.erase(key);
      if (random.chance(1, 3)) continue;
      changes.back().value = model[key] = std::string(random.below(500), static_cast<char>(random.next()));
    }
    ASSERT_TRUE(store_->commit(changes));
    if (random.chance(1, 10)) open();
    ASSERT_EQ(content(), model) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StateStoreContract, testing::Values("file", "lmdb"),
                         [](const auto& tested) { return std::string{tested.param}; });

TEST(LmdbStore, NamesAFolderThatIsNotThere) {
  const auto opened = open_lmdb_store("/nowhere/state");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::io_error);
}

Content content_of(disk::Disk& disk) {
  auto store = open_file_store(disk);
  EXPECT_TRUE(store);
  Content all;
  (void)(*store)->load([&](std::string_view key, std::string_view value) -> Result<void> {
    all.emplace(key, value);
    return {};
  });
  return all;
}

TEST(FileStore, ATransactionIsThereAsAWholeOrNotAtAll) {
  disk::SimulatedDisk disk;
  auto store = open_file_store(disk);
  ASSERT_TRUE((*store)->commit({{"a", "1"}, {"b", std::string(3000, '1')}}));
  const Content before = content_of(disk);
  disk.cut_at(disk.calls() + 2);  // the sync
  EXPECT_FALSE((*store)->commit({{"a", "2"}, {"b", std::string(3000, '2')}}));
  const Content after{{"a", "2"}, {"b", std::string(3000, '2')}};
  SeededRandom random{5};
  bool lost = false, kept = false;
  for (int i = 0; i < 200; ++i) {
    const Content found = content_of(*disk.crash_image(random));
    lost = lost || found == before;
    kept = kept || found == after;
    ASSERT_TRUE(found == before || found == after);
  }
  EXPECT_TRUE(lost && kept);
}

TEST(FileStore, IsRewrittenWhenMostOfItIsOld) {
  disk::SimulatedDisk disk;
  auto store = open_file_store(disk);
  std::uint64_t largest = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE((*store)->commit({{"a", std::string(2000, static_cast<char>('a' + i % 26))}}));
    largest = std::max(largest, disk.open("state/log", {}).value()->size().value());
  }
  EXPECT_LT(largest, 100'000u);
  EXPECT_EQ(content_of(disk).at("a"), std::string(2000, static_cast<char>('a' + 199 % 26)));
}

TEST(FileStore, EveryCallMayFailWithoutLosingWhatWasCommitted) {
  disk::SimulatedDisk disk;
  auto store = open_file_store(disk);
  int acknowledged = -1;
  for (int i = 0; i < 300; ++i) {
    if (i % 3 == 0)
      disk.fail_at(disk.calls() + 1 + static_cast<std::uint64_t>(i) % 9, disk::SimulatedDisk::Fault::disk_full, false);
    if ((*store)->commit({{"a", std::to_string(i)}, {"pad", std::string(1000, 'p')}})) acknowledged = i;
    disk.heal();
    const Content found = content_of(disk);
    ASSERT_GE(found.empty() ? -1 : std::stoi(found.at("a")), acknowledged);
  }
}

}  // namespace
}  // namespace continuo::log
