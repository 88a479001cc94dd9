// What users define: topics and subscriptions, with the defaults of the HTTP contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::engines {

/// Names of topics, queues and subscriptions: [A-Za-z0-9._-]{1,200}, not "." or "..". Errors: bad_name.
Result<void> check_name(std::string_view name);
/// True for names the system keeps for itself ("continuo.").
bool is_system_name(std::string_view name);

struct TopicSettings {
  std::uint32_t partitions = 1;
  std::optional<Millis> retention_time;          ///< none: for ever
  std::optional<std::uint64_t> retention_bytes;  ///< per partition; none: no limit
  Millis dedup_window{120'000};                  ///< 0: no deduplication
  bool operator==(const TopicSettings&) const = default;
};

// Written to disk: values never change, new ones come behind `last`, which moves; a reader refuses what it does not
// know.
enum class OrderBy : std::uint8_t { key, none, last = none };
enum class StartFrom : std::uint8_t { earliest, latest, last = latest };
enum class OnFailure : std::uint8_t { park, drop, last = drop };

struct RetryPolicy {
  std::uint32_t attempts = 5;  ///< deliveries of one event before it is given up
  Millis delay{1'000};         ///< between them
  bool operator==(const RetryPolicy&) const = default;
};

struct SubscriptionSettings {
  std::vector<std::string> topics;  ///< names; at least one
  StartFrom from = StartFrom::latest;
  OrderBy order_by = OrderBy::key;
  std::uint32_t concurrency = 1024;  ///< keys leased at once
  Millis lease{30'000};
  RetryPolicy retry;
  OnFailure on_failure = OnFailure::park;
  bool operator==(const SubscriptionSettings&) const = default;
};

}  // namespace continuo::engines
