// How long the last flushes took.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "continuo/base/time.h"

namespace continuo::node {

/// The last 1,024 durations. One thread.
class FlushTimes {
 public:
  void add(Micros duration) { times_[count_++ % times_.size()] = static_cast<std::uint32_t>(duration.count()); }
  double percentile(double part) const {
    const std::size_t size = std::min(count_, times_.size());
    if (size == 0) return 0;
    std::vector<std::uint32_t> sorted(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(size));
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(size - 1));
    std::ranges::nth_element(sorted, place);
    return *place;
  }

 private:
  std::array<std::uint32_t, 1024> times_{};
  std::size_t count_ = 0;
};

}  // namespace continuo::node
