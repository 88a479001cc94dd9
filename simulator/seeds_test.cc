// Lives from seeds: 500 in every run, those that once failed for ever, and a sample twice.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "continuo/simulator/simulation.h"

namespace continuo::simulator {
namespace {

const std::uint64_t seeds = std::getenv("CONTINUO_LONG") != nullptr ? 20'000 : 500;

SimulationReport run(std::uint64_t seed, std::uint64_t steps) {
  SimulationOptions options;
  options.seed = seed;
  options.steps = steps;
  return simulate(options);
}

TEST(Seeds, KeepEveryPromise) {
  SimulationReport sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SimulationReport report = run(seed, 600);
    ASSERT_TRUE(report.breaches.empty()) << to_string(report);
    sum.steps += report.steps;
    sum.events += report.events;
    sum.batches += report.batches;
    sum.generations += report.generations;
    sum.healing.add(report.healing);
    sum.answers += report.answers;
    sum.power_cuts += report.power_cuts;
    sum.kills += report.kills;
    sum.faults += report.faults;
    sum.failed_starts += report.failed_starts;
  }
  std::puts(to_string(sum).c_str());
  EXPECT_GT(sum.power_cuts, 2 * seeds);
  EXPECT_GT(sum.answers, 50 * seeds);
  EXPECT_GT(sum.batches, 8 * seeds);
  EXPECT_GT(sum.generations, 2 * seeds);
  EXPECT_GT(sum.healing.parked, 2 * seeds);
  EXPECT_GT(sum.healing.letters, 2 * seeds);
  for (const std::uint64_t few : {sum.healing.edited, sum.healing.cancelled, sum.healing.storms, sum.healing.moved})
    EXPECT_GT(few, seeds / 10);
}

// Seed and steps of lives that ended badly before what they found was mended.
TEST(Seeds, ThatOnceFailedPass) {
  constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 11> once{{{9, 600},
                                                                          {12, 600},
                                                                          {193, 600},
                                                                          {226, 600},
                                                                          {392, 600},
                                                                          {1294, 4000},
                                                                          {1527, 4000},
                                                                          {1880, 4000},
                                                                          {6328, 600},
                                                                          {20015, 4000},
                                                                          {20799, 4000}}};
  for (const auto& [seed, steps] : once) {
    const SimulationReport report = run(seed, steps);
    EXPECT_TRUE(report.breaches.empty()) << to_string(report);
  }
}

TEST(Seeds, AreDeterministic) {
  for (std::uint64_t seed = 1; seed <= 500; seed += 29) {
    const SimulationReport first = run(seed, 600);
    const SimulationReport second = run(seed, 600);
    EXPECT_EQ(first.effects, second.effects) << "seed " << seed;
    EXPECT_EQ(first.answers, second.answers) << "seed " << seed;
    EXPECT_EQ(first.generations, second.generations) << "seed " << seed;
  }
}

}  // namespace
}  // namespace continuo::simulator
