// The commands: what each is given and does. Parsing is in command_line.cc; here nothing knows of flags.
//
// A command gives an error, or has printed what it had to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/cli/exit_code.h"
#include "continuo/cli/session.h"

namespace continuo::cli {

// --- topics (topics.cc)
// ------------------------------------------------------------------------------------------------
struct TopicCreate {
  std::string name;
  std::uint32_t partitions = 1;
  std::string retention_time, retention_bytes, dedup_window;  ///< as given: "7d", "10GiB", "2m"; empty: the default
  std::string max_batch, timestamps, segment;                 ///< the same: "2MiB", "appended", "64MiB"
};
/// The same with "none" for no limit; empty: as it is. `partitions` 0: as many as there are.
using TopicChange = TopicCreate;
struct TopicTrim {
  std::string name;
  std::uint32_t partition = 0;
  std::int64_t before = 0;
};
Result<void> topic_create(const Session& session, const TopicCreate& command);
Result<void> topic_change(const Session& session, const TopicChange& command);
Result<void> topic_list(const Session& session);
Result<void> topic_show(const Session& session, const std::string& name);
Result<void> topic_delete(const Session& session, const std::vector<std::string>& names);
Result<void> topic_trim(const Session& session, const TopicTrim& command);

// --- definitions (apply.cc)
// --------------------------------------------------------------------------------------------
struct Apply {
  std::string file;  ///< "-": standard input
  bool dry_run = false;
};
Result<void> apply(const Session& session, const Apply& command);

// --- events (publish.cc, tail.cc)
// ----------------------------------------------------------------------------------------
struct Publish {
  std::string topic;
  std::string id, type, source = "/continuo/cli", key, subject, data;  ///< data "-" or absent: stdin
  bool has_data = false;
  std::vector<std::string> extensions;  ///< "name=value"
};
struct Import {
  std::string topic, file;
  std::uint32_t chunk = 500;  ///< events in one commit
};
struct Tail {
  std::string topic;  ///< empty with `correlation`: all topics
  std::string from;   ///< empty: the last `count`
  std::optional<std::uint32_t> partition;
  std::string correlation;
  std::string filter;  ///< an event pattern, as given: JSON, or a file's name
  std::optional<std::uint64_t> count;
  bool follow = false;
};
Result<void> publish(const Session& session, const Publish& command);
Result<void> import_file(const Session& session, const Import& command);
Result<void> tail(const Session& session, const Tail& command);

// --- subscriptions (subscriptions.cc, subscription_settings.cc)
// ----------------------------------------------------------------------------------
/// Who asks and why: kept in the log.
struct Asked {
  std::string by = user();
  std::string reason;

  static std::string user();  ///< $USER; empty when it is not set
};
/// What both creating and changing take, as given: "30s", "100", "park". Empty: the default, or as it is.
struct SubSettings {
  std::string name;
  std::string filter, repairs;  ///< JSON, or a file's name
  std::string lease, backoff, retry_delay, retry_max;
  std::vector<std::string> retry_delays;
  bool jitter = false, no_jitter = false;
  std::optional<std::uint32_t> concurrency, attempts;
  std::string on_failure, dead_letter;
  std::string ttl, expires, storm;  ///< of a change also "none"; a storm: "50/10s"
  std::string target;               ///< JSON, or a file's name; empty: what the members below make of it
  std::string webhook, webhook_secret_file, webhook_mode, webhook_rate, webhook_timeout;
  std::optional<std::uint32_t> webhook_concurrency;
  std::vector<std::string> webhook_headers;  ///< "Name: value"
  std::string to_topic;
};
struct SubCreate {
  SubSettings settings;
  std::vector<std::string> topics;
  std::string from = "latest", order_by = "key";
};
struct SubChange {
  SubSettings settings;
  bool no_filter = false;
  bool no_repairs = false;
  bool keep_parked = false;
};
struct SubSeek {
  std::string name, to, parked;  ///< parked: keep, discard, or not said
  Asked asked;
};
struct SubReceive {
  std::string name;
  std::uint32_t max = 10;
  std::string wait, lease;
  bool ack = false;  ///< at once
};
Result<void> sub_create(const Session& session, const SubCreate& command);
Result<void> sub_change(const Session& session, const SubChange& command);
Result<void> sub_list(const Session& session);
Result<void> sub_show(const Session& session, const std::string& name);
Result<void> sub_delete(const Session& session, const std::vector<std::string>& names);
Result<void> sub_receive(const Session& session, const SubReceive& command);
Result<void> sub_ack(const Session& session, const std::string& name, const std::vector<std::string>& leases);
Result<void> sub_seek(const Session& session, const SubSeek& command);
Result<void> sub_pause(const Session& session, const std::string& name, bool paused);

// --- parked keys (parked.cc, releases.cc)
// ----------------------------------------------------------------------------------
struct ParkedList {
  std::string subscription, key, fingerprint, type;
  std::uint32_t limit = 100;
};
struct ParkedKey {
  std::string subscription, key;
  Asked asked;
};
struct ParkedEdit {
  ParkedKey parked;
  std::string event;         ///< JSON, a file's name, or "-"
  bool keep_parked = false;  ///< edited, and not released yet
};
struct ParkedRelease {
  std::string subscription, fingerprint, type, after, before, rate;
  bool go_on = false;  ///< also when a key fails again
  bool dry_run = false, wait = false, status = false, stop = false;
  Asked asked;
};
Result<void> parked_list(const Session& session, const ParkedList& command);
Result<void> parked_show(const Session& session, const ParkedKey& command);
Result<void> parked_retry(const Session& session, const ParkedKey& command);
Result<void> parked_skip(const Session& session, const ParkedKey& command);
Result<void> parked_cancel(const Session& session, const ParkedKey& command);
Result<void> parked_edit(const Session& session, const ParkedEdit& command);
/// Exit::refused when it was waited for and a key failed again, or somebody stopped it.
Result<Exit> parked_release(const Session& session, const ParkedRelease& command);

// --- queues (queues.cc)
// ------------------------------------------------------------------------------------------------
/// Empty, or none: what the server takes by itself; of a change: as it is.
struct QueueSettings {
  std::string name, lease, on_failure, dead_letter, dedup_window, retry_delay;
  std::string retention;  ///< of a change also "none"
  bool fifo = false;      ///< never of a change
  std::optional<std::uint32_t> max_receives, partitions, concurrency;
};
struct QueueSend {
  std::string name, data, event, delay, not_before, ttl, group, dedup_id;
};
struct QueueReceive {
  std::string name;
  std::uint32_t max = 10;
  std::string wait, lease;
  bool ack = false;  ///< at once
};
struct QueuePeek {
  std::string name, from;
  std::uint32_t max = 10;
};
struct QueuePurge {
  std::string name;
  Asked asked;
};
struct QueueRedrive {
  std::string name, from, rate;
  std::optional<std::uint64_t> max;
  Asked asked;
};
Result<void> queue_create(const Session& session, const QueueSettings& command);
Result<void> queue_change(const Session& session, const QueueSettings& command);
Result<void> queue_list(const Session& session);
Result<void> queue_show(const Session& session, const std::string& name);
Result<void> queue_delete(const Session& session, const std::vector<std::string>& names);
Result<void> queue_send(const Session& session, const QueueSend& command);
Result<void> queue_receive(const Session& session, const QueueReceive& command);
Result<void> queue_ack(const Session& session, const std::string& name, const std::vector<std::string>& leases);
Result<void> queue_peek(const Session& session, const QueuePeek& command);
Result<void> queue_purge(const Session& session, const QueuePurge& command);
Result<void> queue_redrive(const Session& session, const QueueRedrive& command);

// --- event patterns (route.cc)
// -----------------------------------------------------------------------------------------
struct RouteExplain {
  std::string topic;           ///< empty: all subscriptions, or `pattern`
  std::string pattern, event;  ///< as given: JSON, or a file's name
  std::optional<std::uint64_t> offset;
  std::uint32_t partition = 0;
};
Result<void> route_explain(const Session& session, const RouteExplain& command);

// --- consumer groups (groups.cc)
// ---------------------------------------------------------------------------------------
struct GroupReset {
  std::string name, topic, to;
  std::optional<std::uint32_t> partition;  ///< none: all of the topic
  bool dry_run = false;
};
Result<void> group_list(const Session& session);
Result<void> group_show(const Session& session, const std::string& name);
Result<void> group_delete(const Session& session, const std::vector<std::string>& names);
Result<void> group_reset(const Session& session, const GroupReset& command);

// --- looking and measuring (bench.cc, doctor.cc, explain.cc)
// ---------------------------------------------------------------
struct Bench {
  std::string topic = "bench";
  std::uint32_t seconds = 3;  ///< for each measurement
  std::uint32_t connections = 16;
  std::uint32_t bytes = 1024;  ///< of data in an event
  std::uint32_t batch = 100;
};
struct Doctor {
  std::string data;
  bool accept_loss = false;
};
Result<void> bench(const Session& session, const Bench& command);
Result<void> doctor(const Session& session, const Doctor& command);
Result<void> explain(const Session& session, const std::string& code);
Result<void> version(const Session& session);

// --- the server (serve.cc)
// -----------------------------------------------------------------------------------------------
struct Serve {
  std::string data;
  std::string http = "127.0.0.1:8080";
  std::string kafka;             ///< empty: no Kafka clients
  std::string kafka_advertised;  ///< what they are told to connect to; empty: `kafka`
  std::string journal_size;      ///< empty: the node's own
  std::string page_cache;        ///< the same
  std::uint32_t threads = 2;
  bool no_auto_create = false;
  bool accept_insecure = false;
  bool allow_private_webhooks = false;
};
/// Until SIGINT or SIGTERM. Errors: what Node::open and Server::start give; node_failed.
Result<void> serve(const Serve& command);
/// As serve, with a data folder of its own, a free port where 8080 is taken, and three lines to paste.
Result<void> dev(Serve command, bool port_given);

// --- the demo (demo/)
// ----------------------------------------------------------------------------------------------------
struct Demo {
  std::uint64_t orders = 1'200;
  std::uint64_t seed = 1;
  std::uint32_t rate = 60;
  std::string orders_file;
  bool fast = false;  ///< fewer orders, for tests
  bool stay = false;  ///< leave the server running until Ctrl-C
  std::string keep;   ///< folder for the data afterwards; empty: the cache folder
  bool no_keep = false;
  std::string examples;  ///< github: index.json of @octokit/webhooks-examples
};
/// Exit::breach when the account finds one, Exit::interrupted after Ctrl-C; both have said so, and left nothing behind.
Result<Exit> demo_shop(const Demo& command);
Result<Exit> demo_github(const Demo& command);

}  // namespace continuo::cli
