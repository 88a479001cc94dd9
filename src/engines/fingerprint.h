// Which failures are one and the same: told by a text that is equal for them.
#pragma once

#include <string>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// The failure's code and eight hexadecimal digits of a hash of its message, in which numbers, identifiers and quoted
/// values are left out: "card_declined-1f2e3d4c". At most 209 bytes.
std::string fingerprint(const Failure& failure);

}  // namespace continuo::engines
