// A set against a map of patterns: random puts, replacements, removals and changes of many, and after each of them who
// matches and how often is what the map says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "continuo/routing/generator_test.h"
#include "continuo/routing/oracle_test.h"
#include "continuo/routing/pattern_set.h"

namespace continuo::routing::oracle {
namespace {

const std::uint64_t lives = std::getenv("CONTINUO_LONG") != nullptr ? 60 : 4;

class Life {
 public:
  explicit Life(std::uint64_t seed) : generator_(seed, Scope::json), random_(generator_.random()) {
    for (int i = 0; i < 8; ++i) events_.push_back(write(generator_.event()));
    names_ = 1 + random_.below(random_.chance(1, 3) ? 400 : 20);
  }

  void step() {
    switch (random_.below(5)) {
      case 0: remove(); break;
      case 1: change(); break;
      default: put(name(), pattern()); break;
    }
    ASSERT_EQ(set_.all().size(), model_.size());
    if (random_.chance(1, 3)) renew();
    match();
  }

 private:
  struct Known {
    std::string text;
    Oracle oracle;
    std::uint64_t matches = 0;
  };

  std::string name() { return "n" + std::to_string(random_.below(names_)); }
  std::string pattern() {
    for (;;)
      if (std::string text = write(generator_.pattern()); text.size() <= PatternLimits{}.bytes) return text;
  }
  void renew() {
    const Json event = generator_.event_for(generator_.pattern());
    events_[random_.below(events_.size())] = generator_.spell(event);
  }

  void put(const std::string& name, const std::string& text) {
    model_.insert_or_assign(name, Known{text, Oracle{text}});
    set_.put(name, *Pattern::parse(text, Scope::json));
  }

  void remove() {
    const std::string gone = name();
    const bool was = model_.erase(gone) > 0;
    EXPECT_EQ(set_.remove(gone), was);
  }

  void change() {
    std::vector<PatternSet::Change> changes;
    for (std::uint64_t left = random_.below(40); left > 0; --left) {
      const std::string chosen = name();
      if (random_.chance(1, 3)) {
        model_.erase(chosen);
        changes.push_back({chosen, std::nullopt});
      } else {
        const std::string text = pattern();
        model_.insert_or_assign(chosen, Known{text, Oracle{text}});
        changes.push_back({chosen, *Pattern::parse(text, Scope::json)});
      }
    }
    set_.change(std::move(changes));
  }

  void match() {
    const std::string& event = events_[random_.below(events_.size())];
    const Place place = event_of(read(event));
    std::vector<std::string> right, found;
    for (auto& [name, known] : model_) {
      if (!known.oracle.matches(place)) continue;
      right.push_back(name);
      ++known.matches;
    }
    for (const NamedPattern* each : reader_.match_json(event)) {
      found.push_back(each->name);
      const auto known = model_.find(each->name);
      ASSERT_NE(known, model_.end()) << each->name;
      EXPECT_EQ(each->matches.load(), known->second.matches) << each->name;
      EXPECT_EQ(each->pattern.source(), known->second.text);
    }
    ASSERT_EQ(found, right) << event;
  }

  Generator generator_;
  Random& random_;
  std::uint64_t names_ = 0;
  std::vector<std::string> events_;
  std::map<std::string, Known> model_;
  PatternSet set_;
  PatternReader reader_{set_};
};

TEST(PatternSetModel, RandomChanges) {
  for (std::uint64_t seed = 1; seed <= lives && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Life life{seed};
    for (int step = 0; step < 300 && !testing::Test::HasFailure(); ++step) life.step();
  }
}

TEST(PatternSetModel, OfOneNameTheLastChangeCounts) {
  const auto pattern = [](const char* text) { return *Pattern::parse(text, Scope::json); };
  PatternSet set;
  PatternReader reader{set};
  set.change({{"a", pattern(R"({"a":[1]})")}, {"a", std::nullopt}, {"b", pattern(R"({"a":[1]})")}});
  ASSERT_EQ(reader.match_json(R"({"a":1})").size(), 1u);
  set.change({{"b", std::nullopt}, {"a", pattern(R"({"a":[1]})")}, {"b", pattern(R"({"a":[2]})")}});
  ASSERT_EQ(reader.match_json(R"({"a":1})").size(), 1u);
  EXPECT_EQ(reader.match_json(R"({"a":1})")[0]->name, "a");
  EXPECT_FALSE(set.remove("c"));
  EXPECT_TRUE(set.remove("a"));
  EXPECT_TRUE(set.remove("b"));
  EXPECT_TRUE(set.all().empty());
  EXPECT_TRUE(reader.match_json(R"({"a":1})").empty());
}

}  // namespace
}  // namespace continuo::routing::oracle
