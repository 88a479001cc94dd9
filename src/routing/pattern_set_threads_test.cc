// Threads that match while others change the set: each sees a set as it was between two changes, and counts add up.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "continuo/routing/pattern_set.h"

// libstdc++ 12's std::atomic<std::shared_ptr> lets its lock go with memory_order_relaxed after a load: a race by the
// letter, and not on the processors there are.
extern "C" const char* __tsan_default_suppressions() { return "race:std::_Sp_atomic\n"; }

namespace continuo::routing {
namespace {

const int rounds = std::getenv("CONTINUO_LONG") != nullptr ? 20'000 : 1'500;
constexpr int readers = 3;

Pattern pattern(const std::string& text) { return *Pattern::parse(text, Scope::json); }

// The names that an event meets in one set.
std::set<std::string> names(std::span<const NamedPattern* const> found) {
  std::set<std::string> out;
  for (const NamedPattern* each : found) out.insert(each->name);
  return out;
}

class SetUnderChange : public testing::Test {
 protected:
  // Calls `each` in every reader's thread until `change` has made its rounds in this one.
  template <class Change, class Each>
  void run(const Change& change, const Each& each) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < readers; ++i) {
      threads.emplace_back([this, &each] {
        PatternReader reader{set_};
        while (!done_.load()) {
          each(reader);
          ++reads_;
        }
      });
    }
    for (int round = 0; round < rounds; ++round) {
      change(round);
      // Whoever changes all the time has to be overtaken now and then.
      while (round % 16 == 0 && reads_.load() < static_cast<std::uint64_t>(round)) std::this_thread::yield();
    }
    done_ = true;
  }

  PatternSet set_;
  std::atomic<bool> done_{false};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> wrong_{0};
};

// Always exactly one of two, and with it its companion, though names, patterns and the number of others change.
TEST_F(SetUnderChange, ManyChangesAtOnceAreOne) {
  set_.change({{"left", pattern(R"({"a":["x"]})")}, {"left-too", pattern(R"({"a":[{"prefix":"x"}]})")}});
  run(
      [&](int round) {
        const bool right = round % 2 == 0;
        const std::string comes = right ? "right" : "left", goes = right ? "left" : "right";
        std::vector<PatternSet::Change> changes{{goes, std::nullopt},
                                                {comes, pattern(R"({"a":["x"]})")},
                                                {"other" + std::to_string(round), pattern(R"({"a":["y"]})")},
                                                {goes + "-too", std::nullopt},
                                                {comes + "-too", pattern(R"({"a":[{"wildcard":"*x"}]})")}};
        if (round >= 50) changes.push_back({"other" + std::to_string(round - 50), std::nullopt});
        set_.change(std::move(changes));
      },
      [&](PatternReader& reader) {
        const auto found = names(reader.match_json(R"({"a":"x"})"));
        if (found != std::set<std::string>{"left", "left-too"} && found != std::set<std::string>{"right", "right-too"})
          ++wrong_;
      });
  EXPECT_EQ(wrong_, 0u);
  EXPECT_EQ(set_.all().size(), 52u);
}

// Replacing never has a moment without: each pattern matches one of two events, all the same one.
TEST_F(SetUnderChange, ReplacedTogether) {
  constexpr int together = 20;
  const auto all = [](const std::string& value) {
    std::vector<PatternSet::Change> changes;
    for (int i = 0; i < together; ++i)
      changes.push_back({"p" + std::to_string(i), pattern(R"({"a":[")" + value + R"("]})")});
    return changes;
  };
  set_.change(all("x"));
  run([&](int round) { set_.change(all(round % 2 == 0 ? "y" : "x")); },
      [&](PatternReader& reader) {
        const auto found = reader.match_json(R"({"a":"x"})").size();
        if (found != 0 && found != together) ++wrong_;
        if (reader.match_json(R"({"a":["x","y"]})").size() != together) ++wrong_;
      });
  EXPECT_EQ(wrong_, 0u);
}

// What is not changed counts every event of every thread, whatever is compiled around it.
TEST_F(SetUnderChange, CountsAddUp) {
  set_.put("stays", pattern(R"({"a":["x"]})"));
  set_.put("stays-too", pattern(R"({"a":[{"anything-but":"y"}]})"));
  run(
      [&](int round) {
        const std::string name = "n" + std::to_string(round % 300);
        if (round % 3 == 2)
          set_.remove(name);
        else
          set_.put(name, pattern(R"({"a":["x"],"b":[)" + std::to_string(round) + "]}"));
      },
      [&](PatternReader& reader) {
        const auto found = names(reader.match_json(R"({"a":"x"})"));
        if (found != std::set<std::string>{"stays", "stays-too"}) ++wrong_;
      });
  EXPECT_EQ(wrong_, 0u);
  PatternReader reader{set_};
  const auto found = reader.match_json(R"({"a":"x"})");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->matches.load(), reads_.load() + 1);
  EXPECT_EQ(found[1]->matches.load(), reads_.load() + 1);
}

// Several who change in turn, by a lock of theirs: nothing is lost.
TEST_F(SetUnderChange, ManyWhoChange) {
  constexpr int writers = 3, each = 200;
  std::mutex turn;
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([this, writer, &turn] {
        for (int i = 0; i < each; ++i) {
          const std::scoped_lock mine{turn};
          const std::string name = "w" + std::to_string(writer) + "-" + std::to_string(i);
          set_.put(name, pattern(R"({"a":["x"]})"));
          if (i % 2 == 1) set_.remove(name);
        }
      });
    }
  }
  PatternReader reader{set_};
  EXPECT_EQ(set_.all().size(), writers * each / 2u);
  EXPECT_EQ(reader.match_json(R"({"a":"x"})").size(), writers * each / 2u);
}

}  // namespace
}  // namespace continuo::routing
