// What the subscriptions engine decides about keys that were given up: the verbs of repair, the workflow that repairs,
// and releases of many.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/fingerprint.h"
#include "continuo/engines/subscription_state.h"

namespace continuo::engines {
namespace {

constexpr std::size_t released_key_room = 1'600;  // the effect, and the event that tells of it, but for the words
constexpr std::size_t keys_in_a_slice = 2'000;    // looked at by one slice of a release
constexpr Millis between_slices{10};
constexpr std::size_t counted_at_once = 100'000;
constexpr std::uint32_t most_rate = 1'000'000;

bool changes(const Effect& effect, SubscriptionId release_of) {
  if (effect.type != ReleaseChanged::type) return false;
  const auto read = decode<ReleaseChanged>(effect.version, effect.payload);
  return read && read->subscription == release_of;
}

// The release as what was decided before leaves it: several of its keys may fail in one decision, and others be due.
ReleaseChanged latest(const ReleaseChanged& before, const std::vector<Effect>& effects) {
  for (auto each = effects.rbegin(); each != effects.rend(); ++each)
    if (changes(*each, before.subscription)) return *decode<ReleaseChanged>(each->version, each->payload);
  return before;
}

std::unexpected<Error> not_parked(bool drains) {
  if (!drains) return fail(Code::not_parked, "the key is not parked");
  return fail(Code::not_parked, "the key was released and drains: its events are being delivered again", {},
              "should it fail again it is parked again");
}

// Of how many partitions one decision can heal the key. `times`: that the words are said of each.
std::size_t most_healed(const Asked& asked, std::size_t times) {
  return std::max<std::size_t>(1, verb_room / (healed_key_room + times * words_room(asked)));
}

}  // namespace

std::size_t words_room(const Asked& asked) {
  std::size_t room = asked.by.size() + asked.reason.size();
  for (const std::string_view words : {std::string_view{asked.by}, std::string_view{asked.reason}})
    for (const char c : words) room += c < ' ' || c == '\x7f' ? 6 : c == '"' || c == '\\' ? 2 : 1;  // as JSON
  return room;
}

// ---- one key --------------------------------------------------------------------------------------------------------

// A key may be parked in several partitions: of several topics, or before and after a topic was made again.
std::vector<const KeyUnit*> SubscriptionsEngine::parked_keys(SubscriptionId id, std::uint64_t key_hash,
                                                             std::size_t most) const {
  std::vector<const KeyUnit*> all;
  const State* found = state(id);
  if (found == nullptr) return all;
  for (const auto& [partition, cursor] : found->cursors)
    if (all.size() < most && found->parked.contains({partition, key_hash}))
      all.push_back(key({id, partition, key_hash}));
  return all;
}

bool SubscriptionsEngine::drains(SubscriptionId id, std::uint64_t key_hash) const {
  const State* found = state(id);
  return found != nullptr && std::ranges::any_of(found->cursors, [&](const auto& cursor) {
           const KeyUnit* unit = key({id, cursor.first, key_hash});
           return unit != nullptr && unit->drain_to;
         });
}

Offset SubscriptionsEngine::last_of(const KeyUnit& unit) const {
  const auto* waiting = state(unit.ref.subscription)->behind(unit.ref);
  return waiting == nullptr ? unit.queue.back() : waiting->pages.rbegin()->second->offsets.back();
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_retry(SubscriptionId id, std::uint64_t key_hash,
                                                              const Asked& asked) const {
  if (find(id) == nullptr) return unknown(id);
  std::vector<Effect> effects;
  for (const KeyUnit* unit : parked_keys(id, key_hash, most_healed(asked, 1)))
    effects.push_back(encode(KeyReleased{unit->ref, last_of(*unit), 0, asked.by, asked.reason}));
  if (effects.empty()) return not_parked(drains(id, key_hash));
  return effects;
}

// The head first: then what is left of the key drains, if anything is.
Result<std::vector<Effect>> SubscriptionsEngine::decide_skip(SubscriptionId id, std::uint64_t key_hash,
                                                             const Asked& asked) const {
  if (find(id) == nullptr) return unknown(id);
  std::vector<Effect> effects;
  for (const KeyUnit* unit : parked_keys(id, key_hash, most_healed(asked, 2))) decide_passed(*unit, asked, effects);
  if (effects.empty()) return not_parked(drains(id, key_hash));
  return effects;
}

void SubscriptionsEngine::decide_passed(const KeyUnit& unit, const Asked& asked, std::vector<Effect>& effects) const {
  decide_refill(unit, 1, effects);
  effects.push_back(encode(KeySkipped{unit.ref, asked.reason, asked.by}));
  const Offset last = last_of(unit);
  if (last != unit.queue.front()) effects.push_back(encode(KeyReleased{unit.ref, last, 0, asked.by, asked.reason}));
}

Result<ParkedKey> SubscriptionsEngine::parked_key(SubscriptionId id, std::uint64_t key_hash) const {
  if (find(id) == nullptr) return unknown(id);
  const auto keys = parked_keys(id, key_hash, 2);
  if (keys.empty()) return not_parked(drains(id, key_hash));
  if (keys.size() > 1)
    return fail(Code::bad_request, "the key is parked in several partitions: which one is not said", "topic",
                "retry or skip them, or let the workflow repair them one by one");
  return describe(*state(id), *keys.front());
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_edit(const KeyRef& ref, Offset copy,
                                                             const std::string& difference, bool release,
                                                             const Asked& asked) const {
  if (find(ref.subscription) == nullptr) return unknown(ref.subscription);
  const KeyUnit* unit = key(ref);
  if (unit == nullptr || unit->state != KeyUnit::State::parked) return not_parked(unit != nullptr && unit->drain_to);
  std::vector<Effect> effects{encode(HeadEdited{ref, copy, asked.by, asked.reason, difference})};
  if (unit->repair_lease != 0) effects.push_back(encode(RepairChanged{ref, unit->repair_by, 0, {}, {}, {}}));
  if (release) effects.push_back(encode(KeyReleased{ref, last_of(*unit), 0, asked.by, asked.reason}));
  return effects;
}

// What waits goes from behind, so that the key stays whole and parked until the last slice.
Result<SubscriptionsEngine::CancelSlice> SubscriptionsEngine::decide_cancel(const KeyRef& ref, std::size_t most) const {
  if (find(ref.subscription) == nullptr) return unknown(ref.subscription);
  const KeyUnit* unit = key(ref);
  if (unit == nullptr || unit->state != KeyUnit::State::parked) return not_parked(unit != nullptr && unit->drain_to);
  CancelSlice slice;
  if (const auto* waiting = state(ref.subscription)->behind(ref))
    for (auto page = waiting->pages.rbegin(); page != waiting->pages.rend(); ++page) {
      if (slice.effects.size() >= most) return slice;
      slice.effects.push_back(encode(KeyPageDropped{ref, page->first}));
      slice.events += page->second->offsets.size();
    }
  slice.effects.push_back(encode(KeyDropped{ref}));
  slice.events += unit->queue.size();
  slice.complete = true;
  return slice;
}

// ---- the workflow that repairs --------------------------------------------------------------------------------------

Result<SubscriptionsEngine::RepairDecision> SubscriptionsEngine::decide_repair(SubscriptionId id, RepairBy who,
                                                                               std::uint32_t most, Millis lease,
                                                                               Elapsed now) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition) return unknown(id);
  RepairDecision decision;
  const auto broken = found->broken.find(who);
  if (found->definition->definition.paused || broken == found->broken.end()) return decision;
  for (const auto& [since, partition, head] : broken->second) {
    if (decision.deliveries.size() >= most) break;
    const std::uint64_t hash = found->heads.at({partition, head});
    const KeyUnit& unit = *found->keys.at({id, partition, hash});
    const Lease taken{id, found->definition->definition.epoch, partition, hash, unit.queue.front(), leases_.next};
    decision.deliveries.push_back({taken, describe(*found, unit)});
    decision.effects.push_back(encode(RepairChanged{unit.ref, who, leases_.next, now + lease, {}, {}}));
  }
  if (!decision.effects.empty()) decision.effects.push_back(encode(LeaseNumbered{leases_.next}));
  return decision;
}

bool SubscriptionsEngine::holds_repair(const Lease& lease) const {
  const State* found = state(lease.subscription);
  if (found == nullptr || !found->definition || found->definition->definition.epoch != lease.epoch) return false;
  const KeyUnit* unit = key({lease.subscription, lease.partition, lease.key_hash});
  return unit != nullptr && unit->state == KeyUnit::State::parked && lease.number != 0 &&
         unit->repair_lease == lease.number && unit->queue.front() == lease.offset;
}

Result<std::vector<Effect>> SubscriptionsEngine::decide_repaired(const RepairSettle& settle, Offset copy,
                                                                 const std::string& difference,
                                                                 const std::string& by) const {
  const Lease& lease = settle.lease;
  if (find(lease.subscription) == nullptr) return unknown(lease.subscription);
  if (!holds_repair(lease))
    return fail(Code::lease_lost, "the repair's lease is over, or somebody else dealt with the key");
  const KeyRef ref{lease.subscription, lease.partition, lease.key_hash};
  const KeyUnit& unit = *key(ref);
  const Asked asked{by, settle.reason};
  std::vector<Effect> effects;
  switch (settle.outcome) {
    case RepairSettle::Outcome::repaired: return decide_edit(ref, copy, difference, true, asked);
    case RepairSettle::Outcome::skip: decide_passed(unit, asked, effects); return effects;
    case RepairSettle::Outcome::needs_person: break;
  }
  // What no declared repair fits is for the workflow to look at.
  const RepairBy next = unit.repair_by == RepairBy::declared ? RepairBy::workflow : RepairBy::person;
  effects.push_back(encode(RepairChanged{ref, next, 0, {}, by, settle.reason}));
  return effects;
}

// ---- releases -------------------------------------------------------------------------------------------------------

bool SubscriptionStates::takes(const ReleaseFilter& filter, const KeyUnit& unit) {
  if (!filter.event_type.empty() && filter.event_type != unit.event_type) return false;
  if (filter.after && unit.since < *filter.after) return false;
  if (filter.before && unit.since >= *filter.before) return false;
  return filter.fingerprint.empty() || filter.fingerprint == fingerprint(unit.failure);
}

std::uint64_t SubscriptionsEngine::count_parked(SubscriptionId id, const ReleaseFilter& filter,
                                                std::size_t most) const {
  const State* found = state(id);
  if (found == nullptr) return 0;
  std::uint64_t count = 0;
  for (const auto& [partition, hash] : found->parked) {
    if (most-- == 0) break;
    count += takes(filter, *found->keys.at({id, partition, hash})) ? 1 : 0;
  }
  return count;
}

Result<ReleaseChanged> SubscriptionsEngine::draft_release(SubscriptionId id, const ReleaseFilter& filter,
                                                          std::uint32_t rate, bool stop_at_relapse, const Asked& asked,
                                                          const Now& now) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition) return unknown(id);
  if (rate > most_rate) return fail(Code::bad_setting, "at most 1000000 keys a second are released", "rate");
  ReleaseChanged release;
  release.subscription = id;
  release.filter = filter;
  release.rate = rate;
  release.stop_at_relapse = stop_at_relapse;
  release.by = asked.by;
  release.reason = asked.reason;
  release.started = now.wall;
  release.next_at = now.elapsed;
  release.total = count_parked(id, filter, counted_at_once);
  return release;
}

Result<ReleaseChanged> SubscriptionsEngine::decide_release(ReleaseChanged draft) const {
  const ReleaseChanged* before = release(draft.subscription);
  if (before != nullptr && before->state == ReleaseState::running)
    return fail(Code::release_running, fmt::format("release {} is under way", before->number), {},
                "wait for it, or stop it: DELETE .../parked/release");
  draft.number = before != nullptr ? before->number + 1 : 1;
  return draft;
}

Result<ReleaseChanged> SubscriptionsEngine::decide_stop_release(SubscriptionId id) const {
  const State* found = state(id);
  if (found == nullptr || !found->definition) return unknown(id);
  if (!found->release || found->release->value.state != ReleaseState::running)
    return fail(Code::no_release, "no release is under way");
  ReleaseChanged release = found->release->value;
  release.state = ReleaseState::cancelled;
  return release;
}

// What was parked since the release began is not its affair: it does not run after its own relapses. How far it is
// stops before the keys it releases now: they are looked at once more, and released again should a home have written
// the one and not the other. When a slice finds nothing more it lasts until the keys it let go are drained or parked
// again.
// The words are said of each key: long ones take the room of several effects, of which `left` are left.
void SubscriptionsEngine::decide_release_slice(const State& state, const Now& now, std::size_t& left,
                                               std::vector<Effect>& effects) const {
  ReleaseChanged release = latest(state.release->value, effects);
  if (release.state != ReleaseState::running) return;
  const std::size_t each = 1 + (released_key_room + words_room({release.by, release.reason})) / effect_room;
  if (left < 2 * each) return;  // one key, and the release itself
  std::size_t room = std::min<std::size_t>(left / each - 1, keys_in_a_slice), looked_at = 0;
  if (release.rate != 0) room = std::min<std::size_t>(room, std::max<std::uint32_t>(1, release.rate / 10));
  const std::uint64_t draining = state.draining_of(release.number);
  const bool tries = release.stop_at_relapse && release.rate == 0;
  if (tries) room = std::min<std::size_t>(room, tried_at_once - std::min(tried_at_once, draining));
  std::uint64_t taken = 0;
  auto at = release.partition == PartitionRef{} && release.key_hash == 0
                ? state.parked.begin()
                : state.parked.upper_bound({release.partition, release.key_hash});
  for (; at != state.parked.end() && taken < room && looked_at < keys_in_a_slice; ++at, ++looked_at) {
    const KeyUnit& unit = *state.keys.at({state.id, at->first, at->second});
    const bool came_back = unit.release == release.number;
    if (unit.since <= release.started && !came_back && takes(release.filter, unit)) {
      effects.push_back(encode(KeyReleased{unit.ref, last_of(unit), release.number, release.by, release.reason}));
      ++taken;
    } else if (taken == 0) {
      std::tie(release.partition, release.key_hash) = *at;
    }
  }
  release.released += taken;
  const bool looked_at_all = at == state.parked.end() && taken == 0;
  if (looked_at_all) release.partition = behind_all, release.key_hash = 0;
  if (looked_at_all && draining == 0) release.state = ReleaseState::done;
  const Millis pause =
      release.rate == 0 ? between_slices : Millis{static_cast<std::int64_t>(taken * 1'000 / release.rate)};
  const bool waits = looked_at_all || (tries && draining + taken >= tried_at_once);
  release.next_at = waits ? when_drained : now.elapsed + std::max(pause, Millis{1});
  effects.push_back(encode(release));
  left -= (taken + 1) * each;
}

void SubscriptionsEngine::decide_relapse(const State& state, std::uint64_t number, std::vector<Effect>& effects) const {
  if (!state.release || number == 0 || state.release->value.number != number) return;
  // It says its words each time: many relapses of one decision are one change.
  const auto before = std::ranges::find_if(effects, [&](const Effect& each) { return changes(each, state.id); });
  ReleaseChanged release =
      before == effects.end() ? state.release->value : *decode<ReleaseChanged>(before->version, before->payload);
  ++release.relapsed;
  if (release.state == ReleaseState::running && release.stop_at_relapse) release.state = ReleaseState::relapsed;
  if (before == effects.end())
    effects.push_back(encode(release));
  else
    *before = encode(release);
}

const ReleaseChanged* SubscriptionsEngine::release(SubscriptionId id) const {
  const State* found = state(id);
  return found == nullptr || !found->release ? nullptr : &found->release->value;
}

// ---- dead letters and edits -----------------------------------------------------------------------------------------

std::vector<ParkedKey> SubscriptionsEngine::giving_up(std::size_t most, std::vector<SubscriptionId>& of) const {
  std::vector<ParkedKey> all;
  for (const KeyRef& ref : giving_up_) {
    if (all.size() >= most) break;
    const State& found = *state(ref.subscription);
    if (!found.definition) continue;
    all.push_back(describe(found, *key(ref)));
    of.push_back(ref.subscription);
  }
  return all;
}

std::vector<Effect> SubscriptionsEngine::decide_buried(const KeyRef& ref) const {
  std::vector<Effect> effects;
  decide_refill(*key(ref), 1, effects);
  effects.push_back(encode(KeySettled{ref, 1}));
  return effects;
}

std::vector<Effect> SubscriptionsEngine::decide_unburied(const KeyRef& ref, WallTime now) const {
  const KeyUnit& unit = *key(ref);
  KeyParked parked{ref, unit.failure, now};
  parked.repair_by = RepairBy::person;
  parked.event_type = unit.event_type;
  parked.key_text = unit.key_text;
  return {encode(parked)};
}

std::optional<ParkedKey> SubscriptionsEngine::drained_by(const KeyRef& ref, std::size_t leaving) const {
  const KeyUnit* unit = key(ref);
  if (unit == nullptr || !unit->drain_to || leaving == 0) return std::nullopt;
  const Offset last = unit->queue[std::min(leaving, unit->queue.size()) - 1];
  return last >= *unit->drain_to ? std::optional{describe(*state(ref.subscription), *unit)} : std::nullopt;
}

std::optional<Offset> SubscriptionsEngine::lowest_edit() const {
  return edits_.empty() ? std::nullopt : std::optional{*edits_.begin()};
}

}  // namespace continuo::engines
