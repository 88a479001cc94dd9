// How much may be inside the node at once (CORE 3.6).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace continuo::node {

/// Taken by edges, given back when the answer leaves. Any thread.
class Credit {
 public:
  Credit(std::uint64_t items, std::uint64_t bytes) : items_(items), bytes_(bytes) {}
  bool take(std::uint64_t bytes) {
    const auto items_before = used_items_.fetch_add(1, std::memory_order_relaxed);
    const auto bytes_before = used_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    // One request always fits, however large: otherwise it never would.
    if (items_before == 0 || (items_before < items_ && bytes_before + bytes <= bytes_)) return true;
    give_back(bytes);
    return false;
  }
  /// Whether take would do just now.
  bool has(std::uint64_t bytes) const {
    const auto items = used_items_.load(std::memory_order_relaxed);
    return items == 0 || (items < items_ && used_bytes_.load(std::memory_order_relaxed) + bytes <= bytes_);
  }
  void give_back(std::uint64_t bytes) {
    used_items_.fetch_sub(1, std::memory_order_relaxed);
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

 private:
  const std::uint64_t items_;
  const std::uint64_t bytes_;
  std::atomic<std::uint64_t> used_items_{0};
  std::atomic<std::uint64_t> used_bytes_{0};
};

/// Credit that was taken; gives it back once, at the latest when destroyed.
class CreditHold {
 public:
  CreditHold(std::shared_ptr<Credit> credit, std::uint64_t bytes) : credit_(std::move(credit)), bytes_(bytes) {}
  CreditHold(CreditHold&&) = default;
  CreditHold& operator=(CreditHold&&) = delete;
  ~CreditHold() { release(); }
  void release() {
    if (credit_) credit_->give_back(bytes_);
    credit_.reset();
  }

 private:
  std::shared_ptr<Credit> credit_;
  std::uint64_t bytes_;
};

}  // namespace continuo::node
