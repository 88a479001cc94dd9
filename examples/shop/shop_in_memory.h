// The shop without a server, for tests: the services' own reactions over topics in memory.
#pragma once

#include <cstdint>

#include "account.h"

namespace shop {

/// Runs `orders` orders of a seed to their end, all services working, each event delivered once, in order.
Topics run_in_memory(std::uint64_t seed, std::uint64_t orders);

}  // namespace shop
