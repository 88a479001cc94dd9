// Parked keys: look, retry, pass over.
#include <fmt/format.h>

#include <charconv>

#include "continuo/base/hash.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

// A key in a path: its text, or "~" and its id, for events without a key.
std::uint64_t key_hash(const std::string& key) {
  if (key.size() == 17 && key.front() == '~') {
    std::uint64_t hash = 0;
    const auto [end, error] = std::from_chars(key.data() + 1, key.data() + key.size(), hash, 16);
    if (error == std::errc{} && end == key.data() + key.size()) return hash;
  }
  return hash64(key);
}

void write_failure(const node::Failure& failure, std::string& out) {
  out += "{\"code\":";
  record::write_json_string(failure.code, out);
  out += ",\"message\":";
  record::write_json_string(failure.message, out);
  out += "}";
}

void write_parked(const node::ParkedKey& parked, const node::Catalogue& catalogue, RecordFinder& finder,
                  std::string& out) {
  std::string topic, scratch;
  for (const auto& [name, each] : catalogue.topics)
    if (each->id == parked.partition.topic) topic = name;
  const auto record = finder.find(parked.partition, parked.head);
  const record::RecordPlace place{topic, parked.partition.partition};
  out += "{\"key\":";
  if (record && record->key)
    record::write_json_string(*record->key, out);
  else
    out += "null";
  out += fmt::format(R"(,"id":"~{:016x}","state":"parked","topic":"{}","head":{{"event":)", parked.key_hash, topic);
  if (record)
    record::write_json(record::event_of(*record, place, scratch), &place, parked.head, out);
  else
    out += "null";
  out += ",\"error\":";
  write_failure(parked.failure, out);
  out += fmt::format(R"(,"attempts":{}}},"waiting":{},"since":"{}"}})", parked.attempts, parked.waiting,
                     format_time(parked.since));
}

std::string parked_json(node::Node& node, const std::vector<node::ParkedKey>& keys, std::optional<std::uint64_t> only,
                        std::uint32_t limit) {
  const auto catalogue = node.catalogue();
  RecordFinder finder(node);
  std::string out = "{\"keys\":[";
  for (const node::ParkedKey& parked : keys) {
    if (only && parked.key_hash != *only) continue;
    if (limit-- == 0) break;
    if (out.back() != '[') out += ",";
    write_parked(parked, *catalogue, finder, out);
  }
  return out + "]}";
}

auto answer_done(Exchange& exchange) {
  return [self = exchange.shared_from_this()](Result<void> done) {
    if (!done) return self->refuse(done.error(), {});
    self->answer_json("{}");
  };
}

}  // namespace

void list_parked(Exchange& exchange, const wire::http::ListParked& request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Subscription* subscription = catalogue->find_subscription(request.subscription);
  if (!subscription) return exchange.refuse(unknown_subscription(request.subscription), {});
  std::optional<std::uint64_t> only;
  if (request.key) only = key_hash(*request.key);
  const std::uint32_t asked = only ? 0xffffffffu : request.limit;  // the node lists without a choice of key
  thread.node().parked(
      thread, subscription->id, asked,
      [self = exchange.shared_from_this(), only, limit = request.limit](Result<std::vector<node::ParkedKey>> keys) {
        if (!keys) return self->refuse(keys.error(), {});
        self->answer_json(parked_json(self->thread().node(), *keys, only, limit));
      });
}

void retry_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Subscription* subscription = catalogue->find_subscription(request.subscription);
  if (!subscription) return exchange.refuse(unknown_subscription(request.subscription), {});
  thread.node().retry_parked(thread, subscription->id, key_hash(request.key), answer_done(exchange));
}

void skip_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Subscription* subscription = catalogue->find_subscription(request.subscription);
  if (!subscription) return exchange.refuse(unknown_subscription(request.subscription), {});
  thread.node().skip_parked(thread, subscription->id, key_hash(request.key), request.reason, answer_done(exchange));
}

}  // namespace continuo::serve
