// For programs under ThreadSanitizer; include it in one source of each. Two libraries race by the letter and not on
// the processors there are:
//
// - libstdc++ 12's std::atomic<std::shared_ptr> lets its lock go with memory_order_relaxed after a load
// (bits/shared_ptr_atomic.h); - Boost.Lockfree's free list reads the link of a node that another thread may have
// taken meanwhile, and throws it away when its   tagged compare-and-swap then fails.
#pragma once

extern "C" const char* __tsan_default_suppressions() {
  return "race:std::_Sp_atomic\n"
         "race:boost/lockfree/detail/*\n";
}
