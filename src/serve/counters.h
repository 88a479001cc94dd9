// What the doors count, for the metrics page.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "continuo/wire/http/routes.h"

namespace continuo::serve {

/// Written by one thread, read by any.
class Count {
 public:
  void add(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Of one I/O thread.
struct Counters {
  static constexpr std::size_t status_classes = 6;                    // by the status's first digit
  static constexpr std::size_t routes = wire::http::route_count + 1;  // the last: refused before a route was found
  std::array<std::array<Count, status_classes>, routes> answers;
  Count connections_opened;
  Count connections_closed;
  Count connections_timed_out;
  Count bytes_received;
  Count bytes_sent;
  Count streams;  // open now
  Count kafka_requests;
  Count kafka_broken;  // connections ended for what they sent

  static std::size_t row(const wire::http::Match* match) {
    return match ? static_cast<std::size_t>(match->route) : wire::http::route_count;
  }
};

}  // namespace continuo::serve
