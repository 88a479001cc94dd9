// A histogram of durations, exact to 3 %.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace load {

/// Counts in buckets of 1/32 of a power of two: 3 % exact from nanoseconds to minutes.
class Histogram {
 public:
  void add(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(ns < 1 ? 1 : ns);
    ++counts_[index(value)];
    ++total_;
    max_ = value > max_ ? value : max_;
  }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = other.max_ > max_ ? other.max_ : max_;
  }
  double quantile_us(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(value_of(i)) / 1e3;
    }
    return static_cast<double>(max_) / 1e3;
  }
  std::uint64_t total() const { return total_; }
  double max_us() const { return static_cast<double>(max_) / 1e3; }

 private:
  static constexpr unsigned steps = 32;
  static std::size_t index(std::uint64_t value) {
    if (value < steps) return value;
    const unsigned power = static_cast<unsigned>(std::bit_width(value)) - 6;
    return (power + 1) * steps + ((value >> power) - steps);
  }
  static std::uint64_t value_of(std::size_t i) {
    if (i < steps) return i;
    return (steps + i % steps) << (i / steps - 1);
  }
  std::array<std::uint64_t, 64 * steps> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
