#include "continuo/delivery/topic_copy.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "continuo/record/media_type.h"
#include "continuo/record/partitioner.h"

namespace continuo::delivery {
namespace {

using record::DataKind;
using record::Event;
using record::Record;

constexpr std::uint32_t most_events = 100;
constexpr std::size_t most_bytes = 4u << 20;  // a commit has room for one record of any size more
constexpr Millis lease{5'000};                // a copy that comes too late is refused with its acknowledgement

bool is_attribute(std::string_view header) { return header.starts_with("ce_"); }

// An event in the binding's binary mode has all that readers need in its headers.
bool is_whole(const Record& record) {
  int found = 0;
  record::HeaderWalk walk{record};
  while (const auto header = walk.next())
    if (header->value && (header->key == "ce_id" || header->key == "ce_source" || header->key == "ce_type")) ++found;
  return found >= 3;
}

// Other producers' records have no type of content, and were looked at to know it.
std::string_view content_type_of(const Event& event) {
  if (!event.datacontenttype.empty()) return event.datacontenttype;
  if (event.data_kind == DataKind::json) return "application/json";
  return event.data_kind == DataKind::text ? "text/plain; charset=utf-8" : std::string_view{};
}

std::vector<record::Header> attributes_of(const Event& event) {
  std::vector<record::Header> headers{{"ce_specversion", "1.0"}};
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) headers.push_back({name, value});
  };
  add("ce_id", event.id);
  add("ce_source", event.source);
  add("ce_type", event.type);
  add("ce_subject", event.subject);
  add("ce_time", event.time);
  add("ce_dataschema", event.dataschema);
  add("content-type", content_type_of(event));
  return headers;
}

}  // namespace

std::string copied_body(const Record& record, const Event& event) {
  const bool whole = is_whole(record);
  std::vector<record::Header> headers;
  if (!whole) headers = attributes_of(event);
  record::HeaderWalk walk{record};
  while (const auto header = walk.next()) {
    const bool own = header->key == "ce_correlationid" || header->key == "ce_causationid";
    const bool written = is_attribute(header->key) || record::equal_ignoring_case(header->key, "content-type");
    if (whole ? !own : !written) headers.push_back(*header);
  }
  std::vector<std::string> names;  // of extensions; views into them must not move
  names.reserve(event.extensions.size());
  if (!whole)
    for (const record::Extension& extension : event.extensions)
      if (extension.name != "correlationid" && extension.name != "causationid")
        headers.push_back({names.emplace_back("ce_" + std::string{extension.name}), extension.value});
  const std::string_view cause = event.extension("causationid");
  headers.push_back({"ce_correlationid", event.extension("correlationid")});
  headers.push_back({"ce_causationid", cause.empty() ? event.id : cause});
  std::string body;
  record::BodyWriter writer{body};
  const std::string_view key = event.key();
  writer.key(record.key || key.empty() ? record.key : std::optional{key});
  if (whole)
    writer.value(record.value);
  else
    writer.value(event.data_kind == DataKind::none ? std::nullopt : std::optional{event.data});
  writer.header_count(headers.size());
  for (const record::Header& header : headers) writer.header(header.key, header.value);
  return body;
}

TopicCopy::TopicCopy(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
                     std::shared_ptr<PushCounts> counts, std::string into)
    : Pusher(thread, std::move(subscription), std::move(counts)), into_(std::move(into)) {}

void TopicCopy::go_on() {
  counts_->in_flight.store(static_cast<std::uint32_t>(under_way_.size()), std::memory_order_relaxed);
  if (copying_ || !may_receive()) return;
  const bool held = thread_.catalogue().find_topic(into_) == nullptr || thread_.goes_round(subscription_->id);
  if (held != counts_->held.exchange(held, std::memory_order_relaxed) && held)
    std::fprintf(stderr, "continuo: subscription %s copies nothing: %s\n", subscription_->name.c_str(),
                 thread_.catalogue().find_topic(into_) == nullptr ? "its target topic is gone" : "it would go round");
  if (held) return;  // until definitions change
  const Micros now = thread_.clock().steady();
  if (now < not_before_) return thread_.wake_at(subscription_->id, not_before_);
  receive(most_events, lease, 0);
}

void TopicCopy::received(std::vector<node::Delivery> deliveries) {
  began_ = thread_.clock().steady();
  node::Settle batch = settle_of();
  batch_bytes_ = 0;
  const node::Topic* into = thread_.catalogue().find_topic(into_);
  std::size_t taken = 0;
  while (into != nullptr && taken < deliveries.size() && add(deliveries[taken], *into, batch)) ++taken;
  std::vector<node::Lease> back;
  for (std::size_t i = std::max(taken, batch.nacks.size()); i < deliveries.size(); ++i)
    back.push_back(deliveries[i].lease);
  give_back(std::move(back));
  if (!batch.acks.empty() || !batch.nacks.empty()) settle(std::move(batch));
}

// What cannot be read ends a batch, and fails in one of its own: acknowledgements behind it in its run would be
// refused.
bool TopicCopy::add(const node::Delivery& delivery, const node::Topic& into, node::Settle& batch) {
  const auto found = find(delivery);
  if (!found) {
    if (batch.acks.empty()) {
      counts_->add_failure("unreadable");
      batch.nacks.push_back(
          {delivery.lease, {std::string{name(found.error().code)}, found.error().detail}, {}, {}, {}});
    }
    return false;
  }
  node::NewRecord copy;
  copy.topic = into.id;
  copy.body = copied_body(found->record, found->event);
  if (batch_bytes_ + copy.body.size() > most_bytes && !batch.acks.empty()) return false;
  batch_bytes_ += copy.body.size();
  copy.partition = found->record.key ? record::partition_of(*found->record.key, into.settings.partitions)
                                     : record::partition_of(found->event, into.settings.partitions);
  copy.timestamp_ms = found->record.timestamp_ms >= 0 ? found->record.timestamp_ms : thread_.clock().wall().ms;
  batch.acks.push_back(delivery.lease);
  batch.publish.push_back(std::move(copy));
  return true;
}

void TopicCopy::settle(node::Settle batch) {
  copying_ = true;
  under_way_ = batch.acks;
  for (const node::Nack& nack : batch.nacks) under_way_.push_back(nack.lease);
  const auto request = std::make_shared<const node::Settle>(std::move(batch));
  thread_.node().settle(thread_.edge(), *request,
                        [weak = weak_from_this(), request](const Result<node::Settled>& done) {
                          if (const auto self = weak.lock()) static_cast<TopicCopy&>(*self).settled(request, done);
                        });
}

void TopicCopy::settled(const std::shared_ptr<const node::Settle>& batch, const Result<node::Settled>& done) {
  copying_ = false;
  std::vector<node::Lease> leases = std::exchange(under_way_, {});
  if (done && done->places.size() == batch->publish.size()) {
    counts_->add_time(thread_.clock().steady() - began_);
    counts_->delivered.fetch_add(batch->publish.size(), std::memory_order_relaxed);
  } else if (!done && done.error().code == Code::too_large && leases.size() == 1) {
    nack(leases.front(), done.error());
  } else {
    // Nothing happened at all: the topic is another, the disk is full, or a lease was lost. All come again.
    give_back(std::move(leases));
    if (!done) not_before_ = thread_.clock().steady() + push_again_after;
  }
  go_on();
}

void TopicCopy::nack(const node::Lease& lease, const Error& error) {
  counts_->add_failure("unreadable");
  node::Settle failed = settle_of();
  failed.nacks.push_back({lease, {std::string{name(error.code)}, error.detail}, {}, {}, {}});
  settle(std::move(failed));
}

void TopicCopy::abort() { give_back(std::exchange(under_way_, {})); }

}  // namespace continuo::delivery
