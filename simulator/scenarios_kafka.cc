// Stretches of life with Kafka's clients: idempotent producers, and a consumer group.
#include <fmt/format.h>

#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

Draft record(const std::string& topic, std::uint32_t partition, std::size_t size = 60) {
  return {topic, partition, "k", size, {}, 0};
}

// ---- idempotent producers -------------------------------------------------------------------------------------------

void number_two(World& world) {
  lap(world);
  world.number_producer("p");
  world.number_producer("q");
  world.flush();
  world.produce("p", {record("a", 0), record("a", 0), record("b", 0)});
  world.flush();
}

// Batches of both in one partition, some in a group that is on its way while the next is filled; single records
// between.
void produce_side_by_side(World& world) {
  world.produce("p", {record("a", 0), record("b", 0), record("b", 0)});
  world.produce("q", {record("a", 0), record("b", 1)});
  world.publish({record("a", 0)});
  if (world.running()) world.node().close();
  world.produce("p", {record("a", 0, 300), record("a", 0)});
  world.produce("q", {record("b", 2)});
  world.resend("p");
  world.flush();
}

void idempotent_producers(World& world) {
  for (int round = 0; round < 4; ++round) {
    produce_side_by_side(world);
    world.resend_known("q");
    world.flush();
    world.produce_too_early("p", record("a", 0));
    world.flush();
    if (round == 0) world.checkpoint();
    if (round == 1) world.raise_epoch("p");
    world.produce("p", {record("a", 0)});
    world.flush();
    world.resend_outlived("p");
    world.flush();
    world.advance(Millis{250});
    world.work();
    if (round == 2) world.number_producer("q");
    world.flush();
  }
  world.trim("a", 0, max_offset);
  world.flush();
  world.resend_known("p");
  world.delete_topic("b");
  world.produce("q", {record("a", 0), record("b", 0)});
  world.flush();
  world.checkpoint();
  world.resend_known("p");
  world.flush();
}

// ---- a consumer group -----------------------------------------------------------------------------------------------

void name_consumers(World& world) {
  lap(world);
  world.consumer("first").requires_known_member = true;
  world.consumer("second");
  Consumer& fixed = world.consumer("fixed");
  fixed.instance = "i";
  fixed.can_skip_assignment = true;
  world.commit_alone("alone", {{{*world.oracle().topic("a"), PartitionId{0}}, Offset{3}}});
  world.flush();
}

void live(World& world, const std::vector<std::string>& names, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (const std::string& name : names) {
      world.act(name);
      world.flush();
    }
    world.advance(Millis{250});
    world.tick();
    world.flush();
  }
}

std::map<PartitionRef, Offset> at(World& world, std::int64_t a, std::int64_t b) {
  const auto topic_a = world.oracle().topic("a"), topic_b = world.oracle().topic("b");
  if (!topic_a || !topic_b) return {};
  return {{{*topic_a, PartitionId{0}}, Offset{a}}, {{*topic_b, PartitionId{1}}, Offset{b}}};
}

void commit_both(World& world, std::int64_t offset) {
  world.commit("first", at(world, offset, offset + 1));
  if (world.running()) world.node().close();
  world.commit("fixed", at(world, offset + 1, offset + 2));
  world.commit_late("first", at(world, 0, 0));
  world.commit("first", at(world, offset + 2, offset));  // one of them back: it asked for it
  world.fetch("g");
  world.flush();
}

void consumer_group(World& world) {
  live(world, {"first", "second"}, 4);
  commit_both(world, 10);
  live(world, {"fixed", "first", "second"}, 4);  // a second generation
  commit_both(world, 20);
  world.checkpoint();
  world.die("fixed");
  live(world, {"fixed"}, 2);  // as the static member it was
  commit_both(world, 30);
  world.leave("second");
  world.flush();
  live(world, {"first", "fixed"}, 3);
  commit_both(world, 40);
  world.delete_offsets("g", "a", 0);  // refused: it is consumed
  world.delete_offsets("g", "b", 1);
  world.commit_alone("alone", at(world, 5, 6));
  world.flush();
  world.delete_group("alone");
  world.delete_group("g");  // refused: it has members
  world.flush();
  world.checkpoint();
}

// Its members go; the group goes; another takes its name.
void group_ends(World& world) {
  live(world, {"first", "second"}, 4);
  commit_both(world, 10);
  for (const char* name : {"second", "first"}) {
    world.leave(name);
    world.flush();
    world.tick();
    world.flush();
  }
  world.commit_alone("g", at(world, 7, 8));
  world.flush();
  world.delete_group("g");
  if (world.running()) world.node().close();
  world.commit_alone("g", at(world, 1, 2));
  world.flush();
  world.tick();  // what the one before had committed goes
  world.flush();
  world.delete_topic("b");
  world.flush();
  world.checkpoint();
  live(world, {"second", "fixed"}, 4);
  commit_both(world, 2);
}

}  // namespace

std::vector<Scenario> kafka_scenarios() {
  const NodeSettings tiny;
  return {
      {"producers", tiny, number_two, idempotent_producers},
      {"group", tiny, name_consumers, consumer_group},
      {"group_ends", tiny, name_consumers, group_ends},
  };
}

}  // namespace continuo::simulator
