// What the node told of events that failed for good: the topic continuo.events, put in order by the event it is about.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "facts.h"

namespace shop {

/// What somebody decided about a failed event.
struct Decision {
  enum class Kind : std::uint8_t { edited, skipped, cancelled, released };
  Kind kind;
  std::string by;
  std::int64_t time_ms = 0;
  std::int64_t events = 1;  ///< passed over: of a key that was cancelled all that waited
};
inline constexpr std::string_view declared = "declared repair";  ///< who decides, when it was declared

/// One event that was given up by one service, once or more often.
struct Parking {
  std::vector<std::string> codes;  ///< one for each time
  std::int64_t since_ms = 0;       ///< the first
  std::vector<Decision> decisions;

  bool has(Decision::Kind kind) const;
  /// When the last decision fell; 0: none did.
  std::int64_t until_ms() const;
};

/// service, topic, partition, offset
using ParkedPlace = std::tuple<std::string, std::string, std::uint32_t, std::int64_t>;
using Told = std::map<ParkedPlace, Parking>;

Told told_of(const std::vector<Event>& events);

}  // namespace shop
