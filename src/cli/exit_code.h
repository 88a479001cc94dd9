// What the program's exit code says. docs/cli.md has the table.
#pragma once

#include "continuo/base/errors.h"

namespace continuo::cli {

enum class Exit : int {
  ok = 0,
  refused = 1,      ///< by the server, or by a file that cannot be read
  usage = 2,        ///< the command line is not one the program takes
  no_server = 3,    ///< it cannot be reached
  node_failed = 4,  ///< the server cannot start, or stopped because it failed
  breach = 5,       ///< a check found a promise broken
  interrupted = 130,
};

Exit exit_of(const Error& error);
/// Prints "continuo: CODE: detail (at ...)" and the hint to stderr.
void print_error(const Error& error);

}  // namespace continuo::cli
