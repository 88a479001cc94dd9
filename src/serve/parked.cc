// Parked keys: look, and the verbs of repair.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/base/hash.h"
#include "continuo/record/cloudevents.h"
#include "continuo/serve/edits.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/parked_json.h"
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

constexpr std::size_t cursor_bytes = 16;

// Where a list goes on: topic, partition and key of the last one.
std::string next_of(const node::ParkedKey& last) {
  std::string bytes, token;
  ByteWriter writer{bytes};
  writer.be(last.partition.topic.value);
  writer.be(last.partition.partition.value);
  writer.be(last.key_hash);
  wire::http::base64url_encode(bytes, token);
  return token;
}

Result<std::pair<PartitionRef, std::uint64_t>> parse_next(const std::string& token) {
  const auto bytes = wire::http::base64url_decode(token);
  if (!bytes || bytes->size() != cursor_bytes)
    return fail(Code::bad_position, "'after' is not what a list gave as its 'next'", "after",
                "the `next` of the list before");
  ByteReader reader{*bytes};
  const TopicId topic{reader.be<std::uint32_t>()};
  const PartitionId partition{reader.be<std::uint32_t>()};
  return std::pair{PartitionRef{topic, partition}, reader.be<std::uint64_t>()};
}

std::string parked_json(Door& door, const std::vector<node::ParkedKey>& keys, bool more) {
  const auto catalogue = door.node.catalogue();
  node::RecordFinder finder = finder_in(door.node);
  std::optional<std::uint64_t> room;
  if (keys.size() > 1) room = door.options.max_deliveries_bytes;
  std::string out = "{\"keys\":[";
  for (const node::ParkedKey& parked : keys) {
    if (out.back() != '[') out += ",";
    write_parked(parked, *catalogue, finder, room, out);
  }
  out += "]";
  if (more) out += fmt::format(R"(,"next":"{}")", next_of(keys.back()));
  return out + "}";
}

void answer_parked(Exchange& exchange, std::vector<node::ParkedKey> keys, bool more) {
  Door& door = exchange.thread().door();
  if (door.budget.exhausted())
    return exchange.refuse({Code::overloaded, "too many answers are under way", {}, {}, 1}, {});
  const bool may_wait = std::ranges::any_of(
      keys, [&](const node::ParkedKey& key) { return key.edited || !is_near_end(door.node, key.partition, key.head); });
  read_aside(
      exchange, may_wait, [&door, more, keys = std::move(keys)] { return parked_json(door, keys, more); },
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
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  node::ParkedQuery query{.limit = request.limit + 1, .filter = request.filter};
  if (request.key) query.key_hash = key_hash(*request.key);
  if (request.after) {
    auto after = parse_next(*request.after);
    if (!after) return exchange.refuse(after.error(), {});
    query.after = *after;
  }
  thread.node().healing().list(
      thread, subscription->id, std::move(query),
      [self = exchange.shared_from_this(), limit = request.limit](Result<std::vector<node::ParkedKey>> keys) {
        if (!keys) return self->refuse(keys.error(), {});
        const bool more = keys->size() > limit;
        if (more) keys->resize(limit);
        answer_parked(*self, std::move(*keys), more);
      });
}

void retry_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  if (const auto subscription = find_subscription(exchange, request.subscription))
    thread.node().healing().retry(thread, subscription->id, key_hash(request.key), request.asked,
                                  answer_done(exchange));
}

void skip_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  if (const auto subscription = find_subscription(exchange, request.subscription))
    thread.node().healing().skip(thread, subscription->id, key_hash(request.key), request.asked, answer_done(exchange));
}

void cancel_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  if (const auto subscription = find_subscription(exchange, request.subscription))
    thread.node().healing().cancel(thread, subscription->id, key_hash(request.key), request.asked,
                                   [self = exchange.shared_from_this()](Result<std::uint64_t> events) {
                                     if (!events) return self->refuse(events.error(), {});
                                     self->answer_json(fmt::format(R"({{"events":{}}})", *events));
                                   });
}

namespace {

// The head as it is now is what the edit is compared with.
void edit_head(Exchange& exchange, const wire::http::OneParkedKey& request, SubscriptionId id,
               const node::ParkedKey& parked) {
  node::EditParked edit;
  edit.subscription = id;
  edit.partition = parked.partition;
  edit.key_hash = parked.key_hash;
  edit.head = parked.head;
  edit.release = request.release;
  edit.asked = request.asked;
  read_aside(
      exchange, true,
      [&door = exchange.thread().door(), partition = parked.partition, head = parked.head] {
        return published_json(door.node, partition, head);
      },
      [edit = std::move(edit), event = std::string(request.event)](Exchange& again,
                                                                   const Result<std::string>& original) mutable {
        if (!original) return again.refuse(original.error(), {});
        auto edited = make_edit(*original, event, again.thread().clock().wall());
        if (!edited) return again.refuse(edited.error(), {});
        edit.event = std::move(*edited);
        again.thread().node().healing().edit(again.thread(), std::move(edit), answer_done(again));
      });
}

}  // namespace

void edit_parked(Exchange& exchange, const wire::http::OneParkedKey& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  // The body stays with the exchange, so what points into it does too.
  thread.node().healing().find(
      thread, subscription->id, key_hash(request.key),
      [self = exchange.shared_from_this(), request, id = subscription->id](Result<node::ParkedKey> parked) {
        if (!parked) return self->refuse(parked.error(), {});
        edit_head(*self, request, id, *parked);
      });
}

}  // namespace continuo::serve
