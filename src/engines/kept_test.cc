// Kept records: what is remembered, forgotten, and found again after a restart.
#include "continuo/engines/kept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"

namespace continuo::engines {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr PartitionRef zero{TopicId{1}, PartitionId{0}}, one{TopicId{1}, PartitionId{1}};

struct Machine {
  Ledger ledger;
  KeptRecordsEngine engine{ledger};
  Result<void> apply(const Effect& effect, Elapsed) {
    return engine.replay(effect.type, effect.version, effect.payload);
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(key, bytes, stamp);
  }
};

class KeptRecordsTest : public testing::Test {
 protected:
  const KeptRecordsEngine& engine() { return recorded_.live().engine; }
  void keep(PartitionRef partition, const std::vector<KeptRecord>& records) {
    std::vector<Effect> effects;
    for (const RecordsKept& kept : engine().decide_keep(partition, records)) effects.push_back(encode(kept));
    recorded_.commit(std::move(effects), Elapsed{0});
  }
  void release(const std::vector<std::pair<PartitionRef, Offset>>& records) {
    std::vector<Effect> effects;
    for (const RecordsReleased& released : engine().decide_release(records)) effects.push_back(encode(released));
    recorded_.commit(std::move(effects), Elapsed{0});
  }
  Recorded<Machine> recorded_;
};

TEST_F(KeptRecordsTest, AreFoundUntilTheyAreReleased) {
  EXPECT_TRUE(engine().empty());
  EXPECT_EQ(engine().lowest_copy(), std::nullopt);
  keep(zero, {{Offset{5}, Offset{0}, 50}, {Offset{5'000}, Offset{1}, 51}});
  keep(one, {{Offset{5}, Offset{2}, 52}});
  EXPECT_EQ(engine().size(), 3u);
  EXPECT_EQ(engine().find(zero, Offset{5'000})->copy, Offset{1});
  EXPECT_EQ(engine().find(one, Offset{5})->key_hash, 52u);
  EXPECT_EQ(engine().find(zero, Offset{6}), nullptr);
  EXPECT_EQ(engine().lowest_copy(), Offset{0});
  release({{zero, Offset{5}}, {zero, Offset{6}}});
  EXPECT_EQ(engine().find(zero, Offset{5}), nullptr);
  EXPECT_EQ(engine().lowest_copy(), Offset{1});
  release({{zero, Offset{5'000}}, {one, Offset{5}}});
  EXPECT_TRUE(engine().empty());
  EXPECT_THAT(recorded_.content(), IsEmpty());
}

TEST_F(KeptRecordsTest, ARecordIsKeptOnce) {
  keep(zero, {{Offset{5}, Offset{0}, 50}});
  EXPECT_THAT(engine().decide_keep(zero, std::vector{KeptRecord{Offset{5}, Offset{9}, 50}}), IsEmpty());
  EXPECT_EQ(engine().find(zero, Offset{5})->copy, Offset{0});
}

TEST_F(KeptRecordsTest, AreListedInPiecesInTheOrderOfTheirPlaces) {
  keep(one, {{Offset{1}, Offset{0}, 0}});
  keep(zero, {{Offset{1}, Offset{1}, 0}, {Offset{3}, Offset{2}, 0}, {Offset{4'000}, Offset{3}, 0}});
  EXPECT_THAT(engine().list({}, 2), ElementsAre(Pair(zero, Offset{1}), Pair(zero, Offset{3})));
  EXPECT_THAT(engine().list({zero, Offset{4}}, 9), ElementsAre(Pair(zero, Offset{4'000}), Pair(one, Offset{1})));
  EXPECT_THAT(engine().list({one, Offset{2}}, 9), IsEmpty());
}

TEST_F(KeptRecordsTest, APageIsAtMost64KiB) {
  std::vector<KeptRecord> records;
  const std::int64_t far = std::numeric_limits<std::int64_t>::max() / KeptPage::offsets_per_page - 1;
  for (std::int64_t i = 0; i < KeptPage::offsets_per_page; ++i)
    records.push_back({Offset{far * KeptPage::offsets_per_page + i}, Offset{max_offset.value - i}, ~std::uint64_t{0}});
  keep(zero, records);
  const auto content = recorded_.content();
  ASSERT_THAT(content, SizeIs(1));
  EXPECT_LE(content.begin()->second.size(), 64u << 10);
}

TEST_F(KeptRecordsTest, AUnitOfAnotherFormIsRefused) {
  keep(zero, {{Offset{5}, Offset{0}, 50}});
  const auto [key, bytes] = *recorded_.content().begin();
  Ledger ledger;
  KeptRecordsEngine fresh{ledger};
  EXPECT_EQ(fresh.restore(key, bytes + "x", Sequence{1}).error().code, Code::wrong_format);
  EXPECT_EQ(fresh.restore(key, bytes.substr(1), Sequence{1}).error().code, Code::wrong_format);
  EXPECT_EQ(fresh.replay(EffectType::key_queued, 1, "").error().code, Code::wrong_format);
}

// Against a plain map, over checkpoints in slices and restarts at random.
TEST_F(KeptRecordsTest, EngineAndModelAgreeOverRestarts) {
  SeededRandom random{7};
  std::map<std::pair<PartitionRef, Offset>, Offset> model;
  std::int64_t next_copy = 0;
  for (int step = 0; step < 3'000; ++step) {
    const PartitionRef partition = random.below(2) == 0 ? zero : one;
    const Offset offset{static_cast<std::int64_t>(random.below(6'000))};
    if (random.below(5) < 3) {
      if (model.try_emplace({partition, offset}, Offset{next_copy}).second)
        keep(partition, {{offset, Offset{next_copy++}, 1}});
    } else if (const auto at = model.lower_bound({partition, offset}); at != model.end()) {
      release({at->first});
      model.erase(at);
    }
    if (random.below(10) == 0) recorded_.checkpoint(200);
    if (random.below(100) == 0) recorded_.restart();
    ASSERT_EQ(engine().size(), model.size());
  }
  std::optional<Offset> lowest;
  for (const auto& [place, copy] : model) {
    ASSERT_EQ(engine().find(place.first, place.second)->copy, copy);
    if (!lowest || copy < *lowest) lowest = copy;
  }
  EXPECT_EQ(engine().lowest_copy(), lowest);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

}  // namespace
}  // namespace continuo::engines
