#include "continuo/node/embedded_queues.h"

#include "continuo/node/queue_work.h"

namespace continuo::node {
namespace {

constexpr std::size_t small_step = 64 * 1024;
constexpr std::size_t definition_step = 1u << 20;  // a subscription has a cursor for each partition it reads

}  // namespace

void EmbeddedQueues::put(Edge& edge, std::string name, QueueSettings settings, Answer<Put<Subscription>> answer) {
  submit_(definition_step, [&edge, name = std::move(name), settings = std::move(settings), answer = std::move(answer)](
                               Core& core) mutable { core.queues().put(edge, name, settings, std::move(answer)); });
}

void EmbeddedQueues::change(Edge& edge, std::string name, QueueChange change, Answer<Subscription> answer) {
  submit_(definition_step, [&edge, name = std::move(name), change = std::move(change), answer = std::move(answer)](
                               Core& core) mutable { core.queues().change(edge, name, change, std::move(answer)); });
}

void EmbeddedQueues::remove(Edge& edge, std::string name, Answer<void> answer) {
  submit_(small_step, [&edge, name = std::move(name), answer = std::move(answer)](Core& core) mutable {
    core.queues().remove(edge, name, std::move(answer));
  });
}

void EmbeddedQueues::purge(Edge& edge, SubscriptionId id, Asked asked, Answer<std::uint64_t> answer) {
  submit_(small_step, [&edge, id, asked = std::move(asked), answer = std::move(answer)](Core& core) mutable {
    core.queues().purge(edge, id, std::move(asked), std::move(answer));
  });
}

void EmbeddedQueues::states(Edge& edge, SubscriptionId id, std::vector<EventPlace> events,
                            Answer<std::vector<EventState>> answer) {
  submit_(0, [&edge, id, events = std::move(events), answer = std::move(answer)](Core& core) mutable {
    core.queues().states(edge, id, events, std::move(answer));
  });
}

}  // namespace continuo::node
