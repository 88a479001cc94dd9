// Time as Continuo counts it, and the seam through which it is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::inline base {

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;

/// Milliseconds since 1970-01-01T00:00Z.
struct WallTime {
  std::int64_t ms = 0;
  constexpr auto operator<=>(const WallTime&) const = default;
};

/// Milliseconds that the log has been running, over all its starts: steady, stands still while the node is down.
struct Elapsed {
  std::int64_t ms = 0;
  constexpr auto operator<=>(const Elapsed&) const = default;
};
constexpr Elapsed operator+(Elapsed at, Millis by) { return Elapsed{at.ms + by.count()}; }

/// Both times, read once for a group.
struct Now {
  WallTime wall;
  Elapsed elapsed;
  constexpr bool operator==(const Now&) const = default;
};

/// Where time comes from. Thread-safe. The simulator has its own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() = 0;
  /// A steady clock with an arbitrary origin.
  virtual Micros steady() = 0;
};

/// The machine's clocks.
Clock& system_clock();

/// "250ms", "30s", "15m", "12h", "7d"; a plain number is refused. At most 100 years.
Result<Millis> parse_duration(std::string_view text);
/// The shortest exact text parse_duration takes.
std::string format_duration(Millis duration);

/// RFC 3339 with any offset and fraction; cut to milliseconds. Years 1 to 9999.
Result<WallTime> parse_time(std::string_view text);
/// "2026-11-21T08:30:00.123Z"; the fraction only when not zero.
std::string format_time(WallTime time);

/// Bytes: "65536", "64KiB", "10MiB", "1GiB", "5TiB", also kB, MB, GB, TB.
Result<std::uint64_t> parse_size(std::string_view text);
/// "64KiB", "1.5 GiB": for people.
std::string format_size(std::uint64_t bytes);

}  // namespace continuo::inline base
