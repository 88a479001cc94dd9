// Units, their ledger, and checkpoints of them in slices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"

namespace continuo::engines {
namespace {

using testing::ElementsAre;

class Named final : public Unit {
 public:
  explicit Named(std::string name, std::string value = {}) : name(std::move(name)), value(std::move(value)) {}
  std::string unit_key() const override { return name; }
  void encode(std::string& out) const override { out += value; }
  const std::string name;
  std::string value;
};

std::vector<std::string> take(Ledger& ledger, std::size_t most = 1'000'000) {
  std::vector<TakenUnit> taken;
  ledger.take(most, taken);
  std::vector<std::string> texts;
  for (const TakenUnit& unit : taken) texts.push_back(unit.key + (unit.erased ? " erased" : "=" + unit.bytes));
  return texts;
}

TEST(Ledger, ARoundTakesWhatChangedOnce) {
  Ledger ledger;
  Named a{"a", "1"}, b{"b", "2"};
  EXPECT_FALSE(ledger.anything_changed());
  ledger.touch(a);
  ledger.touch(b);
  ledger.touch(a);
  EXPECT_TRUE(ledger.anything_changed());
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre("a=1", "b=2"));
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre());
}

TEST(Ledger, CountsItsUnits) {
  Ledger ledger;
  Named a{"a"}, b{"b"};
  ledger.touch(a);
  ledger.touch(a);
  ledger.restored(b, Sequence{1});
  ledger.touch(b);
  EXPECT_EQ(ledger.units(), 2u);
  ledger.erase(a);
  EXPECT_EQ(ledger.units(), 1u);
}

TEST(Ledger, ARoundIsTakenInSlices) {
  Ledger ledger;
  Named a{"a", std::string(100, 'x')}, b{"b", std::string(100, 'y')};
  ledger.touch(a);
  ledger.touch(b);
  ledger.begin_round();
  std::vector<TakenUnit> taken;
  EXPECT_FALSE(ledger.take(50, taken));
  EXPECT_EQ(taken.size(), 1u);
  b.value = "changed while it waits";
  ledger.touch(b);
  EXPECT_TRUE(ledger.take(50, taken));
  EXPECT_EQ(taken.back().bytes, "changed while it waits");
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre()) << "that round had it";
}

TEST(Ledger, WhatChangesAfterItWasTakenIsForTheNextRound) {
  Ledger ledger;
  Named a{"a", "1"};
  ledger.touch(a);
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre("a=1"));
  a.value = "2";
  ledger.touch(a);
  EXPECT_THAT(take(ledger), ElementsAre());
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre("a=2"));
}

TEST(Ledger, OnlyWhatACheckpointMayHaveNeedsATombstone) {
  Ledger ledger;
  {
    Named never{"never"}, taken{"taken"}, restored{"restored"};
    ledger.touch(taken);
    ledger.begin_round();
    take(ledger);
    ledger.restored(restored, Sequence{4});
    ledger.touch(never);
    for (Named* unit : {&never, &taken, &restored}) ledger.erase(*unit);
  }
  ledger.begin_round();
  EXPECT_THAT(take(ledger), ElementsAre("taken erased", "restored erased"));
}

TEST(Ledger, ReplaySkipsWhatACheckpointContains) {
  Ledger ledger;
  Named unit{"a"};
  ledger.restored(unit, Sequence{5});
  ledger.restored_tombstone("gone", Sequence{7});
  EXPECT_TRUE(ledger.wants(&unit, "a")) << "not replaying";
  EXPECT_FALSE(ledger.is_replaying());
  ledger.replaying(Sequence{5});
  EXPECT_TRUE(ledger.is_replaying());
  EXPECT_FALSE(ledger.wants(&unit, "a"));
  EXPECT_FALSE(ledger.wants(nullptr, "gone"));
  EXPECT_TRUE(ledger.wants(nullptr, "new"));
  ledger.replaying(Sequence{6});
  EXPECT_TRUE(ledger.wants(&unit, "a"));
  EXPECT_FALSE(ledger.wants(nullptr, "gone"));
  ledger.replaying(Sequence{8});
  EXPECT_TRUE(ledger.wants(nullptr, "gone")) << "made again after it was erased";
}

// A table of lists: `key_queued` appends its first offset to the list of its key, `key_settled` drops so many from the
// front; a list of nothing is gone. Small enough to see through, and it has all that can go wrong between slices and
// effects.
class Lists {
 public:
  Ledger ledger;

  Result<void> apply(const Effect& effect, Elapsed) {
    const auto queued = decode<KeyQueued>(2, effect.payload);
    const bool adds = effect.type == EffectType::key_queued;
    const std::uint64_t number = adds ? queued->key.key_hash : decode<KeySettled>(1, effect.payload)->key.key_hash;
    const std::string name = std::to_string(number);
    const auto found = units_.find(name);
    if (!ledger.wants(found == units_.end() ? nullptr : found->second.get(), name)) return {};
    if (adds) {
      auto& unit = units_[name];
      if (!unit) unit = std::make_unique<Named>(name);
      unit->value += static_cast<char>('a' + queued->offsets.front().value % 26);
      ledger.touch(*unit);
      return {};
    }
    if (found == units_.end()) return {};
    found->second->value.erase(0, decode<KeySettled>(1, effect.payload)->count);
    ledger.touch(*found->second);
    if (!found->second->value.empty()) return {};
    ledger.erase(*found->second);
    units_.erase(found);
    return {};
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    auto& unit = units_[std::string{key}] = std::make_unique<Named>(std::string{key}, std::string{bytes});
    ledger.restored(*unit, stamp);
    return {};
  }

 private:
  std::map<std::string, std::unique_ptr<Named>> units_;
};

TEST(Ledger, ACheckpointAtAnyMomentAndTheEffectsAfterItGiveTheStateOfAllEffects) {
  SeededRandom random{20'261'121};
  for (int round = 0; round < 3'000; ++round) {
    Recorded<Lists> recorded;
    for (auto steps = random.below(60); steps > 0; --steps) {
      const KeyRef key{SubscriptionId{1}, {}, random.below(4)};
      switch (random.below(8)) {
        case 0: recorded.restart(); break;
        case 1:
        case 2: recorded.checkpoint(random.chance(1, 4) ? 1'000 : 1); break;
        case 3:
        case 4: recorded.commit({encode(KeySettled{key, static_cast<std::uint32_t>(1 + random.below(3))})}, {}); break;
        default:
          recorded.commit({encode(KeyQueued{key, {Offset{static_cast<std::int64_t>(random.below(26))}}})}, {});
          break;
      }
    }
    recorded.restart();
    ASSERT_EQ(recorded.content(), recorded.replayed_content()) << "round " << round;
  }
}

}  // namespace
}  // namespace continuo::engines
