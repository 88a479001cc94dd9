// What those ask who use queues.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/queue_work.h"
#include "continuo/simulator/world.h"

namespace continuo::simulator {
namespace {

constexpr std::size_t queue_bytes = 3072;

}  // namespace

void World::put_queue(const std::string& name, node::SubscriptionSettings settings) {
  if (!admit(queue_bytes)) return;
  settings.topics = {name};
  settings.from = engines::StartFrom::earliest;
  settings.queue = true;
  oracle_.changes_topic(name);
  oracle_.changes_subscription(name);
  const Offset from = told_next();
  node_->core().queues().put(node_->edge(), name, {{}, settings},
                             [this, name](Result<node::Put<node::Subscription>> answer) {
                               if (answer) {
                                 oracle_.topic_is(name, answer->value.topics.front());
                                 oracle_.subscription_is(name, answer->value);
                                 oracle_.adopt(*node_->core().catalogue());
                               } else if (answer.error().code != Code::node_failed) {
                                 oracle_.topic_stays(name);
                                 oracle_.subscription_stays(name);
                               }
                             });
  note_names(name, from);
}

void World::remove_queue(const std::string& name) {
  if (!admit(queue_bytes)) return;
  oracle_.changes_topic(name);
  oracle_.changes_subscription(name);
  node_->core().queues().remove(node_->edge(), name, [this, name](Result<void> answer) {
    if (answer) {
      oracle_.topic_is(name, std::nullopt);
      oracle_.subscription_is(name, std::nullopt);
    } else if (answer.error().code != Code::node_failed) {
      oracle_.topic_stays(name);
      oracle_.subscription_stays(name);
    }
  });
  note_gone(name);
}

void World::purge(const std::string& name) {
  flush();  // so that it is known what is there
  const auto id = oracle_.subscription(name);
  if (!id || !admit(queue_bytes) || !oracle_.purges(*id)) return;
  node_->core().queues().purge(node_->edge(), *id, {"ann", "tidied up"},
                               [this, id = *id](Result<std::uint64_t> answer) {
                                 if (running()) hear();  // what expired first was not purged
                                 if (answer || answer.error().code != Code::node_failed)
                                   oracle_.purged(id, answer.has_value());
                               });
}

// Each letter that is held, in a commit of its own: acknowledged there and published here.
void World::redrive(const std::string& name) {
  const auto from = oracle_.subscription(name + ".dead");
  if (!from || !running()) return;
  std::vector<node::Lease> leases;
  for (const HeldLease& held : oracle_.readers()[*from].held)
    if (!held.settling) leases.push_back(held.lease);
  for (const node::Lease& lease : leases) {
    const auto* origin = healing_.letter_at({lease.partition, lease.offset});
    const SentEvent* event = origin == nullptr ? nullptr : oracle_.event_at(origin->first, origin->second);
    Draft draft;
    draft.topic = name;
    draft.key = event == nullptr ? "k0" : event->key;
    settle(*from, {lease}, {}, {}, {draft});
  }
}

}  // namespace continuo::simulator
