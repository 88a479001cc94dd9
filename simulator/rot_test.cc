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

// A log like any other: every partition takes an event, and all of it can be read.
void expect_goes_on(SimulatedNode& node, const std::string& where) {
  const auto catalogue = node.core().catalogue();
  std::map<PartitionRef, Offset> placed;
  for (const auto& [name, topic] : catalogue->topics)
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) {
      node::NewRecord record{topic->id, PartitionId{id}, {}, 1'000, {}};
      record::BodyWriter{record.body}.key("k").value("after the loss").header_count(0);
      if (!node.admit(record.body.size() + 200)) continue;  // the ring is full: it waits for a checkpoint
      node.core().publish(node.edge(), {record}, [&, ref = PartitionRef{topic->id, PartitionId{id}}](auto answer) {
        ASSERT_TRUE(answer || answer.error().code == Code::overloaded) << where << to_string(answer.error());
        if (answer) placed[ref] = answer->places.front().offset;
      });
    }
  node.flush();
  ASSERT_FALSE(node.failed()) << where << to_string(*node.failure());
  for (const auto& [name, topic] : catalogue->topics)
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) {
      const PartitionRef ref{topic->id, PartitionId{id}};
      const auto state = node.home().state(ref);
      ASSERT_TRUE(state) << where << to_string(state.error());
      EXPECT_TRUE(!placed.contains(ref) || state->next == placed[ref] + 1) << where;
      for (Offset at = state->first; at < state->next;) {
        const auto batches = node.home().read(ref, at, 1u << 20);
        ASSERT_TRUE(batches && !batches->batches.empty()) << where << " offset " << at.value;
        at = batches->next;
      }
    }
}

// Accepts the loss, goes on, and goes on again after a restart that is told nothing.
void expect_loss_can_be_accepted(World& world, const std::string& where) {
  world.settings().accept_loss = true;
  auto started = SimulatedNode::start(world.disk(), world.clock(), world.random(), world.settings());
  ASSERT_TRUE(started.has_value()) << where << to_string(started.error());
  expect_goes_on(**started, where);
  world.settings().accept_loss = false;
  for (int restart = 0; restart < 2; ++restart) {
    const std::uint64_t seen = (*started)->visible_state();
    started->reset();
    started = SimulatedNode::start(world.disk(), world.clock(), world.random(), world.settings());
    ASSERT_TRUE(started.has_value()) << where << to_string(started.error());
    EXPECT_EQ((*started)->visible_state(), seen) << where;
    (*started)->checkpoint_now();
    expect_goes_on(**started, where);
    while ((*started)->feed()) (*started)->flush();
  }
}

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
      world->disk().flip_bit(fmt::format("journal/{:02}", slot), byte, 3);
      expect_loss_can_be_accepted(*world, fmt::format("{} slot {} byte {}", GetParam(), slot, byte));
      if (HasFatalFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, JournalRot,
                         testing::Values("append", "group_commit", "ring_lap", "settle", "starts", "idle"),
                         [](const auto& name) { return name.param; });

// Units are taken while the log goes on, and the files are looked at last: a loss in between leaves heads behind files,
// topics that only one of them knows, and trims that only one of them heard of.
TEST(AcceptedLoss, OfWhatACheckpointWasTakenFrom) {
  for (int variant = 0; variant < 4; ++variant) {
    const auto base = std::make_unique<World>(seed, scenario("append").settings);
    base->start();
    for (std::uint32_t slot = 0; slot < base->settings().slots; ++slot) base->work();  // prepares one at a time
    for (const char* name : {"a", "b", "c"}) base->create_topic(name, {.partitions = 2});
    base->put_subscription("s", {.topics = {"a"}, .from = engines::StartFrom::earliest});
    base->flush();
    const auto publish = [&](int round) {
      for (const char* name : {"a", "b", "c", "d"})
        if (base->oracle().topic(name)) base->publish({{name, static_cast<std::uint32_t>(round % 2), "k", 40, {}, 0}});
      base->flush();
    };
    publish(0);
    base->checkpoint();
    publish(1);
    base->node().checkpoint(true);  // begins the round; its units are taken one by one
    for (int slice = 0; slice < 60 && !base->node().checkpoint(true); ++slice)
      if (slice < 4) publish(slice);
    if (variant % 2 == 1) base->delete_topic("b");
    if (variant % 2 == 1) base->create_topic("d", {.partitions = 1});
    base->flush();
    publish(0);
    base->trim("c", 0, Offset{1});
    base->feed();
    publish(1);
    if (variant >= 2) base->advance(Millis{1'000});
    if (variant >= 2) base->work();
    base->node().run_checkpoint();
    base->node().seal();
    ASSERT_TRUE(base->running());
    base->kill();
    for (std::uint32_t slot = 0; slot < base->settings().slots; ++slot)
      for (std::uint64_t byte = 16; byte < base->settings().slot_bytes; byte += log::journal_block) {
        auto world = base->fork(base->image(), seed);
        world->disk().flip_bit(fmt::format("journal/{:02}", slot), byte, 3);
        expect_loss_can_be_accepted(*world, fmt::format("variant {} slot {} byte {}", variant, slot, byte));
        if (testing::Test::HasFatalFailure()) return;
      }
  }
}

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
