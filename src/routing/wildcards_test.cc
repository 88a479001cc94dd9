#include "continuo/routing/wildcards.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

namespace continuo::routing {
namespace {

// By definition.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i)
      if (matches(pattern.substr(1), text.substr(i))) return true;
    return false;
  }
  const std::size_t size = pattern[0] == '\\' ? 2 : 1;
  return !text.empty() && text[0] == pattern[size - 1] && matches(pattern.substr(size), text.substr(1));
}

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t most) {
  std::string out;
  for (std::size_t size = random() % (most + 1); out.size() < size;) {
    const char letter = letters[random() % letters.size()];
    if (letter == '*' && out.ends_with('*')) continue;
    out += letter;
  }
  return out;
}

void compare_with_definition(std::size_t budget, unsigned seed) {
  std::mt19937 random{seed};
  for (int round = 0; round < 60; ++round) {
    Wildcards wildcards;
    std::vector<std::string> patterns;
    std::vector<std::uint32_t> keys;
    for (std::size_t count = 1 + random() % 60; patterns.size() < count;) {
      std::string pattern = random_text(random, "aab*c**", 8);
      if (random() % 8 == 0) pattern += "\\*";
      keys.push_back(wildcards.add(pattern));
      patterns.push_back(std::move(pattern));
    }
    wildcards.finish();
    WildcardStates states{wildcards, budget};
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random, "aabc*d", 12);
      const auto found = states.find(text);
      const std::set<std::uint32_t> told{found.begin(), found.end()};
      EXPECT_EQ(told.size(), found.size()) << "told twice";
      for (std::size_t p = 0; p < patterns.size(); ++p)
        EXPECT_EQ(told.contains(keys[p]), matches(patterns[p], text)) << patterns[p] << " and " << text;
    }
  }
}

TEST(Wildcards, AreWhatTheirDefinitionSays) { compare_with_definition(1u << 20, 1); }
TEST(Wildcards, AreTheSameWhenStatesAreDropped) { compare_with_definition(6'000, 2); }
TEST(Wildcards, AreTheSameWhenThereIsRoomForNoState) { compare_with_definition(0, 3); }

TEST(Wildcards, StayWithinTheirBudget) {
  Wildcards wildcards;
  std::mt19937 random{4};
  for (int i = 0; i < 1'000; ++i)
    wildcards.add("*" + random_text(random, "ab", 6) + "*" + random_text(random, "ab", 6) + "*x");
  wildcards.finish();
  WildcardStates states{wildcards, 100'000};
  for (int i = 0; i < 2'000; ++i) {
    states.find(random_text(random, "abx", 60));
    ASSERT_LE(states.bytes(), 100'000u);
  }
  EXPECT_GT(states.drops(), 0u);
}

TEST(Wildcards, KnowAllBytes) {
  Wildcards wildcards;
  std::vector<std::uint32_t> keys;
  for (int byte = 0; byte < 256; ++byte) {
    const char letter = static_cast<char>(byte);
    keys.push_back(wildcards.add(letter == '*' || letter == '\\' ? std::string{'\\', letter} : std::string(1, letter)));
  }
  wildcards.finish();
  WildcardStates states{wildcards, 1u << 20};
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_THAT(states.find(std::string(1, static_cast<char>(byte))),
                testing::ElementsAre(keys[static_cast<std::size_t>(byte)]));
}

}  // namespace
}  // namespace continuo::routing
