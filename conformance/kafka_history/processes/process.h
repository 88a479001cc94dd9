// Processes that this one starts, and that end with it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace continuo::history {

/// Starts a program; its standard output and error go to these files where they are not -1. Throws when it cannot.
pid_t start_process(const std::vector<std::string>& command, int output = -1, int errors = -1);
/// Its exit code when it has ended, 128 and the signal's number when it was killed.
std::optional<int> ended(pid_t process);
/// Waits until it has ended.
int wait_for(pid_t process);
/// The same, at most so long; then it is killed.
int wait_or_kill(pid_t process, int seconds);

}  // namespace continuo::history
