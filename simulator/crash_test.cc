// Cuts the power at every changing disk call of every scenario, and looks at what a restarted node makes of what is
// left.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

// Under `./x test long`.
const bool long_run = std::getenv("CONTINUO_LONG") != nullptr;
constexpr std::uint64_t seed = 7;

struct Tally {
  std::uint64_t calls = 0;
  std::uint64_t images = 0;
  std::uint64_t second_cuts = 0;
};

// Recovers the image and checks all that is promised. False at a breach.
bool survives(const World& before, std::unique_ptr<disk::SimulatedDisk> image, const std::string& where) {
  auto after = before.fork(std::move(image), seed + 1);
  if (after->start()) {
    after->check_second_recovery();
    after->drain();
  }
  if (after->oracle().ok()) return true;
  ADD_FAILURE() << where << breaches_of(*after);
  return false;
}

// The power goes a second time, while the node recovers from the first.
bool survives_twice(const World& before, const disk::SimulatedDisk& image, const std::string& where, Random& random,
                    Tally& tally) {
  for (std::uint64_t call = 1;; ++call) {
    auto again = before.fork(image.kill_image(), seed + 2);
    again->disk().cut_at(call);
    const bool started = again->start(true);
    if (!again->disk().cut()) return started;
    ++tally.second_cuts;
    if (!survives(*again, again->disk().crash_image(random), fmt::format("{}, second cut at call {}", where, call)))
      return false;
  }
}

std::unique_ptr<World> run_until(const World& base, const Scenario& scenario, std::uint64_t call) {
  auto world = base.fork(base.image(), seed);
  if (!scenario.from_start) world->start();
  world->disk().cut_at(world->disk().calls() + call);
  scenario.run(*world);
  return world;
}

Tally total;

Tally sweep(const Scenario& scenario, int images_per_call) {
  Tally tally;
  const auto base = prepared(scenario, seed);
  EXPECT_TRUE(base->oracle().ok()) << scenario.name << breaches_of(*base);
  for (std::uint64_t call = 1;; ++call) {
    const auto world = run_until(*base, scenario, call);
    EXPECT_TRUE(world->oracle().ok()) << scenario.name << " call " << call << breaches_of(*world);
    if (!world->disk().cut() || !world->oracle().ok()) break;
    ++tally.calls;
    for (int i = 0; i < images_per_call; ++i) {
      SeededRandom random{call * 1000 + static_cast<std::uint64_t>(i)};
      const std::string where = fmt::format("{}: cut at call {}, image {}", scenario.name, call, i);
      const auto image = world->disk().crash_image(random);
      ++tally.images;
      if (!survives(*world, image->kill_image(), where)) return tally;
      if (tally.images % 10 == 0 && !survives_twice(*world, *image, where, random, tally)) return tally;
    }
  }
  return tally;
}

class Crash : public testing::TestWithParam<Scenario> {};

TEST_P(Crash, LosesNothing) {
  const Tally tally = sweep(GetParam(), long_run ? 200 : 12);
  fmt::print("{}: {} calls, {} images, {} after a second cut\n", GetParam().name, tally.calls, tally.images,
             tally.second_cuts);
  EXPECT_GT(tally.calls, 4u);
  total.calls += tally.calls;
  total.images += tally.images + tally.second_cuts;
}

// A node that dies before its first group is written leaves a slot each time.
TEST(Starts, BeforeTheFirstGroupNeverUseTheRingUp) {
  disk::SimulatedDisk disk;
  VirtualClock clock;
  SeededRandom random{seed};
  for (int start = 0; start < 20; ++start) {
    log::EmbeddedOptions options;
    options.journal.slots = 5;
    options.journal.slot_bytes = 32u << 10;
    options.journal.max_group = 12u << 10;
    options.ballast_bytes = 0;
    auto home = log::EmbeddedLog::open(disk, options, random);
    ASSERT_TRUE(home);
    node::Core core{**home, clock, random, {}};
    const auto recovered = core.recover();
    ASSERT_TRUE(recovered) << start << to_string(recovered.error());
  }
}

// What is cut above is worth cutting: left alone, it gets to its end.
TEST(KafkaScenarios, DoWhatTheyAreFor) {
  std::uint64_t batches = 0, generations = 0;
  for (const Scenario& scenario : kafka_scenarios()) {
    const auto base = prepared(scenario, seed);
    const auto world = base->fork(base->image(), seed);
    world->start();
    scenario.run(*world);
    world->drain();
    EXPECT_TRUE(world->oracle().ok()) << scenario.name << breaches_of(*world);
    batches += world->oracle().batches();
    generations += world->groups().finished();
    for (const auto& [number, request] : world->oracle().requests())
      EXPECT_TRUE(request.pending == 0 || !request.numbers) << scenario.name << " batch " << number;
  }
  EXPECT_GE(batches, 30u);
  EXPECT_GE(generations, 7u);
}

TEST(HealingScenarios, DoWhatTheyAreFor) {
  std::vector<Scenario> all = healing_scenarios();
  std::ranges::move(queue_scenarios(), std::back_inserter(all));
  for (const Scenario& scenario : all) {
    const auto base = prepared(scenario, seed);
    const auto world = base->fork(base->image(), seed);
    if (!scenario.from_start) world->start();
    scenario.run(*world);
    world->check(false);
    EXPECT_TRUE(scenario.achieved(*world)) << scenario.name;
    world->drain();
    EXPECT_TRUE(world->oracle().ok()) << scenario.name << breaches_of(*world);
  }
}

// Runs last, and only counts when all of them ran.
class Total : public testing::Environment {
 public:
  void TearDown() override {
    fmt::print("{} calls, {} images\n", total.calls, total.images);
    const auto& run = *testing::UnitTest::GetInstance();
    if (run.test_to_run_count() < static_cast<int>(scenarios().size()) || !run.Passed()) return;
    EXPECT_GE(total.images, long_run ? 200'000u : 10'000u);
  }
};

const auto* const environment = testing::AddGlobalTestEnvironment(new Total);

INSTANTIATE_TEST_SUITE_P(Scenarios, Crash, testing::ValuesIn(scenarios().begin(), scenarios().end()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace continuo::simulator
