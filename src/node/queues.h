// Queues, as edges ask for them: a topic and the one subscription it is there for, of the same name.
//
// What consumers do - receive, settle - goes to the subscription as to any other. As with all requests of a node,
// answers come on the edge's thread once what they tell is on the disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "continuo/engines/subscription_requests.h"
#include "continuo/node/node.h"

namespace continuo::node {

using engines::Asked;
using engines::EventPlace;
using engines::EventState;
using engines::QueueChange;

struct QueueSettings {
  TopicSettings topic;
  SubscriptionSettings subscription;  ///< with `queue`; its one topic has the queue's name
};

/// What the queue of dead letters gets that is made with a queue.
QueueSettings dead_letter_queue(const std::string& name);

class Queues {
 public:
  virtual ~Queues() = default;
  /// Topic and subscription in one commit, and where it names a queue of dead letters that is not there, that one too.
  /// A topic that is there already is taken when it is empty, has these settings and nobody subscribes to it. Errors:
  /// as create_topic and put_subscription.
  virtual void put(Edge&, std::string name, QueueSettings, Answer<Put<Subscription>>) = 0;
  /// Other settings of the queue that is there, in one commit, and the queue of dead letters that they name if that is
  /// not there. What is leased or parked stays so. Errors: unknown_queue; unsupported, bad_setting, limit_reached for
  /// what cannot become different.
  virtual void change(Edge&, std::string name, QueueChange, Answer<Subscription>) = 0;
  /// Both, in one commit. Errors: unknown_queue.
  virtual void remove(Edge&, std::string name, Answer<void>) = 0;
  /// Everything that was published until now and that nobody has leased and no repair waits for leaves the queue; told
  /// on the topic of events. Answers how many, gaps between offsets counted. Errors: unknown_queue.
  virtual void purge(Edge&, SubscriptionId, Asked, Answer<std::uint64_t>) = 0;
  /// How events of a subscription stand, in the order asked.
  virtual void states(Edge&, SubscriptionId, std::vector<EventPlace>, Answer<std::vector<EventState>>) = 0;
};

}  // namespace continuo::node
