// Matchers and explanations against the oracle: random sets of patterns against random events, from seeds.
//
// A wrong answer is printed with its seed and as small a case as still shows it. CONTINUO_LONG has more seeds;
// CONTINUO_SEED=N begins at that one.
#include "continuo/routing/differential_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "continuo/routing/explain.h"
#include "continuo/routing/generator_test.h"

namespace continuo::routing::oracle {
namespace {

std::uint64_t seeds(std::uint64_t usual) {
  const char* given = std::getenv("CONTINUO_SEEDS");
  if (given != nullptr) return std::strtoull(given, nullptr, 10);
  return std::getenv("CONTINUO_LONG") != nullptr ? usual * 25 : usual;
}

std::uint64_t first_seed() {
  const char* given = std::getenv("CONTINUO_SEED");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

struct Counts {
  std::uint64_t pairs = 0, matches = 0;
};

// Into how many combinations the oracle expands the pattern: it keeps them all.
double combinations(const Json& group) {
  double all = 1;
  for (std::size_t i = 0; i < group.children.size(); ++i) {
    const Json& child = group.children[i];
    if (child.is(Json::Kind::object)) all *= combinations(child);
    if (group.names[i] != "$or" || !child.is(Json::Kind::array)) continue;
    double choice = 0;
    for (const Json& each : child.children) choice += combinations(each);
    all *= choice;
  }
  return all;
}

constexpr double most_combinations = 2'000;

// One world: a set of patterns and the events it meets.
class World {
 public:
  World(std::uint64_t seed, Scope scope) : seed_(seed), scope_(scope), generator_(seed, scope) {
    Random& random = generator_.random();
    const std::uint64_t size = random.chance(1, 4) ? 1 + random.below(200) : 1 + random.below(20);
    for (std::uint64_t i = 0; i < size; ++i) {
      Json pattern = generator_.pattern();
      std::string text = random.chance(1, 3) ? generator_.spell(pattern) : write(pattern);
      if (text.size() > PatternLimits{}.bytes || combinations(pattern) > most_combinations) continue;
      json_.push_back(std::move(pattern));
      texts_.push_back(std::move(text));
    }
    events_ = 1 + random.below(60);
  }

  void run(Counts& counts) {
    for (const std::string& text : texts_) {
      auto pattern = Pattern::parse(text, scope_);
      ASSERT_TRUE(pattern) << "seed " << seed_ << ": " << text << '\n' << continuo::to_string(pattern.error());
      patterns_.push_back(std::move(*pattern));
      oracles_.emplace_back(text);
    }
    std::vector<const Pattern*> pointers;
    for (const Pattern& pattern : patterns_) pointers.push_back(&pattern);
    Random& random = generator_.random();
    MatchingLimits limits;
    if (random.chance(1, 4)) limits.automaton_bytes = 1 << (8 + random.below(8));
    if (random.chance(1, 4)) limits.places = random.below(8);
    Matching matching{Matcher::compile(pointers), limits};
    for (std::uint64_t i = 0; i < events_ && !testing::Test::HasFailure(); ++i) one_event(matching, counts);
  }

 private:
  void one_event(Matching& matching, Counts& counts) {
    Random& random = generator_.random();
    const Json event = random.chance(2, 3) && !json_.empty() ? generator_.event_for(json_[random.below(json_.size())])
                                                             : generator_.event();
    if (scope_ == Scope::json) {
      text_ = generator_.bend(generator_.spell(event));
      data_.clear();
      const Exactly exact{text_};
      compare(
          matching.match_json(exact.view()), event_of(read(text_)),
          [&](const Pattern& pattern) { return explain_json(pattern, exact.view()); }, counts);
    } else {
      Json apart = event;
      data_.clear();
      const auto data = std::ranges::find(apart.names, "data") - apart.names.begin();
      if (data < std::ssize(apart.names)) {
        data_ = generator_.bend(generator_.spell(apart.children[static_cast<std::size_t>(data)]));
        apart.names.erase(apart.names.begin() + data);
        apart.children.erase(apart.children.begin() + data);
      }
      text_ = write(apart);
      const BuiltInput built{apart, data_};
      compare(
          matching.match(built.input()), event_of(built.input()),
          [&](const Pattern& pattern) { return explain(pattern, built.input()); }, counts);
    }
  }

  void compare(std::span<const std::uint32_t> matched, const Place& event, auto&& explained, Counts& counts) {
    const std::vector<std::uint32_t> found{matched.begin(), matched.end()};
    ASSERT_TRUE(std::ranges::is_sorted(found)) << "seed " << seed_;
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
      const bool right = oracles_[i].matches(event);
      const bool in_set = next < found.size() && found[next] == i;
      if (in_set) ++next;
      const Explanation why = explained(patterns_[i]);
      ++counts.pairs;
      counts.matches += right ? 1 : 0;
      if (right != in_set || right != why.matches) return report();
      if (why.because.empty()) return report();
    }
    if (next != found.size()) report();
  }

  void report() const {
    const Case whole{scope_, texts_, text_, data_};
    const auto fails = [](const Case& tried) { return !disagreement(tried).empty(); };
    if (!fails(whole)) {
      ADD_FAILURE() << "seed " << seed_ << ": only after other events, or with small limits\n" << text_;
      return;
    }
    const Case small = shrunk(whole, fails);
    ADD_FAILURE() << "seed " << seed_ << '\n' << to_string(small) << disagreement(small);
  }

  std::uint64_t seed_;
  Scope scope_;
  Generator generator_;
  std::vector<Json> json_;
  std::vector<std::string> texts_;
  std::vector<Pattern> patterns_;
  std::vector<Oracle> oracles_;
  std::uint64_t events_ = 0;
  std::string text_, data_;  // of the event at hand
};

void run(Scope scope, std::uint64_t count) {
  Counts counts;
  const std::uint64_t first = first_seed();
  for (std::uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    World world{seed, scope};
    world.run(counts);
  }
  std::printf("%llu pairs, %llu match\n", static_cast<unsigned long long>(counts.pairs),
              static_cast<unsigned long long>(counts.matches));
  EXPECT_GT(counts.matches * 20, counts.pairs) << "the generator's patterns and events do not collide";
  EXPECT_LT(counts.matches * 2, counts.pairs);
}

TEST(Differential, OfJson) { run(Scope::json, seeds(90)); }
TEST(Differential, OfEvents) { run(Scope::event, seeds(60)); }

// Cases that somebody got wrong once.
TEST(Differential, ThatOnceFailedPass) {
  const Case once[] = {
      // A name may hold what separates a clause's parts elsewhere.
      {Scope::json, {R"({"a":["x",5]})", R"({"a\u0000\"x\"":[5]})"}, R"({"a":"x"})", {}},
      {Scope::json, {R"({"a":["x",5]})", R"({"a\u0000\"x\"":[5]})"}, R"({"a\u0000\"x\"":5})", {}},
      // An event is an object.
      {Scope::json,
       {R"({"a":[1],"b":[2]})", R"({"a":[1]})", R"({"a":[{"exists":false}]})"},
       R"([{"a":1},{"b":2}])",
       {}},
      // Far out of a double's range, though no exponent says so, or the other way round.
      {Scope::json, {R"({"a":[{"numeric":[">",5]}]})"}, R"({"a":1)" + std::string(400, '0') + "e-1}", {}},
      {Scope::json, {R"({"a":[{"numeric":[">",5]}]})"}, R"({"a":0.001e400})", {}},
      {Scope::json, {R"({"a":[{"numeric":["<",5]}]})"}, R"({"a":0.)" + std::string(400, '0') + "1e20}", {}},
      {Scope::json, {R"({"a":[{"numeric":["=",5]}]})"}, R"({"a":0.)" + std::string(400, '0') + "5e401}", {}},
  };
  for (const Case& each : once) EXPECT_EQ(disagreement(each), "") << to_string(each);
}

}  // namespace
}  // namespace continuo::routing::oracle
