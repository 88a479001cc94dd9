#include "continuo/routing/pattern_set.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

namespace continuo::routing {
namespace {

using Named = std::shared_ptr<const NamedPattern>;

constexpr std::size_t small = 64;  // a set of so many is compiled as a whole for each change

// Patterns by name, ascending, compiled.
struct Compiled {
  explicit Compiled(std::vector<Named> all) : patterns(std::move(all)) {
    std::vector<const Pattern*> sources;
    sources.reserve(patterns.size());
    for (const Named& each : patterns) sources.push_back(&each->pattern);
    matcher = Matcher::compile(sources);
  }
  const std::vector<Named> patterns;
  std::shared_ptr<const Matcher> matcher;
};

const std::shared_ptr<const Compiled>& nothing() {
  static const auto compiled = std::make_shared<const Compiled>(std::vector<Named>{});
  return compiled;
}

const std::string& name_of(const Named& each) { return each->name; }

// How many changes are kept beside a set of so many before all is compiled again. Each change compiles those, so the
// square root of it keeps both shares of the work alike.
std::size_t most_recent(std::size_t patterns) {
  return patterns <= small ? 0 : 4 * static_cast<std::size_t>(std::sqrt(static_cast<double>(patterns)));
}

}  // namespace

// What was there when all was compiled, which of it has gone, and what came since.
struct PatternSnapshot {
  std::shared_ptr<const Compiled> base = nothing(), recent = nothing();
  std::vector<bool> gone;  // of `base`
  std::size_t gone_count = 0;
};

struct PatternSet::State {
  std::map<std::string, Named> patterns;  // of who changes
  std::atomic<std::shared_ptr<const PatternSnapshot>> snapshot = std::make_shared<const PatternSnapshot>();
  std::atomic<std::uint64_t> version = 1;

  void change(std::vector<Change> changes) {
    PatternSnapshot next = *snapshot.load();
    std::vector<Named> recent = next.recent->patterns;
    for (Change& each : changes) apply(std::move(each), next, recent);
    if (recent.size() + next.gone_count > most_recent(patterns.size())) {
      std::vector<Named> all;
      for (const auto& [name, each] : patterns) all.push_back(each);
      next = {};
      next.base = std::make_shared<const Compiled>(std::move(all));
      next.gone.assign(next.base->patterns.size(), false);
    } else if (recent != next.recent->patterns) {
      std::ranges::sort(recent, {}, name_of);
      next.recent = std::make_shared<const Compiled>(std::move(recent));
    }
    snapshot.store(std::make_shared<const PatternSnapshot>(std::move(next)));
    version.fetch_add(1, std::memory_order_release);
  }

 private:
  void apply(Change change, PatternSnapshot& next, std::vector<Named>& recent) {
    if (const auto found = patterns.find(change.name); found != patterns.end()) {
      const auto& base = next.base->patterns;
      const auto at = std::ranges::lower_bound(base, change.name, {}, name_of);
      if (at != base.end() && *at == found->second) {
        next.gone[static_cast<std::size_t>(at - base.begin())] = true;
        ++next.gone_count;
      } else {
        std::erase(recent, found->second);
      }
      patterns.erase(found);
    }
    if (!change.pattern) return;
    auto made = std::make_shared<const NamedPattern>(change.name, std::move(*change.pattern));
    recent.push_back(made);
    patterns.emplace(std::move(change.name), std::move(made));
  }
};

PatternSet::PatternSet() : state_(std::make_unique<State>()) {}
PatternSet::~PatternSet() = default;

void PatternSet::change(std::vector<Change> changes) { state_->change(std::move(changes)); }

void PatternSet::put(std::string name, Pattern pattern) {
  std::vector<Change> changes;
  changes.push_back({std::move(name), std::move(pattern)});
  change(std::move(changes));
}

bool PatternSet::remove(const std::string& name) {
  if (!state_->patterns.contains(name)) return false;
  std::vector<Change> changes(1);
  changes[0].name = name;
  state_->change(std::move(changes));
  return true;
}

std::vector<std::shared_ptr<const NamedPattern>> PatternSet::all() const {
  std::vector<Named> all;
  for (const auto& [name, each] : state_->patterns) all.push_back(each);
  return all;
}

PatternReader::PatternReader(const PatternSet& set) : set_(set) {}

void PatternReader::renew() {
  const std::uint64_t version = set_.state_->version.load(std::memory_order_acquire);
  if (version == version_) return;
  version_ = version;
  snapshot_ = set_.state_->snapshot.load();
  // The states of wildcards met so far are kept where the patterns are the same.
  const auto use = [](std::optional<Matching>& matching, const std::shared_ptr<const Matcher>& matcher) {
    if (!matching || &matching->matcher() != matcher.get()) matching.emplace(matcher);
  };
  use(base_, snapshot_->base->matcher);
  use(recent_, snapshot_->recent->matcher);
}

bool PatternReader::reads_data() {
  renew();
  return base_->matcher().reads_data() || recent_->matcher().reads_data();
}

template <class Match>
std::span<const NamedPattern* const> PatternReader::collect(const Match& match) {
  renew();
  found_.clear();
  for (const std::uint32_t index : match(*base_))
    if (!snapshot_->gone[index]) found_.push_back(snapshot_->base->patterns[index].get());
  if (!snapshot_->recent->patterns.empty()) {
    const auto of_base = static_cast<std::ptrdiff_t>(found_.size());
    for (const std::uint32_t index : match(*recent_)) found_.push_back(snapshot_->recent->patterns[index].get());
    // Not inplace_merge: libstdc++ has it use what clang refuses as deprecated.
    merged_.clear();
    const auto middle = found_.begin() + of_base;
    std::ranges::merge(found_.begin(), middle, middle, found_.end(), std::back_inserter(merged_), {},
                       &NamedPattern::name, &NamedPattern::name);
    found_.swap(merged_);
  }
  for (const NamedPattern* each : found_) each->matches.fetch_add(1, std::memory_order_relaxed);
  return found_;
}

std::span<const NamedPattern* const> PatternReader::match(const Input& input) {
  return collect([&](Matching& matching) { return matching.match(input); });
}

std::span<const NamedPattern* const> PatternReader::match_json(std::string_view json) {
  return collect([&](Matching& matching) { return matching.match_json(json); });
}

}  // namespace continuo::routing
