// The shop without a server, for tests: the services' own reactions over topics in memory.
#pragma once

#include <cstdint>

#include "account.h"

namespace shop {

/// Runs `orders` orders of a seed to their end, all services working, each event delivered once, in order. With a
/// percentage of malformed prices their customers' keys wait: what a declared repair mends goes on at once, the rest
/// when all others are through, edited or passed over by "kim". All of it is told on `continuo.events`.
Topics run_in_memory(std::uint64_t seed, std::uint64_t orders, unsigned malformed = 0);

}  // namespace shop
