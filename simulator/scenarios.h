// Named stretches of a node's life, each short enough that the power can be cut at every one of its disk calls.
#pragma once

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "continuo/simulator/world.h"

namespace continuo::simulator {

struct Scenario {
  std::string name;
  NodeSettings settings;
  /// Makes the disk it begins with: the ring has been around before, so that it holds old laps and not zeros.
  std::function<void(World&)> prepare;
  /// What is cut. A node runs when it begins, unless `from_start`: then it starts it itself.
  std::function<void(World&)> run;
  /// What it is for happened, where nothing was cut; empty: nobody asks.
  std::function<bool(World&)> achieved;
  bool from_start = false;
};

std::span<const Scenario> scenarios();
/// Those of Kafka's clients; scenarios() has them too.
std::vector<Scenario> kafka_scenarios();
/// Those of keys that fail and heal, and those of queues; scenarios() has them too.
std::vector<Scenario> healing_scenarios();
std::vector<Scenario> queue_scenarios();
/// Topics a (one partition) and b (three), and records enough to go round the ring at least once.
void lap(World& world);
inline void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }  // for GoogleTest

/// The world a scenario begins with, no node running.
std::unique_ptr<World> prepared(const Scenario& scenario, std::uint64_t seed);

/// What was broken, a line each.
std::string breaches_of(const World& world);

}  // namespace continuo::simulator
