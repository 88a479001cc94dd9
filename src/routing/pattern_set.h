// Named patterns that come and go while others match.
//
// A change makes a new snapshot beside the old one and puts it in its place: who matches sees the set before the change
// or the one after, waits for nothing, and keeps the snapshot it began with. A change costs time in proportion to what
// came since the last time all was compiled, and now and then a compilation of all.
//
//   PatternSet set; set.put("vip", *Pattern::parse(R"({"type":["OrderPaid"]})"));
//   PatternReader reader{set};                            // one for each thread
//   for (const NamedPattern* each : reader.match(input)) each->name ...
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/routing/matcher.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

struct NamedPattern {
  NamedPattern(std::string its_name, Pattern its_pattern)
      : name(std::move(its_name)), pattern(std::move(its_pattern)) {}
  const std::string name;
  const Pattern pattern;
  mutable std::atomic<std::uint64_t> matches{0};  ///< events it matched since it was put
};

/// What a set was at one moment.
struct PatternSnapshot;

/// Whoever changes a set, or asks for all of it, does so one at a time: several take turns by a lock of their own.
/// Reading needs none.
class PatternSet {
 public:
  PatternSet();
  ~PatternSet();
  struct Change {
    std::string name;
    std::optional<Pattern> pattern;  ///< none: it goes, if it is there
  };
  /// All of them at once: nobody sees some of it. Of one name the last change counts. A pattern of a name that is there
  /// takes its place, and is counted from nothing.
  void change(std::vector<Change> changes);
  void put(std::string name, Pattern pattern);
  /// False: there was none.
  bool remove(const std::string& name);

  /// By name, ascending.
  std::vector<std::shared_ptr<const NamedPattern>> all() const;

 private:
  friend class PatternReader;
  struct State;
  std::unique_ptr<State> state_;
};

/// One thread's way into a set. Not thread-safe; does not outlive the set.
class PatternReader {
 public:
  explicit PatternReader(const PatternSet& set);
  /// Whether some pattern asks for `data`.
  bool reads_data();
  /// By name, ascending; valid until the next call. Counts them.
  std::span<const NamedPattern* const> match(const Input& input);
  std::span<const NamedPattern* const> match_json(std::string_view json);

 private:
  void renew();
  template <class Match>
  std::span<const NamedPattern* const> collect(const Match& match);

  const PatternSet& set_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const PatternSnapshot> snapshot_;
  std::optional<Matching> base_, recent_;
  std::vector<const NamedPattern*> found_, merged_;
};

}  // namespace continuo::routing
