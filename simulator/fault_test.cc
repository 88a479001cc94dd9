// Lets the n-th changing disk call of every scenario fail, for every n: no acknowledgement may have been a lie.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <tuple>

#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

using Fault = disk::SimulatedDisk::Fault;
constexpr std::uint64_t seed = 11;

struct Case {
  Scenario scenario;
  Fault fault;
  bool for_ever;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.scenario.name; }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Scenario& scenario : scenarios())
    for (const Fault fault : {Fault::io_error, Fault::disk_full, Fault::short_write})
      for (const bool for_ever : {false, true}) cases.push_back({scenario, fault, for_ever});
  return cases;
}

std::string name_of(const Case& each) {
  constexpr std::array names{"io_error", "disk_full", "short_write"};
  return fmt::format("{}_{}_{}", each.scenario.name, names[static_cast<std::size_t>(each.fault)],
                     each.for_ever ? "for_ever" : "once");
}

// The failing call, in the disk's words; empty when the scenario has fewer calls.
struct Harm {
  std::unique_ptr<World> world;
  std::string call;
};

Harm run_with_fault(const World& base, const Case& each, std::uint64_t call) {
  auto harm = std::make_shared<std::string>();
  auto world = base.fork(base.image(), seed);
  if (!each.scenario.from_start) world->start();
  const std::uint64_t at = world->disk().calls() + call;
  world->disk().trace([harm, at](std::uint64_t number, const std::string& what) {
    if (number == at) *harm = what;
  });
  world->disk().fail_at(at, each.fault, each.for_ever);
  each.scenario.run(*world);
  return {std::move(world), *harm};
}

// Whatever was acknowledged is there after a restart of the process, and of the machine.
void expect_true(const World& world, const std::string& where) {
  SeededRandom random{seed};
  for (const bool power : {false, true}) {
    auto image = power ? const_cast<World&>(world).disk().crash_image(random) : world.image();
    auto after = world.fork(std::move(image), seed + 1);
    if (after->start()) after->drain();
    EXPECT_TRUE(after->oracle().ok()) << where << (power ? ", power cut" : ", killed") << breaches_of(*after);
  }
}

class FaultSweep : public testing::TestWithParam<Case> {};

TEST_P(FaultSweep, NoAcknowledgementLies) {
  const Case& each = GetParam();
  const auto base = prepared(each.scenario, seed);
  for (std::uint64_t call = 1; !HasFailure(); ++call) {
    const Harm harm = run_with_fault(*base, each, call);
    if (harm.call.empty()) break;
    const std::string where = fmt::format("{} call {}: {}", name_of(each), call, harm.call);
    World& world = *harm.world;
    const bool stops = harm.call.starts_with("write-durable journal") || harm.call.starts_with("sync");
    const bool passes = each.fault == Fault::disk_full && !each.for_ever;
    if (!each.scenario.from_start && (stops || passes)) {
      EXPECT_EQ(world.running(), !stops) << where;
    }
    EXPECT_TRUE(world.oracle().ok()) << where << breaches_of(world);
    expect_true(world, where);
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, FaultSweep, testing::ValuesIn(all_cases()),
                         [](const auto& each) { return name_of(each.param); });

// ---- a full disk ----------------------------------------------------------------------------------------------------

class FullDisk : public testing::TestWithParam<Scenario> {};

Code answer_to_publish(World& world) {
  Code code = Code::breach;
  auto event = SentEvent{};
  event.partition = {world.oracle().topic("a").value_or(TopicId{0}), PartitionId{0}};
  event.value = std::make_shared<const std::string>("0 ");
  world.node().core().publish(world.node().edge(), {event.record()}, [&](Result<node::Published> answer) {
    code = answer ? Code::breach : answer.error().code;
  });
  world.flush();
  return code;
}

// Fills the disk, so that nothing can grow, and goes on: publishes are refused, all else goes on.
void expect_refusals_only(World& world, const std::string& where) {
  world.advance(Millis{2'000});
  world.work();
  world.checkpoint();
  world.work();
  ASSERT_TRUE(world.running()) << where << to_string(*world.node().failure());
  if (!world.node().home().stats().disk_full) return;  // nothing had to grow
  EXPECT_EQ(answer_to_publish(world), Code::disk_full) << where;
  world.check(false);
  world.receive("s", 10);
  world.flush();
  world.settle_all("s");
  world.delete_topic("b");
  world.flush();
  EXPECT_TRUE(world.running()) << where;
  EXPECT_FALSE(world.oracle().topic("b").has_value()) << where;
}

TEST_P(FullDisk, RefusesPublishesAndGoesOn) {
  Scenario scenario = GetParam();
  if (scenario.from_start) GTEST_SKIP() << "runs no node";
  const auto base = prepared(scenario, seed);
  for (std::uint64_t room = 0; room < 24'000; room += 1'500) {
    const std::string where = fmt::format("{}, {} bytes left", scenario.name, room);
    auto world = base->fork(base->image(), seed);
    world->start();
    for (int round = 0; round < 3; ++round) world->work();
    const auto space = world->disk().space();
    world->disk().set_capacity(space->total_bytes - space->free_bytes + room);
    scenario.run(*world);
    ASSERT_TRUE(world->running()) << where;
    expect_refusals_only(*world, where);
    auto again = world->fork(world->image(), seed);
    again->disk().set_capacity(~0ull);
    if (again->start()) again->drain();
    EXPECT_TRUE(again->oracle().ok()) << where << breaches_of(*again);
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, FullDisk, testing::ValuesIn(scenarios().begin(), scenarios().end()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace continuo::simulator
