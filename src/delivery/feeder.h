// Feeds subscriptions: reads durable records of the partitions they read and offers them to the subscriptions engine,
// by its credit. Those with a filter go through a Router.
//
// One thread. It sleeps until new records become visible, definitions change, or an answer comes: to an offer, or to
// the question for credit, which the core answers when there is some. Only where data is damaged, or the engine is to
// hear how far filters were passed over, it looks again after a while. What it knows - how far each subscription has
// considered each partition - is a copy of the engine's cursors and may be lost at any time.
//
//   delivery::Feeder feeder{*node}; feeder.start(); ... feeder.stop();
#pragma once

#include <memory>

#include "continuo/delivery/event_times.h"
#include "continuo/node/node.h"

namespace continuo::delivery {

class Feeder {
 public:
  /// `node` outlives the feeder.
  explicit Feeder(node::Node& node);
  ~Feeder();  ///< stops
  void start();
  void stop();

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

/// The records of `batches` from `from` on as an offer's events, at most `limit`; `next` becomes the offset to go on
/// from. Control batches and records of others' transactions are passed over. damaged_data when a batch cannot be
/// walked.
Result<void> collect(const node::Batches& batches, Offset from, std::uint32_t limit, bool by_key, node::Offer& offer,
                     const TimesWanted& times = {});

}  // namespace continuo::delivery
