// SIGINT and SIGTERM as a request to stop.
#pragma once

#include <stop_token>

namespace shop {

/// Call first in main, before any thread is made: from then on both signals, once, request the stop this token sees.
std::stop_token stop_on_signals();

}  // namespace shop
