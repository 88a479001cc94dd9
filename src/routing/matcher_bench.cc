#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/pattern_set.h"

namespace continuo::routing {
namespace {

std::vector<Pattern> parse_all(const std::vector<std::string>& sources) {
  std::vector<Pattern> patterns;
  for (const std::string& source : sources) {
    auto pattern = Pattern::parse(source, Scope::json);
    CHECK(pattern.has_value(), source);
    patterns.push_back(*std::move(pattern));
  }
  return patterns;
}

std::shared_ptr<const Matcher> compile(const std::vector<Pattern>& patterns) {
  std::vector<const Pattern*> pointers;
  for (const Pattern& pattern : patterns) pointers.push_back(&pattern);
  return Matcher::compile(pointers);
}

std::string letters(Random& random, std::size_t count) {
  std::string made;
  while (made.size() < count) made.push_back(static_cast<char>('a' + random.below(26)));
  return made;
}

/// Orders: the fields that patterns ask for in front, then 600 bytes that they do not.
std::vector<std::string> orders(std::size_t count) {
  SeededRandom random{1};
  std::vector<std::string> made;
  const std::string rest = letters(random, 300);
  for (std::size_t i = 0; i < count; ++i) {
    std::string lines;
    for (int line = 0; line < 5; ++line) {
      lines += (line > 0 ? "," : "") +
               (R"({"sku":"s)" + std::to_string(random.below(1'000)) + R"(","count":)" +
                std::to_string(1 + random.below(9)) + R"(,"price":)") +
               std::to_string(random.below(100'000)) + ".5}";
    }
    made.push_back(R"({"customer":"c)" + std::to_string(random.below(200'000)) + R"(","country":"SE","amount":)" +
                   std::to_string(random.below(1'000)) + R"(,"lines":[)" + lines + R"(],"note":")" + rest +
                   R"(","street":")" + letters(random, 8) + R"(","more":")" + rest + "\"}");
  }
  return made;
}

void match_orders(benchmark::State& state, const std::vector<std::string>& sources) {
  const auto events = orders(10'000);
  Matching matching{compile(parse_all(sources))};
  std::size_t next = 0;
  std::size_t found = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    found += matching.match_json(events[next]).size();
    bytes += events[next].size();
    if (++next == events.size()) next = 0;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["matches"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

std::vector<std::string> customers(std::int64_t count) {
  std::vector<std::string> made;
  for (std::int64_t i = 0; i < count; ++i) made.push_back(R"({"customer":["c)" + std::to_string(i) + "\"]}");
  return made;
}

std::vector<std::string> streets(std::int64_t count) {
  SeededRandom random{2};
  std::vector<std::string> made;
  for (std::int64_t i = 0; i < count; ++i)
    made.push_back(R"({"street":[{"wildcard":"*)" + letters(random, 2) + "*" + letters(random, 2) + R"("}]})");
  return made;
}

/// One field in front: the event is read no further.
void MatchExactInFront(benchmark::State& state) { match_orders(state, customers(state.range(0))); }
BENCHMARK(MatchExactInFront)->Arg(1)->Arg(100)->Arg(100'000);

/// A field at the end, behind arrays and long text that nobody asks for.
void MatchAtTheEnd(benchmark::State& state) { match_orders(state, {R"({"street":[{"prefix":"ab"}]})"}); }
BENCHMARK(MatchAtTheEnd);

/// Values that are all different.
void MatchWildcards(benchmark::State& state) { match_orders(state, streets(state.range(0))); }
BENCHMARK(MatchWildcards)->Arg(1)->Arg(100)->Arg(5'000);

/// Two fields of one element of an array.
void MatchInOneElement(benchmark::State& state) {
  match_orders(state, {R"({"lines":{"sku":[{"prefix":"s1"}],"price":[{"numeric":[">",50000]}]}})"});
}
BENCHMARK(MatchInOneElement);

void MatchNumeric(benchmark::State& state) {
  std::vector<std::string> sources;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    sources.push_back(R"({"amount":[{"numeric":[">=",)" + std::to_string(i % 1'000) + R"(,"<",)" +
                      std::to_string(i % 1'000 + 3) + "]}]}");
  match_orders(state, sources);
}
BENCHMARK(MatchNumeric)->Arg(5)->Arg(1'000);

void ParsePattern(benchmark::State& state) {
  constexpr std::string_view SOURCE =
      R"({"customer":["c1",{"prefix":"vip-"}],"amount":[{"numeric":[">",100]}],"country":[{"anything-but":["SE"]}]})";
  for (auto _ : state) benchmark::DoNotOptimize(Pattern::parse(SOURCE, Scope::json));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(ParsePattern);

/// Patterns a second, from parsed ones to a matcher.
void CompileExact(benchmark::State& state) {
  const auto patterns = parse_all(customers(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = compile(patterns)->bytes();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(CompileExact)->Arg(100)->Arg(100'000)->Unit(benchmark::kMillisecond);

void CompileWildcards(benchmark::State& state) {
  const auto patterns = parse_all(streets(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(compile(patterns));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(CompileWildcards)->Arg(5'000)->Unit(benchmark::kMillisecond);

/// One pattern more or less in a set that has so many.
void ChangeSet(benchmark::State& state) {
  PatternSet set;
  std::vector<PatternSet::Change> changes;
  const auto sources = customers(state.range(0));
  for (const std::string& source : sources) changes.push_back({source, *Pattern::parse(source, Scope::json)});
  set.change(std::move(changes));
  std::size_t next = 0;
  for (auto _ : state) {
    const std::string& source = sources[next];
    if (++next == sources.size()) next = 0;
    set.put(source, *Pattern::parse(source, Scope::json));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(ChangeSet)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace continuo::routing
