// Typed requests: what each route of the table takes, read and checked. Names of topics are checked as names; whether
// there is such a topic only the node knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/definitions.h"
#include "continuo/routing/pattern.h"
#include "continuo/wire/http/events.h"
#include "continuo/wire/http/head.h"
#include "continuo/wire/http/healing.h"
#include "continuo/wire/http/position.h"
#include "continuo/wire/http/queues.h"
#include "continuo/wire/http/routes.h"

namespace continuo::wire::http {

inline constexpr Millis longest_wait{60'000};  ///< of a read or a receive

struct PutTopic {
  std::string topic;
  engines::TopicSettings settings;
};
struct ChangeTopic {
  std::string topic;
  engines::TopicChange change;
};
struct TrimTopic {
  std::string topic;
  PartitionId partition;
  Offset before;
};
/// Damaged records that readers shall pass over; the reason is kept in the log.
struct SkipDamaged {
  static constexpr std::size_t max_reason = 1000;
  std::string topic;
  PartitionId partition;
  Offset from;
  Offset next;
  std::string reason;
};
/// get_topic, delete_topic
struct OneTopic {
  std::string topic;
};

/// The events themselves are read with EventReader.
struct Publish {
  std::string topic;
  EventFormat format = EventFormat::structured;
  std::optional<Millis> reply_within;  ///< `wait_for=reply`: answered with the event that answers this one
};

struct Read {
  static constexpr std::uint32_t default_limit = 500;
  static constexpr std::uint32_t max_limit = 10'000;
  std::string topic;
  std::optional<PartitionId> partition;
  From from;
  std::optional<std::uint32_t> limit;  ///< events; a stream without one goes on for ever
  Millis wait{0};
  std::string correlation;                 ///< only events with this correlationid; empty: all
  std::optional<routing::Pattern> filter;  ///< only events that match; none: all
  bool stream = false;                     ///< server-sent events
};

struct PutSubscription {
  std::string subscription;
  engines::SubscriptionSettings settings;
};
struct ChangeSubscription {
  std::string subscription;
  engines::SubscriptionChange change;
};
/// get_subscription, delete_subscription, pause, resume, get_release, stop_release
struct OneSubscription {
  std::string subscription;
};

struct Receive {
  static constexpr std::uint32_t most = 1'000;  ///< events
  std::string subscription;
  std::uint32_t max = 1;
  Millis wait{0};
  std::optional<Millis> lease;
  bool repair = false;  ///< heads of parked keys, for who repairs them
};

/// Leases are tokens still. Views point into the body.
struct Settle {
  static constexpr std::size_t most = 10'000;  ///< of each kind of entry
  struct Nack {
    std::string lease;
    std::string code;
    std::string message;
    std::optional<Millis> delay;
  };
  struct Extend {
    std::string lease;
    Millis by{0};
  };
  struct Event {
    std::string topic;
    std::string_view json;  ///< one structured event, as sent
  };
  std::string subscription;
  std::vector<std::string> acks;
  std::vector<Nack> nacks;
  std::vector<Extend> extends;
  std::vector<Event> publish;
};

/// Kafka's consumer groups. A name may hold any bytes.
struct ListGroups {
  static constexpr std::uint32_t max_limit = 1'000;
  std::optional<std::string> after;  ///< a name: those behind it
  std::uint32_t limit = 100;
};
/// get_group, delete_group
struct OneGroup {
  std::string group;
};
struct ResetOffsets {
  std::string group;
  std::string topic;
  std::optional<PartitionId> partition;  ///< none: all of the topic
  std::variant<Earliest, Latest, Offset, WallTime> to;
  bool dry_run = false;
};

/// Why an event matches: a pattern, the filters of a topic's subscriptions, or those of all. Views point into the body.
struct ExplainPattern {
  struct Record {
    std::string topic;
    PartitionId partition;
    Offset offset;
  };
  std::optional<routing::Pattern> pattern;
  std::string topic;
  bool subscriptions = false;
  std::string_view event;  ///< as sent; empty: `record` names it
  std::optional<Record> record;
};

struct ErrorPage {
  std::string code;
};
/// list_topics, list_subscriptions, node, livez, readyz, metrics, openapi
struct Plain {};

using AnyRequest =
    std::variant<Plain, PutTopic, ChangeTopic, OneTopic, TrimTopic, SkipDamaged, Publish, Read, PutSubscription,
                 ChangeSubscription, OneSubscription, Receive, Settle, ListParked, OneParkedKey, ReleaseParked,
                 SettleRepairs, SeekSubscription, ListGroups, OneGroup, ResetOffsets, ExplainPattern, ErrorPage,
                 PutQueue, ChangeQueue, OneQueue, PurgeQueue, SendMessages, PeekQueue, RedriveQueue>;

/// Reads the request of a route. The body is complete, with record::json_padding readable bytes behind it, except for a
/// publish, which is read from its head alone. Errors: bad_request, bad_json, bad_utf8, bad_name, bad_setting,
/// bad_position, bad_pattern, unknown_field, unsupported, unsupported_media_type.
Result<AnyRequest> read_request(const Match& match, const Request& request);

/// The part that publishing needs often: topic and format.
Result<Publish> read_publish(const Match& match, const Request& request);

/// How a list of groups goes on: the `after` behind this name.
std::string group_token(std::string_view name);

/// True when clients of this Accept header want server-sent events.
bool wants_stream(std::string_view accept);

}  // namespace continuo::wire::http
