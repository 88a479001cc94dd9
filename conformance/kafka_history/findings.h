// What a history proves against a server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::history {

enum class Anomaly : std::uint8_t {
  lost,                 ///< acknowledged, and not in the log
  vanished,             ///< read by a consumer, and not in the log
  doubled,              ///< of an idempotent producer, twice in the log
  reordered,            ///< of an idempotent producer, before something it sent earlier
  overtaken,            ///< sent after another was acknowledged, and stands before it
  invented,             ///< in the log or read, and nobody sent it, or not to there
  refused_but_there,    ///< its producer was told that it is not in the log
  inconsistent_offset,  ///< two values at one offset, or acknowledged at one offset and found at another
  poll_back,            ///< in one assignment, an offset again or an earlier one
  poll_skip,            ///< in one assignment, a record passed over
  poll_unassigned,      ///< a record of a place that the client does not read
  start_skip,           ///< an assignment began beyond what was committed
  start_back,           ///< an assignment began before what was committed
  never_polled,         ///< committed by a group as read, and no member was given it
  commit_back,          ///< the committed offset went back
  commit_invented,      ///< a committed offset that nobody committed
  owned_twice,          ///< a place with two owners in one generation
  generation_back,      ///< a member's generation went back
};
constexpr std::size_t anomalies = 18;

std::string_view name(Anomaly anomaly);

struct Finding {
  Anomaly anomaly;
  std::string what;                ///< one sentence
  std::vector<std::size_t> proof;  ///< indexes of operations
};

/// Counts all, keeps the first few of each anomaly.
class Findings {
 public:
  static constexpr std::size_t kept_of_each = 20;

  void add(Anomaly anomaly, std::string what, std::initializer_list<std::size_t> proof);
  const std::vector<Finding>& kept() const { return kept_; }
  std::uint64_t count(Anomaly anomaly) const { return counts_[static_cast<std::size_t>(anomaly)]; }
  std::uint64_t total() const;

 private:
  std::vector<Finding> kept_;
  std::array<std::uint64_t, anomalies> counts_{};
};

}  // namespace continuo::history
