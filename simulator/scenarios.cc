#include "continuo/simulator/scenarios.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/bytes.h"
#include "continuo/base/hash.h"

namespace continuo::simulator {
namespace {

using node::Nack;
using node::SubscriptionSettings;
using node::TopicSettings;

Draft event(const std::string& topic, std::uint32_t partition, int key, std::size_t size = 60) {
  return {topic, partition, fmt::format("k{}", key), size, {}, 0};
}

TopicSettings partitions(std::uint32_t count) {
  TopicSettings settings;
  settings.partitions = count;
  return settings;
}

SubscriptionSettings reading(const std::string& topic) {
  SubscriptionSettings settings;
  settings.topics = {topic};
  settings.from = engines::StartFrom::earliest;
  settings.lease = Millis{2'000};
  settings.retry = {3, Millis{500}};
  return settings;
}

std::vector<node::Lease> held(World& world, const std::string& name) {
  std::vector<node::Lease> leases;
  if (const auto id = world.oracle().subscription(name))
    for (const HeldLease& each : world.oracle().readers()[*id].held)
      if (!each.settling) leases.push_back(each.lease);
  return leases;
}

SubscriptionId id_of(World& world, const std::string& name) {
  return world.oracle().subscription(name).value_or(SubscriptionId{0});
}

// Refuses the oldest event that is held of each of so many keys.
void refuse(World& world, const std::string& name, std::size_t keys) {
  std::vector<Nack> nacks;
  for (const node::Lease& lease : held(world, name))
    if (nacks.size() < keys) nacks.push_back({lease, {"broken", "again"}, Millis{0}});
  if (!nacks.empty()) world.settle(id_of(world, name), {}, nacks, {});
}

void publish_each(World& world, const std::string& topic, int count, std::size_t size = 60) {
  for (int i = 0; i < count; ++i) {
    world.publish({event(topic, 0, i % 3, size)});
    world.flush();
  }
}

void lap_and_subscribe(World& world) {
  lap(world);
  world.put_subscription("s", reading("b"));
  world.put_subscription("t", reading("b"));
  world.flush();
  for (int i = 0; i < 6; ++i)
    world.publish({event("b", static_cast<std::uint32_t>(i % 2), i % 3), event("b", 2, i % 2)});
  world.flush();
}

// ---- the log --------------------------------------------------------------------------------------------------------

void append(World& world) {
  publish_each(world, "a", 6);
  world.publish({event("a", 0, 1), event("b", 1, 1), event("b", 2, 1)});
  world.flush();
  world.publish({event("a", 0, 1, 5000)});
  world.flush();
}

void group_commit(World& world) {
  for (int group = 0; group < 4; ++group) {
    for (int i = 0; i < 6; ++i) world.publish({event("a", 0, i), event("b", static_cast<std::uint32_t>(i % 3), i)});
    world.node().close();
    for (int i = 0; i < 4; ++i) world.publish({event("b", 0, i), event("a", 0, i, 300)});
    world.flush();
  }
}

void ring_lap(World& world) {
  for (int i = 0; i < 48; ++i) {
    world.publish({event("a", 0, i % 4, 40), event("b", static_cast<std::uint32_t>(i % 3), i % 2, 40)});
    world.advance(Millis{30});
    world.flush();
    if (i % 12 == 7) world.work();
    if (world.running() && world.node().checkpoint(false)) world.node().run_checkpoint();
  }
}

void segment_roll(World& world) {
  for (int i = 0; i < 14; ++i) {
    world.publish({event("a", 0, i, 900), event("b", 0, i, 300)});
    world.advance(Millis{300});
    world.flush();
    world.work();
    if (i % 5 == 4) world.checkpoint();
  }
}

void write_behind(World& world) {
  for (int i = 0; i < 10; ++i) {
    world.publish({event("a", 0, i, i % 2 == 0 ? 30 : 700)});
    world.publish({event("b", static_cast<std::uint32_t>(i % 3), i, 30)});
    world.flush();
    if (i % 2 == 0) world.advance(Millis{250});
    world.work();
    if (i == 4 || i == 8) world.checkpoint();
  }
}

void trim_and_retain(World& world) {
  TopicSettings small = partitions(1);
  small.retention_bytes = 6000;
  TopicSettings brief = partitions(1);
  brief.retention_time = Millis{1'000};
  world.create_topic("small", small);
  world.create_topic("brief", brief);
  world.flush();
  for (int i = 0; i < 16; ++i) {
    world.publish({event("small", 0, i, 900), event("brief", 0, i, 400), event("b", 0, i, 200)});
    world.advance(Millis{250});
    world.flush();
    world.work();
    if (i == 9) world.trim("b", 0, Offset{5});
    world.retention();
    world.flush();
    if (i % 6 == 5) world.checkpoint();
  }
  world.trim("b", 0, max_offset);
  world.flush();
  world.work();
  world.checkpoint();
}

// Two keys fail and park; retention takes what they hold, and the copies stand in for it.
void keep_for_parked(World& world) {
  TopicSettings brief = partitions(1);
  brief.retention_time = Millis{1'000};
  world.create_topic("brief", brief);
  SubscriptionSettings strict = reading("brief");
  strict.retry = {1, Millis{500}};
  strict.lease = Millis{20'000};
  world.put_subscription("strict", strict);
  world.flush();
  for (int i = 0; i < 14; ++i) {
    world.publish({event("brief", 0, i % 3, 300), event("b", 0, i, 200)});
    world.advance(Millis{250});
    world.flush();
    world.feed();
    world.work();
    if (i == 3) {
      world.receive("strict", 3);
      world.flush();
      refuse(world, "strict", 2);
      world.flush();
      world.check(false);
    }
    world.retention();
    world.flush();
    world.work();
    world.tick();
    world.flush();
    if (i == 8) world.checkpoint();
    if (i == 11) world.retry_parked("strict");
  }
  world.receive("strict", 2);
  world.flush();
  world.settle_all("strict");
  world.flush();
  world.tick();
  world.work();
  world.checkpoint();
}

// Two keys park and one of them is retried: a trim takes what only waits again, and copies what is parked still. The
// copies are there when that is retried too, and trimmed once more.
void trim_what_was_retried(World& world) {
  world.create_topic("c", partitions(1));
  SubscriptionSettings strict = reading("c");
  strict.retry = {1, Millis{500}};
  world.put_subscription("strict", strict);
  world.flush();
  for (int i = 0; i < 6; ++i) world.publish({event("c", 0, i % 2)});
  world.flush();
  world.feed();
  world.receive("strict", 2);
  world.flush();
  refuse(world, "strict", 2);
  world.flush();
  world.check(false);
  for (const std::int64_t before : {3, 5}) {
    world.retry_parked("strict");
    world.flush();
    world.trim("c", 0, Offset{before});
    for (int round = 0; round < 3; ++round) {
      world.flush();
      world.work();
      world.tick();
    }
    world.flush();
    world.check(false);
    world.checkpoint();
  }
}

void topics_come_and_go(World& world) {
  for (int round = 0; round < 3; ++round) {
    world.create_topic("x", partitions(2));
    world.flush();
    world.publish({event("x", 0, 1, 600), event("a", 0, 1)});
    world.flush();
    world.publish({event("x", 1, 1, 600)});
    world.advance(Millis{300});
    world.flush();
    world.work();
    if (round == 0) world.checkpoint();
    world.publish({event("x", 1, 2), event("a", 0, 2)});
    world.node().close();
    world.publish({event("x", 0, 3)});
    world.delete_topic("x");
    world.publish({event("x", 0, 4)});
    world.flush();
    world.work();
    if (round == 1) world.checkpoint();
  }
  world.create_topic("y", partitions(1));
  world.delete_topic("y");
  world.flush();
  world.checkpoint();
}

// ---- checkpoints, recovery ------------------------------------------------------------------------------------------

void finish_checkpoint(World& world) {
  for (int slice = 0; slice < 200 && world.running() && !world.node().checkpoint(true); ++slice) world.flush();
  if (world.running()) world.node().run_checkpoint();
}

// Keys and pages change, go and come again while a checkpoint is taken piece by piece.
void checkpoint(World& world) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) world.publish({event("b", 0, 1), event("b", 1, 2), event("b", 2, i)});
    world.feed();
    world.receive("s", 100);
    world.flush();
    world.checkpoint();
    const auto leases = held(world, "s");
    for (std::size_t i = 0; i < leases.size(); ++i)
      if (i == 0 || leases[i].key_hash != leases[i - 1].key_hash) world.settle(id_of(world, "s"), {leases[i]}, {}, {});
    world.flush();
    if (world.running()) world.node().checkpoint(true);
    world.settle_all("s");
    world.flush();
    if (world.running()) world.node().checkpoint(true);
    world.publish({event("b", 0, 1), event("b", 1, 2)});
    world.flush();
    world.feed();
    if (round == 1) finish_checkpoint(world);
    world.receive("s", 3);
    world.flush();
    finish_checkpoint(world);
    world.settle_all("s");
    world.flush();
  }
}

void recovery(World& world) { world.start(true); }

void starts(World& world) {
  for (int i = 0; i < 9; ++i) {
    if (!world.start(true)) return;
    if (i % 2 == 1) publish_each(world, "a", 1);
    if (!world.running()) return;
    world.kill();
  }
}

void idle(World& world) {
  for (int i = 0; i < 5; ++i) {
    publish_each(world, "a", i % 2 + 1);
    world.advance(Millis{100});
    if (world.running()) world.node().seal();
    if (world.running()) world.node().seal();
    if (i == 3) world.checkpoint();
  }
}

// Payloads that are whole journal groups of this very ring, byte for byte, standing on blocks: of an old lap and of the
// lap being written.
constexpr std::size_t copies = 3;

std::string ring(World& world) {
  std::string bytes;
  for (std::uint32_t slot = 0; slot < world.settings().slots; ++slot) {
    std::string content(world.settings().slot_bytes, '\0');
    if (auto file = world.disk().open(fmt::format("journal/{:02}", slot), {}))
      if (!(*file)->read(0, content)) return bytes;
    bytes += content;
  }
  return bytes;
}

// Publishes the payload in a group of always the same shape: its content's hash is kept in a varint, so a letter is
// tried that gives it ten bytes.
std::string publish_in_shape(World& world, std::string payload) {
  const std::string number = fmt::format("{} ", world.oracle().next_event());
  for (payload[0] = 'a'; varint_size(hash64(number + payload)) != 10;) ++payload[0];
  Draft draft = event("a", 0, 1);
  draft.payload = payload;
  world.publish({draft});
  world.flush();
  return payload;
}

// How many bytes must stand before the copies for them to begin on a block: found by publishing an event of the same
// shape.
std::size_t bytes_before_block(World& world) {
  const std::string probe =
      publish_in_shape(world, " where does this stand?" + std::string(copies * log::journal_block + 2'000, '.'));
  const std::size_t at = ring(world).find(probe);
  return at == std::string::npos ? 0 : (log::journal_block - at % log::journal_block) % log::journal_block;
}

void groups_in_payloads(World& world) {
  const std::size_t before = bytes_before_block(world);
  for (int round = 0; round < 3 && world.running(); ++round) {
    const std::string all = ring(world);
    std::string payload(std::max<std::size_t>(before, 1), '.');
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const std::size_t slot = (static_cast<std::size_t>(round) + copy) % world.settings().slots;
      payload += all.substr(slot * world.settings().slot_bytes + log::journal_block * (copy + 1), log::journal_block);
    }
    payload = publish_in_shape(world, std::move(payload));
    const std::size_t at = ring(world).find(payload);
    if (world.running() && (at == std::string::npos || (at + before) % log::journal_block != 0))
      world.oracle().breach("the scenario is wrong: no payload stands on a block");
    publish_each(world, "a", 1);
  }
}

// ---- events and their consumers -------------------------------------------------------------------------------------

void settle(World& world) {
  world.feed();
  for (int round = 0; round < 3; ++round) {
    world.receive("s", 4);
    world.receive("t", 2);
    world.flush();
    const auto leases = held(world, "s");
    if (leases.size() >= 3) {
      const RequestNumber first =
          world.settle(id_of(world, "s"), {leases[0]}, {Nack{leases[1], {"broken", "it did not work"}, {}}},
                       {node::Extend{leases[2], Millis{5'000}}});
      world.flush();
      if (first != 0) world.repeat(first);
    }
    world.settle_all("t");
    world.flush();
    if (round == 1) world.checkpoint();
    world.advance(Millis{2'500});
    world.tick();
    world.flush();
  }
  world.settle_all("s");
  world.flush();
}

void park(World& world) {
  world.feed();
  for (int round = 0; round < 5; ++round) {
    world.receive("s", 10);
    world.flush();
    std::vector<Nack> nacks;
    std::set<std::pair<PartitionRef, std::uint64_t>> keys;
    for (const node::Lease& lease : held(world, "s"))
      if (keys.insert({lease.partition, lease.key_hash}).second)
        nacks.push_back({lease, {"broken", "again"}, Millis{0}});
    if (!nacks.empty()) world.settle(id_of(world, "s"), {}, nacks, {});
    world.flush();
    if (round == 2) world.checkpoint();
    if (round == 3) world.retry_parked("s");
    if (round == 4) world.skip_parked("s");
    world.flush();
  }
}

void settle_and_publish(World& world) {
  world.feed();
  for (int round = 0; round < 3; ++round) {
    world.receive("s", 2);
    world.flush();
    const RequestNumber request =
        world.settle(id_of(world, "s"), held(world, "s"), {}, {}, {event("a", 0, round), event("b", 1, round)});
    world.flush();
    if (request != 0) world.repeat(request);
    world.flush();
    if (round == 1) world.checkpoint();
    world.feed();
  }
}

void dedup(World& world) {
  std::vector<RequestNumber> sent;
  for (int i = 0; i < 4; ++i) {
    sent.push_back(world.publish({event("a", 0, i), event("b", static_cast<std::uint32_t>(i % 3), i)}));
    world.flush();
    world.advance(Millis{700});
    if (i == 1) world.checkpoint();
    for (const RequestNumber request : sent)
      if (request != 0) world.repeat(request);
    world.flush();
  }
  Draft reused = event("a", 0, 9);
  reused.same_id_as = world.oracle().next_event() - 1;
  world.publish({event("a", 0, 8)});
  world.publish({reused});
  world.flush();
}

void subscriptions_come_and_go(World& world) {
  world.feed();
  for (int round = 0; round < 2; ++round) {
    world.put_subscription("u", reading("b"));
    world.flush();
    world.feed();
    world.receive("u", 2);
    world.flush();
    world.pause("s", round == 0);
    if (round == 0) world.checkpoint();
    world.delete_subscription("u");
    world.flush();
    world.tick();
    world.flush();
    world.tick();
    world.flush();
  }
  world.delete_topic("b");
  world.flush();
  world.tick();
  world.flush();
  world.work();
  world.checkpoint();
}

std::vector<Scenario> make_scenarios() {
  const NodeSettings tiny;
  NodeSettings wide;
  wide.slot_bytes = 64u << 10;
  wide.max_group = 24u << 10;
  std::vector<Scenario> all{
      {"append", tiny, lap, append},
      {"group_commit", tiny, lap, group_commit},
      {"ring_lap", tiny, lap, ring_lap},
      {"segment_roll", tiny, lap, segment_roll},
      {"write_behind", tiny, lap, write_behind},
      {"retention", tiny, lap, trim_and_retain},
      {"keep", tiny, lap, keep_for_parked},
      {"retried", tiny, lap, trim_what_was_retried},
      {"topics", tiny, lap, topics_come_and_go},
      {"checkpoint", tiny, lap_and_subscribe, checkpoint},
      {"recovery", tiny, lap_and_subscribe, recovery, {}, true},
      {"starts", tiny, lap_and_subscribe, starts, {}, true},
      {"idle", tiny, lap, idle},
      {"groups_in_payloads", wide, lap, groups_in_payloads},
      {"settle", tiny, lap_and_subscribe, settle},
      {"park", tiny, lap_and_subscribe, park},
      {"settle_and_publish", tiny, lap_and_subscribe, settle_and_publish},
      {"dedup", tiny, lap, dedup},
      {"subscriptions", tiny, lap_and_subscribe, subscriptions_come_and_go},
  };
  for (auto& more : {kafka_scenarios(), healing_scenarios(), queue_scenarios()})
    std::ranges::copy(more, std::back_inserter(all));
  return all;
}

}  // namespace

void lap(World& world) {
  world.create_topic("a", partitions(1));
  world.create_topic("b", partitions(3));
  world.flush();
  const std::uint64_t groups = world.settings().slots * (world.settings().slot_bytes / log::journal_block) + 4;
  for (std::uint64_t i = 0; i < groups; ++i) {
    world.publish({event("a", 0, static_cast<int>(i % 3), 20)});
    world.advance(Millis{10});
    world.flush();
    if (i % 8 == 7) {
      world.work();
      world.checkpoint();
    }
  }
  world.trim("a", 0, Offset{static_cast<std::int64_t>(groups) - 4});
  world.checkpoint();
}

std::span<const Scenario> scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

std::string breaches_of(const World& world) {
  std::string text;
  for (const std::string& breach : world.oracle().breaches()) text += "\n  " + breach;
  return text;
}

std::unique_ptr<World> prepared(const Scenario& scenario, std::uint64_t seed) {
  auto world = std::make_unique<World>(seed, scenario.settings);
  if (!world->start()) return world;
  scenario.prepare(*world);
  world->flush();
  world->kill();
  return world;
}

}  // namespace continuo::simulator
