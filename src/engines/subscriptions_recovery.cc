// The subscriptions engine's state out of a checkpoint's units.
#include <fmt/format.h>

#include "continuo/engines/subscription_state.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {

Result<void> SubscriptionStates::restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp) {
  ByteReader name{key.substr(1)};
  FieldReader reader{bytes};
  std::uint32_t version = 0;
  if (kind == UnitKind::subscription_counter || kind == UnitKind::lease_counter) {
    CounterUnit& counter = kind == UnitKind::lease_counter ? leases_ : counter_;
    reader(version, counter.next);
    if (!reader.done()) return bad_unit("counter");
    ledger_.restored(counter, stamp);
    return {};
  }
  const SubscriptionId id{name.be<std::uint32_t>()};
  State& found = make_state(id);
  if (kind == UnitKind::subscription) {
    // The unit does not tell its version, but no version's bytes can be read as another's.
    auto definition = decode<SubscriptionDefined>(SubscriptionDefined::version, bytes);
    for (std::uint8_t before = SubscriptionDefined::version; !definition && before > 1;)
      definition = decode<SubscriptionDefined>(--before, bytes);
    if (!definition) return pass(definition);
    found.definition = std::make_unique<SubscriptionUnit>();
    found.definition->definition = std::move(*definition);
    by_name_[found.definition->definition.name] = found.definition.get();
    if (found.definition->definition.settings.idle) ++may_idle_;
    ledger_.restored(*found.definition, stamp);
    return {};
  }
  if (kind == UnitKind::settles) {
    auto& page = found.settles.add_page(std::string{key}, name.be<std::uint64_t>());
    if (!found.settles.restore(page, bytes)) return bad_unit("page of settles");
    count_settles(found, page, 0);
    ledger_.restored(page, stamp);
    return {};
  }
  if (kind == UnitKind::release) return restore_release(found, bytes, stamp);
  if (kind == UnitKind::storm) return restore_storm(found, bytes, stamp);
  if (kind == UnitKind::use) return restore_one<SubscriptionUsed>(found.use, bytes, stamp);
  const PartitionRef partition = read_partition(name);
  if (kind == UnitKind::cursor) {
    CursorUnit& cursor = found.cursors[partition];
    cursor.subscription = id;
    cursor.partition = partition;
    reader(version, cursor.next);
    if (!reader.done()) return bad_unit("cursor");
    ledger_.restored(cursor, stamp);
    return {};
  }
  const KeyRef ref{id, partition, name.be<std::uint64_t>()};
  return kind == UnitKind::key_page ? restore_page(ref, Offset{name.be<std::int64_t>()}, reader, stamp)
                                    : restore_key(ref, reader, stamp);
}

void SubscriptionStates::recovered() {
  for (const auto& [id, found] : states_) found->tally = {};
}

// A unit that is one effect: the last one there was.
template <class T, class U>
Result<void> SubscriptionStates::restore_one(std::unique_ptr<U>& unit, std::string_view bytes, Sequence stamp) {
  auto effect = decode<T>(encode(T{}).version, bytes);
  if (!effect) return pass(effect);
  unit = std::make_unique<U>();
  unit->value = std::move(*effect);
  ledger_.restored(*unit, stamp);
  return {};
}

Result<void> SubscriptionStates::restore_release(State& found, std::string_view bytes, Sequence stamp) {
  if (auto restored = restore_one<ReleaseChanged>(found.release, bytes, stamp); !restored) return restored;
  schedule_release(found);
  return {};
}

Result<void> SubscriptionStates::restore_storm(State& found, std::string_view bytes, Sequence stamp) {
  if (auto restored = restore_one<StormChanged>(found.storm, bytes, stamp); !restored) return restored;
  if (found.storm->value.probe_at != Elapsed{0}) probes_due_.emplace(found.storm->value.probe_at, found.id);
  return {};
}

Result<void> SubscriptionStates::restore_key(const KeyRef& ref, FieldReader& reader, Sequence stamp) {
  auto unit = std::make_unique<KeyUnit>(ref);
  std::uint32_t version = 0;
  reader(version, unit->state, unit->attempts, unit->leased, unit->lease_number, unit->until, unit->failure.code,
         unit->failure.message, unit->since, unit->queue);
  if (version >= healing_unit_version)
    reader(unit->times, unit->time_came, unit->drain_to, unit->release, unit->edited, unit->event_type, unit->repair_by,
           unit->repair_lease, unit->repair_until, unit->repairs);
  if (version >= named_unit_version) reader(unit->key_text);
  if (!reader.done() || unit->queue.empty()) return bad_unit("key");
  ledger_.restored(*unit, stamp);
  State& found = make_state(ref.subscription);
  found.add_head(*unit);
  enter(found, *unit);
  found.keys[ref] = std::move(unit);
  return {};
}

Result<void> SubscriptionStates::restore_page(const KeyRef& ref, Offset first, FieldReader& reader, Sequence stamp) {
  auto page = std::make_unique<KeyPage>(ref, first);
  std::uint32_t version = 0;
  reader(version, page->offsets);
  if (version >= healing_unit_version) reader(page->times);
  if (!reader.done() || page->offsets.empty()) return bad_unit("page of a key's events");
  ledger_.restored(*page, stamp);
  apply_page(ref, [&](State& found) {
    State::Waiting& waiting = found.waiting[ref];
    waiting.events += page->offsets.size();
    waiting.pages[first] = std::move(page);
  });
  return {};
}

}  // namespace continuo::engines
