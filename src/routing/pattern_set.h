// Named patterns that come and go while others match.
//
// A change makes a new snapshot beside the old one and puts it in its place: who matches sees the set before the change
// or the one after, waits for nothing, and keeps the snapshot it began with. A change costs time in proportion to what
// came since the last time all was compiled, and now and then a compilation of all; changes are made one after another.
//
//   PatternSet set; set.put("vip", *Pattern::parse(R"({"type":["OrderPaid"]})"));
//   PatternReader reader{set};                            // one for each thread
//   for (const NamedPattern* each : reader.match(input)) each->name ...
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

struct NamedPattern {
  std::string name;
  Pattern pattern;
  mutable std::atomic<std::uint64_t> matches{0};  ///< events it matched since it was put
};

class PatternSnapshot;

class PatternSet {
 public:
  PatternSet();
  ~PatternSet();
  /// Adds, or replaces the one of that name; its count begins anew.
  void put(std::string name, Pattern pattern);
  struct Change {
    std::string name;
    std::optional<Pattern> pattern;  ///< none: goes
  };
  /// All of them at once: nobody sees some of it.
  void change(std::vector<Change> changes);
  /// False: there was none.
  bool remove(std::string_view name);

  std::size_t size() const;
  std::shared_ptr<const PatternSnapshot> snapshot() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One thread's way into a set. Not thread-safe; does not outlive the set.
class PatternReader {
 public:
  explicit PatternReader(const PatternSet& set);
  ~PatternReader();
  /// By name, ascending; valid until the next call. Counts them.
  std::span<const NamedPattern* const> match(const Input& input);
  std::span<const NamedPattern* const> match_json(std::string_view json);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace continuo::routing
