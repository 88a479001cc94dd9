// How a demo ends: with three commands that work on what it made.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "continuo/cli/commands.h"
#include "continuo/cli/demo/place.h"

namespace continuo::cli {

/// Keeps the data, or the server until Ctrl-C, as the command wishes, and prints what to do with it: `commands` are
/// words for the program, without its name and --server. Errors: io_error.
Result<void> close_up(const Demo& command, Place& place, const std::stop_token& stop,
                      const std::vector<std::string>& commands);

}  // namespace continuo::cli
