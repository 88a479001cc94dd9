// Subscriptions: what they are made with, and what may become different of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::client {

/// Another retry for the failures of these codes; what is none or empty is as outside.
struct RetryRule {
  std::vector<std::string> codes;  ///< as consumers give them; with a `*` at the end all that begin so
  std::optional<std::uint32_t> attempts;
  std::string backoff;
  std::optional<Millis> base;
  std::optional<Millis> max;
  std::vector<Millis> delays;
  std::optional<bool> jitter;
};

/// How often an event is delivered, and what lies between; what is none or empty has the server's default.
struct Retry {
  std::optional<std::uint32_t> attempts;  ///< deliveries of one event before it is given up
  std::string backoff;                    ///< fixed (also when empty), linear, exponential or listed
  std::optional<Millis> base;             ///< between deliveries; what `backoff` begins with
  std::optional<Millis> max;              ///< no delay is longer
  std::vector<Millis> delays;             ///< listed: one after the other, the last from then on
  bool jitter = false;                    ///< any time from none to the delay
  std::vector<RetryRule> rules;           ///< the first that fits the failure counts
};

/// When so many keys fail with one fingerprint in so short a time, the subscription holds still and tries one now and
/// then.
struct StormGuard {
  std::uint32_t keys = 0;        ///< 0: no guard
  std::optional<Millis> within;  ///< none: the server's default
  std::optional<Millis> probe;   ///< the same
};

struct SubscriptionSettings {
  std::vector<std::string> topics;
  std::string filter;            ///< an event pattern, JSON; empty: every event
  std::string from = "latest";   ///< earliest, latest or a time
  std::string order_by = "key";  ///< key or none
  std::optional<std::uint32_t> concurrency;
  std::optional<Millis> lease;
  Retry retry;
  std::string on_failure = "park";  ///< park, drop or dead_letter
  std::string dead_letter;          ///< the topic of what is given up, with dead_letter
  std::optional<Millis> ttl;        ///< what waited longer is passed over; none: nothing is
  std::optional<Millis> expires;    ///< without a consumer for so long it is deleted; none: never
  StormGuard storm;
  std::string repairs;  ///< declared repairs, a JSON array; empty: none
  std::string target;   ///< JSON, as docs/webhooks.md has it; empty: whoever receives
};

/// What is to become different of a subscription; what is none stays.
struct SubscriptionChange {
  std::optional<std::string> filter;  ///< an event pattern, JSON; empty: none from now on
  bool keep_parked = false;           ///< with another filter: keys may be parked, and stay so
  std::optional<std::uint32_t> concurrency;
  std::optional<Millis> lease;
  std::optional<Retry> retry;  ///< as a whole
  std::optional<std::string> on_failure;
  std::string dead_letter;  ///< with on_failure dead_letter
  std::optional<std::optional<Millis>> ttl;
  std::optional<std::optional<Millis>> expires;
  std::optional<StormGuard> storm;
  std::optional<std::string> repairs;  ///< empty: none from now on
  std::optional<std::string> target;   ///< empty: whoever receives, from now on
};

/// Where a filter begins to decide: the first offset of a partition.
struct FilteredFrom {
  std::string topic;
  PartitionId partition;
  Offset offset;
};

}  // namespace continuo::client
