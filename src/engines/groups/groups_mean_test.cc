// Committed offsets on a mean home: the counter of groups has a log of its own, and so has every group. What was
// committed and told is there, and no group gets another's offsets.
#include <gtest/gtest.h>

#include <map>

#include "continuo/base/random.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/groups/groups_test.h"
#include "continuo/engines/mean_home_test.h"
#include "continuo/engines/owed_test.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines::groups_test {
namespace {

struct MeanMachine : Machine {
  MeanMachine() : Machine(GroupOptions{}) {}
};

struct GroupShards {
  static Shard of(const Effect& effect) {
    if (effect.type == EffectType::groups_numbered) return {};
    GroupId group;
    FieldReader{effect.payload}(group);
    return {'g', group.value, 0};
  }
  static Shard of_unit(std::string_view key) {
    if (static_cast<UnitKind>(key.front()) == UnitKind::group_counter) return {};
    return {'g', ByteReader{key.substr(1)}.be<std::uint32_t>(), 0};
  }
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}

  void step() {
    now_ = now_ + Millis{10};
    home_.pass();
    switch (random_.below(12)) {
      case 0: return stop();
      case 1: return home_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(200));
      case 2:
      case 3:
      case 4: return look();
      default: return commit();
    }
  }
  void finish() {
    home_.finish();
    for (int i = 0; i < 100; ++i) look();
    auto live = home_.content(), again = home_.replayed_content();
    for (auto* each : {&live, &again}) each->erase("G");  // a counter that recovery set is written with the next number
    ASSERT_EQ(live, again);
  }

 private:
  using Place = std::pair<std::string, PartitionRef>;

  GroupsEngine& engine() { return home_.live().engine; }
  Place any() {
    return {"g" + std::to_string(random_.below(8)),
            {TopicId{1}, PartitionId{static_cast<std::uint32_t>(random_.below(3))}}};
  }
  void commit() {
    const Place place = any();
    const Offset offset{++last_};
    OffsetsOutcome outcome = engine().commit_offsets(
        {{place.first, "", std::nullopt, -1}, {{place.second, offset, std::nullopt, {}}}}, {WallTime{now_.ms}, now_});
    ASSERT_EQ(outcome.error, GroupError::none);
    committed_[place].becomes(offset);
    home_.commit(outcome.effects, now_, [this, place, offset] { committed_[place].told(offset); });
  }
  void look() {
    const Place place = any();
    const OffsetUnit* found = engine().committed(place.first, place.second);
    ASSERT_TRUE(committed_[place].is(found == nullptr ? std::nullopt : std::optional{found->committed.offset}))
        << "of " << place.first << ": " << (found == nullptr ? -1 : found->committed.offset.value);
  }
  void stop() {
    home_.stop();
    engine().recovered(now_);
    for (auto& [place, latest] : committed_) latest.stopped();
  }

  SeededRandom random_;
  MeanHome<MeanMachine, GroupShards> home_{random_};
  std::map<Place, Latest> committed_;
  std::int64_t last_ = 0;
  Elapsed now_{1};
};

TEST(GroupsMean, CommittedOffsetsAreThoseOfTheirGroupAlsoWhereNothingIsAtomicAcrossShards) {
  play_stories<Story>(300, 150);
}

}  // namespace
}  // namespace continuo::engines::groups_test
