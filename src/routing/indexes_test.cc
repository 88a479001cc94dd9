// ByteTrie, IntervalIndex and StringTable against what they are by definition.
#include <gmock/gmock.h>

#include <random>
#include <set>

#include "continuo/routing/byte_trie.h"
#include "continuo/routing/interval_index.h"
#include "continuo/routing/string_table.h"

namespace continuo::routing {
namespace {

std::string random_text(std::mt19937& random, std::size_t most) {
  std::string out(random() % (most + 1), ' ');
  for (char& each : out) each = "ab\xC3\xFF"[random() % 4];
  return out;
}

TEST(ByteTrie, FindsAllThatATextBeginsOrEndsWith) {
  std::mt19937 random{1};
  for (int round = 0; round < 300; ++round) {
    std::set<std::string> texts;
    for (std::size_t count = random() % 40; texts.size() < count;) texts.insert(random_text(random, 6));
    std::vector<std::string> all{texts.begin(), texts.end()};
    std::vector<ByteTrie::Key> keys;
    for (std::uint32_t i = 0; i < all.size(); ++i) keys.push_back({all[i], i});
    const ByteTrie front{Reading::forward, keys}, back{Reading::backward, keys};
    for (int i = 0; i < 50; ++i) {
      const std::string text = random_text(random, 9);
      std::vector<std::uint32_t> begins, ends, found_front, found_back;
      for (std::uint32_t key = 0; key < all.size(); ++key) {
        if (text.starts_with(all[key])) begins.push_back(key);
        if (text.ends_with(all[key])) ends.push_back(key);
      }
      front.find(text, [&](std::uint32_t key) { found_front.push_back(key); });
      back.find(text, [&](std::uint32_t key) { found_back.push_back(key); });
      EXPECT_THAT(found_front, testing::UnorderedElementsAreArray(begins));
      EXPECT_THAT(found_back, testing::UnorderedElementsAreArray(ends));
    }
  }
}

TEST(IntervalIndex, FindsAllThatHoldAPoint) {
  std::mt19937 random{2};
  for (int round = 0; round < 500; ++round) {
    std::vector<IntervalIndex<double>::Interval> all;
    for (std::uint32_t i = 0, count = random() % 50; i < count; ++i) {
      const double low = static_cast<double>(random() % 20);
      all.push_back({low, low + static_cast<double>(random() % 10), i});
    }
    const IntervalIndex<double> index{all};
    for (double point = -1; point < 32; point += 0.5) {
      std::vector<std::uint32_t> hold, found;
      for (const auto& each : all)
        if (each.low <= point && point <= each.high) hold.push_back(each.number);
      index.find(point, [&](std::uint32_t number) { found.push_back(number); });
      EXPECT_THAT(found, testing::UnorderedElementsAreArray(hold)) << point;
    }
  }
}

TEST(StringTable, NumbersStringsOnce) {
  StringTable table;
  EXPECT_EQ(table.find(""), StringTable::none);
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(table.add("key-" + std::to_string(i)), static_cast<std::uint32_t>(i));
  EXPECT_EQ(table.add(""), 10'000u);
  EXPECT_EQ(table.add("key-77"), 77u);
  EXPECT_EQ(table.find("key-9999"), 9'999u);
  EXPECT_EQ(table.find("key-10000"), StringTable::none);
  EXPECT_EQ(table.find(""), 10'000u);
  EXPECT_EQ(table[77], "key-77");
}

}  // namespace
}  // namespace continuo::routing
