// Who sends to a queue and takes from it, for each kind of server: each speaks its server's protocol as its own fast
// clients do. A taker acknowledges a batch while the next one is under way, where its server can do that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace load {

struct QueueSettings {
  std::string peer = "continuo";  // continuo, nats, redis
  std::uint16_t port = 8080;
  std::string queue = "q";
  unsigned batch = 100;
  std::size_t size = 1024;  // of a message
};

/// A thread's; blocks. Errors are exceptions.
class QueueSender {
 public:
  virtual ~QueueSender() = default;
  /// A batch, whose messages say when they were due; returns when all of them are accepted.
  virtual void send(std::int64_t due_ns) = 0;
};

class QueueTaker {
 public:
  virtual ~QueueTaker() = default;
  /// Up to a batch; waits at most about 100 ms for the first. `came` is called for each with when it was due. What was
  /// taken before is acknowledged, and that is known, when this or a later call returns. Returns how many are.
  virtual unsigned take(const std::function<void(std::int64_t)>& came) = 0;
};

void make_queue(const QueueSettings& settings);
std::unique_ptr<QueueSender> make_sender(const QueueSettings& settings, unsigned number);
std::unique_ptr<QueueTaker> make_taker(const QueueSettings& settings, unsigned number);

}  // namespace load
