// When an event may be delivered and until when, as its record says: read for queues and for subscriptions that let
// events expire, by the names of headers alone. Other subscriptions' records are not looked into.
#pragma once

#include <optional>

#include "continuo/engines/definitions.h"
#include "continuo/engines/subscription_requests.h"
#include "continuo/record/batch.h"

namespace continuo::delivery {

/// What of it a subscription heeds.
struct TimesWanted {
  bool any = false;
  std::optional<Millis> ttl;  ///< counted from the record's own time
};
TimesWanted times_wanted(const engines::SubscriptionSettings& settings);

/// By the extensions `notbefore` and `expiretime` (also CloudEvents' own spelling, `expirytime`), RFC 3339, and the
/// subscription's ttl: what is over first. What is no time counts as not said; nor do the times of dead letters, which
/// are of their life before.
void add_times(const record::Record& record, const TimesWanted& wanted, engines::Offer::Event& event);

}  // namespace continuo::delivery
