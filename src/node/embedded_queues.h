// The queues of an embedded node.
#pragma once

#include <functional>

#include "continuo/node/core.h"
#include "continuo/node/queues.h"

namespace continuo::node {

class EmbeddedQueues final : public Queues {
 public:
  /// Has a command run on the core; the first: bytes it may need in the group.
  using Submit = std::function<void(std::size_t, std::move_only_function<void(Core&)>)>;
  explicit EmbeddedQueues(Submit submit) : submit_(std::move(submit)) {}

  void put(Edge& edge, std::string name, QueueSettings settings, Answer<Put<Subscription>> answer) override;
  void change(Edge& edge, std::string name, QueueChange change, Answer<Subscription> answer) override;
  void remove(Edge& edge, std::string name, Answer<void> answer) override;
  void purge(Edge& edge, SubscriptionId id, Asked asked, Answer<std::uint64_t> answer) override;
  void states(Edge& edge, SubscriptionId id, std::vector<EventPlace> events,
              Answer<std::vector<EventState>> answer) override;

 private:
  Submit submit_;
};

}  // namespace continuo::node
