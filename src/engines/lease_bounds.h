// How long a lease may be, of an event or of a repair.
#pragma once

#include "continuo/base/time.h"

namespace continuo::engines {

inline constexpr Millis shortest_lease{100};
inline constexpr Millis longest_lease{12 * 3'600'000};

constexpr bool is_lease(Millis lease) { return lease >= shortest_lease && lease <= longest_lease; }

}  // namespace continuo::engines
