#include "continuo/cli/exit_code.h"

#include <fmt/format.h>

namespace continuo::cli {

Exit exit_of(const Error& error) {
  switch (error.code) {
    case Code::bad_usage: return Exit::usage;
    case Code::connection_failed: return Exit::no_server;
    case Code::node_failed:
    case Code::data_locked:
    case Code::damaged_journal:
    case Code::damaged_data:
    case Code::wrong_format: return Exit::node_failed;
    case Code::breach: return Exit::breach;
    default: return Exit::refused;
  }
}

void print_error(const Error& error) {
  Error told = error;
  told.hint.clear();
  fmt::print(stderr, "continuo: {}\n", to_string(told));
  const std::string_view hint = error.hint.empty() ? info(error.code).mend : std::string_view{error.hint};
  if (!hint.empty()) fmt::print(stderr, "  {}\n", hint);
}

}  // namespace continuo::cli
