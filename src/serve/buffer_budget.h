// How much memory requests and answers under way may take, over all connections.
#pragma once

#include <atomic>
#include <cstdint>

namespace continuo::serve {

/// Thread-safe. Takes are refused beyond the limit; what an answer already holds is counted even then.
class BufferBudget {
 public:
  explicit BufferBudget(std::uint64_t limit) : limit_(limit) {}

  bool try_take(std::uint64_t bytes) {
    if (taken_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
    give(bytes);
    return false;
  }
  void take(std::uint64_t bytes) { taken_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::uint64_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool exhausted() const { return taken_.load(std::memory_order_relaxed) >= limit_; }
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> taken_{0};
  const std::uint64_t limit_;
};

/// What one connection holds of the budget beyond the bytes every connection has for nothing.
class BudgetShare {
 public:
  static constexpr std::uint64_t free_bytes = 16 * 1024;

  explicit BudgetShare(BufferBudget& budget) : budget_(budget) {}
  ~BudgetShare() {
    if (held_ != 0) budget_.give(held_);
  }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  /// False when the connection may not come to hold `bytes` in all.
  bool try_hold(std::uint64_t bytes) {
    const std::uint64_t wanted = bytes > free_bytes ? bytes - free_bytes : 0;
    if (wanted > held_ && !budget_.try_take(wanted - held_)) return false;
    if (wanted > held_) held_ = wanted;
    return true;
  }
  /// What the connection holds in fact.
  void hold(std::uint64_t bytes) {
    const std::uint64_t wanted = bytes > free_bytes ? bytes - free_bytes : 0;
    if (wanted > held_) budget_.take(wanted - held_);
    if (wanted < held_) budget_.give(held_ - wanted);
    held_ = wanted;
  }

 private:
  BufferBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace continuo::serve
