// Wakes one sleeping thread, without a lock on either side.
#pragma once

#include <atomic>

#include "continuo/base/time.h"

namespace continuo::node {

/// One thread sleeps, any number wake it. A wake that comes before the sleep ends it at once.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Any thread. Costs a system call only while the other one sleeps or is about to.
  void wake();
  /// Says that sleep follows: from now on wakes are kept. Look once more for work between this and sleep.
  void prepare() { sleeping_.store(true, std::memory_order_seq_cst); }
  void cancel() { sleeping_.store(false, std::memory_order_relaxed); }
  /// Until woken, or `most` is over.
  void sleep(Micros most);

 private:
  int fd_;
  std::atomic<bool> sleeping_{false};
};

}  // namespace continuo::node
