// The clock that generators measure with: it never goes back, and all programs of a machine share it, so that one may
// tell another when something was due.
#pragma once

#include <chrono>
#include <cstdint>

namespace load {

inline std::int64_t now_ns() {
  return std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
}

}  // namespace load
