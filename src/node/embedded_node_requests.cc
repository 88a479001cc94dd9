// The embedded node as its edges see it: requests within credits, records, state.
#include "continuo/node/embedded_node.h"
#include "continuo/node/record_finder.h"
#include "continuo/node/record_times.h"
#include "continuo/record/utf8.h"

namespace continuo::node {
namespace {

std::size_t room_of(const std::vector<NewRecord>& records) {
  std::size_t bytes = 1024;
  for (const NewRecord& record : records) bytes += record::max_record_size(record.body.size()) + 40;
  return bytes;
}

std::size_t room_of(const std::vector<NewBatch>& batches) {
  constexpr std::size_t batch_room = log::Group::batch_overhead + 128;  // and the effect that numbers it
  std::size_t bytes = 1024;
  for (const NewBatch& batch : batches) bytes += batch.bytes.size() + batch_room;
  return bytes;
}

// As JSON, at most. The text may end within a character.
std::size_t json_size(std::string_view text) {
  const bool utf8 = record::valid_utf8_prefix(text) + 3 >= text.size();
  std::size_t size = 2;
  for (const char c : text) size += utf8 && static_cast<unsigned char>(c) >= ' ' ? (c == '"' || c == '\\' ? 2 : 1) : 6;
  return size;
}

// The effect that keeps a failure, and the event that tells of it.
std::size_t room_of(const Nack& nack) {
  constexpr std::size_t heads = 1'000;
  const auto& [code, message] = nack.failure;
  const std::size_t told = 2 * json_size(code) + json_size(std::string_view{message}.substr(0, longest_told_message)) +
                           json_size(nack.event_type) + json_size(nack.key_text);
  return heads + code.size() + message.size() + nack.event_type.size() + nack.key_text.size() + told;
}

// Each entry, and what each key may do beyond: a page of its waiting events joins its front.
std::size_t room_of(const Settle& settle) {
  constexpr std::size_t entry_bytes = 96, key_bytes = 450;
  const std::size_t entries = settle.acks.size() + settle.nacks.size() + settle.extends.size();
  std::size_t keys = settle.nacks.size() + settle.extends.size();
  for (std::size_t i = 0; i < settle.acks.size(); ++i) {
    const Lease& lease = settle.acks[i];
    const bool same = i != 0 && lease.partition == settle.acks[i - 1].partition &&
                      lease.key_hash == settle.acks[i - 1].key_hash;  // runs are mostly named as they were received
    keys += same ? 0 : 1;
  }
  std::size_t room = room_of(settle.publish) + entries * entry_bytes + keys * key_bytes;
  for (const Nack& nack : settle.nacks) room += room_of(nack);
  return room;
}

}  // namespace

Error EmbeddedNode::no_credit(Code refusal) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  return {refusal, "more is asked at once than may be in flight", {}, {}, 1};
}

Result<void> EmbeddedNode::may_publish(std::uint64_t bytes) {
  if (auto open = node::may_publish(home_->stats()); !open) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return open;
  }
  if (!publish_credit_->has(bytes)) return std::unexpected(no_credit(Code::overloaded));
  return {};
}

// A command that appends, within the credit of publishes; `what` takes so much room in the log.
template <class T, class Act>
void EmbeddedNode::append(std::size_t room, std::string_view what, Edge& edge, Answer<T> answer, Act act) {
  if (room > options_.limits.frame_bytes || room > group_budget)
    return refuse(
        edge, std::move(answer),
        {Code::too_large,
         fmt::format("the {} take {} bytes in the log, one commit holds at most {}", what, room, group_budget),
         {},
         {}});
  within(publish_credit_, room, room, Code::overloaded, edge, std::move(answer), std::move(act), true);
}

void EmbeddedNode::publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer) {
  const std::size_t room = room_of(records);
  append(room, "events", edge, std::move(answer),
         [&edge, records = std::move(records)](Core& core, auto reply) mutable {
           core.publish(edge, std::move(records), std::move(reply));
         });
}

void EmbeddedNode::produce(Edge& edge, std::vector<NewBatch> batches, Answer<std::vector<Result<BatchPlace>>> answer) {
  const std::size_t room = room_of(batches);
  append(room, "batches", edge, std::move(answer),
         [&edge, batches = std::move(batches)](Core& core, auto reply) mutable {
           core.produce(edge, std::move(batches), std::move(reply));
         });
}

void EmbeddedNode::create_topic(Edge& edge, std::string name, TopicSettings settings, Answer<Put<Topic>> answer) {
  control(edge, std::move(answer), [name = std::move(name), settings, &edge](Core& core, auto reply) mutable {
    core.create_topic(edge, std::move(name), settings, false, std::move(reply));
  });
}

void EmbeddedNode::change_topic(Edge& edge, std::string name, TopicChange change, bool only_checked,
                                Answer<Topic> answer) {
  within(control_credit_, 1, definition_bytes, Code::too_many_requests, edge, std::move(answer),
         [name = std::move(name), change, only_checked, &edge](Core& core, auto reply) mutable {
           core.change_topic(edge, std::move(name), change, only_checked, std::move(reply));
         });
}

void EmbeddedNode::delete_topic(Edge& edge, std::string name, Answer<void> answer) {
  control(edge, std::move(answer), [name = std::move(name), &edge](Core& core, auto reply) mutable {
    core.delete_topic(edge, std::move(name), std::move(reply));
  });
}

void EmbeddedNode::put_subscription(Edge& edge, std::string name, SubscriptionSettings settings,
                                    std::vector<std::pair<PartitionRef, Offset>> begin,
                                    Answer<Put<Subscription>> answer) {
  within(control_credit_, 1, definition_bytes, Code::too_many_requests, edge, std::move(answer),
         [name = std::move(name), settings = std::move(settings), begin = std::move(begin), &edge](
             Core& core, auto reply) mutable { core.put_subscription(edge, name, settings, begin, std::move(reply)); });
}

void EmbeddedNode::change_subscription(Edge& edge, std::string name, SubscriptionChange change,
                                       Answer<ChangedSubscription> answer) {
  within(control_credit_, 1, definition_bytes, Code::too_many_requests, edge, std::move(answer),
         [name = std::move(name), change = std::move(change), &edge](Core& core, auto reply) mutable {
           core.change_subscription(edge, name, std::move(change), std::move(reply));
         });
}

void EmbeddedNode::offer_all(Edge& edge, std::vector<Offer> offers, Answer<std::vector<Result<OfferCredit>>> answer) {
  constexpr std::size_t event_bytes = 48, offer_bytes = 512;  // with the event that tells of what was trimmed
  std::size_t bytes = control_bytes + offers.size() * offer_bytes;
  for (const Offer& offer : offers) bytes += offer.events.size() * event_bytes;
  submit(bytes, [&edge, offers = std::move(offers), answer = std::move(answer)](Core& core) mutable {
    core.offer_all(edge, offers, std::move(answer));
  });
}

void EmbeddedNode::skip_damaged(Edge& edge, PartitionRef partition, Offset from, Offset next, std::string reason,
                                Answer<void> answer) {
  const auto readable = home_->read(partition, from, 1);
  if (!readable && readable.error().code == Code::damaged_data)
    return control(edge, std::move(answer), [=, reason = std::move(reason), &edge](Core& core, auto reply) mutable {
      core.skip_damaged(edge, partition, from, next, std::move(reason), std::move(reply));
    });
  Error error =
      readable ? Error{Code::bad_request, fmt::format("the record at offset {} can be read", from.value), "from", {}}
               : readable.error();
  refuse(edge, std::move(answer), std::move(error));
}

void EmbeddedNode::receive(Edge& edge, Receive receive, Answer<Received> answer) {
  within(settle_credit_, 1, control_bytes, Code::too_many_requests, edge, std::move(answer),
         [&edge, receive = std::move(receive)](Core& core, auto reply) mutable {
           core.receive(edge, std::move(receive), std::move(reply));
         });
}

void EmbeddedNode::settle(Edge& edge, Settle settle, Answer<Settled> answer) {
  const std::size_t entries = settle.acks.size() + settle.nacks.size() + settle.extends.size();
  const std::size_t room = room_of(settle);
  if (room > group_budget || entries > entries_per_settle || settle.publish.size() > entries_per_settle)
    return refuse(edge, std::move(answer), {Code::too_large, "the request is too large for one commit", {}, {}});
  // Failures may end a release, which says its words once more.
  constexpr std::size_t release_room = 36 * 1024;
  const std::size_t most = std::min(group_budget, room + (settle.nacks.empty() ? 0 : release_room));
  within(settle_credit_, room, most, Code::too_many_requests, edge, std::move(answer),
         [&edge, settle = std::move(settle)](Core& core, auto reply) mutable {
           core.settle(edge, std::move(settle), std::move(reply));
         });
}

void EmbeddedNode::subscription_state(Edge& edge, SubscriptionId id, Answer<SubscriptionState> answer) {
  // The log knows when the oldest event came; it is asked on the edge's thread, where reading files is allowed.
  Answer<SubscriptionState> dated = [this, alive = std::weak_ptr<void>{alive_},
                                     answer = std::move(answer)](Result<SubscriptionState> state) mutable {
    if (state && !alive.expired()) state->oldest = oldest_append(*this, state->unsettled);
    answer(std::move(state));
  };
  control(edge, std::move(dated),
          [=, &edge](Core& core, auto reply) { core.subscription_state(edge, id, std::move(reply)); });
}

void EmbeddedNode::survey_subscriptions(Edge& edge, SurveySubscriptions wanted, Answer<SubscriptionsSurvey> answer) {
  control(edge, std::move(answer), [wanted = std::move(wanted), &edge](Core& core, auto reply) {
    core.survey_subscriptions(edge, wanted, std::move(reply));
  });
}

Result<std::optional<RecordTime>> EmbeddedNode::first_record_since(PartitionRef partition, std::int64_t timestamp_ms) {
  return node::first_record_since(*home_, partition, timestamp_ms);
}

Result<std::optional<RecordTime>> EmbeddedNode::newest_record(PartitionRef partition) {
  return node::newest_record(*home_, partition);
}

Result<std::shared_ptr<const std::string>> EmbeddedNode::read_one(PartitionRef partition, Offset offset) {
  reads_.fetch_add(1, std::memory_order_relaxed);
  // What was trimmed or deleted meanwhile is not served from the cache either, and copies do not go into it.
  const auto state = home_->state(partition);
  if (!state || offset < state->first) return read_or_copy(partition, offset);
  if (auto kept = cache_.find(partition, offset)) return kept;
  auto batch = read_or_copy(partition, offset);
  if (!batch) return batch;
  const auto header = record::read_batch_header(**batch);
  cache_.keep(partition, header->base_offset, header->next_offset(), *batch);
  return batch;
}

Result<std::shared_ptr<const std::string>> EmbeddedNode::read_or_copy(PartitionRef partition, Offset offset) {
  return node::read_or_copy(*home_, kept_places_, [this] { return catalogue(); }, partition, offset);
}

void EmbeddedNode::remove_edge(Edge& edge) {
  // The caller may be the edge's own thread: wait for the core, not for the answer.
  std::atomic<bool> removed{false};
  ++leaving_;
  if (core_thread_.joinable() && health_ != Health::stopped) {
    submit(0, [&](Core& core) {
      core.remove_edge(edge);
      removed.store(true, std::memory_order_release);
      removed.notify_all();
    });
    wakeup_.wake();  // also when this thread works in rounds: it ends none while it waits
    removed.wait(false);
  }
  --leaving_;
}

Stats EmbeddedNode::stats() const {
  const auto published = stats_.load();
  Stats stats = published ? *published : Stats{};
  stats.refused_overload = refused_;
  stats.reads = reads_;
  const log::HomeStats home = home_->stats();
  stats.checkpoints = home.checkpoints;
  stats.written_behind_bytes = home.written_behind_bytes;
  stats.cold_reads = home.cold_reads;
  stats.journal_used_bytes = home.used_slots * home.slot_bytes;
  stats.journal_size_bytes = home.slots * home.slot_bytes;
  stats.tail_bytes = home.tail_bytes;
  stats.disk_full = home.disk_full;
  stats.short_of_files = home.short_of_files;
  return stats;
}

}  // namespace continuo::node
