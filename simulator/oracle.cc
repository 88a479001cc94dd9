#include "continuo/simulator/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/base/hash.h"
#include "continuo/record/batch.h"

namespace continuo::simulator {
namespace {

constexpr Millis dedup_certain{60'000};  // repeats within this are known to be within every window

EventNumber number_in(std::string_view value) {
  EventNumber number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

// A failed node may or may not have done what it was asked.
bool unsure(const Error& error) { return error.code == Code::node_failed; }

}  // namespace

std::string SentEvent::body() const {
  std::string bytes;
  record::BodyWriter writer{bytes};
  writer.key(key).value(*value);
  writer.header_count((deliverable != WallTime{} ? 1u : 0u) + (expires != WallTime{} ? 1u : 0u));
  if (deliverable != WallTime{}) writer.header("ce_notbefore", format_time(deliverable));
  if (expires != WallTime{}) writer.header("ce_expiretime", format_time(expires));
  return bytes;
}

node::NewRecord SentEvent::record() const {
  node::NewRecord record;
  record.topic = partition.topic;
  record.partition = partition.partition;
  record.body = body();
  record.timestamp_ms = static_cast<std::int64_t>(number);
  if (deduplicated) record.fingerprint = {Hash128{same_id_as, 0x5eed}, hash64(*value)};
  return record;
}

// ---- events ---------------------------------------------------------------------------------------------------------

RequestNumber Oracle::sends(std::vector<SentEvent> events, std::optional<node::Settle> settle) {
  const RequestNumber number = requests_.size() + 1;
  Request& request = requests_[number];
  for (SentEvent& event : events) {
    event.request = number;
    event.not_before = known_end(event.partition);
    request.events.push_back(event.number);
    const EventNumber key = event.number;
    events_.insert_or_assign(key, std::move(event));
  }
  if (settle) {
    request.settle = SentSettle{std::move(*settle), {}};
    doubt(*request.settle, true);
  }
  return number;
}

void Oracle::repeats(RequestNumber number) {
  Request& request = requests_.at(number);
  ++request.pending;
  request.perhaps = request.outcome != Outcome::refused;
  if (request.outcome != Outcome::refused) return;
  request.outcome = Outcome::unanswered;
  for (const EventNumber each : request.events) events_.at(each).not_before = known_end(events_.at(each).partition);
  if (request.settle) doubt(*request.settle, true);
}

void Oracle::answered(RequestNumber number, const Result<node::Published>& answer, Elapsed now) {
  ++answers_;
  Request& request = requests_.at(number);
  if (!answer) {
    if (unsure(answer.error())) return;
    if (--request.pending == 0 && request.outcome == Outcome::unanswered) request.outcome = Outcome::refused;
    return;
  }
  --request.pending;
  if (answer->places.size() != request.events.size())
    return breach(fmt::format("request {} got places for other events", number));
  if (request.outcome == Outcome::refused)
    return breach(fmt::format("request {} was refused before and is done now", number));
  request.outcome = Outcome::done;
  for (std::size_t i = 0; i < request.events.size(); ++i) place(events_.at(request.events[i]), answer->places[i], now);
}

void Oracle::place(SentEvent& event, const node::Place& place, Elapsed now) {
  const bool certain = event.deduplicated && now.ms - event.sent.ms < dedup_certain.count();
  // A settle is remembered as it was answered first: new, not duplicate.
  const bool said = place.duplicate || requests_.at(event.request).settle.has_value();
  if (event.offset && certain && (place.offset != *event.offset || !said))
    return breach(fmt::format("event {} is at offset {}, but its repeat was answered {} ({})", event.number,
                              event.offset->value, place.offset.value, place.duplicate ? "duplicate" : "new"));
  if (!event.offset) know(event, place.offset);
}

void Oracle::know(SentEvent& event, Offset offset) {
  auto& known = partitions_[event.partition].known;
  const auto [at, fresh] = known.emplace(offset, event.number);
  if (!fresh && at->second != event.number)
    return breach(fmt::format("{} was given to event {} and to event {}", name_of(event.partition, offset), at->second,
                              event.number));
  event.offset = offset;
}

void Oracle::trims(PartitionRef partition, Offset before) {
  if (before == max_offset) before = Offset{1'000'000'000};
  auto& perhaps = partitions_[partition].perhaps;
  perhaps = std::max(perhaps, before);
}

void Oracle::trimmed(PartitionRef partition, Offset before) {
  ++answers_;
  auto& certain = partitions_[partition].trimmed;
  certain = std::max(certain, before);
}

Offset Oracle::known_end(PartitionRef partition) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end() || found->second.known.empty()) return Offset{0};
  return found->second.known.rbegin()->first + 1;
}

std::string Oracle::name_of(PartitionRef partition, Offset offset) const {
  return fmt::format("topic {} partition {} offset {}", partition.topic.value, partition.partition.value, offset.value);
}

void Oracle::breach(std::string what) {
  if (breaches_.size() < 20) breaches_.push_back(std::move(what));
}

// ---- definitions ----------------------------------------------------------------------------------------------------

void Oracle::topic_is(const std::string& name, std::optional<TopicId> id) {
  ++answers_;
  Named<TopicId>& topic = topics_[name];
  --topic.unanswered;
  topic.id = id;
}

void Oracle::subscription_is(const std::string& name, std::optional<node::Subscription> subscription) {
  ++answers_;
  auto& named = subscriptions_[name];
  --named.unanswered;
  named.id.reset();
  if (!subscription) return;
  named.id = subscription->id;
  Reader& reader = readers_[subscription->id];
  reader.settings = subscription->settings;
  reader.topics = subscription->topics;
}

std::optional<TopicId> Oracle::topic(const std::string& name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::nullopt : found->second.id;
}

std::optional<SubscriptionId> Oracle::subscription(const std::string& name) const {
  const auto found = subscriptions_.find(name);
  return found == subscriptions_.end() ? std::nullopt : found->second.id;
}

const SentEvent* Oracle::event_at(PartitionRef partition, Offset offset) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return nullptr;
  const auto known = found->second.known.find(offset);
  return known == found->second.known.end() ? nullptr : &events_.at(known->second);
}

void Oracle::adopt(const node::Catalogue& catalogue) {
  for (const auto& [name, topic] : catalogue.topics)
    if (holds_letters(name)) topics_[name] = {topic->id, 0};
  for (const auto& [name, subscription] : catalogue.subscriptions)
    if (holds_letters(name)) {
      subscriptions_[name].unanswered = 1;
      subscription_is(name, *subscription);
      --answers_;
    }
}

void Oracle::check_definitions(const node::Catalogue& catalogue, bool restarted) {
  adopt(catalogue);
  if (restarted) forget_purges();
  if (restarted) forget_moves(catalogue);
  for (const auto& [name, topic] : catalogue.topics)
    if (!topics_.contains(name) && !engines::is_system_name(name))
      breach(fmt::format("topic '{}' was never created", name));
  if (restarted) std::erase_if(gone_, [&](TopicId id) { return !catalogue.topic_name(id).empty(); });
  for (auto& [name, known] : topics_) {
    const node::Topic* found = catalogue.find_topic(name);
    const auto id = found == nullptr ? std::nullopt : std::optional{found->id};
    if (known.unanswered == 0 && id != known.id)
      breach(fmt::format("topic '{}' is {}, but was answered {}", name, id ? "there" : "not there",
                         known.id ? "there" : "not there"));
    if (restarted) known = {id, 0};
  }
  for (const auto& [name, subscription] : catalogue.subscriptions)
    if (!subscriptions_.contains(name)) breach(fmt::format("subscription '{}' was never made", name));
  for (auto& [name, known] : subscriptions_) {
    const node::Subscription* found = catalogue.find_subscription(name);
    const auto id = found == nullptr ? std::nullopt : std::optional{found->id};
    if (known.unanswered == 0 && id != known.id)
      breach(fmt::format("subscription '{}' is {}, but was answered {}", name, id ? "there" : "not there",
                         known.id ? "there" : "not there"));
    if (!restarted) continue;
    known.unanswered = 1;
    subscription_is(name, found == nullptr ? std::nullopt : std::optional{*found});
    --answers_;
  }
}

// ---- records --------------------------------------------------------------------------------------------------------

void Oracle::begin_reading() {
  seen_.clear();
  runs_.clear();
  turns_.clear();
}

void Oracle::read(PartitionRef partition, Offset offset, std::string_view key, std::string_view value) {
  const EventNumber number = number_in(value);
  const auto found = events_.find(number);
  const std::string where = name_of(partition, offset);
  const auto [run, fresh] = runs_.try_emplace(partition, offset, offset + 1);
  if (!fresh) {
    if (run->second.second != offset) breach(fmt::format("{} follows offset {}", where, run->second.second.value - 1));
    run->second.second = offset + 1;
  }
  if (found == events_.end()) return breach(fmt::format("{} holds an event nobody sent", where));
  const SentEvent& event = found->second;
  if (event.partition != partition || event.key != key || *event.value != value)
    return breach(fmt::format("{} holds event {}, changed", where, number));
  if (outcome_of(event) == Outcome::refused)
    return breach(fmt::format("{} holds event {}, which was refused", where, number));
  if (event.offset && *event.offset != offset)
    return breach(fmt::format("{} holds event {}, which is at offset {}", where, number, event.offset->value));
  if (const auto known = partitions_[partition].known.find(offset);
      known != partitions_[partition].known.end() && known->second != number)
    return breach(fmt::format("{} holds event {}, but event {} was acknowledged there", where, number, known->second));
  if (!seen_.emplace(number, offset).second) breach(fmt::format("event {} is there twice: {}", number, where));
}

void Oracle::read_held(PartitionRef partition, Offset offset, std::string_view key, std::string_view value) {
  const auto found = events_.find(number_in(value));
  const bool same = found != events_.end() && found->second.partition == partition && found->second.key == key &&
                    *found->second.value == value && (!found->second.offset || *found->second.offset == offset);
  if (!same) breach(fmt::format("{} is held with an event that is another's", name_of(partition, offset)));
}

void Oracle::is_parked(SubscriptionId id, PartitionRef partition, Offset head, bool trimmed) {
  readers_[id].parked[{partition, head}] = {trimmed, false};
}

void Oracle::end_reading(const std::map<PartitionRef, node::PartitionState>& partitions, bool restarted) {
  for (const auto& [ref, state] : partitions) check_partition(ref, state);
  check_acknowledged(partitions);
  for (auto& [number, request] : requests_) {
    if (restarted) request.pending = 0;
    if (request.outcome == Outcome::unanswered) check_atomic(number, request, partitions, restarted);
  }
}

void Oracle::check_partition(PartitionRef ref, const node::PartitionState& state) {
  Partition& known = partitions_[ref];
  if (state.first < known.trimmed) breach(fmt::format("{} is there again after its trim", name_of(ref, state.first)));
  if (state.first > known.perhaps)
    breach(fmt::format("{} is the first, nobody trimmed so far", name_of(ref, state.first)));
  const auto run = runs_.find(ref);
  const Offset begin = run == runs_.end() ? state.first : run->second.first;
  const Offset end = run == runs_.end() ? state.first : run->second.second;
  if (begin != state.first || end != state.next)
    breach(fmt::format("{} to {} can be read, but {} to {} should be there", name_of(ref, begin), end.value,
                       state.first.value, state.next.value));
  if (state.next < known_end(ref))
    breach(fmt::format("{} is the end, but more was acknowledged", name_of(ref, state.next)));
}

void Oracle::check_acknowledged(const std::map<PartitionRef, node::PartitionState>& partitions) {
  for (const auto& [number, event] : events_) {
    const auto state = partitions.find(event.partition);
    if (!event.offset || state == partitions.end() || *event.offset < state->second.first) continue;
    if (!seen_.contains(number))
      breach(fmt::format("event {} was at {} and is lost", number, name_of(event.partition, *event.offset)));
  }
}

// All events of an unanswered request are there, or none.
void Oracle::check_atomic(RequestNumber number, Request& request,
                          const std::map<PartitionRef, node::PartitionState>& partitions, bool restarted) {
  std::size_t there = 0, missing = 0;
  for (const EventNumber each : request.events) {
    const SentEvent& event = events_.at(each);
    const auto state = partitions.find(event.partition);
    if (state == partitions.end() || state->second.first > event.not_before) continue;  // nobody can tell any more
    ++(seen_.contains(each) ? there : missing);
  }
  if (there != 0 && missing != 0)
    breach(fmt::format("request {} is half there: {} of its events are, {} are not", number, there, missing));
  if (restarted && there + missing != 0) decide(request, there != 0);
}

void Oracle::decide(Request& request, bool there) {
  request.outcome = there ? Outcome::done : Outcome::refused;
  if (there)
    for (const EventNumber each : request.events)
      if (const auto seen = seen_.find(each); seen != seen_.end() && !events_.at(each).offset)
        know(events_.at(each), seen->second);
  if (!request.settle) return;
  // Published in the same commit: what became of the one became of the other. With a publish, acks are all or none.
  request.settle->seen = there;
  doubt(*request.settle, false);
  Reader& reader = readers_[request.settle->settle.subscription];
  for (const node::Lease& lease : request.settle->settle.acks)
    if (there) reader.fates[{lease.partition, lease.offset}].done = true;
}

}  // namespace continuo::simulator
