// Topics and subscriptions as JSON, both ways. The same objects stand in a definitions file for `continuo apply`.
#pragma once

#include <string>
#include <string_view>

#include "continuo/engines/definitions.h"
#include "continuo/wire/http/json.h"

namespace continuo::wire::http {

/// {"partitions":6,"retention":{"time":"7d","bytes":"10GiB"},"cleanup":"delete","dedup_window":"2m","max_batch":"1MiB",
/// "timestamps":"created","segment":"256MiB"}; all fields may be absent: then they stay as they are. Null, for what is
/// in `retention`, for `retention` itself and for `segment`: as if nobody had ever said. Errors: bad_setting,
/// unknown_field, unsupported (cleanup other than delete).
Result<engines::TopicChange> read_topic_change(const Json& object);
/// The same for a topic that is to be made.
Result<engines::TopicSettings> read_topic_settings(const Json& object);
/// Appends the members, without braces, beginning with a comma; `partitions` is left to the caller.
void write_topic_settings(const engines::TopicSettings& settings, std::string& out);

/// {"topics":["orders"],"filter":{"type":["OrderPaid"]},"from":"earliest","order_by":"key","concurrency":64,
/// "lease":"30s","retry":{"attempts":5,"delay":"1s"},"on_failure":"park","ttl":"4d","expires":"30d",
/// "storm":{"keys":50,"within":"10s","probe":"5s"},"repairs":[..],"target":{"pull":{}}}; with
/// "on_failure":"dead_letter" also "dead_letter":"orders.dead"; `from` may be a time. Errors: bad_setting, bad_name,
/// bad_pattern, unknown_field; unsupported: the target `process`, order by an attribute, priorities.
Result<engines::SubscriptionSettings> read_subscription_settings(const Json& object);
/// What of these is to become different, and "parked":"keep"; null for filter, ttl, expires, storm and repairs: none.
/// Errors: as above; unsupported: topics, from and order_by.
Result<engines::SubscriptionChange> read_subscription_change(const Json& object);
/// Appends the members, without braces, beginning with a comma; secrets of the target as "***".
void write_subscription_settings(const engines::SubscriptionSettings& settings, std::string& out);

}  // namespace continuo::wire::http
