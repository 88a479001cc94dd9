// What a process of a run can be; each runs until SIGTERM and returns its exit code.
#pragma once

#include <cstdint>
#include <string>

namespace continuo::history {

/// What every process is told.
struct Role {
  int history = -1;  ///< the file of the shared history
  std::string server;
  std::string topics;
  std::uint32_t id = 0;  ///< of the producer or client
  std::uint64_t seed = 0;
};

constexpr int exit_fatal = 3;  ///< librdkafka said that the client cannot go on; why is on standard error

struct ProducerRole : Role {
  bool idempotent = true;
  std::string compression = "none";
  int linger_ms = 5;
  int batch = 10'000;  ///< messages, at most
  int timeout_ms = 60'000;
  int rate = 1000;  ///< records a second, about
};
int produce(const ProducerRole& role);

struct MemberRole : Role {
  std::string group;
  std::string instance;  ///< of a static member
  std::string strategy = "range";
};
int consume(const MemberRole& role);

struct ObserverRole : Role {
  std::string group;
};
/// Asks for the committed offsets of a group again and again.
int observe(const ObserverRole& role);

}  // namespace continuo::history
