// Stretches of life with queues: messages that wait for their time or expire, purges, redrives, and what is trimmed.
#include <fmt/format.h>

#include "continuo/simulator/scenarios.h"

namespace continuo::simulator {
namespace {

Draft message(const std::string& queue, int group, Millis delay = Millis{0}, Millis ttl = Millis{0}) {
  return {queue, 0, fmt::format("k{}", group), 60, {}, 0, delay, ttl};
}

void make_queues(World& world) {
  lap(world);
  node::SubscriptionSettings fifo;
  fifo.lease = Millis{2'000};
  fifo.retry = {{.attempts = 2, .base = Millis{300}}, {}};
  world.put_queue("fifo", fifo);
  node::SubscriptionSettings plain = fifo;
  plain.order_by = engines::OrderBy::none;
  plain.on_failure = engines::OnFailure::dead_letter;
  plain.retry.attempts = 1;
  plain.dead_letter = "plain.dead";
  world.put_queue("plain", plain);
  world.flush();
}

void receive(World& world, const std::string& queue, std::uint32_t max = 20) {
  world.feed();
  world.receive(queue, max);
  world.flush();
}

void settle(World& world, const std::string& queue) {
  receive(world, queue);
  world.settle_all(queue);
  world.flush();
}

void refuse(World& world, const std::string& queue, std::size_t most) {
  const auto id = world.oracle().subscription(queue);
  if (!id) return;
  std::vector<node::Nack> nacks;
  std::set<std::uint64_t> seen;
  for (const HeldLease& each : world.oracle().readers()[*id].held)
    if (!each.settling && nacks.size() < most && seen.insert(each.lease.key_hash).second)
      nacks.push_back({each.lease, {"broken", "again"}, Millis{0}, {}});
  if (!nacks.empty()) world.settle(*id, {}, nacks, {});
  world.flush();
}

void later(World& world, Millis by) {
  world.advance(by);
  world.tick();
  world.flush();
  world.work();
  world.tick();
  world.flush();
}

Offset first_of(World& world, const std::string& queue) {
  const auto topic = world.oracle().topic(queue);
  const auto state = topic ? world.node().home().state({*topic, PartitionId{0}}) : log::PartitionState{};
  return state ? state->first : Offset{0};
}

// Sent twice, one held back by its time with what is behind it, one that expires, settled, and trimmed behind.
void queue(World& world) {
  const RequestNumber first = world.publish({message("fifo", 0), message("fifo", 1, Millis{3'000})});
  world.flush();
  world.publish({message("fifo", 1), message("fifo", 2, {}, Millis{1'000}), message("fifo", 3)});
  if (first != 0) world.repeat(first);
  world.flush();
  receive(world, "fifo");
  refuse(world, "fifo", 1);
  world.settle_all("fifo");
  world.flush();
  later(world, Millis{1'200});
  world.publish({message("fifo", 2, Millis{100}, Millis{600}), message("fifo", 2)});
  world.flush();
  world.feed();
  world.checkpoint();
  later(world, Millis{2'000});
  settle(world, "fifo");
  if (first != 0) world.repeat(first);
  world.flush();
  later(world, Millis{5'500});
  settle(world, "fifo");
  later(world, Millis{5'500});
  world.check(false);
}

// What nobody has goes; what is leased, parked or came later stays.
void purge(World& world) {
  for (int i = 0; i < 6; ++i) world.publish({message("fifo", i % 3)});
  world.flush();
  receive(world, "fifo", 1);
  refuse(world, "fifo", 1);
  receive(world, "fifo", 1);
  refuse(world, "fifo", 1);  // parked
  receive(world, "fifo", 1);
  world.purge("fifo");
  world.publish({message("fifo", 0), message("fifo", 2)});
  world.flush();
  world.tick();
  world.flush();
  world.checkpoint();
  world.settle_all("fifo");
  settle(world, "fifo");
  world.purge("fifo");
  later(world, Millis{5'500});
  world.retry_parked("fifo");
  settle(world, "fifo");
  later(world, Millis{5'500});
  world.remove_queue("plain");
  world.flush();
}

// Dead letters go back, each in one commit; some die again.
void redrive(World& world) {
  for (int i = 0; i < 5; ++i) world.publish({message("plain", i, {}, Millis{60'000})});
  world.flush();
  receive(world, "plain");
  refuse(world, "plain", 4);
  later(world, Millis{10});
  world.settle_all("plain");
  world.flush();
  later(world, Millis{10});
  receive(world, "plain.dead", 3);
  world.redrive("plain");
  if (world.running()) world.node().close();
  world.flush();
  world.checkpoint();
  receive(world, "plain");
  refuse(world, "plain", 1);
  later(world, Millis{10});
  settle(world, "plain");
  receive(world, "plain.dead");
  world.redrive("plain");
  world.flush();
  settle(world, "plain");
  later(world, Millis{5'500});
  later(world, Millis{10});
}

}  // namespace

std::vector<Scenario> queue_scenarios() {
  NodeSettings wide;
  wide.slot_bytes = 64u << 10;
  wide.max_group = 24u << 10;
  return {
      {"queue", wide, make_queues, queue,
       [](World& world) { return world.healing().tally().expired >= 1 && first_of(world, "fifo") > Offset{0}; }},
      {"purge", wide, make_queues, purge,
       [](World& world) { return world.healing().tally().parked == 1 && first_of(world, "fifo") > Offset{0}; }},
      {"redrive", wide, make_queues, redrive,
       [](World& world) { return world.healing().tally().letters == 5 && first_of(world, "plain.dead") > Offset{0}; }},
  };
}

}  // namespace continuo::simulator
