// The header Retry-After (RFC 9110, 10.2.3).
#pragma once

#include <optional>
#include <string_view>

#include "continuo/base/time.h"

namespace continuo::delivery::webhook {

/// From now on: whole seconds, or a date in any of the three spellings of RFC 9110, 5.6.7. What has passed is none at
/// all; the longest is seven days, as for whoever settles over HTTP. None: it says neither.
std::optional<Millis> retry_after(std::string_view value, WallTime now);

}  // namespace continuo::delivery::webhook
