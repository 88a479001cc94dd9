// Trimming: what consumers hold is copied first, what they lose is told; and copies that nobody needs are given up.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/core_state.h"

namespace continuo::node {
namespace {

constexpr std::size_t effects_in_a_command = 12;  // of a trim that has little to do: done with the command
constexpr std::size_t records_per_job = 1'000;

}  // namespace

// ---- trims ----------------------------------------------------------------------------------------------------------

void Core::trim(Edge& edge, TopicId topic, PartitionId partition, Offset before, Answer<PartitionState> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  const PartitionRef ref{topic, partition};
  if (is_node_topic(topic))
    return reply<PartitionState>(edge, std::move(answer),
                                 continuo::fail(Code::system_name, fmt::format("'{}' is trimmed by the node alone",
                                                                               topics_.find(topic)->definition.name)));
  auto decided = topics_.decide_trim(ref, before);
  if (!decided) return reply<PartitionState>(edge, std::move(answer), pass(decided));
  Trimming trimming{&edge, {ref, topics_.head(ref)->first, *decided}, std::move(answer), {}, false};
  trims_.push_back(std::move(trimming));
  if (trims_.size() == 1) advance_trim(effects_in_a_command);
}

// One step of the oldest trim: a slice of the pass over the subscriptions, or its end. Waits while records are read.
void Core::advance_trim(std::size_t most) {
  if (trims_.empty() || keeping_) return;
  open();
  Trimming& trim = trims_.front();
  const PartitionRef ref = trim.pass.partition;
  auto decided = topics_.decide_trim(ref, trim.pass.before);
  if (!decided) return end_trim(pass(decided));  // its topic was deleted meanwhile
  if (!trim.passed) pass_over(trim, std::min<std::size_t>(most, limits_.trim_slice));
  if (!trim.held.empty()) {
    if (!trim.passed && trim.held.size() < records_per_job) return;
    keeping_ = true;
    keep_job_ = KeepJob{ref, {trim.held.begin(), trim.held.end()}};
    return;
  }
  if (!trim.passed) return;
  if (*decided > topics_.head(ref)->first) lay_trim(ref, *decided);
  const engines::HeadUnit& head = *topics_.head(ref);
  end_trim(PartitionState{ref.partition, head.first, head.next, 0});
}

// A frame of its own.
void Core::lay_trim(PartitionRef partition, Offset before) {
  begin_frame();
  open_->group.log.trim({partition, before});
  topics_.trimmed(partition, before);
  end_frame();
}

void Core::end_trim(Result<PartitionState> result) {
  Trimming trim = std::move(trims_.front());
  trims_.pop_front();
  reply<PartitionState>(*trim.edge, std::move(trim.answer), std::move(result));
}

void Core::pass_over(Trimming& trim, std::size_t most) {
  const PartitionRef ref = trim.pass.partition;
  const auto copied = [&](Offset offset) { return trim.held.contains(offset) || kept_.find(ref, offset) != nullptr; };
  const engines::TrimSlice slice = subscriptions_.decide_trim(trim.pass, copied, most);
  begin_frame();
  for (const engines::Effect& effect : slice.effects) apply(effect);
  end_frame();
  for (const engines::TrimLoss& loss : slice.losses) {
    tell_loss(
        loss, ref, topics_.find(ref.topic)->definition.name,
        fmt::format(R"("reason":"trimmed","from":"{}","next":"{}",)", trim.pass.first.value, trim.pass.before.value));
    maybe_ready(loss.subscription);
  }
  // What nobody may wait for any longer needs no copy; what is held is looked at again when its copy is laid.
  trim.held.insert(slice.held.begin(), slice.held.end());
  trim.pass = slice.next;
  trim.passed = slice.complete;
}

std::optional<KeepJob> Core::keep_job() {
  if (failed_) return std::nullopt;
  return std::exchange(keep_job_, std::nullopt);
}

// Readers of new subscriptions begin behind a trim that is under way: its pass may be over them already.
Offset Core::first_of(const engines::HeadUnit& head) const {
  if (!trims_.empty() && trims_.front().pass.partition == head.partition)
    return std::max(head.first, trims_.front().pass.before);
  return head.first;
}

// ---- copies ---------------------------------------------------------------------------------------------------------

// Copies and edits: what of them is needed only the node knows.
bool Core::is_node_topic(TopicId topic) const {
  const engines::TopicUnit* found = topics_.find(topic);
  return found != nullptr && (found->definition.name == kept_topic || found->definition.name == edits_topic);
}

// Of the node's own topics: made when it is missing.
PartitionRef Core::system_partition(std::string_view name) {
  if (topics_.find(name) == nullptr) {
    auto decision = topics_.decide_create(std::string{name}, {}, now_.wall, true);
    CHECK(decision.has_value(), "a topic of the node's own can be made");
    define_topic(decision->defined);
  }
  return {topics_.find(name)->definition.id, PartitionId{0}};
}

void Core::keep(const KeepJob& job, std::vector<ReadRecord> records) {
  if (failed_) return;
  keeping_ = false;
  if (job.dead_letters) return bury(records);
  if (trims_.empty() || trims_.front().pass.partition != job.partition) return;
  open();
  Trimming& trim = trims_.front();
  const PartitionRef copies = system_partition(kept_topic);
  std::vector<engines::KeptRecord> kept;
  begin_frame();
  for (ReadRecord& record : records) {
    trim.held.erase(record.offset);
    const bool wanted = record.readable && kept_.find(job.partition, record.offset) == nullptr &&
                        subscriptions_.waits_for(job.partition, record.offset, record.key_hash);
    if (!wanted) continue;
    const Offset copy = topics_.head(copies)->next;
    lay({copies.topic, copies.partition, std::move(record.body), record.timestamp_ms, {}}, copy);
    topics_.appended(copies, copy + 1);
    kept.push_back({record.offset, copy, record.key_hash});
    open_->group.kept.push_back({job.partition, record.offset, copy});
  }
  for (const engines::RecordsKept& each : kept_.decide_keep(job.partition, kept)) {
    effect(each);
    kept_.apply(each);
  }
  end_frame();
}

void Core::note_leaving(const engines::Effect& effect) {
  if (kept_.empty()) return;
  for (const auto& event : subscriptions_.leaving(effect))
    if (kept_.find(event.first, event.second) != nullptr) left_.insert(event);
}

// Of the events that left a queue - after a start: of all that are kept - those nobody waits for are released.
void Core::release_kept() {
  // Each costs a look at every subscription.
  const std::size_t most = std::max<std::size_t>(1, 2'000 / (1 + subscriptions_.by_name().size()));
  std::vector<std::pair<PartitionRef, Offset>> looked_at;
  if (unchecked_) {
    looked_at = kept_.list(*unchecked_, most);
    unchecked_.reset();
    if (looked_at.size() == most) unchecked_ = {looked_at.back().first, looked_at.back().second + 1};
  } else {
    while (looked_at.size() < most && !left_.empty()) looked_at.push_back(left_.extract(left_.begin()).value());
  }
  std::erase_if(looked_at, [&](const auto& event) {
    const engines::KeptRecord* kept = kept_.find(event.first, event.second);
    return kept == nullptr || subscriptions_.waits_for(event.first, event.second, kept->key_hash);
  });
  if (looked_at.empty()) return;
  begin_frame();
  for (const engines::RecordsReleased& released : kept_.decide_release(looked_at)) {
    effect(released);
    kept_.apply(released);
  }
  end_frame();
  for (const auto& [partition, offset] : looked_at) open_->group.kept.push_back({partition, offset, std::nullopt});
  trim_copies();
}

// Behind the oldest copy that somebody needs.
void Core::trim_copies() {
  const PartitionRef copies = system_partition(kept_topic);
  const Offset before = kept_.lowest_copy().value_or(topics_.head(copies)->next);
  if (before <= topics_.head(copies)->first) return;
  lay_trim(copies, before);
}

void Core::tell_kept(const std::function<void(const KeptChange&)>& tell) const {
  for (auto some = kept_.list({}, records_per_job); !some.empty();
       some = kept_.list({some.back().first, some.back().second + 1}, records_per_job))
    for (const auto& [partition, offset] : some) tell({partition, offset, kept_.find(partition, offset)->copy});
}

// ---- losses ---------------------------------------------------------------------------------------------------------

// Retention wins over a slow subscription, but never silently. `where` is the beginning of the event's data.
void Core::tell_loss(const engines::TrimLoss& loss, PartitionRef partition, std::string_view topic,
                     std::string_view where) {
  const engines::SubscriptionUnit* unit = subscriptions_.find(loss.subscription);
  if (unit == nullptr) return;
  announce("continuo.subscription.events_lost", unit->definition.name,
           fmt::format(R"({{"topic":"{}","partition":{},{}"waiting":{},"unread_at_most":{},"events_at_most":{}}})",
                       topic, partition.partition.value, where, loss.waiting, loss.unread_at_most,
                       loss.waiting + loss.unread_at_most));
}

// A trim moves the cursors it overtakes; what stands lower all the same was overtaken by a loss of the journal.
void Core::tell_passed_over(const Offer& offer) {
  const engines::HeadUnit* head = topics_.head(offer.partition);
  if (!offer.events.empty() || head == nullptr || head->first <= offer.from || offer.next < head->first) return;
  tell_loss({offer.subscription, 0, static_cast<std::uint64_t>(head->first - offer.from)}, offer.partition,
            topics_.find(offer.partition.topic)->definition.name,
            fmt::format(R"("reason":"trimmed","from":"{}","next":"{}",)", offer.from.value, head->first.value));
}

// Events that subscriptions still had of a topic that is gone: counted by the slice of the job that drops them.
void Core::tell_dropped(const std::vector<engines::Effect>& effects, std::string_view topic) {
  std::map<std::pair<SubscriptionId, PartitionRef>, std::uint64_t> dropped;
  for (const engines::Effect& effect : effects) {
    engines::KeyRef key;
    if (effect.type == engines::EffectType::key_dropped)
      key = engines::decode<engines::KeyDropped>(effect.version, effect.payload)->key;
    else if (effect.type == engines::EffectType::key_page_dropped)
      key = engines::decode<engines::KeyPageDropped>(effect.version, effect.payload)->key;
    else
      continue;
    dropped[{key.subscription, key.partition}] += subscriptions_.leaving(effect).size();
  }
  for (const auto& [place, events] : dropped)
    tell_loss({place.first, events, 0}, place.second, topic, R"("reason":"topic_deleted",)");
}

}  // namespace continuo::node
