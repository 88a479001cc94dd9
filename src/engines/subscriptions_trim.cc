// The subscriptions engine when a partition is trimmed: who holds what, and what is lost.
//
// Retention wins over a slow subscription, but takes nothing from under a consumer's hands and nothing that waits for
// somebody's repair: events that are leased or belong to a parked key are named, so that they are copied first. All
// else before the new beginning is taken out of the queues and counted.
//
// The pass first moves a subscription's cursor: from then on no offer can bring an event that lies before the trim, so
// every key is looked at once.
#include <algorithm>

#include "continuo/engines/subscription_state.h"

namespace continuo::engines {

struct SubscriptionsEngine::TrimBudget {
  std::size_t events;
  std::size_t keys = events;
};

TrimSlice SubscriptionsEngine::decide_trim(const TrimPass& pass, const IsCopied& copied, std::size_t most) const {
  TrimSlice slice;
  slice.next = pass;
  TrimBudget budget{most};
  for (auto at = states_.lower_bound(pass.subscription); at != states_.end(); ++at) {
    if (at->first != pass.subscription) slice.next = {pass.partition, pass.first, pass.before, at->first};
    if (!at->second->definition) continue;  // its keys go piece by piece
    if (!trim_subscription(*at->second, copied, budget, slice)) return slice;
  }
  slice.complete = true;
  return slice;
}

bool SubscriptionsEngine::trim_slice(const State& state, const IsCopied& copied, std::size_t most,
                                     TrimSlice& slice) const {
  TrimBudget budget{most};
  return trim_subscription(state, copied, budget, slice);
}

bool SubscriptionsEngine::trim_subscription(const State& state, const IsCopied& copied, TrimBudget& budget,
                                            TrimSlice& slice) const {
  const TrimPass& pass = slice.next;
  const auto cursor = state.cursors.find(pass.partition);
  if (cursor == state.cursors.end()) return true;
  if (budget.events == 0) return false;
  TrimLoss loss{state.id};
  if (cursor->second.next < pass.before) {
    loss.unread_at_most = static_cast<std::uint64_t>(pass.before - std::max(cursor->second.next, pass.first));
    slice.effects.push_back(encode(CursorMoved{state.id, pass.partition, pass.before}));
    --budget.events;
  }
  const bool complete = trim_keys(state, copied, budget, slice, loss);
  if (loss.waiting != 0 || loss.unread_at_most != 0) slice.losses.push_back(loss);
  return complete;
}

bool SubscriptionsEngine::trim_keys(const State& state, const IsCopied& copied, TrimBudget& budget, TrimSlice& slice,
                                    TrimLoss& loss) const {
  const TrimPass pass = slice.next;
  for (auto at = state.heads.lower_bound({pass.partition, pass.head}); at != state.heads.end(); ++at) {
    const auto& [partition, head] = at->first;
    if (partition != pass.partition || head >= pass.before) return true;
    slice.next.head = head;
    slice.next.from = head == pass.head ? std::max(pass.from, pass.first) : pass.first;
    if (budget.keys == 0) return false;
    --budget.keys;
    const KeyUnit& unit = *state.keys.at({state.id, partition, at->second});
    if (!trim_key(state, unit, copied, budget, slice, loss)) return false;
  }
  return true;
}

bool SubscriptionsEngine::trim_key(const State& state, const KeyUnit& unit, const IsCopied& copied, TrimBudget& budget,
                                   TrimSlice& slice, TrimLoss& loss) {
  const bool parked =
      unit.state == KeyUnit::State::parked || unit.state == KeyUnit::State::giving_up || unit.drain_to.has_value();
  bool complete = true;
  // Looks at a part of the queue, of which the first `held` are not to be lost; gives what is.
  const auto look = [&](const std::vector<Offset>& offsets, std::size_t held) {
    std::vector<Offset> lost;
    const auto keep = offsets.begin() + static_cast<std::ptrdiff_t>(held);
    auto at = std::ranges::lower_bound(offsets, slice.next.from);
    for (; at != offsets.end() && *at < slice.next.before && budget.events != 0; ++at) {
      if (copied(*at)) continue;
      --budget.events;
      (at < keep ? slice.held : lost).push_back(*at);
    }
    complete = at == offsets.end() || *at >= slice.next.before;
    if (!complete) slice.next.from = *at;
    loss.waiting += lost.size();
    return lost;
  };
  EventsLost lost{unit.ref, look(unit.queue, parked ? unit.queue.size() : unit.leased)};
  bool front_empty = lost.offsets.size() == unit.queue.size();
  if (const auto* waiting = state.behind(unit.ref)) {
    auto at = waiting->pages.upper_bound(slice.next.from);
    if (at != waiting->pages.begin()) --at;
    for (; complete && at != waiting->pages.end() && at->first < slice.next.before; ++at)
      trim_page(*at->second, look(at->second->offsets, parked ? at->second->offsets.size() : 0), front_empty, slice);
    // A key that lives on has a front.
    if (front_empty && at != waiting->pages.end()) trim_page(*at->second, {}, front_empty, slice);
  }
  if (!lost.offsets.empty()) slice.effects.push_back(encode(lost));
  return complete;
}

// What is left of the page becomes the key's front, when that is empty, or another page.
void SubscriptionsEngine::trim_page(const KeyPage& page, const std::vector<Offset>& lost, bool& front_empty,
                                    TrimSlice& slice) {
  if (lost.empty() && !front_empty) return;
  std::vector<Offset> left;
  std::ranges::set_difference(page.offsets, lost, std::back_inserter(left));
  std::vector<EventTimes> times = page.times;
  std::erase_if(times, [&](const EventTimes& each) { return std::ranges::binary_search(lost, each.offset); });
  if (!left.empty() && front_empty) slice.effects.push_back(encode(KeyQueued{page.ref, left, times}));
  slice.effects.push_back(encode(KeyPageDropped{page.ref, page.first}));
  if (!left.empty() && !front_empty)
    slice.effects.push_back(encode(KeyPageFilled{page.ref, left.front(), left, times}));
  front_empty = front_empty && left.empty();
}

// ---- who waits for an event -----------------------------------------------------------------------------------------

bool SubscriptionsEngine::waits_for(PartitionRef partition, Offset offset, std::uint64_t key_hash) const {
  // With order by key its queue has the key's hash, else its own offset.
  const auto queued = [&](SubscriptionId id, std::uint64_t hash) {
    const KeyUnit* unit = key({id, partition, hash});
    const auto* waiting = state(id)->behind({id, partition, hash});
    return (unit != nullptr && std::ranges::binary_search(unit->queue, offset)) ||
           (waiting != nullptr && waiting->has(offset));
  };
  return std::ranges::any_of(states_, [&](const auto& entry) {
    const auto& [id, each] = entry;
    return each->definition && each->cursors.contains(partition) &&
           (queued(id, key_hash) || queued(id, static_cast<std::uint64_t>(offset.value)));
  });
}

std::vector<std::pair<PartitionRef, Offset>> SubscriptionsEngine::leaving(const Effect& effect) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  const auto front = [&](const auto& read, std::size_t most) {
    const KeyUnit* unit = read ? key(read->key) : nullptr;
    if (unit == nullptr) return;
    for (std::size_t i = 0; i < std::min(most, unit->queue.size()); ++i)
      all.emplace_back(unit->ref.partition, unit->queue[i]);
  };
  switch (effect.type) {
    case EffectType::key_settled: {
      const auto settled = decode<KeySettled>(effect.version, effect.payload);
      front(settled, settled ? settled->count : 0);
      return all;
    }
    case EffectType::key_skipped: front(decode<KeySkipped>(effect.version, effect.payload), 1); return all;
    case EffectType::key_page_dropped: {
      // One that joined the front before is still waited for.
      const auto dropped = decode<KeyPageDropped>(effect.version, effect.payload);
      const auto* page = dropped ? static_cast<const KeyPage*>(target(*dropped).unit) : nullptr;
      if (page == nullptr) return all;
      const KeyUnit* unit = key(dropped->key);
      for (const Offset offset : page->offsets)
        if (unit == nullptr || !std::ranges::binary_search(unit->queue, offset))
          all.emplace_back(page->ref.partition, offset);
      return all;
    }
    case EffectType::key_dropped:
      front(decode<KeyDropped>(effect.version, effect.payload), ~std::size_t{0});
      return all;
    default: return all;
  }
}

}  // namespace continuo::engines
