// Effects from a journal that passed its checksums and is still not what this version wrote: type, version, payload.
// Decoding must refuse or give something that can be written again; applying it to engines must not crash.
#include <cstdint>
#include <string_view>

#include "continuo/engines/groups/groups.h"
#include "continuo/engines/producers.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/topics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo;
  using namespace continuo::engines;
  Ledger ledger;
  TopicsEngine topics{ledger, TopicLimits{}};
  SubscriptionsEngine subscriptions{ledger, SubscriptionLimits{}};
  ProducersEngine producers{ledger};
  GroupsEngine groups{ledger};
  // Several in a row: u8 type, u8 version, u8 length, payload.
  ByteReader reader{{reinterpret_cast<const char*>(data), size}};
  topics.partitions_made(TopicId{1}, 2);
  while (reader.left() > 3) {
    const auto type = static_cast<EffectType>(reader.u8());
    const std::uint8_t version = reader.u8();
    const std::string_view payload = reader.raw(std::min<std::uint64_t>(reader.u8(), reader.left()));
    if (type >= EffectType::groups_numbered)
      (void)groups.apply(type, version, payload);
    else if (type < EffectType::subscription_defined)
      (void)topics.replay(type, version, payload, Elapsed{1});
    else if (type >= EffectType::producers_numbered)
      (void)producers.replay(type, version, payload, Elapsed{1});
    else
      (void)subscriptions.apply(type, version, payload, Elapsed{1});
    (void)subscriptions.decide_due({WallTime{1}, Elapsed{1}}, 10);
    (void)subscriptions.decide_remains(10);
  }
  // What was kept of groups makes groups, and they live on.
  groups.recovered(Elapsed{1});
  for (std::int64_t at = 1; at < 100'000'000'000; at *= 10)
    for (const Effect& effect : groups.tick(Elapsed{at}).effects)
      (void)groups.apply(effect.type, effect.version, effect.payload);
  ledger.begin_round();
  std::vector<TakenUnit> taken;
  ledger.take(~std::size_t{0}, taken);
  for (const TakenUnit& unit : taken) {
    if (unit.erased) continue;
    Ledger other;
    TopicsEngine other_topics{other, TopicLimits{}};
    SubscriptionsEngine other_subscriptions{other, SubscriptionLimits{}};
    GroupsEngine other_groups{other};
    const auto kind = static_cast<UnitKind>(unit.key.front());
    const bool of_topics =
        kind == UnitKind::node || kind == UnitKind::topic || kind == UnitKind::head || kind == UnitKind::ids;
    ProducersEngine other_producers{other};
    const bool of_producers = kind == UnitKind::producer || kind == UnitKind::producer_counter;
    const bool of_groups = kind == UnitKind::group || kind == UnitKind::group_counter ||
                           kind == UnitKind::group_member || kind == UnitKind::committed_offset;
    const auto restored = of_producers ? other_producers.restore(unit.key, unit.bytes, Sequence{1})
                          : of_topics  ? other_topics.restore(kind, unit.key, unit.bytes, Sequence{1})
                          : of_groups  ? other_groups.restore(kind, unit.key, unit.bytes, Sequence{1})
                                       : other_subscriptions.restore(kind, unit.key, unit.bytes, Sequence{1});
    CHECK(restored.has_value(), "a checkpoint takes nothing that recovery could not read");
  }
  return 0;
}
