// The counts of pushed subscriptions as a part of the metrics page.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "continuo/delivery/push_counts.h"

namespace continuo::delivery {

struct PushCountsOf {
  std::string_view target;  ///< "webhook" or "topic"
  std::shared_ptr<const PushCounts> counts;
};
using PushCountsByName = std::map<std::string, PushCountsOf>;

/// Prometheus' text format 0.0.4. Of very many subscriptions the first by name have series.
std::string push_metrics(const PushCountsByName& all);

}  // namespace continuo::delivery
