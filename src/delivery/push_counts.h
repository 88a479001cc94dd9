// What is counted of one subscription whose events are pushed; read by whoever shows metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "continuo/base/time.h"

namespace continuo::delivery {

/// Written by one thread, read by any.
struct PushCounts {
  /// Why deliveries failed, as metrics tell it apart.
  static constexpr std::array<std::string_view, 12> failures{
      "http_4xx", "http_5xx",  "other_status", "connection_refused", "connection_reset", "connection_failed",
      "timeout",  "tls_error", "dns_error",    "private_address",    "bad_answer",       "unreadable"};
  /// Upper ends of what a delivery took, in seconds; longer ones are in the last count.
  static constexpr std::array<double, 11> seconds{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

  std::atomic<std::uint64_t> delivered{0}, micros{0};
  std::array<std::atomic<std::uint64_t>, failures.size()> failed{};
  std::array<std::atomic<std::uint64_t>, seconds.size() + 1> took{};
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<bool> held{false};  ///< the breaker is open: nothing is sent

  void add_failure(std::string_view code) {
    for (std::size_t i = 0; i < failures.size(); ++i)
      if (failures[i] == code) {
        failed[i].fetch_add(1, std::memory_order_relaxed);
        return;
      }
  }
  void add_time(Micros time) {
    std::size_t place = 0;
    while (place < seconds.size() && static_cast<double>(time.count()) > seconds[place] * 1e6) ++place;
    took[place].fetch_add(1, std::memory_order_relaxed);
    micros.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }
};

}  // namespace continuo::delivery
