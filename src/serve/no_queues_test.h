// Queues of a node that has none, for the tests of sessions: nobody asks for them. tests/e2e has them over the real
// node.
#pragma once

#include <cstdlib>

#include "continuo/node/queues.h"

namespace continuo::serve {

class NoQueues final : public node::Queues {
 public:
  void put(node::Edge&, std::string, node::QueueSettings, node::Answer<node::Put<node::Subscription>>) override {
    std::abort();
  }
  void change(node::Edge&, std::string, node::QueueChange, node::Answer<node::Subscription>) override { std::abort(); }
  void remove(node::Edge&, std::string, node::Answer<void>) override { std::abort(); }
  void purge(node::Edge&, SubscriptionId, node::Asked, node::Answer<std::uint64_t>) override { std::abort(); }
  void states(node::Edge&, SubscriptionId, std::vector<node::EventPlace>,
              node::Answer<std::vector<node::EventState>>) override {
    std::abort();
  }
};

}  // namespace continuo::serve
