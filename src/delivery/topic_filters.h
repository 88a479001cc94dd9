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
  std::shared_ptr<const routing::Pattern> pattern;
};

/// Not thread-safe.
class TopicFilters {
 public:
  explicit TopicFilters(std::string topic) : topic_(std::move(topic)) {}
  const std::string& topic() const { return topic_; }
  std::size_t size() const { return known_.size(); }

  // From `settle` on, at the price of what changed.
  /// One with another filter gets it.
  void want(SubscriptionId id, const Filter& filter);
  void forget(SubscriptionId id);
  void settle();

  /// Subscriptions whose filter the event passes.
  const std::vector<SubscriptionId>& match(const routing::Input& input);

 private:
  const std::string topic_;
  std::unordered_map<SubscriptionId, std::uint32_t> known_;  // the versions of their filters
  std::vector<routing::PatternSet::Change> changes_;
  routing::PatternSet set_;
  routing::PatternReader reader_{set_};
  std::vector<SubscriptionId> matched_;
};

}  // namespace continuo::delivery
