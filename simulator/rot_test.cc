// Flips bits in what was acknowledged: recovery stops, or nothing is lost; readers meet the damage, and only there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "continuo/record/batch.h"
#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

constexpr std::uint64_t seed = 13;
const std::uint64_t stride = std::getenv("CONTINUO_LONG") != nullptr ? 1 : 25;

const Scenario& scenario(const std::string& name) {
  for (const Scenario& each : scenarios())
    if (each.name == name) return each;
  ADD_FAILURE() << name;
  return scenarios().front();
}

// After this scenario, the last group sealed.
std::unique_ptr<World> sealed_after(const std::string& name) {
  auto world = prepared(scenario(name), seed);
  if (!scenario(name).from_start) world->start();
  scenario(name).run(*world);
  if (!world->running()) world->start();
  world->flush();
  world->node().seal();
  world->kill();
  return world;
}

std::uint64_t size_of(World& world, const std::string& path) { return *(*world.disk().open(path, {}))->size(); }

struct JournalRot : testing::TestWithParam<std::string> {};

// Any bit of the ring: what was acknowledged is all there, or the node says that it is not.
TEST_P(JournalRot, IsNeverPassedOver) {
  const auto base = sealed_after(GetParam());
  ASSERT_TRUE(base->oracle().ok()) << breaches_of(*base);
  std::uint64_t found = 0, harmless = 0;
  for (std::uint32_t slot = 0; slot < base->settings().slots; ++slot) {
    const std::string path = fmt::format("journal/{:02}", slot);
    for (std::uint64_t byte = slot % stride; byte < size_of(*base, path); byte += stride) {
      const std::string where = fmt::format("{} byte {}", path, byte);
      auto world = base->fork(base->image(), seed);
      world->disk().flip_bit(path, byte, static_cast<int>(byte % 8));
      auto started = SimulatedNode::start(world->disk(), world->clock(), world->random(), world->settings());
      if (!started) {
        ++found;
        ASSERT_EQ(started.error().code, Code::damaged_journal) << where << to_string(started.error());
        ASSERT_FALSE(started.error().at.empty()) << where;
        continue;
      }
      ++harmless;
      started->reset();
      world->start();
      ASSERT_TRUE(world->oracle().ok()) << where << breaches_of(*world);
    }
  }
  fmt::print("{}: {} flips found, {} harmless\n", GetParam(), found, harmless);
  EXPECT_GT(found, 10u);
}

TEST_P(JournalRot, IsPassedOverWhenToldTo) {
  const auto base = sealed_after(GetParam());
  for (std::uint32_t slot = 0; slot < base->settings().slots; ++slot)
    for (std::uint64_t byte = 16; byte < base->settings().slot_bytes; byte += log::journal_block) {
      auto world = base->fork(base->image(), seed);
      world->settings().accept_loss = true;
      world->disk().flip_bit(fmt::format("journal/{:02}", slot), byte, 3);
      auto started = SimulatedNode::start(world->disk(), world->clock(), world->random(), world->settings());
      ASSERT_TRUE(started.has_value()) << slot << " " << byte << to_string(started.error());
      // From then on it is a log like any other.
      world->settings().accept_loss = false;
      started->reset();
      auto again = SimulatedNode::start(world->disk(), world->clock(), world->random(), world->settings());
      EXPECT_TRUE(again.has_value()) << slot << " " << byte << to_string(again.error());
    }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, JournalRot,
                         testing::Values("append", "group_commit", "ring_lap", "settle", "starts", "idle"),
                         [](const auto& name) { return name.param; });

// ---- topic files ----------------------------------------------------------------------------------------------------

struct Damage {
  std::uint64_t unreadable = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> batches;  // as errors name them
};

bool holds(const log::Batches& batches, const SentEvent& event) {
  for (const auto& batch : batches.batches) {
    record::RecordWalk walk{*batch};
    while (const auto record = walk.next())
      if (record->offset == *event.offset) return record->value.value_or("") == *event.value;
  }
  return false;
}

// Reads every event by its offset.
Damage read_each(World& world, const std::string& where) {
  Damage damage;
  for (const auto& [number, event] : world.oracle().events()) {
    const auto state = event.offset ? world.node().home().state(event.partition) : Result<node::PartitionState>{};
    if (!event.offset || !state || *event.offset < state->first) continue;
    const auto batches = world.node().home().read(event.partition, *event.offset, 1);
    if (batches) {
      EXPECT_TRUE(holds(*batches, event)) << where << ": event " << number;
      continue;
    }
    EXPECT_EQ(batches.error().code, Code::damaged_data) << where << to_string(batches.error());
    EXPECT_FALSE(batches.error().detail.empty() || batches.error().at.empty()) << where;
    ++damage.unreadable;
  }
  return damage;
}

// A flipped bit costs one batch, and its readers are told.
TEST(TopicRot, IsFoundAndCostsOneBatch) {
  Scenario rolling = scenario("segment_roll");
  const auto base = prepared(rolling, seed);
  base->start();
  rolling.run(*base);
  base->advance(Millis{1'000});
  base->work();
  base->checkpoint();
  base->kill();
  std::uint64_t flips = 0, told = 0;
  for (const std::string& folder : {std::string{"topics/00000001/0000"}, std::string{"topics/00000002/0000"}}) {
    const auto names = *base->disk().list(folder);
    for (const std::string& name : names) {
      const std::string path = folder + "/" + name;
      for (std::uint64_t byte = 0; byte < size_of(*base, path); byte += 5 * stride + 2) {
        auto world = base->fork(base->image(), seed);
        world->tolerates_damage = true;
        world->disk().flip_bit(path, byte, static_cast<int>(byte % 8));
        auto started = SimulatedNode::start(world->disk(), world->clock(), world->random(), world->settings());
        const std::string where = fmt::format("{} byte {}", path, byte);
        ASSERT_TRUE(started.has_value()) << where << to_string(started.error());
        world->adopt(std::move(*started));
        const Damage damage = read_each(*world, where);
        EXPECT_LE(damage.unreadable, 1u) << where;  // each batch of this scenario holds one event
        ++flips;
        told += damage.unreadable;
      }
    }
  }
  fmt::print("{} flips, {} told\n", flips, told);
  EXPECT_GT(told, flips / 2);
}

}  // namespace
}  // namespace continuo::simulator
