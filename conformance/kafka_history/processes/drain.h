// The end of a run: have the groups read all, and what is there?
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "kafka.h"
#include "shared_history.h"

namespace continuo::history {

/// Waits until a group has committed the end of every place; false when that takes longer than `limit`. Says what is
/// missing. Calls `meanwhile` several times a second.
bool catches_up(const std::string& server, const std::string& group, const Places& places, std::chrono::seconds limit,
                const std::function<void()>& meanwhile, std::string& missing);

/// Reads every place from its beginning to its end into the history. Throws when that is not possible.
void drain(const std::string& server, const Places& places, SharedHistory& history);

}  // namespace continuo::history
