// How many may begin now, of so many a second.
#pragma once

#include <algorithm>
#include <cstdint>

#include "continuo/base/time.h"

namespace continuo::delivery::webhook {

/// Pure: the caller brings the time, which never goes back. What was not used is kept for a tenth of a second, or for
/// one at least: bursts stay short. Not thread-safe.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t count, Millis per, Micros now)
      : micros_each_(static_cast<double>(Micros{per}.count()) / count),
        most_(std::max(1.0, kept_micros / micros_each_)),
        tokens_(most_),
        at_(now) {}

  std::uint32_t available(Micros now) {
    tokens_ = std::min(most_, tokens_ + static_cast<double>((now - at_).count()) / micros_each_);
    at_ = now;
    return static_cast<std::uint32_t>(tokens_ + rounding);
  }
  void take(std::uint32_t count) { tokens_ -= count; }
  /// When there is one, as of the last look.
  Micros next() const {
    if (tokens_ + rounding >= 1.0) return at_;
    return at_ + Micros{static_cast<std::int64_t>((1.0 - tokens_) * micros_each_) + 1};
  }

 private:
  static constexpr double kept_micros = 100'000, rounding = 1e-9;
  double micros_each_, most_, tokens_;
  Micros at_;
};

}  // namespace continuo::delivery::webhook
