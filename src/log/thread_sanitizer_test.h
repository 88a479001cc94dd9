// For programs under ThreadSanitizer; include it in one source of each.
//
// libstdc++ 12's std::atomic<std::shared_ptr> lets its lock go with memory_order_relaxed after a load (bits/shared_ptr_atomic.h). By the letter that
// races with the next store; on the processors there are, the locked instruction orders both. Nothing else is passed over.
#pragma once

extern "C" const char* __tsan_default_suppressions() { return "race:std::_Sp_atomic\n"; }
