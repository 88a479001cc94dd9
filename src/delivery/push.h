// Brings the events of subscriptions to their targets: webhooks, and topics they are copied into.
//
//   delivery::Push push{*node, {}}; push.start(); ... push.stop();
//
// Two threads, one for webhooks and one for copies. Each follows the definitions, and receives, delivers and settles
// for every subscription that has a target of its kind (webhook/webhook.h, topic_copy.h).
#pragma once

#include <memory>
#include <string>

#include "continuo/node/node.h"

namespace continuo::delivery {

struct PushOptions {
  bool allow_private = false;  ///< webhooks may have addresses that are not on the internet
  Millis drain{2'000};         ///< stop() waits so long for events under way
};

class Push {
 public:
  /// `node` and `clock` outlive it.
  Push(node::Node& node, const PushOptions& options, Clock& clock = system_clock());
  ~Push();  ///< stops
  void start();
  /// Receives nothing more, gives what is under way a moment, and gives the leases of the rest back.
  void stop();
  /// What is counted, in Prometheus' text format. Any thread.
  std::string metrics() const;

 private:
  class Thread;
  struct Registry;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Thread> webhooks_, copies_;
};

}  // namespace continuo::delivery
