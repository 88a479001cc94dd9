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
#include "continuo/engines/retry.h"

namespace continuo::engines {

/// Names of topics, queues and subscriptions: [A-Za-z0-9._-]{1,200}, not "." or "..". Errors: bad_name.
Result<void> check_name(std::string_view name);
/// True for names the system keeps for itself ("continuo.").
bool is_system_name(std::string_view name);

// Enums here are written to disk: values never change, new ones come behind `last`, which moves; a reader refuses what
// it does not know.

/// What a record's time is: what its producer said, or when it was appended (Kafka's message.timestamp.type).
enum class Timestamps : std::uint8_t { created, appended, last = appended };

/// Limits of the settings below.
inline constexpr std::uint32_t most_batch_bytes = 7u << 20;  ///< a commit holds 8 MiB
inline constexpr std::uint64_t least_segment_bytes = 1u << 20, most_segment_bytes = 1u << 30;

struct TopicSettings {
  std::uint32_t partitions = 1;
  std::optional<Millis> retention_time;          ///< none: for ever
  std::optional<std::uint64_t> retention_bytes;  ///< per partition; none: no limit
  Millis dedup_window{120'000};                  ///< 0: no deduplication
  std::uint32_t max_batch_bytes = 1'048'588;     ///< of one batch of a Kafka producer (its max.message.bytes)
  Timestamps timestamps = Timestamps::created;
  std::optional<std::uint64_t> segment_bytes;  ///< how large a file of a partition grows; none: as the node's others
  bool operator==(const TopicSettings&) const = default;
};

/// What is to become different of a topic; what is none here stays.
struct TopicChange {
  std::optional<std::uint32_t> partitions;  ///< more than there are
  std::optional<std::optional<Millis>> retention_time;
  std::optional<std::optional<std::uint64_t>> retention_bytes;
  std::optional<Millis> dedup_window;
  std::optional<std::uint32_t> max_batch_bytes;
  std::optional<Timestamps> timestamps;
  std::optional<std::optional<std::uint64_t>> segment_bytes;
  /// These settings, changed; what is wrong with them is for TopicsEngine::decide_change to say.
  TopicSettings applied_to(TopicSettings settings) const;
};

enum class OrderBy : std::uint8_t { key, none, last = none };
enum class StartFrom : std::uint8_t { earliest, latest, time, last = time };
enum class OnFailure : std::uint8_t { park, drop, dead_letter, last = dead_letter };

/// When so many keys fail with one fingerprint in so short a time, something they all need is broken: the subscription
/// holds still and tries one key now and then, instead of giving up thousands.
struct StormGuard {
  std::uint32_t keys = 0;  ///< 0: no guard
  Millis within{10'000};
  Millis probe{5'000};  ///< until one key is tried; doubled with every try that fails, up to 5 minutes
  bool operator==(const StormGuard&) const = default;
};

inline constexpr std::size_t most_filter_bytes = 64 * 1024;
inline constexpr std::size_t most_target_bytes = 16 * 1024, most_repairs_bytes = 24 * 1024;
inline constexpr std::uint32_t most_storm_keys = 10'000;

struct SubscriptionSettings {
  std::vector<std::string> topics;  ///< names; at least one
  StartFrom from = StartFrom::latest;
  WallTime from_time;  ///< with StartFrom::time: the first event appended then or later
  OrderBy order_by = OrderBy::key;
  std::uint32_t concurrency = 1024;  ///< keys leased at once
  Millis lease{30'000};
  RetryPolicy retry;
  OnFailure on_failure = OnFailure::park;
  std::string filter;  ///< an event pattern, JSON without spaces; empty: every event. Engines keep it and never look.
  std::string target;  ///< who gets the events, JSON without spaces; empty: who asks. Engines never look.
  std::string
      repairs;  ///< declared repairs, JSON without spaces; empty: none. Engines only look whether there are any.
  std::string dead_letter;     ///< the topic of events given up, with OnFailure::dead_letter
  std::optional<Millis> ttl;   ///< an event that waited so long since its appending is passed over, told as expired
  std::optional<Millis> idle;  ///< after so long without a receive or settle the subscription is deleted
  StormGuard storm;
  bool queue = false;  ///< its one topic is its own, trimmed behind what is unsettled
  bool operator==(const SubscriptionSettings&) const = default;
};

/// What is to become different of a subscription; what is none here stays.
struct SubscriptionChange {
  std::optional<std::string> filter;
  std::optional<std::uint32_t> concurrency;
  std::optional<Millis> lease;
  std::optional<RetryPolicy> retry;
  std::optional<OnFailure> on_failure;
  std::optional<std::string> dead_letter;
  std::optional<std::optional<Millis>> ttl, idle;
  std::optional<StormGuard> storm;
  std::optional<std::string> repairs;
  std::optional<std::string> target;
  bool keep_parked = false;  ///< with another filter: keys may be parked, and stay so
  bool operator==(const SubscriptionChange&) const = default;
  SubscriptionSettings applied_to(SubscriptionSettings settings) const;
};

/// What becomes different about a queue: its topic and its one subscription.
struct QueueChange {
  std::optional<bool> fifo;  ///< cannot: refused when it is another
  TopicChange topic;
  SubscriptionChange subscription;
  std::optional<std::uint32_t> receives;  ///< deliveries of a message; none: as many as before, whatever `retry` says
};

}  // namespace continuo::engines
