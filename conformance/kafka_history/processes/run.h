// One run: a server that is killed, clients that come and go, then the check.
#pragma once

#include <cstdint>
#include <string>

namespace continuo::history {

struct RunSettings {
  std::string self;    ///< this program
  std::string server;  ///< the server's program
  std::string folder;  ///< for its data; a new one below TMPDIR when empty
  std::uint64_t seed = 1;
  int seconds = 60;
  int kills = 6;
  int pauses = 3;
  int producers = 4;
  int consumers = 3;  ///< of each group
  int partitions = 8;
  int rate = 800;          ///< records a second of each producer
  int patience_s = 60;     ///< for producers to be answered and groups to read all, at the end
  bool let_start = false;  ///< it is not killed before it is up
  bool keep = false;
};

/// Returns 0 when nothing was found, 1 when something was.
int run(const RunSettings& settings);

}  // namespace continuo::history
