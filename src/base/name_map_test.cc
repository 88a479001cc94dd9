// Against a std::map, and that copies do not see what is changed in others.
#include "continuo/base/name_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace continuo {
namespace {

using Map = NameMap<int>;
using Model = std::map<std::string, Map::Shared>;

void expect_same(const Map& map, const Model& model) {
  ASSERT_EQ(map.size(), model.size());
  ASSERT_EQ(map.empty(), model.empty());
  ASSERT_TRUE(std::ranges::equal(map, model, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second == other.second;
  }));
}

std::set<std::string> told_differences(const Map& before, const Map& after) {
  std::set<std::string> told;
  Map::differences(before, after, [&](const std::string& name, const auto& old, const auto& now) {
    EXPECT_EQ(old, before.get(name));
    EXPECT_EQ(now, after.get(name));
    EXPECT_TRUE(told.empty() || *told.rbegin() < name);
    told.insert(name);
  });
  return told;
}

TEST(NameMap, IsEmptyAtFirst) {
  Map map;
  expect_same(map, {});
  EXPECT_EQ(map.find("a"), map.end());
  EXPECT_EQ(map.get("a"), nullptr);
  EXPECT_FALSE(map.erase("a"));
  EXPECT_EQ(told_differences(map, map), std::set<std::string>{});
}

TEST(NameMap, ReplacesWhatHasTheName) {
  Map map;
  map.set("a", std::make_shared<const int>(1));
  map.set("a", std::make_shared<const int>(2));
  EXPECT_EQ(map.size(), 1u);
  EXPECT_EQ(*map.get("a"), 2);
}

TEST(NameMap, DoesWhatAMapDoesThroughThousandsOfChanges) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    std::mt19937 random{seed};
    Map map;
    Model model;
    const std::uint32_t names = seed % 2 == 0 ? 2'000 : 100;
    std::pair<Map, Model> before;
    std::set<std::string> touched;
    for (int step = 0; step < 4'000; ++step) {
      const std::string name = "name-" + std::to_string(random() % names);
      touched.insert(name);
      // Long stretches of mostly one or the other: chunks split, and come together again.
      if (random() % 10 < (step / 1'000 % 2 == 0 ? 8 : 2)) {
        const auto value = std::make_shared<const int>(step);
        map.set(name, value);
        model[name] = value;
      } else {
        EXPECT_EQ(map.erase(name), model.erase(name) != 0);
      }
      EXPECT_EQ(map.get(name), model.contains(name) ? model[name] : nullptr);
      if (step % 97 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
      ASSERT_NO_FATAL_FAILURE(expect_same(before.first, before.second)) << "a copy is not what it was, seed " << seed;
      std::set<std::string> others;
      for (const std::string& each : touched)
        if (before.first.get(each) != map.get(each)) others.insert(each);
      ASSERT_EQ(told_differences(before.first, map), others) << "seed " << seed << ", step " << step;
      before = {map, model};
      touched.clear();
    }
  }
}

TEST(NameMap, FindsADifferenceWithoutLookingAtAll) {
  Map before;
  for (int i = 0; i < 10'000; ++i) before.set("n" + std::to_string(i), std::make_shared<const int>(i));
  Map after = before;
  after.set("n5000", std::make_shared<const int>(0));
  after.set("n5000-and-more", std::make_shared<const int>(0));
  after.erase("n7000");
  EXPECT_EQ(told_differences(before, after), (std::set<std::string>{"n5000", "n5000-and-more", "n7000"}));
}

}  // namespace
}  // namespace continuo
