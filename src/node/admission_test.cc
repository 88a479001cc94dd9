#include "continuo/node/admission.h"

#include <gtest/gtest.h>

#include <cmath>

namespace continuo::node {
namespace {

log::HomeStats ring(std::uint32_t used, std::uint32_t slots = 16) {
  return {.slots = slots, .used_slots = used, .free_slots = slots - used, .prepared_slots = slots};
}

TEST(Admission, PublishesAreRefusedFromThreeQuartersOn) {
  EXPECT_TRUE(may_publish(ring(11)));
  const auto refused = may_publish(ring(12));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::overloaded);
  EXPECT_TRUE(may_publish(ring(2, 4)));
  EXPECT_FALSE(may_publish(ring(3, 4)));
}

TEST(Admission, AFullDiskIsToldAsSuch) {
  log::HomeStats home = ring(1);
  home.disk_full = true;
  const auto refused = may_publish(home);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::disk_full);
}

TEST(Admission, UpToTheHalfNothingWaits) {
  Pace pace;
  for (std::uint32_t used = 0; used <= 8; ++used) {
    pace.group_done(Micros{1'000'000 + 1'000 * used}, ring(used));
    EXPECT_TRUE(pace.open(Micros{1'000'000 + 1'000 * used}));
  }
}

TEST(Admission, TheFullerTheRingTheLongerThePause) {
  Micros before{0};
  for (std::uint32_t used = 9; used <= 11; ++used) {
    Pace pace;
    pace.group_done(Micros{1'000'000}, ring(8));
    pace.group_done(Micros{1'004'000}, ring(used));  // 4 ms of work
    const Micros pause = pace.until(Micros{1'004'000});
    EXPECT_EQ(pause, Micros{4'000} * (16 - (12 - used) * (12 - used)) / ((12 - used) * (12 - used)));
    EXPECT_GT(pause, before);
    EXPECT_FALSE(pace.open(Micros{1'004'000} + pause - Micros{1}));
    EXPECT_TRUE(pace.open(Micros{1'004'000} + pause));
    before = pause;
  }
}

// A ring filled by a writer and worked off by a slower disk: the pauses hold it below the point of refusal.
TEST(Admission, TwoWritersForOneDiskAreHeldBelowRefusal) {
  Pace pace;
  double used = 0;
  std::uint32_t refusals = 0, groups = 0;
  Micros begun{-1};
  for (Micros now{0}; now < Micros{20'000'000}; now += Micros{100}) {
    used = std::max(0.0, used - 1.0 / 200);  // a slot is worked off in 20 ms
    const auto home = ring(static_cast<std::uint32_t>(std::ceil(used)));
    if (begun.count() >= 0 && now - begun >= Micros{1'000}) {  // and filled in 10: a group takes a millisecond
      used += 1.0 / 10;
      ++groups;
      pace.group_done(now, home);
      begun = Micros{-1};
    }
    if (begun.count() >= 0 || !pace.open(now)) continue;
    if (may_publish(home))
      begun = now;
    else
      ++refusals;
  }
  EXPECT_EQ(refusals, 0u);
  EXPECT_GT(groups, 10'000u * 9 / 10) << "as much comes in as the disk takes";
}

TEST(Admission, AGroupThatEndsInsideAPauseMakesItLonger) {
  Pace pace;
  pace.group_done(Micros{1'000'000}, ring(8));
  pace.group_done(Micros{1'004'000}, ring(11));
  const Micros pause = pace.until(Micros{1'004'000});
  pace.group_done(Micros{1'006'000}, ring(11));
  EXPECT_GT(pace.until(Micros{1'006'000}), pause);
}

TEST(Admission, IdleTimeIsNotWork) {
  Pace pace;
  pace.group_done(Micros{1'000'000}, ring(8));
  pace.group_done(Micros{9'000'000}, ring(10));
  EXPECT_LE(pace.until(Micros{9'000'000}), Micros{300'000});
}

}  // namespace
}  // namespace continuo::node
