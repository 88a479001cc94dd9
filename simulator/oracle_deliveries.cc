// What consumers remember, and what a subscription owes them.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/simulator/oracle.h"

namespace continuo::simulator {

// Counts the settle among those that may have happened, or takes it out.
void Oracle::doubt(SentSettle& settle, bool doubtful) {
  if (settle.counted == doubtful) return;
  settle.counted = doubtful;
  for (const node::Lease& lease : settle.settle.acks) {
    int& perhaps = readers_[settle.settle.subscription].fates[{lease.partition, lease.offset}].perhaps;
    perhaps = std::max(0, perhaps + (doubtful ? 1 : -1));
  }
}

void Oracle::settled(RequestNumber number, const Result<node::Settled>& answer, Elapsed now) {
  ++answers_;
  Request& request = requests_.at(number);
  if (!answer) {
    if (answer.error().code == Code::node_failed) return;
    if (--request.pending != 0 || request.outcome != Outcome::unanswered) return;
    request.outcome = Outcome::refused;
    return doubt(*request.settle, false);
  }
  if (!request.events.empty()) {
    answered(number, node::Published{answer->places}, now);
    --answers_;
  } else {
    --request.pending;
  }
  request.outcome = Outcome::done;
  take_settled(request, *answer);
}

void Oracle::take_settled(Request& request, const node::Settled& settled) {
  SentSettle& sent = *request.settle;
  if (sent.outcome) {
    if (sent.outcome->settled != settled.settled || sent.outcome->refused.size() != settled.refused.size())
      breach(fmt::format("a settle of {} was answered {} settled, its repeat {}", sent.settle.acks.size(),
                         sent.outcome->settled, settled.settled));
    return;
  }
  sent.outcome = settled;
  doubt(sent, false);
  Reader& reader = readers_[sent.settle.subscription];
  for (const node::Lease& lease : sent.settle.acks) {
    const bool refused = std::ranges::find(settled.refused, lease, &node::RefusedLease::lease) != settled.refused.end();
    if (refused) continue;
    auto& fate = reader.fates[{lease.partition, lease.offset}];
    if (fate.done && !sent.seen) breach(fmt::format("{} was settled twice", name_of(lease.partition, lease.offset)));
    fate.done = true;
  }
}

bool Oracle::purges(SubscriptionId id) {
  Reader& reader = readers_[id];
  const auto [asked, fresh] = purges_.try_emplace(id);
  if (!fresh) return false;
  auto& takes = asked->second;
  for (const TopicId topic : reader.topics)
    for (const auto& [ref, partition] : partitions_)
      if (ref.topic == topic)
        for (const auto& [offset, number] : partition.known) {
          if (!reader.fates[{ref, offset}].done) takes.emplace_back(ref, offset);
        }
  return true;
}

// Of keys of which no consumer ever had anything it is certain: they were neither leased nor parked.
void Oracle::purged(SubscriptionId id, bool done) {
  ++answers_;
  const auto asked = purges_.extract(id);
  if (!asked || !done) return;
  Reader& reader = readers_[id];
  std::set<std::string> touched;  // keys that may be leased, parked or drain
  for (const auto& [place, fate] : reader.fates)
    if (const SentEvent* event = event_at(place.first, place.second); event != nullptr && fate.given)
      touched.insert(event->key);
  for (const auto& place : asked.mapped()) {
    Reader::Fate& fate = reader.fates[place];
    if (!touched.contains(event_at(place.first, place.second)->key)) fate.done = true;
    if (!fate.done) ++fate.perhaps;
  }
}

// Leases that were given before the node died are held by nobody, and still last.
void Oracle::forget_purges() {
  for (const auto& [id, places] : std::exchange(purges_, {}))
    for (const auto& place : places)
      if (Reader::Fate& fate = readers_[id].fates[place]; !fate.done) ++fate.perhaps;
  for (auto& [id, reader] : readers_) {
    if (!reader.settings.queue) continue;
    for (const TopicId topic : reader.topics)
      for (const auto& [ref, partition] : partitions_)
        if (ref.topic == topic)
          for (const auto& [offset, number] : partition.known) reader.fates[{ref, offset}].given = true;
  }
}

// The numbers of moves that did not survive are given again.
void Oracle::forget_moves(const node::Catalogue& catalogue) {
  SubscriptionId last{0};
  for (const auto& [name, subscription] : catalogue.subscriptions) last = std::max(last, subscription->id);
  readers_.erase(readers_.upper_bound(last), readers_.end());
}

Oracle::Waiting Oracle::waiting(SubscriptionId id, PartitionRef partition, Offset from, Offset before) const {
  Waiting all;
  const SentEvent* head = event_at(partition, from);
  const auto reader = readers_.find(id);
  if (head == nullptr || reader == readers_.end()) return all;
  const Partition& log = partitions_.at(partition);
  for (auto at = log.known.lower_bound(from); at != log.known.end() && at->first < before; ++at) {
    if (events_.at(at->second).key != head->key || !reader->second.owes(partition, at->first)) continue;
    const auto fate = reader->second.fates.find({partition, at->first});
    const Reader::Fate is = fate == reader->second.fates.end() ? Reader::Fate{} : fate->second;
    if (!is.done) (is.open() && at->first >= log.perhaps ? all.certain : all.perhaps).push_back(at->first);
  }
  return all;
}

void Oracle::check_trimmed_queue(PartitionRef ref, const node::PartitionState& state) {
  Partition& partition = partitions_[ref];
  for (const auto& [name, named] : subscriptions_) {
    if (!named.id) continue;
    const Reader& reader = readers_[*named.id];
    if (std::ranges::find(reader.topics, ref.topic) == reader.topics.end()) continue;
    for (auto at = partition.known.lower_bound(partition.perhaps);
         at != partition.known.end() && at->first < state.first; ++at) {
      const auto fate = reader.fates.find({ref, at->first});
      if (reader.owes(ref, at->first) && (fate == reader.fates.end() || fate->second.open()))
        breach(fmt::format("{} was trimmed, and '{}' has not settled it", name_of(ref, at->first), name));
    }
  }
  partition.perhaps = std::max(partition.perhaps, state.first);
}

void Oracle::retries(SubscriptionId id, PartitionRef partition, Offset head) {
  auto& parked = readers_[id].parked;
  if (const auto found = parked.find({partition, head}); found != parked.end()) found->second.retried = true;
}

// What the settle names may be over from now on; a nack gives back the rest of its run too.
void Oracle::settling(SubscriptionId id, const node::Settle& settle) {
  for (HeldLease& held : readers_[id].held) {
    const auto nacked = [&](const node::Nack& nack) {
      return nack.lease.number == held.lease.number && nack.lease.key_hash == held.lease.key_hash &&
             nack.lease.partition == held.lease.partition;
    };
    held.settling = held.settling || std::ranges::find(settle.acks, held.lease) != settle.acks.end() ||
                    std::ranges::any_of(settle.nacks, nacked);
  }
}

void Oracle::delivered(SubscriptionId id, const node::Received& received, Elapsed asked, Elapsed now, Millis lease) {
  ++answers_;
  Reader& reader = readers_[id];
  const std::size_t before = reader.held.size();
  for (const node::Delivery& delivery : received.deliveries) {
    check_delivery(reader, id, delivery, now);
    reader.held.push_back({delivery.lease, asked + lease, false});
  }
  // Older leases of the same keys are over.
  std::vector<HeldLease> kept;
  for (std::size_t i = 0; i < reader.held.size(); ++i) {
    const HeldLease& held = reader.held[i];
    const bool replaced = i < before && std::ranges::any_of(
                                            received.deliveries,
                                            [&](const node::Delivery& delivery) {
                                              return delivery.lease.key_hash == held.lease.key_hash &&
                                                     delivery.lease.partition == held.lease.partition;
                                            });
    if (!replaced) kept.push_back(held);
  }
  reader.held = std::move(kept);
}

void Oracle::check_delivery(Reader& reader, SubscriptionId id, const node::Delivery& delivery, Elapsed now) {
  const node::Lease& lease = delivery.lease;
  const std::string what = fmt::format("subscription {}: {}", id.value, name_of(lease.partition, lease.offset));
  auto& fate = reader.fates[{lease.partition, lease.offset}];
  if (fate.done) breach(what + " was settled and is delivered again");
  if (!reader.owes(lease.partition, lease.offset)) breach(what + " is delivered, and the subscription went past it");
  fate.perhaps = 0;
  fate.given = true;
  for (const HeldLease& held : reader.held) {
    const bool same_key = held.lease.key_hash == lease.key_hash && held.lease.partition == lease.partition;
    if (same_key && held.lease.number != lease.number && !held.settling && now < held.until)
      breach(fmt::format("{} is leased while its key is held until {} ms, at {} ms", what, held.until.ms, now.ms));
  }
  if (const auto partition = partitions_.find(lease.partition); partition != partitions_.end())
    if (const auto known = partition->second.known.find(lease.offset);
        known != partition->second.known.end() && !reader.wants(events_.at(known->second).key))
      breach(what + " is delivered, and its filter does not match");
  check_key_order(reader, id, delivery);
}

// Nothing of the key that lies before may be open, unless this lease holds it too, or retention took it.
void Oracle::check_key_order(Reader& reader, SubscriptionId id, const node::Delivery& delivery) {
  const node::Lease& lease = delivery.lease;
  const auto partition = partitions_.find(lease.partition);
  if (partition == partitions_.end() || gone_.contains(lease.partition.topic) ||
      reader.settings.order_by != engines::OrderBy::key)
    return;
  const auto& known = partition->second.known;
  const auto own = known.find(lease.offset);
  if (own == known.end()) return;  // its publisher was not answered yet
  const std::string& key = events_.at(own->second).key;
  for (auto at = known.lower_bound(partition->second.perhaps); at != own && at != known.end(); ++at) {
    if (at->first >= lease.offset || events_.at(at->second).key != key) continue;
    if (!reader.owes(lease.partition, at->first)) continue;
    const auto fate = reader.fates.find({lease.partition, at->first});
    if (fate != reader.fates.end() && !fate->second.open()) continue;
    const bool together = std::ranges::any_of(reader.held, [&](const HeldLease& held) {
      return held.lease.number == lease.number && held.lease.partition == lease.partition &&
             held.lease.offset == at->first;
    });
    if (!together)
      breach(fmt::format("subscription {}: {} is delivered before offset {} of its key is settled", id.value,
                         name_of(lease.partition, lease.offset), at->first.value));
  }
}

void Oracle::check_nothing_missing(SubscriptionId id, const std::map<PartitionRef, node::PartitionState>& partitions) {
  const Reader& reader = readers_[id];
  for (const auto& [place, parked] : reader.parked) {
    if (!partitions.contains(place.first)) continue;
    const auto fate = reader.fates.find(place);
    // A trim takes what only waits, also what waits because somebody retried it; and it takes that first, so that one
    // nobody was answered may have got no further.
    const bool lost = parked.retried && !parked.copied && place.second < partitions_[place.first].perhaps;
    if (!lost && (fate == reader.fates.end() || fate->second.open()))
      breach(fmt::format("subscription {}: {} was parked and is gone", id.value, name_of(place.first, place.second)));
  }
  if (reader.settings.from != engines::StartFrom::earliest) return;
  for (const auto& [ref, state] : partitions) {
    if (std::ranges::find(reader.topics, ref.topic) == reader.topics.end()) continue;
    const auto& known = partitions_[ref].known;
    for (auto at = known.lower_bound(std::max(state.first, partitions_[ref].perhaps)); at != known.end(); ++at) {
      const auto fate = reader.fates.find({ref, at->first});
      if (!reader.wants(events_.at(at->second).key) || !reader.owes(ref, at->first)) continue;
      if (fate == reader.fates.end() || fate->second.open())
        breach(fmt::format("subscription {}: {} was never delivered and settled", id.value, name_of(ref, at->first)));
    }
  }
}

}  // namespace continuo::simulator
