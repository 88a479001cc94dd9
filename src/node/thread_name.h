// Names of threads, for those who look at the process from outside: top -H, perf, a debugger.
#pragma once

#include <pthread.h>

namespace continuo::node {

/// Of the calling thread; at most 15 characters count.
inline void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace continuo::node
