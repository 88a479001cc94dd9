// The core's part in queues and in times of events: their commands, and the jobs that purge, trim, and let time pass.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "continuo/node/core.h"
#include "continuo/node/queues.h"

namespace continuo::node {

/// See Queues for what the commands mean. Core thread only.
class Core::QueueWork {
 public:
  explicit QueueWork(Core& core) : core_(core) {}

  void put(Edge& edge, const std::string& name, const QueueSettings& settings, Answer<Put<Subscription>> answer);
  void change(Edge& edge, const std::string& name, const QueueChange& change, Answer<Subscription> answer);
  void remove(Edge& edge, const std::string& name, Answer<void> answer);
  void purge(Edge& edge, SubscriptionId id, Asked asked, Answer<std::uint64_t> answer);
  void states(Edge& edge, SubscriptionId id, const std::vector<EventPlace>& events,
              Answer<std::vector<EventState>> answer);

  /// Events whose time came or is over, about `most` of them.
  void run_times(const Now& current, std::size_t most);
  /// One step of the purge under way, and trims that are due.
  void run_jobs(std::size_t most);
  /// Of the subscriptions where something changed: queues are trimmed a little later.
  void note(const std::set<SubscriptionId>& changed);
  /// How long none of this has something to do; none: for ever.
  std::optional<Millis> next_due(Elapsed current) const;
  void forget(const Edge& edge);
  void fail();

 private:
  // What is to be made.
  struct Plan {
    std::optional<engines::TopicDefined> topic;
    const engines::SubscriptionUnit* existing = nullptr;
    engines::SubscriptionDefined subscription;
    std::vector<engines::CursorMoved> cursors;
  };
  // What is to become different; none: nothing.
  struct Change {
    std::optional<engines::TopicChanged> topic;
    std::optional<engines::SubscriptionDefined> subscription;
  };
  struct Purge {
    Edge* edge;
    SubscriptionId id;
    Asked asked;
    std::deque<engines::TrimPass> passes;  // a partition each
    std::uint64_t events = 0;
    Answer<std::uint64_t> answer;
  };
  struct Expired {
    std::uint64_t count = 0;
    std::vector<std::pair<PartitionRef, Offset>> places;  // the first of them
  };
  Result<Plan> plan(const std::string& name, const QueueSettings& settings) const;
  Result<Change> plan(const std::string& name, const QueueChange& wanted) const;
  void make(const Plan& plan);
  void make_dead_letters(const std::string& name);
  void advance_purge(std::size_t most);
  void trim();
  void trim(SubscriptionId id);
  void tell(SubscriptionId id, const Expired& expired);

  Core& core_;
  std::deque<Purge> purges_;
  std::deque<std::pair<Elapsed, SubscriptionId>> trims_;  // when queues are looked at
  std::set<SubscriptionId> trimmed_soon_;                 // those of them
};

}  // namespace continuo::node
