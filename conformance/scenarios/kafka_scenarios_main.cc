// kafka_scenarios HOST PORT: plays all scenarios against one server.
#include <fmt/format.h>

#include <cstdlib>

#include "scenarios.h"

int main(int count, char** arguments) {
  using namespace continuo::conformance;
  if (count != 3) {
    fmt::print(stderr, "kafka_scenarios HOST PORT\n");
    return 2;
  }
  Run run{arguments[1], static_cast<std::uint16_t>(std::atoi(arguments[2]))};
  for (const auto play :
       {basics, produce, producers, fetch, list_offsets, groups, group_offsets, topics, configs, changes})
    play(run);
}
