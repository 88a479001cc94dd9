// A consumer of subscriptions: receives, and settles what came with its next request.
#pragma once

#include <memory>

#include "protocol.h"

namespace load {

std::unique_ptr<Protocol> consume_protocol(const Settings& settings);

}  // namespace load
