// Queues over HTTP: what is asked of them, and their definitions as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/subscription_requests.h"
#include "continuo/wire/http/json.h"

namespace continuo::wire::http {

struct PutQueue {
  std::string queue;
  engines::TopicSettings topic;
  engines::SubscriptionSettings subscription;
};
struct ChangeQueue {
  std::string queue;
  engines::QueueChange change;
};
/// get_queue, delete_queue
struct OneQueue {
  std::string queue;
};
struct PurgeQueue {
  std::string queue;
  engines::Asked asked;
};

/// Views point into the body.
struct SendMessages {
  static constexpr std::size_t most = 10'000;  ///< messages
  struct Message {
    std::string_view event;           ///< as sent; empty: `data` alone, and the server makes the rest
    std::optional<std::string> data;  ///< JSON
    std::optional<Millis> delay;
    std::optional<WallTime> not_before;
    std::optional<Millis> ttl;
    std::optional<WallTime> expire_at;
    std::string group, dedup_id;
  };
  std::string queue;
  bool as_events = false;  ///< the body holds CloudEvents: to be read with EventReader
  std::vector<Message> messages;
};

/// Messages from a place on, in the order of the log.
struct PeekQueue {
  static constexpr std::uint32_t most = 1'000;
  std::string queue;
  std::uint32_t max = 10;
  PartitionId partition;  ///< `from`: "PARTITION:OFFSET"
  Offset offset{0};
};

/// Messages of another queue, or of a subscription, back into this one.
struct RedriveQueue {
  std::string queue;
  std::string from;
  std::uint32_t max = 100'000;
  std::uint32_t rate = 0;  ///< messages a second; 0: as fast as it goes
  engines::Asked asked;
};

/// {"fifo":false,"lease":"30s","max_receives":5,"on_failure":"dead_letter","dead_letter":"mail.dead","retention":"4d",
/// "retry":{...},"dedup_window":"5m","partitions":1,"concurrency":1024}; all fields may be absent. A fifo queue parks
/// what fails, another gives it to the queue of dead letters NAME.dead. Errors: bad_setting, bad_name, unknown_field.
Result<PutQueue> read_put_queue(std::string name, const Json& object);
/// The same fields, of those that become different; "retention":null: for ever. Errors: as above; unsupported.
Result<ChangeQueue> read_change_queue(std::string name, const Json& object);
/// Appends the members, without braces, beginning with a comma.
void write_queue_settings(const engines::TopicSettings& topic, const engines::SubscriptionSettings& settings,
                          std::string& out);

/// {"messages":[MESSAGE,...]}, or one MESSAGE alone, or one structured event. MESSAGE: {"event":{...}} or {"data":...},
/// and beside it "delay" or "not_before", "ttl" or "expire_at", "group", "dedup_id". Errors: bad_setting, bad_request,
/// unknown_field.
Result<SendMessages> read_send_messages(std::string name, const Json& object);
/// {"max":10,"from":"0:41"}
Result<PeekQueue> read_peek_queue(std::string name, const Json& object);
/// {"by":"..","reason":".."}
Result<PurgeQueue> read_purge_queue(std::string name, const Json& object);
/// {"from":"mail.dead","max":1000,"rate":"100/s","by":"..","reason":".."}
Result<RedriveQueue> read_redrive_queue(std::string name, const Json& object);

}  // namespace continuo::wire::http
