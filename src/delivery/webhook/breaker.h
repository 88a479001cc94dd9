// Stops asking a receiver that is down, and tries it now and then.
#pragma once

#include <algorithm>
#include <cstdint>

#include "continuo/base/time.h"

namespace continuo::delivery::webhook {

/// Closed until so many deliveries failed one after the other; then open for a pause, doubled with every try that
/// fails, after each of which one delivery is let through. Pure: the caller brings the time. Not thread-safe.
class Breaker {
 public:
  struct Settings {
    std::uint32_t failures = 10;
    Micros first_pause{1'000'000}, longest_pause{60'000'000};
  };
  enum class State : std::uint8_t { closed, probing, open };

  Breaker() = default;
  explicit Breaker(const Settings& settings) : settings_(settings) {}

  State state(Micros now) const {
    if (pause_ == Micros{0}) return State::closed;
    return now < until_ ? State::open : State::probing;
  }
  /// When an open one lets a delivery through.
  Micros until() const { return until_; }

  void succeeded() {
    failures_ = 0;
    pause_ = Micros{0};
  }
  void failed(Micros now) {
    if (state(now) == State::open) return;  // it was under way when the breaker opened
    if (pause_ == Micros{0} && ++failures_ < settings_.failures) return;
    pause_ = pause_ == Micros{0} ? settings_.first_pause : std::min(2 * pause_, settings_.longest_pause);
    until_ = now + pause_;
  }

 private:
  Settings settings_;
  std::uint32_t failures_ = 0;
  Micros pause_{0};  // none: it is closed
  Micros until_{0};
};

}  // namespace continuo::delivery::webhook
