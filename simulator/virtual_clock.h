// Time that passes only when the simulation says so.
#pragma once

#include "continuo/base/time.h"

namespace continuo::simulator {

class VirtualClock final : public Clock {
 public:
  WallTime wall() override { return wall_; }
  Micros steady() override { return steady_; }
  void advance(Millis by) {
    wall_.ms += by.count();
    steady_ += by;
  }
  /// The wall clock alone: somebody set it.
  void jump(Millis by) { wall_.ms += by.count(); }

 private:
  WallTime wall_{1'800'000'000'000};
  Micros steady_{1'000'000};
};

}  // namespace continuo::simulator
