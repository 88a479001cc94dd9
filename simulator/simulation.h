// One life of a node from a seed: clients that ask for everything in any order, and a disk and a power supply that
// fail.
//
// First a phase of harm - crashes, kills, faults, a full disk, restarts - then one of healing: everything offered is
// settled, everything asked is answered, and nothing may be missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "continuo/simulator/healing_oracle.h"

namespace continuo::simulator {

struct SimulationOptions {
  std::uint64_t seed = 1;
  std::uint64_t steps = 600;
  bool trace = false;  ///< every step and every disk call to stderr
};

struct SimulationReport {
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;  ///< done; fewer than asked after a breach
  std::uint64_t power_cuts = 0, kills = 0, faults = 0, failed_starts = 0, answers = 0, events = 0;
  std::uint64_t batches = 0;      ///< of idempotent producers, acknowledged
  std::uint64_t generations = 0;  ///< of consumer groups, finished
  HealingOracle::Tally healing;
  std::uint64_t effects = 0;  ///< the hash: the same for the same seed
  std::vector<std::string> breaches;
};

SimulationReport simulate(const SimulationOptions& options);

/// "seed 7: 600 steps, 12 power cuts, ... effects 0123456789abcdef"
std::string to_string(const SimulationReport& report);

}  // namespace continuo::simulator
