// The filters of the subscriptions to one topic, matched at once: an event is read once, however many there are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/routing/pattern_set.h"

namespace continuo::delivery {

/// A subscription's filter, parsed.
struct Filter {
  std::uint32_t version = 0;
  std::uint64_t round = 0;  ///< when it was wanted last
  std::shared_ptr<const routing::Pattern> pattern;
};

/// Not thread-safe.
class TopicFilters {
 public:
  explicit TopicFilters(std::string topic) : topic_(std::move(topic)) {}
  const std::string& topic() const { return topic_; }
  std::size_t size() const { return known_.size(); }

  // A round of `want` over all subscriptions there are, then `settle`: those not named go, those with another filter
  // get it; all at once, and at the price of what changed.
  void want(SubscriptionId id, const Filter& filter);
  void settle();

  /// Subscriptions whose filter the event passes.
  const std::vector<SubscriptionId>& match(const routing::Input& input);

 private:
  struct Known {
    std::uint32_t version = 0;
    std::uint64_t round = 0;
  };
  const std::string topic_;
  std::unordered_map<SubscriptionId, Known> known_;
  std::uint64_t round_ = 1;
  std::vector<routing::PatternSet::Change> changes_;
  routing::PatternSet set_;
  routing::PatternReader reader_{set_};
  std::vector<SubscriptionId> matched_;
};

}  // namespace continuo::delivery
