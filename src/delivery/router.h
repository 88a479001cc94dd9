// Routes what is published to the subscriptions that have a filter: which records of which partition pass whose filter,
// offered to the engine by its credit.
//
// What an event costs is what matches it, however many subscriptions there are (see lane.h). All it knows is a copy of
// the engine's cursors and may be lost at any time: an offer that does not begin where the engine stands, or passed a
// filter that is not the one any more, is refused there, and the subscription is put where the engine says.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "continuo/delivery/lane.h"
#include "continuo/delivery/topic_filters.h"
#include "continuo/node/node.h"

namespace continuo::delivery {

/// Not thread-safe: answers come through `edge` to the same thread.
class Router {
 public:
  Router(node::Node& node, node::Edge& edge) : node_(node), edge_(edge) {}

  // From `settle` on.
  /// How a subscription with a filter stands in all its partitions, as the engine says. One that is known goes on where
  /// it is, or hears of it by the answer to an offer.
  void stand(const node::Catalogue& catalogue, const node::Subscription& subscription,
             std::span<const node::FeedPosition> all);
  void forget(SubscriptionId subscription);
  void settle();
  /// The partition has new records.
  void news(PartitionRef partition);
  /// Looks once at every partition that has something, and offers.
  void step();
  /// There may be more to look at: step again without waiting.
  bool has_more() const { return !awake_.empty(); }
  /// When to step again though nothing came.
  std::optional<Micros> look_again() const { return look_again_; }
  /// Whose offers were refused since: the engine is to be asked how they stand.
  std::set<SubscriptionId> take_refused() { return std::exchange(refused_, {}); }
  /// Of whom the engine did not know any more; asked for when definitions changed.
  std::set<SubscriptionId> take_lost() { return std::exchange(lost_, {}); }
  void add_topics(std::set<TopicId>& topics) const;

 private:
  // An offer under way.
  struct Ticket {
    PartitionRef partition;
    SubscriptionId subscription;
    std::uint64_t number = 0;
    Offset next;
  };
  struct Known {
    Filter filter;
    std::vector<PartitionRef> partitions;  // it has a cursor in, or had
  };
  TopicFilters& filters_of(const node::Catalogue& catalogue, TopicId topic);
  bool read_filter(Filter& filter, const node::Subscription& subscription);
  Lane& lane_of(PartitionRef partition, TopicFilters& filters);
  void leave(SubscriptionId subscription, const std::vector<PartitionRef>& partitions);
  void wake(Lane& lane);
  void go_on(Lane& lane, Cursor& cursor);
  void offer(Lane& lane, Cursor& cursor);
  void ask(Lane& lane, Cursor& cursor);
  void flush();
  void answered(const Ticket& ticket, const Result<node::OfferCredit>& answer);

  node::Node& node_;
  node::Edge& edge_;
  std::map<TopicId, std::unique_ptr<TopicFilters>> topics_;
  std::map<PartitionRef, std::unique_ptr<Lane>> lanes_;
  std::unordered_map<SubscriptionId, Known> known_;
  std::set<PartitionRef> changed_;  // since `settle`
  std::vector<Lane*> awake_;
  std::vector<Cursor*> touched_;
  std::vector<node::Offer> outgoing_;
  std::vector<Ticket> tickets_;
  std::size_t outgoing_events_ = 0;
  std::optional<Micros> look_again_;
  std::uint64_t last_number_ = 0;
  std::set<SubscriptionId> refused_, lost_;
};

}  // namespace continuo::delivery
