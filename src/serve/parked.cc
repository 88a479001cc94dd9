// Parked keys: look, retry, pass over.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/base/hash.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"

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

// `room`: bytes of events that still fit into the list; none: the event is alone and always fits.
void write_parked(const node::ParkedKey& parked, const node::Catalogue& catalogue, node::RecordFinder& finder,
                  std::optional<std::uint64_t>& room, std::string& out) {
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
  const std::size_t bytes = record ? size_of(*record) : 0, before = out.size();
  if (record && (!room || bytes <= *room))
    record::write_json(record::event_of(*record, place, scratch), &place, parked.head, out);
  else
    out += record ? fmt::format("null,\"event_bytes\":{}", bytes) : "null";
  if (room) *room -= std::min<std::uint64_t>(*room, out.size() - before);
  out += ",\"error\":";
  write_failure(parked.failure, out);
  out += fmt::format(R"(,"attempts":{}}},"waiting":{},"since":"{}"}})", parked.attempts, parked.waiting,
                     format_time(parked.since));
}

std::string parked_json(Door& door, const std::vector<node::ParkedKey>& keys) {
  const auto catalogue = door.node.catalogue();
  node::RecordFinder finder = finder_in(door.node);
  std::optional<std::uint64_t> room;
  if (keys.size() > 1) room = door.options.max_deliveries_bytes;
  std::string out = "{\"keys\":[";
  for (const node::ParkedKey& parked : keys) {
    if (out.back() != '[') out += ",";
    write_parked(parked, *catalogue, finder, room, out);
  }
  return out + "]}";
}

void answer_parked(Exchange& exchange, std::vector<node::ParkedKey> keys) {
  Door& door = exchange.thread().door();
  if (door.budget.exhausted())
    return exchange.refuse({Code::overloaded, "too many answers are under way", {}, {}, 1}, {});
  const bool may_wait = std::ranges::any_of(
      keys, [&](const node::ParkedKey& key) { return !is_near_end(door.node, key.partition, key.head); });
  read_aside(
      exchange, may_wait, [&door, keys = std::move(keys)] { return parked_json(door, keys); },
      [](Exchange& again, const std::string& json) { again.answer_json(json); });
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
        if (only) std::erase_if(*keys, [&](const node::ParkedKey& key) { return key.key_hash != *only; });
        if (keys->size() > limit) keys->resize(limit);
        answer_parked(*self, std::move(*keys));
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
