// Where randomness comes from: a seam, so that a simulation replays.
#pragma once

#include <cstdint>

namespace continuo::inline base {

/// Not thread-safe unless the implementation says so.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Even over [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  /// True with odds of `part` in `whole`.
  bool chance(std::uint64_t part, std::uint64_t whole) { return below(whole) < part; }
};

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough for tests, jitter and salts of a simulation.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// The operating system's generator. Thread-safe.
Random& system_random();

}  // namespace continuo::inline base
