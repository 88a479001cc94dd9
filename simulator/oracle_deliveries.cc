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

void Oracle::skips(SubscriptionId id, PartitionRef partition, Offset head, bool certain) {
  auto& fate = readers_[id].fates[{partition, head}];
  if (certain)
    fate.done = true;
  else
    ++fate.perhaps;
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
  fate.perhaps = 0;
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
  if (partition == partitions_.end() || reader.settings.order_by != engines::OrderBy::key) return;
  const auto& known = partition->second.known;
  const auto own = known.find(lease.offset);
  if (own == known.end()) return;  // its publisher was not answered yet
  const std::string& key = events_.at(own->second).key;
  for (auto at = known.lower_bound(partition->second.perhaps); at != own && at != known.end(); ++at) {
    if (at->first >= lease.offset || events_.at(at->second).key != key) continue;
    const auto fate = reader.fates.find({lease.partition, at->first});
    if (fate != reader.fates.end() && !fate->second.open()) continue;
    const bool together = std::ranges::any_of(reader.held, [&](const HeldLease& held) {
      return held.lease.number == lease.number && held.lease.partition == lease.partition &&
             held.lease.offset == at->first;
    });
    if (!together && reader.settings.on_failure == engines::OnFailure::park)
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
  if (reader.settings.on_failure != engines::OnFailure::park || reader.settings.from != engines::StartFrom::earliest)
    return;
  for (const auto& [ref, state] : partitions) {
    if (std::ranges::find(reader.topics, ref.topic) == reader.topics.end()) continue;
    const auto& known = partitions_[ref].known;
    for (auto at = known.lower_bound(std::max(state.first, partitions_[ref].perhaps)); at != known.end(); ++at) {
      const auto fate = reader.fates.find({ref, at->first});
      if (!reader.wants(events_.at(at->second).key)) continue;
      if (fate == reader.fates.end() || fate->second.open())
        breach(fmt::format("subscription {}: {} was never delivered and settled", id.value, name_of(ref, at->first)));
    }
  }
}

}  // namespace continuo::simulator
