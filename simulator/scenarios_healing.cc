// Stretches of life in which events fail and their keys are healed.
//
// One subscription reads topic c: four keys, three events each. What is promised of the verbs is checked by the world
// everywhere; what a scenario is for it says itself, where nothing was cut.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

using How = engines::RepairSettle::Outcome;
using engines::RepairBy;
using node::Nack;
using node::ParkedFate;
using node::SubscriptionSettings;

constexpr const char* name = "h";

Draft event(int key, std::size_t size = 60) { return {"c", 0, fmt::format("k{}", key), size, {}, 0}; }

SubscriptionSettings strict(std::uint32_t attempts) {
  SubscriptionSettings settings;
  settings.topics = {"c"};
  settings.from = engines::StartFrom::earliest;
  settings.lease = Millis{2'000};
  settings.retry = {{.attempts = attempts, .base = Millis{300}, .backoff = engines::Backoff::exponential}, {}};
  return settings;
}

void read_with(World& world, const SubscriptionSettings& settings) {
  lap(world);
  world.create_topic("c", {});
  world.put_subscription(name, settings);
  world.flush();
  for (int i = 0; i < 12; ++i) world.publish({event(i % 4)});
  world.flush();
  world.feed();
}

std::vector<node::Lease> held(World& world) {
  std::vector<node::Lease> leases;
  if (const auto id = world.oracle().subscription(name))
    for (const HeldLease& each : world.oracle().readers()[*id].held)
      if (!each.settling) leases.push_back(each.lease);
  return leases;
}

// The first that is held of each of so many keys.
void refuse(World& world, std::size_t keys, const std::string& code = "broken") {
  std::vector<Nack> nacks;
  std::set<std::uint64_t> seen;
  for (const node::Lease& lease : held(world))
    if (nacks.size() < keys && seen.insert(lease.key_hash).second)
      nacks.push_back({lease, {code, "it is not 5"}, std::nullopt, "paid"});
  const auto id = world.oracle().subscription(name);
  if (id && !nacks.empty()) world.settle(*id, {}, nacks, {});
  world.flush();
}

void receive(World& world, std::uint32_t max = 50) {
  world.feed();
  world.receive(name, max);
  world.flush();
}

void later(World& world, Millis by) {
  world.advance(by);
  world.tick();
  world.flush();
}

// All keys fail until they are parked.
void park_all(World& world, const std::string& code = "broken") {
  receive(world);
  refuse(world, 9, code);
}

void settle_all(World& world) {
  receive(world);
  world.settle_all(name);
  world.flush();
}

// ---- failing --------------------------------------------------------------------------------------------------------

// Leased, extended, given back, run out, settled late; then backoff, and what is parked at its end.
void lease_and_park(World& world) {
  receive(world, 8);
  const auto leases = held(world);
  const auto id = world.oracle().subscription(name);
  if (id && leases.size() >= 3) {
    world.settle(*id, {leases[0]}, {}, {node::Extend{leases.back(), Millis{4'000}}});
    world.flush();
  }
  later(world, Millis{2'500});
  if (id && leases.size() >= 3) world.settle(*id, {leases[1]}, {}, {});  // too late, or it is another's
  world.flush();
  for (int round = 0; round < 4; ++round) {
    later(world, Millis{1'300});
    park_all(world);
    if (round == 1) world.checkpoint();
    if (round == 2) world.publish({event(0), event(1)});
  }
  later(world, Millis{5'000});
  park_all(world);
  world.retry_parked(name);
  settle_all(world);
}

// ---- verbs ----------------------------------------------------------------------------------------------------------

// Edited and released at once; edited, looked at and retried; edited again after a relapse.
void edit(World& world) {
  park_all(world);
  auto keys = world.parked(name);
  if (keys.size() >= 2) {
    world.edit(name, keys[0], true);
    world.flush();
    world.edit(name, keys[1], false);
    world.publish({event(0), event(1)});
    world.flush();
  }
  receive(world);
  refuse(world, 9);  // a relapse
  world.checkpoint();
  keys = world.parked(name);
  if (!keys.empty()) world.edit(name, keys[0], false);
  if (world.running()) world.node().close();
  if (!keys.empty()) world.edit(name, keys[0], true);  // another one in its place
  world.flush();
  settle_all(world);
  world.retry_parked(name);
  settle_all(world);
}

void skip_and_cancel(World& world) {
  park_all(world);
  world.publish({event(0), event(1), event(2)});
  world.flush();
  world.feed();
  auto keys = world.parked(name);
  if (keys.size() >= 3) {
    world.skip(name, keys[0].key_hash);
    if (world.running()) world.node().close();
    world.cancel(name, keys[1]);
    world.skip(name, keys[0].key_hash);  // drains: refused
    world.flush();
    world.checkpoint();
    world.publish({event(0), event(1)});
    world.retry(name, keys[2].key_hash);
    world.flush();
  }
  settle_all(world);
  keys = world.parked(name);
  if (!keys.empty()) world.cancel(name, keys[0]);
  world.flush();
  settle_all(world);
}

// By fingerprint and at a rate, with a key that fails again; then all that are left.
void release(World& world) {
  receive(world);
  refuse(world, 3, "broken");
  receive(world);
  refuse(world, 9, "strange");
  node::ReleaseFilter filter;
  if (const auto keys = world.parked(name); !keys.empty()) filter.fingerprint = keys[0].fingerprint;
  world.release(name, filter, 10, true);
  world.flush();
  for (int round = 0; round < 6; ++round) {
    later(world, Millis{60});
    receive(world);
    if (round == 2)
      refuse(world, 1);
    else
      world.settle_all(name);
    world.flush();
    if (round == 1) world.checkpoint();
    if (round == 3) world.release(name, {}, 1, false);
    world.flush();
  }
  world.stop_release(name);
  world.flush();
  world.release(name, {}, 0, false);
  later(world, Millis{20});
  settle_all(world);
  later(world, Millis{20});
}

// The workflow repairs one, passes one over, leaves one to a person, and is too late for the last.
void repair(World& world) {
  park_all(world);
  world.receive_repairs(name, RepairBy::workflow);
  world.flush();
  world.settle_repair(0, How::repaired);
  world.settle_repair(1, How::needs_person);
  world.flush();
  world.receive_repairs(name, RepairBy::workflow);
  world.flush();
  world.checkpoint();
  world.settle_repair(2, How::skip);
  world.flush();
  later(world, Millis{1'600});
  world.settle_repair(3, How::repaired);  // too late
  world.receive_repairs(name, RepairBy::workflow, Millis{300});
  world.flush();
  world.settle_repair(4, How::repaired);
  world.flush();
  settle_all(world);
}

// The workflow has heads when the node goes, and settles them with the next one.
void hand_out(World& world) {
  read_with(world, strict(1));
  park_all(world);
  world.receive_repairs(name, RepairBy::workflow);
  world.flush();
  world.checkpoint();
}

void repair_after_restart(World& world) {
  if (!world.start(true)) return;
  world.settle_repair(0, How::repaired);
  world.flush();
  world.checkpoint();
  world.settle_repair(1, How::skip);
  world.flush();
  settle_all(world);
}

// ---- dead letters ---------------------------------------------------------------------------------------------------

void read_with_dead_letters(World& world) {
  SubscriptionSettings settings = strict(1);
  settings.on_failure = engines::OnFailure::dead_letter;
  settings.dead_letter = "c.dead";
  read_with(world, settings);
}

void work(World& world) {
  world.work();
  world.flush();
}

// Some are read and written at once, some while more fail; what a trim takes meanwhile is copied first.
void bury(World& world) {
  receive(world);
  refuse(world, 2);
  later(world, Millis{10});
  work(world);
  receive(world);
  refuse(world, 9);
  world.tick();
  world.flush();
  world.trim("c", 0, Offset{5});
  world.tick();
  world.checkpoint();
  for (int round = 0; round < 4; ++round) {
    work(world);
    world.tick();
    world.flush();
  }
  world.check(false);
  settle_all(world);
  receive(world);
  refuse(world, 1);
  world.tick();
  world.flush();
  work(world);
  settle_all(world);
}

// ---- the whole subscription -----------------------------------------------------------------------------------------

std::vector<std::pair<PartitionRef, Offset>> place(World& world, std::int64_t offset) {
  const auto topic = world.oracle().topic("c");
  if (!topic) return {};
  return {{{*topic, PartitionId{0}}, Offset{offset}}};
}

void seek(World& world) {
  park_all(world);
  auto keys = world.parked(name);
  if (!keys.empty()) world.edit(name, keys[0], false);
  world.flush();
  world.seek(name, place(world, 0), ParkedFate::refuse);
  world.seek(name, place(world, 6), ParkedFate::keep);  // back to the middle; heads go along
  world.flush();
  world.tick();
  world.flush();
  receive(world);
  refuse(world, 1);
  world.retry_parked(name);
  world.flush();
  world.checkpoint();
  settle_all(world);
  world.publish({event(0), event(1)});
  world.seek(name, place(world, 3), ParkedFate::discard);
  world.flush();
  world.tick();
  settle_all(world);
  receive(world);
  refuse(world, 9);
  world.seek(name, place(world, 13), ParkedFate::keep);  // ahead of what waits
  world.flush();
  world.tick();
  world.retry_parked(name);
  settle_all(world);
}

void read_in_storms(World& world) {
  SubscriptionSettings settings = strict(2);
  settings.storm = {3, Millis{5'000}, Millis{400}};
  read_with(world, settings);
}

// All keys fail alike: nothing is parked. A try fails, the next one succeeds, and all go on.
void storm(World& world) {
  park_all(world, "down");
  later(world, Millis{100});
  receive(world);  // nothing
  later(world, Millis{400});
  receive(world);  // one key
  refuse(world, 1, "down");
  world.checkpoint();
  later(world, Millis{900});
  receive(world);
  world.settle_all(name);
  world.flush();
  later(world, Millis{300});
  settle_all(world);
  receive(world);
  refuse(world, 2, "other");
  later(world, Millis{300});
  settle_all(world);
}

}  // namespace

std::vector<Scenario> healing_scenarios() {
  NodeSettings wide;  // what is told of many keys is one group
  wide.slot_bytes = 64u << 10;
  wide.max_group = 24u << 10;
  const auto with = [](std::uint32_t attempts) { return [=](World& world) { read_with(world, strict(attempts)); }; };
  using Tally = HealingOracle::Tally;
  const auto if_told = [](auto is) { return [=](World& world) { return is(world.healing().tally()); }; };
  return {
      {"lease_and_park", wide, with(2), lease_and_park, if_told([](const Tally& it) { return it.parked >= 2; })},
      {"edit", wide, with(1), edit, if_told([](const Tally& it) { return it.edited >= 4; })},
      {"skip_and_cancel", wide, with(1), skip_and_cancel,
       if_told([](const Tally& it) { return it.cancelled == 2 && it.skipped == 1; })},
      {"release", wide, with(1), release, if_told([](const Tally& it) { return it.releases >= 3; })},
      {"repair", wide, with(1), repair, if_told([](const Tally& it) { return it.edited == 2 && it.skipped == 1; })},
      {"repair_after_restart", wide, hand_out, repair_after_restart,
       if_told([](const Tally& it) { return it.edited == 1 && it.skipped == 1; }), true},
      {"dead_letters", wide, read_with_dead_letters, bury, if_told([](const Tally& it) { return it.letters >= 5; })},
      {"seek", wide, with(1), seek, if_told([](const Tally& it) { return it.moved == 3; })},
      {"storm", wide, read_in_storms, storm, if_told([](const Tally& it) { return it.storms == 1 && it.parked == 0; })},
  };
}

}  // namespace continuo::simulator
