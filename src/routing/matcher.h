// Many patterns, compiled so that one event meets all of them at once.
//
// Cost. An event is read once, from front to back, no further than the last field that some pattern wants; what no
// pattern wants is skipped without being looked at. A value costs one look into each index its field has - exact,
// prefix, suffix, ignoring case, wildcard, numbers, addresses - and as much again for every condition it meets. Beyond
// that only patterns are looked at of which the rarest field has held. So cost grows with what matches, not with how
// many patterns there are; no pattern is expanded, and memory is linear in their text.
//
//   const auto matcher = Matcher::compile(patterns);          // immutable; any number of threads
//   Matching matching{matcher};                               // one for each thread: its buffers
//   for (std::uint32_t index : matching.match(input)) ...     // indices into `patterns`, ascending
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "continuo/record/batch.h"
#include "continuo/record/event.h"
#include "continuo/routing/pattern.h"

namespace continuo::routing {

/// An event with what its record has beside it. Views only; nothing is kept beyond a call.
struct Input {
  const record::Event* event = nullptr;
  std::optional<std::string_view> key;     ///< the record's; none: the record has none
  const record::Record* record = nullptr;  ///< its headers are `headers`; null: none
};

struct CompiledPatterns;

class Matcher {
 public:
  /// Keeps nothing of `patterns`.
  static std::shared_ptr<const Matcher> compile(std::span<const Pattern* const> patterns);
  ~Matcher();

  std::size_t size() const;
  /// Whether some pattern asks for `data`; else payloads are not looked at.
  bool reads_data() const;
  /// What it takes, roughly.
  std::size_t bytes() const;

 private:
  friend class Matching;
  explicit Matcher(std::unique_ptr<const CompiledPatterns> compiled);
  std::unique_ptr<const CompiledPatterns> compiled_;
};

struct MatchingLimits {
  std::size_t automaton_bytes = 32u << 20;  ///< of states of wildcards kept from value to value, for each field
  std::size_t places = 1u << 20;  ///< in arrays where fields of an event were met, kept; the rest is found again
};

/// One thread's buffers, and the states of wildcards met so far. Not thread-safe.
class Matching {
 public:
  explicit Matching(std::shared_ptr<const Matcher> matcher, const MatchingLimits& limits = {});
  ~Matching();
  Matching(Matching&&) noexcept;
  Matching& operator=(Matching&&) noexcept;

  /// Indices of the patterns that match, ascending; valid until the next call. Of patterns of Scope::event. `data`
  /// counts when its kind is json; where that text is broken, what stands before the break counts.
  std::span<const std::uint32_t> match(const Input& input);
  /// The same of patterns of Scope::json: `json` is the event.
  std::span<const std::uint32_t> match_json(std::string_view json);

  const Matcher& matcher() const { return *matcher_; }

 private:
  struct State;
  std::shared_ptr<const Matcher> matcher_;
  std::unique_ptr<State> state_;
};

}  // namespace continuo::routing
