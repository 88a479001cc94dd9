// Patterns and an event from outside, a line each, the event last. All patterns at once say what each alone says and
// what its explanation says: of a valid event, and of one that ends anywhere. Other events only have to be survived:
// where they break may be noticed or not, as it depends on what is looked at.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "continuo/base/hash.h"
#include "continuo/record/json_scan.h"
#include "continuo/routing/explain.h"
#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {
namespace {

constexpr std::size_t most_patterns = 64;
constexpr std::size_t json_depth = 512;

class Patterns {
 public:
  Patterns(std::string_view lines, Scope scope) {
    while (!lines.empty() && patterns_.size() < most_patterns) {
      const auto end = std::min(lines.find('\n'), lines.size());
      auto pattern = Pattern::parse(lines.substr(0, end), scope);
      if (pattern) patterns_.push_back(std::make_unique<Pattern>(std::move(*pattern)));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    for (const auto& each : patterns_) pointers_.push_back(each.get());
    all_ = Matcher::compile(pointers_);
  }

  template <class Match, class Explain>
  void check(const Match& match, const Explain& explain) {
    // The second time and with hardly any memory the answer is the same.
    Matching matching{all_};
    Matching small{all_, {.automaton_bytes = 1, .places = 1}};
    const std::vector<std::uint32_t> found = match(matching);
    CHECK(match(matching) == found && match(small) == found);
    for (std::uint32_t i = 0; i < pointers_.size(); ++i) {
      const bool matches = std::ranges::find(found, i) != found.end();
      CHECK(explain(*pointers_[i]).matches == matches);
      Matching alone{Matcher::compile(std::span{pointers_}.subspan(i, 1))};
      CHECK(match(alone).empty() != matches);
    }
  }

  void survive(std::string_view json) {
    Matching matching{all_};
    matching.match_json(json);
    for (const Pattern* each : pointers_) (void)explain_json(*each, json);
  }

 private:
  std::vector<std::unique_ptr<Pattern>> patterns_;
  std::vector<const Pattern*> pointers_;
  std::shared_ptr<const Matcher> all_;
};

std::vector<std::uint32_t> copied(std::span<const std::uint32_t> found) { return {found.begin(), found.end()}; }

void check_json(Patterns& patterns, std::string_view json) {
  patterns.check([&](Matching& matching) { return copied(matching.match_json(json)); },
                 [&](const Pattern& pattern) { return explain_json(pattern, json); });
}

void check_event(Patterns& patterns, std::string_view json) {
  record::Event event;
  event.id = json.substr(0, std::min<std::size_t>(json.size(), 4));
  event.source = "/a";
  event.type = "a";
  event.data = json;
  event.data_kind = record::DataKind::json;
  const Input input{&event, json.substr(json.size() / 2), nullptr};
  patterns.check([&](Matching& matching) { return copied(matching.match(input)); },
                 [&](const Pattern& pattern) { return explain(pattern, input); });
}

}  // namespace
}  // namespace continuo::routing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo::routing;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto last = input.rfind('\n');
  if (last == std::string_view::npos) return 0;
  // In memory of its own, so that a sanitizer sees who reads behind it.
  const std::vector<char> bytes{input.begin() + static_cast<std::ptrdiff_t>(last) + 1, input.end()};
  const std::string_view event{bytes.data(), bytes.size()};
  Patterns of_json{input.substr(0, last), Scope::json};
  of_json.survive(event);
  if (continuo::record::find_json_error(event, json_depth)) return 0;
  check_json(of_json, event);
  const std::size_t cut = continuo::hash64(input) % (event.size() + 1);
  const std::vector<char> beginning{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut)};
  check_json(of_json, {beginning.data(), beginning.size()});
  Patterns of_events{input.substr(0, last), Scope::event};
  check_event(of_events, event);
  return 0;
}
