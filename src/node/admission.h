// Whether publishes come in, and how fast, by how full the journal's ring is: below the half at once, from there to
// three quarters ever slower, above not at all. What makes room - settles, deletes, retention - is never held up.
#pragma once

#include <algorithm>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"
#include "continuo/log/seam/home.h"

namespace continuo::node {

/// Errors: disk_full; overloaded from three quarters of the ring on. Any thread.
Result<void> may_publish(const log::HomeStats& home);

/// Spreads publishes out while the ring is more than half full, so that they come no faster than it is worked off, and
/// wait a little instead of being refused. It needs no measure of the disk: at p of the way from three quarters back to
/// the half, publishes run for p * p of the time, and that settles where both sides are equally fast. Core thread.
class Pace {
 public:
  /// Whether publishes may run now.
  bool open(Micros now) const { return now >= open_at_; }
  /// How long until they may.
  Micros until(Micros now) const { return std::max(Micros{0}, open_at_ - now); }
  /// A group with publishes is durable.
  void group_done(Micros now, const log::HomeStats& home);

 private:
  Micros open_at_{0};
  Micros last_{0};
};

}  // namespace continuo::node
