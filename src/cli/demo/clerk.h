// The person in the demo: decides about the parked keys that no declared repair mends, with the commands a reader would
// type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/healing.h"

namespace continuo::cli {

/// "42.00" as cents; none when it is no amount.
std::optional<std::int64_t> cents_of(std::string_view amount);

class Clerk {
 public:
  /// What the commands print goes to the file `log`.
  Clerk(client::Client server, std::string url, std::string log);

  /// Decides about every key that waits for somebody; a line about each. What could not be decided now is left for the
  /// next time. Starts processes: from the main thread.
  std::vector<std::string> look_through();

 private:
  std::optional<std::string> decide(const client::ParkedKey& parked);
  bool run(std::vector<std::string> words, const std::string& reason);

  client::Client server_;
  std::string url_;
  std::string log_;
};

}  // namespace continuo::cli
