// Subscriptions on the metrics page, queues among them: which have series of their own, and what these say.
//
// Ten thousand subscriptions with all there is to tell would be 170,000 series. So the page has sums over all, which
// are always there, and rows of the thousand that matter most; what is told of failures only where something failed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/serve/metrics_page.h"

namespace continuo::serve {

/// One subscription, and when its oldest unsettled event came, if that was looked up.
struct SurveyedSubscription {
  node::SubscriptionsSurvey::Subscription figures;
  std::optional<WallTime> oldest;
};

/// When the oldest unsettled events of a piece of the survey came; looks up at most `most` places, of those named
/// first, and counts them off. Reads files.
std::vector<SurveyedSubscription> date_oldest(node::Node& node, node::SubscriptionsSurvey survey, std::size_t& most);

class SubscriptionSeries {
 public:
  static constexpr std::size_t shown = 1'000;

  void take(std::vector<SurveyedSubscription> piece);
  /// What is known as a part of the page; `now`: what ages are counted to.
  MetricsPage page(WallTime now) const;
  /// The same without samples.
  static MetricsPage empty_page();

 private:
  std::vector<SurveyedSubscription> all_;
};

}  // namespace continuo::serve
