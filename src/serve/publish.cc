// Publishing whole requests: one request is one atomic commit.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/partitioner.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

using wire::http::EventFormat;

void write_published(const node::Published& published, TopicId topic, WallTime now, bool durable, std::string& out) {
  out += durable ? R"({"durable":true,"position":")" : R"({"durable":false,"position":")";
  out += position_after(topic, now, published.places);
  out += R"(","events":)";
  write_places(published.places, out);
  out += "}";
}

void submit(Exchange& exchange, TopicId topic, WallTime now, std::vector<node::NewRecord> records) {
  IoThread& thread = exchange.thread();
  thread.node().publish(
      thread, std::move(records),
      [self = exchange.shared_from_this(), topic = topic, now = now](Result<node::Published> published) {
        if (!published) return self->refuse(published.error(), {});
        std::string body;
        body.reserve(192 + 48 * published->places.size());
        write_published(*published, topic, now, self->thread().node().durable(), body);
        self->answer_json(body, 201);
      });
}

Result<void> read_events(Exchange& exchange, EventFormat format, auto&& take) {
  IoThread& thread = exchange.thread();
  const std::uint32_t most = thread.node().options().limits.events_per_request;
  return thread.event_reader().read(
      format, exchange.request(), [&, count = 0u](const record::Event& event) mutable -> Result<void> {
        if (count++ == most) return fail(Code::too_large, fmt::format("more than {} events in one request", most));
        take(event);
        return {};
      });
}

void publish_into(Exchange& exchange, const node::Topic& topic, EventFormat format) {
  IoThread& thread = exchange.thread();
  RecordMaker maker(thread, topic);
  std::vector<node::NewRecord> records;
  const auto read =
      read_events(exchange, format, [&](const record::Event& event) { records.push_back(maker.make(event)); });
  if (!read) return exchange.refuse(read.error(), {});
  if (!records.empty()) return submit(exchange, topic.id, maker.now(), std::move(records));
  std::string body;
  write_published({}, topic.id, maker.now(), thread.node().durable(), body);
  exchange.answer_json(body, 201);
}

}  // namespace

void publish(Exchange& exchange, const wire::http::Publish& request) {
  // Before anything is parsed: a refusal costs little, so that refusing does not eat what the accepted need.
  const auto open = exchange.thread().node().may_publish(exchange.request().body.size());
  if (!open) return exchange.refuse(open.error(), {});
  // What is wrong with the events is said before a topic is made for them.
  if (!exchange.thread().node().catalogue()->find_topic(request.topic))
    if (const auto fine = read_events(exchange, request.format, [](const record::Event&) {}); !fine)
      return exchange.refuse(fine.error(), {});
  with_topic(exchange, request.topic, [format = request.format](Exchange& again, const node::Topic& topic) {
    publish_into(again, topic, format);
  });
}

RecordMaker::RecordMaker(IoThread& thread, const node::Topic& topic)
    : thread_(thread), topic_(topic), now_(thread.clock().wall()), secret_(thread.node().secret()) {
  thread.stamp().set_time(now_);
}

node::NewRecord RecordMaker::make(const record::Event& as_sent) { return encode(as_sent, thread_.stamp()(as_sent)); }

node::NewRecord RecordMaker::make_caused(const record::Event& as_sent, std::string_view correlationid,
                                         std::string_view causationid) {
  return encode(as_sent, thread_.stamp().caused(as_sent, correlationid, causationid));
}

node::NewRecord RecordMaker::make_message(const record::Event& as_sent, std::span<const record::Extension> added,
                                          std::string_view dedup_id) {
  record::Event stamped = thread_.stamp()(as_sent);
  for (const record::Extension& extension : added) {
    std::erase_if(stamped.extensions, [&](const record::Extension& each) { return each.name == extension.name; });
    stamped.extensions.push_back(extension);
  }
  node::NewRecord made = encode(as_sent, stamped);
  if (dedup_id.empty() || topic_.settings.dedup_window.count() == 0) return made;
  record::Event identity;
  identity.id = dedup_id;
  identity.source = "dedup_id";
  made.fingerprint = record::fingerprint(identity, secret_);
  // Without a key the partition goes by it: a repetition meets its own window.
  if (stamped.key().empty()) made.partition = record::partition_of(dedup_id, topic_.settings.partitions);
  return made;
}

node::NewRecord RecordMaker::encode(const record::Event& as_sent, const record::Event& stamped) {
  node::NewRecord made;
  made.topic = topic_.id;
  made.partition = record::partition_of(stamped, topic_.settings.partitions);
  made.timestamp_ms = now_.ms;
  if (topic_.settings.dedup_window.count() > 0) made.fingerprint = record::fingerprint(as_sent, secret_);
  constexpr std::size_t attributes_guess = 384;
  made.body.reserve(stamped.data.size() + attributes_guess);
  record::encode_record_body(stamped, made.body);
  return made;
}

void write_places(const std::vector<node::Place>& places, std::string& out) {
  out += "[";
  for (const node::Place& place : places) {
    if (&place != &places.front()) out += ",";
    out += R"({"partition":)";
    wire::http::write_number(place.partition.value, out);
    out += R"(,"offset":")";
    wire::http::write_number(static_cast<std::uint64_t>(place.offset.value), out);
    out += place.duplicate ? R"(","duplicate":true})" : R"(","duplicate":false})";
  }
  out += "]";
}

std::string position_after(TopicId topic, WallTime now, const std::vector<node::Place>& places) {
  wire::http::Position position{.topic = topic, .since = now, .next = {}};
  for (const node::Place& place : places) {
    const auto at = std::lower_bound(position.next.begin(), position.next.end(), place.partition,
                                     [](const auto& entry, PartitionId wanted) { return entry.first < wanted; });
    if (at == position.next.end() || at->first != place.partition)
      position.next.insert(at, {place.partition, place.offset + 1});
    else
      at->second = std::max(at->second, place.offset + 1);
  }
  return wire::http::write_position(position);
}

}  // namespace continuo::serve
