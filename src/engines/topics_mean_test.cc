// Deduplication on a mean home: every partition has a log of its own, a request of several partitions may be written to
// some and lost to others, and whoever was not answered asks again. Each event is there once, where it was told to be.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/mean_home_test.h"
#include "continuo/engines/topic_effects.h"
#include "continuo/engines/topics.h"

namespace continuo::engines {
namespace {

constexpr TopicId topic{1};
constexpr std::uint32_t partitions = 3;

// What the log itself says, in the shape of effects.
constexpr EffectType made{1}, appended{2};
Effect log_says(EffectType what, PartitionRef partition, Offset next) {
  return {what, 1, encode(CursorMoved{{}, partition, next}).payload};
}

// With the log: an event and the memory of its id are one frame of their partition.
struct Machine {
  Ledger ledger;
  TopicsEngine engine{ledger, {}};
  std::map<PartitionRef, std::vector<Hash128>> log;
  Result<void> apply(const Effect& effect, Elapsed now) {
    if (effect.type == made || effect.type == appended) {
      const auto said = decode<CursorMoved>(1, effect.payload);
      if (effect.type == made)
        engine.partitions_made(topic, said->partition.partition.value + 1);
      else
        engine.appended(said->partition, said->next);
      return {};
    }
    if (effect.type == EffectType::ids_remembered) {
      const auto remembered = decode<IdsRemembered>(effect.version, effect.payload);
      for (const RememberedId& each : remembered->ids) {
        auto& events = log[remembered->partition];
        CHECK(each.offset.value == static_cast<std::int64_t>(events.size()));
        events.push_back(each.identity);
      }
    }
    return engine.replay(effect.type, effect.version, effect.payload, now);
  }
  Result<void> restore(std::string_view, std::string_view, Sequence) { return {}; }  // no checkpoints here
};

struct TopicShards {
  static Shard of(const Effect& effect) {
    FieldReader reader{effect.payload};
    SubscriptionId none;
    PartitionRef partition;
    if (effect.type == EffectType::topic_defined) return {'d', topic.value, 0};
    if (effect.type == made || effect.type == appended) reader(none);
    reader(partition);
    return shard_of(partition);
  }
  static Shard of_unit(std::string_view) { return {}; }
};

// A request of a producer, which asks again until it is answered.
struct Sent {
  std::vector<NewId> events;
  std::vector<Offset> places;  // that were told; none yet
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {
    const auto decided = engine().decide_create("t", {.partitions = partitions}, WallTime{5}, false);
    CHECK(decided.has_value() && decided->defined.id == topic);
    std::vector<Effect> effects{encode(decided->defined)};
    for (std::uint32_t each = 0; each < partitions; ++each)
      effects.push_back(log_says(made, {topic, PartitionId{each}}, {}));
    home_.commit(effects, now_);
    home_.finish();
  }
  void step() {
    now_ = now_ + Millis{10};
    home_.pass();
    const auto dice = random_.below(20);
    if (dice == 0) return stop();
    if (dice < 6 && !sent_.empty()) return send(random_.below(sent_.size()));
    std::vector<NewId> events;
    for (auto left = 1 + random_.below(4); left > 0; --left) {
      const PartitionId partition{static_cast<std::uint32_t>(random_.below(partitions))};
      events.push_back({{topic, partition}, {++identity_, 7}, 42});
    }
    sent_.push_back({std::move(events), {}});
    send(sent_.size() - 1);
  }
  void finish() {
    home_.finish();
    for (std::size_t each = 0; each < sent_.size(); ++each)
      if (sent_[each].places.empty()) send(each);
    home_.finish();
    std::set<Hash128> seen;
    std::size_t count = 0;
    for (const auto& [partition, events] : home_.live().log) {
      count += events.size();
      seen.insert(events.begin(), events.end());
    }
    ASSERT_EQ(seen.size(), count) << "an event is there twice";
    ASSERT_EQ(count, identity_);
    for (const Sent& each : sent_)
      for (std::size_t i = 0; i < each.events.size(); ++i)
        ASSERT_EQ(home_.live().log[each.events[i].partition].at(static_cast<std::size_t>(each.places[i].value)),
                  each.events[i].identity);
  }

 private:
  const TopicsEngine& engine() { return home_.live().engine; }
  // Asked again while it is under way it gets the answer that comes.
  void send(std::size_t which) {
    if (under_way_.contains(which)) return;
    const auto decided = engine().decide_publish(sent_[which].events, now_);
    ASSERT_TRUE(decided);
    std::vector<Effect> effects;
    for (const IdsDropped& each : decided->dropped) effects.push_back(encode(each));
    for (const IdsRemembered& each : decided->remembered) effects.push_back(encode(each));
    std::map<PartitionRef, Offset> next;
    std::vector<Offset> places;
    for (std::size_t i = 0; i < decided->places.size(); ++i) {
      places.push_back(decided->places[i].offset);
      if (!decided->places[i].duplicate) next[sent_[which].events[i].partition] = places.back() + 1;
    }
    for (const auto& [partition, end] : next) effects.push_back(log_says(appended, partition, end));
    under_way_.insert(which);
    home_.commit(effects, now_, [this, which, places] {
      under_way_.erase(which);
      if (sent_[which].places.empty()) sent_[which].places = places;
      ASSERT_EQ(sent_[which].places, places) << "an event is where it was";
    });
  }
  void stop() {
    home_.stop();
    under_way_.clear();
  }

  SeededRandom random_;
  MeanHome<Machine, TopicShards> home_{random_};
  std::vector<Sent> sent_;
  std::set<std::size_t> under_way_;
  std::uint64_t identity_ = 0;
  Elapsed now_{1};
};

TEST(TopicsMean, EachEventIsThereOnceAlsoWhenARequestIsWrittenInPart) { play_stories<Story>(200, 200); }

}  // namespace
}  // namespace continuo::engines
