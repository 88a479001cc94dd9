// When a failed event is delivered again, and how often before it is given up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::engines {

// Written to disk: values never change, new ones come behind `last`, which moves.
enum class Backoff : std::uint8_t {
  fixed,        ///< `base`, each time
  linear,       ///< `base`, twice, three times...
  exponential,  ///< `base`, doubled each time
  listed,       ///< `delays` one after the other, and the last one from then on
  last = listed
};

struct RetrySteps {
  std::uint32_t attempts = 5;  ///< deliveries of one event before it is given up
  Millis base{1'000};          ///< the first delay
  Backoff backoff = Backoff::fixed;
  Millis max{30'000};   ///< no delay is longer, but those listed
  bool jitter = false;  ///< full: any time from none to the delay, so that what failed together does not come together
  std::vector<Millis> delays;
  bool operator==(const RetrySteps&) const = default;

  /// After so many deliveries, at least one. `seed` decides the jitter: the same gives the same.
  Millis delay_after(std::uint32_t deliveries, std::uint64_t seed) const;
};

/// Failures with one of these codes are retried otherwise.
struct RetryRule {
  std::vector<std::string> codes;  ///< a `*` at the end stands for any rest
  RetrySteps steps;
  bool operator==(const RetryRule&) const = default;
};

struct RetryPolicy : RetrySteps {
  std::vector<RetryRule> rules;  ///< the first that fits counts
  bool operator==(const RetryPolicy&) const = default;

  const RetrySteps& steps_for(std::string_view code) const;
};

inline constexpr std::size_t most_retry_delays = 32, most_retry_rules = 32, most_rule_codes = 32;
inline constexpr std::size_t most_rule_code_bytes = 200;

/// Errors: bad_setting, with the field's path behind "retry." in `at`.
Result<void> check_retry(const RetryPolicy& policy);

}  // namespace continuo::engines
