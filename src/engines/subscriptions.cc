// The subscriptions engine's state: units, indexes, and what effects change.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/subscription_state.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {
namespace {

constexpr std::uint32_t unit_version = 1;
constexpr std::size_t most_empty_places = 65'536;  // that a subscription without keys keeps for them: two megabytes

std::string subscription_key(SubscriptionId id) { return unit_key_of(UnitKind::subscription, id.value); }
std::string cursor_key(SubscriptionId id, PartitionRef ref) {
  return unit_key_of(UnitKind::cursor, id.value, ref.topic.value, ref.partition.value);
}
std::string key_key(const KeyRef& ref) {
  return unit_key_of(UnitKind::key, ref.subscription.value, ref.partition.topic.value, ref.partition.partition.value,
                     ref.key_hash);
}
// What a failure's text adds to the outstanding of all: it takes the memory of so many events.
std::uint64_t text_of(const KeyUnit& unit) { return (unit.failure.code.size() + unit.failure.message.size()) / 512; }
std::string key_page_key(const KeyRef& ref, Offset page) {
  return unit_key_of(UnitKind::key_page, ref.subscription.value, ref.partition.topic.value,
                     ref.partition.partition.value, ref.key_hash, static_cast<std::uint64_t>(page.value));
}

}  // namespace

// ---- units ----------------------------------------------------------------------------------------------------------

std::string KeyUnit::unit_key() const { return key_key(ref); }

// Most keys are well: of those that are, the bytes are as they were before there was any healing.
void KeyUnit::encode(std::string& out) const {
  const bool healing = !times.empty() || time_came || drain_to || release != 0 || edited || !event_type.empty() ||
                       repair_by != RepairBy::workflow || repair_lease != 0 || repairs != 0;
  const bool named = !key_text.empty();
  FieldWriter writer{out};
  writer(named     ? named_unit_version
         : healing ? healing_unit_version
                   : unit_version,
         state, attempts, leased, lease_number, until, failure.code, failure.message, since, queue);
  if (healing || named)
    writer(times, time_came, drain_to, release, edited, event_type, repair_by, repair_lease, repair_until, repairs);
  if (named) writer(key_text);
}

void KeyUnit::pass(std::size_t count) {
  const auto last = queue.begin() + static_cast<std::ptrdiff_t>(std::min(count, queue.size()));
  if (drain_to && last != queue.begin() && *(last - 1) >= *drain_to) drain_to.reset();
  queue.erase(queue.begin(), last);
  std::erase_if(times, [&](const EventTimes& each) { return queue.empty() || each.offset < queue.front(); });
  failure = {};
  edited.reset();
  event_type.clear();
  repairs = 0;
  time_came = false;
  if (drain_to) return;
  release = 0;
  key_text.clear();
}

std::string KeyPage::unit_key() const { return key_page_key(ref, first); }
void KeyPage::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(times.empty() ? unit_version : healing_unit_version, offsets);
  if (!times.empty()) writer(times);
}

std::string CursorUnit::unit_key() const { return cursor_key(subscription, partition); }
void CursorUnit::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(unit_version, next);
}

std::string ReleaseUnit::unit_key() const { return unit_key_of(UnitKind::release, value.subscription.value); }
void ReleaseUnit::encode(std::string& out) const { out += engines::encode(value).payload; }

std::string StormUnit::unit_key() const { return unit_key_of(UnitKind::storm, value.subscription.value); }
void StormUnit::encode(std::string& out) const { out += engines::encode(value).payload; }

std::string UseUnit::unit_key() const { return unit_key_of(UnitKind::use, value.subscription.value); }
void UseUnit::encode(std::string& out) const { out += engines::encode(value).payload; }

std::string SubscriptionUnit::unit_key() const { return subscription_key(definition.id); }
void SubscriptionUnit::encode(std::string& out) const { out += engines::encode(definition).payload; }

void SubscriptionStates::CounterUnit::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(unit_version, next);
}

std::string SubscriptionStates::page_key(SubscriptionId id, std::uint64_t page) {
  return unit_key_of(UnitKind::settles, id.value, page);
}

// ---- state ----------------------------------------------------------------------------------------------------------

SubscriptionStates::SubscriptionStates(Ledger& ledger, const SubscriptionLimits& limits)
    : ledger_(ledger), limits_(limits) {}
SubscriptionStates::~SubscriptionStates() = default;

SubscriptionStates::State* SubscriptionStates::state(SubscriptionId id) {
  const auto found = states_.find(id);
  return found == states_.end() ? nullptr : found->second.get();
}
const SubscriptionStates::State* SubscriptionStates::state(SubscriptionId id) const {
  return const_cast<SubscriptionStates*>(this)->state(id);
}

KeyUnit* SubscriptionStates::key(const KeyRef& ref) {
  State* found = state(ref.subscription);
  if (found == nullptr) return nullptr;
  const auto at = found->keys.find(ref);
  return at == found->keys.end() ? nullptr : at->second.get();
}
const KeyUnit* SubscriptionStates::key(const KeyRef& ref) const {
  return const_cast<SubscriptionStates*>(this)->key(ref);
}

SubscriptionStates::State& SubscriptionStates::make_state(SubscriptionId id) {
  auto& made = states_[id];
  if (!made) {
    made = std::make_unique<State>();
    made->id = id;
  }
  return *made;
}

void SubscriptionStates::forget_if_empty(SubscriptionId id) {
  const State* found = state(id);
  if (found != nullptr && !found->definition && found->empty()) states_.erase(id);
}

void SubscriptionStates::enter(State& state, KeyUnit& unit) {
  const std::uint64_t events = state.events(unit);
  outstanding_ += events + text_of(unit);
  enter_times(state, unit);
  if (unit.edited) edits_.insert(*unit.edited);
  if (unit.drain_to) note_draining(state, unit, true);
  switch (unit.state) {
    case KeyUnit::State::ready:
      state.ready.emplace(unit.queue.front(), unit.ref.partition, unit.ref.key_hash);
      state.counts.queued += events;
      return;
    case KeyUnit::State::leased:
      ++state.leased_keys;
      state.counts.leased += unit.leased;
      state.counts.queued += events - unit.leased;
      due_.insert({unit.until, unit.ref});
      return;
    case KeyUnit::State::backoff:
      state.counts.delayed += events;
      due_.insert({unit.until, unit.ref});
      return;
    case KeyUnit::State::parked:
      state.parked.emplace(unit.ref.partition, unit.ref.key_hash);
      ++state.counts.parked_keys;
      state.counts.parked_events += events;
      if (unit.repair_lease != 0) due_.insert({unit.repair_until, unit.ref});
      state.broken_like(unit).emplace(unit.since, unit.ref.partition, unit.queue.front());
      return;
    case KeyUnit::State::scheduled: state.counts.delayed += events; return;
    case KeyUnit::State::giving_up:
      state.counts.delayed += events;
      giving_up_.insert(unit.ref);
      return;
  }
}

void SubscriptionStates::leave(State& state, KeyUnit& unit) {
  const std::uint64_t events = state.events(unit);
  outstanding_ -= events + text_of(unit);
  leave_times(state, unit);
  if (unit.edited) edits_.erase(edits_.find(*unit.edited));
  if (unit.drain_to) note_draining(state, unit, false);
  switch (unit.state) {
    case KeyUnit::State::ready:
      state.ready.erase({unit.queue.front(), unit.ref.partition, unit.ref.key_hash});
      state.counts.queued -= events;
      return;
    case KeyUnit::State::leased:
      --state.leased_keys;
      state.counts.leased -= unit.leased;
      state.counts.queued -= events - unit.leased;
      due_.erase({unit.until, unit.ref});
      return;
    case KeyUnit::State::backoff:
      state.counts.delayed -= events;
      due_.erase({unit.until, unit.ref});
      return;
    case KeyUnit::State::parked:
      state.parked.erase({unit.ref.partition, unit.ref.key_hash});
      --state.counts.parked_keys;
      state.counts.parked_events -= events;
      if (unit.repair_lease != 0) due_.erase({unit.repair_until, unit.ref});
      state.broken_like(unit).erase({unit.since, unit.ref.partition, unit.queue.front()});
      return;
    case KeyUnit::State::scheduled: state.counts.delayed -= events; return;
    case KeyUnit::State::giving_up:
      state.counts.delayed -= events;
      giving_up_.erase(unit.ref);
      return;
  }
}

void SubscriptionStates::erase_key(State& state, KeyUnit& unit) {
  ledger_.erase(unit);
  state.keys.erase(unit.ref);
  if (state.keys.empty() && state.keys.bucket_count() > most_empty_places) state.keys.rehash(0);
}

// ---- changes --------------------------------------------------------------------------------------------------------

void SubscriptionStates::change(const SubscriptionDefined& effect, Elapsed) {
  State& made = make_state(effect.id);
  if (!made.definition) made.definition = std::make_unique<SubscriptionUnit>();
  if (made.definition->definition.settings.idle) --may_idle_;
  if (effect.settings.idle) ++may_idle_;
  made.definition->definition = effect;
  by_name_[effect.name] = made.definition.get();
  ledger_.touch(*made.definition);
  if (effect.id.value >= counter_.next) {
    counter_.next = effect.id.value + 1;
    ledger_.touch(counter_);
  }
}

void SubscriptionStates::change(const SubscriptionDeleted& effect, Elapsed) {
  State* found = state(effect.id);
  if (found == nullptr || !found->definition) return;
  by_name_.erase(found->definition->definition.name);
  if (found->definition->definition.settings.idle) --may_idle_;
  ledger_.erase(*found->definition);
  found->definition.reset();
  forget_if_empty(effect.id);
}

void SubscriptionStates::change(const CursorMoved& effect, Elapsed) {
  CursorUnit& cursor = make_state(effect.subscription).cursors[effect.partition];
  cursor.subscription = effect.subscription;
  cursor.partition = effect.partition;
  cursor.next = effect.next;
  ledger_.touch(cursor);
}

void SubscriptionStates::change(const CursorDropped& effect, Elapsed) {
  State* found = state(effect.subscription);
  if (found == nullptr) return;
  if (const auto at = found->cursors.find(effect.partition); at != found->cursors.end()) {
    ledger_.erase(at->second);
    found->cursors.erase(at);
  }
  forget_if_empty(effect.subscription);
}

void SubscriptionStates::change(const KeyQueued& effect, Elapsed) {
  if (effect.offsets.empty()) return;  // never decided; a key has a head
  State& found = make_state(effect.key.subscription);
  auto& unit = found.keys[effect.key];
  if (unit && unit->holds_back() && found.behind(effect.key) == nullptr)
    found.tally.overtakes_prevented += effect.offsets.size();
  if (unit)
    leave(found, *unit);
  else
    unit = std::make_unique<KeyUnit>(effect.key);
  const bool has_head = !unit->queue.empty();
  unit->queue.insert(unit->queue.end(), effect.offsets.begin(), effect.offsets.end());
  unit->times.insert(unit->times.end(), effect.times.begin(), effect.times.end());
  if (!has_head) found.add_head(*unit);
  schedule(*unit);
  enter(found, *unit);
  ledger_.touch(*unit);
}

void SubscriptionStates::change(const KeyPageFilled& effect, Elapsed) {
  if (effect.offsets.empty()) return;  // never decided
  apply_page(effect.key, [&](State& found) {
    State::Waiting& waiting = found.waiting[effect.key];
    if (const KeyUnit* unit = key(effect.key); unit != nullptr && unit->holds_back())
      found.tally.overtakes_prevented += effect.offsets.size();
    auto& page = waiting.pages[effect.page];
    if (!page) page = std::make_unique<KeyPage>(effect.key, effect.page);
    page->offsets.insert(page->offsets.end(), effect.offsets.begin(), effect.offsets.end());
    page->times.insert(page->times.end(), effect.times.begin(), effect.times.end());
    waiting.events += effect.offsets.size();
    ledger_.touch(*page);
  });
}

void SubscriptionStates::change(const KeyPageDropped& effect, Elapsed) {
  if (page_target(effect.key, effect.page).unit == nullptr) return;
  apply_page(effect.key, [&](State& found) {
    const auto waiting = found.waiting.find(effect.key);
    const auto page = waiting->second.pages.find(effect.page);
    ledger_.erase(*page->second);
    waiting->second.events -= page->second->offsets.size();
    waiting->second.pages.erase(page);
    if (waiting->second.pages.empty()) found.waiting.erase(waiting);
  });
  forget_if_empty(effect.key.subscription);
}

void SubscriptionStates::change(const LeaseNumbered& effect, Elapsed) {
  leases_.next = std::max(leases_.next, effect.number + 1);
  ledger_.touch(leases_);
}

void SubscriptionStates::change(const KeyLeased& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    unit.state = KeyUnit::State::leased;
    unit.leased = effect.count;
    unit.lease_number = effect.number;
    unit.until = effect.until;
    ++unit.attempts;
  });
}

void SubscriptionStates::change(const KeySettled& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    if (unit.state == KeyUnit::State::giving_up) ++state(effect.key.subscription)->tally.dead_lettered;
    unit.pass(effect.count);
    unit.leased -= std::min(unit.leased, effect.count);
    // What is left of the run was delivered with it; what never was leased begins anew.
    unit.attempts = unit.leased == 0 ? 0 : 1;
    if (unit.leased == 0) unit.state = KeyUnit::State::ready;
  });
}

void SubscriptionStates::change(const KeyReturned& effect, Elapsed now) {
  apply_key(effect, [&](KeyUnit& unit) {
    if (unit.state == KeyUnit::State::leased && !effect.uncounted) {
      State& found = *state(effect.key.subscription);
      watch(found, effect.key, effect.failure, now);
      ++found.tally.retries;
    }
    unit.leased = 0;
    unit.failure = effect.failure;
    unit.until = effect.not_before;
    if (effect.uncounted) unit.attempts -= std::min(unit.attempts, 1u);
    unit.state = effect.not_before == Elapsed{0} ? KeyUnit::State::ready : KeyUnit::State::backoff;
  });
}

void SubscriptionStates::change(const KeyDropped& effect, Elapsed) {
  apply_key(effect, [](KeyUnit& unit) { unit.queue.clear(); });
}

void SubscriptionStates::change(const LeaseCut& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    unit.leased = std::min(unit.leased, effect.kept);
    if (unit.leased != 0 || unit.state != KeyUnit::State::leased) return;
    unit.attempts -= std::min(unit.attempts, 1u);
    unit.state = KeyUnit::State::ready;
  });
}

void SubscriptionStates::change(const EventsLost& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) {
    const Offset head = unit.queue.front();
    const auto lost = [&](Offset offset) { return std::ranges::binary_search(effect.offsets, offset); };
    std::erase_if(unit.queue, lost);
    std::erase_if(unit.times, [&](const EventTimes& each) { return lost(each.offset); });
    if (!unit.queue.empty() && unit.queue.front() == head) return;
    unit.pass(0);
    unit.state = KeyUnit::State::ready;
    unit.leased = 0;
    unit.attempts = 0;
  });
}

void SubscriptionStates::change(const LeaseExtended& effect, Elapsed) {
  apply_key(effect, [&](KeyUnit& unit) { unit.until = effect.until; });
}

void SubscriptionStates::change(const SettleRemembered& effect, Elapsed now) {
  State& found = make_state(effect.subscription);
  auto* page = found.settles.page(effect.page);
  if (page == nullptr) page = &found.settles.add_page(page_key(effect.subscription, effect.page), effect.page);
  const std::size_t before = page->bytes;
  found.settles.remember(*page, effect.body, effect.outcome, now);
  count_settles(found, *page, before);
  ledger_.touch(*page);
}

void SubscriptionStates::count_settles(State& state, SettlesPage& page, std::size_t before) {
  state.settle_bytes += page.bytes - before;
  settle_bytes_ += page.bytes - before;
  settle_ends_.note(state.id, page, settle_window);
}

void SubscriptionStates::change(const SettlesDropped& effect, Elapsed) {
  State* found = state(effect.subscription);
  auto* page = found == nullptr ? nullptr : found->settles.page(effect.page);
  if (page == nullptr) return;
  ledger_.erase(*page);
  settle_ends_.forget(effect.subscription, *page);
  found->settle_bytes -= page->bytes;
  settle_bytes_ -= page->bytes;
  found->settles.drop(*page);
  forget_if_empty(effect.subscription);
}

// ---- effects by type ------------------------------------------------------------------------------------------------

SubscriptionStates::Target SubscriptionStates::target(const SubscriptionDefined& effect) const {
  return {find(effect.id), subscription_key(effect.id)};
}
SubscriptionStates::Target SubscriptionStates::target(const SubscriptionDeleted& effect) const {
  return {find(effect.id), subscription_key(effect.id)};
}
SubscriptionStates::Target SubscriptionStates::cursor_target(SubscriptionId id, PartitionRef partition) const {
  const State* found = state(id);
  const auto at = found == nullptr ? decltype(found->cursors.begin()){} : found->cursors.find(partition);
  return {found == nullptr || at == found->cursors.end() ? nullptr : &at->second, cursor_key(id, partition)};
}
SubscriptionStates::Target SubscriptionStates::key_target(const KeyRef& ref) const { return {key(ref), key_key(ref)}; }

SubscriptionStates::Target SubscriptionStates::page_target(const KeyRef& ref, Offset page) const {
  Target named{nullptr, key_page_key(ref, page)};
  const State* found = state(ref.subscription);
  const auto* waiting = found == nullptr ? nullptr : found->behind(ref);
  if (waiting == nullptr) return named;
  if (const auto at = waiting->pages.find(page); at != waiting->pages.end()) named.unit = at->second.get();
  return named;
}

SubscriptionStates::Target SubscriptionStates::target(const SettleRemembered& effect) const {
  auto* found = const_cast<SubscriptionStates*>(this)->state(effect.subscription);
  return {found == nullptr ? nullptr : found->settles.page(effect.page), page_key(effect.subscription, effect.page)};
}
SubscriptionStates::Target SubscriptionStates::target(const SettlesDropped& effect) const {
  auto* found = const_cast<SubscriptionStates*>(this)->state(effect.subscription);
  return {found == nullptr ? nullptr : found->settles.page(effect.page), page_key(effect.subscription, effect.page)};
}

template <class T>
Result<void> SubscriptionStates::take(std::uint8_t version, std::string_view payload, Elapsed now) {
  auto effect = decode<T>(version, payload);
  if (!effect) return pass(effect);
  if (ledger_.is_replaying()) {
    const Target named = target(*effect);
    if (!ledger_.wants(named.unit, named.key)) return {};
  }
  change(*effect, now);
  return {};
}

Result<void> SubscriptionStates::apply(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now) {
  switch (type) {
    case EffectType::subscription_defined: return take<SubscriptionDefined>(version, payload, now);
    case EffectType::subscription_deleted: return take<SubscriptionDeleted>(version, payload, now);
    case EffectType::cursor_moved: return take<CursorMoved>(version, payload, now);
    case EffectType::cursor_dropped: return take<CursorDropped>(version, payload, now);
    case EffectType::key_queued: return take<KeyQueued>(version, payload, now);
    case EffectType::key_page_filled: return take<KeyPageFilled>(version, payload, now);
    case EffectType::key_page_dropped: return take<KeyPageDropped>(version, payload, now);
    case EffectType::lease_numbered: return take<LeaseNumbered>(version, payload, now);
    case EffectType::key_leased: return take<KeyLeased>(version, payload, now);
    case EffectType::key_settled: return take<KeySettled>(version, payload, now);
    case EffectType::key_returned: return take<KeyReturned>(version, payload, now);
    case EffectType::key_parked: return take<KeyParked>(version, payload, now);
    case EffectType::key_released: return take<KeyReleased>(version, payload, now);
    case EffectType::key_skipped: return take<KeySkipped>(version, payload, now);
    case EffectType::key_dropped: return take<KeyDropped>(version, payload, now);
    case EffectType::head_edited: return take<HeadEdited>(version, payload, now);
    case EffectType::repair_changed: return take<RepairChanged>(version, payload, now);
    case EffectType::release_changed: return take<ReleaseChanged>(version, payload, now);
    case EffectType::storm_changed: return take<StormChanged>(version, payload, now);
    case EffectType::subscription_used: return take<SubscriptionUsed>(version, payload, now);
    case EffectType::key_time_came: return take<KeyTimeCame>(version, payload, now);
    case EffectType::lease_cut: return take<LeaseCut>(version, payload, now);
    case EffectType::events_lost: return take<EventsLost>(version, payload, now);
    case EffectType::lease_extended: return take<LeaseExtended>(version, payload, now);
    case EffectType::settle_remembered: return take<SettleRemembered>(version, payload, now);
    case EffectType::settles_dropped: return take<SettlesDropped>(version, payload, now);
    default:
      return fail(Code::wrong_format,
                  fmt::format("the subscriptions engine knows no effect {}", static_cast<int>(type)));
  }
}

}  // namespace continuo::engines
