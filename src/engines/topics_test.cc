// The topics engine: the catalogue, heads, the deduplication window; against a model, and against its own log.
#include "continuo/engines/topics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"

namespace continuo::engines {
namespace {

using testing::ElementsAre;

const TopicLimits limits{
    .topics = 3, .partitions_per_topic = 4, .partitions = 8, .ids_per_partition = 5'000, .ids = 8'000};

// What the log itself says of partitions, in the shape of effects, so that it is replayed with the rest.
enum class LogSays : std::uint8_t { appended = 1, made, removed, trimmed };

Effect log_says(LogSays what, PartitionRef ref, std::int64_t number = 0) {
  return {static_cast<EffectType>(what), 1, encode(CursorMoved{{}, ref, Offset{number}}).payload};
}

struct Machine {
  Ledger ledger;
  TopicsEngine engine{ledger, limits};

  Result<void> apply(const Effect& effect, Elapsed now) {
    if (effect.type >= EffectType::node_made) return engine.replay(effect.type, effect.version, effect.payload, now);
    const auto said = decode<CursorMoved>(1, effect.payload);
    switch (static_cast<LogSays>(effect.type)) {
      case LogSays::appended:
        if (const HeadUnit* head = engine.head(said->partition); head != nullptr && head->next < said->next)
          engine.appended(said->partition, said->next);
        break;
      case LogSays::made: engine.partitions_made(said->partition.topic, said->partition.partition.value); break;
      case LogSays::removed: engine.topic_removed(said->partition.topic); break;
      case LogSays::trimmed: engine.trimmed(said->partition, said->next); break;
    }
    return {};
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(static_cast<UnitKind>(key.front()), key, bytes, stamp);
  }
};

class TopicsTest : public testing::Test {
 protected:
  const TopicsEngine& engine() { return recorded_.live().engine; }
  TopicId create(const std::string& name, TopicSettings settings = {}) {
    auto decision = engine().decide_create(name, settings, WallTime{5}, false);
    CHECK(decision.has_value() && decision->existing == nullptr);
    const TopicId id = decision->defined.id;
    recorded_.commit({encode(decision->defined), log_says(LogSays::made, {id, PartitionId{settings.partitions}})},
                     now_);
    return id;
  }
  void change(const std::string& name, const TopicChange& change) {
    const auto changed = engine().decide_change(name, change);
    CHECK(changed.has_value());
    recorded_.commit(
        {encode(*changed), log_says(LogSays::made, {changed->id, PartitionId{changed->settings.partitions}})}, now_);
  }
  void remove(const std::string& name) {
    const auto deleted = engine().decide_delete(name);
    CHECK(deleted.has_value());
    recorded_.commit({encode(*deleted), log_says(LogSays::removed, {deleted->id, {}})}, now_);
  }
  Result<PublishDecision> publish(const std::vector<NewId>& events) {
    auto decision = engine().decide_publish(events, now_);
    if (!decision) return decision;
    std::vector<Effect> effects;
    for (const auto& remembered : decision->remembered) effects.push_back(encode(remembered));
    for (const auto& dropped : decision->dropped) effects.push_back(encode(dropped));
    for (std::size_t i = 0; i < events.size(); ++i)
      if (!decision->places[i].duplicate)
        effects.push_back(log_says(LogSays::appended, events[i].partition, decision->places[i].offset.value + 1));
    recorded_.commit(std::move(effects), now_);
    return decision;
  }
  std::vector<IdsDropped> expire(std::size_t most) {
    auto dropped = engine().decide_expired(now_, most);
    std::vector<Effect> effects;
    for (const IdsDropped& each : dropped) effects.push_back(encode(each));
    recorded_.commit(std::move(effects), now_);
    return dropped;
  }
  static NewId event(PartitionRef ref, std::uint64_t id, std::uint64_t content = 1) { return {ref, {id, id}, content}; }

  Recorded<Machine> recorded_;
  Elapsed now_{1'000};
};

// ---- catalogue ------------------------------------------------------------------------------------------------------

TEST_F(TopicsTest, ATopicIsMadeOnceAndFoundByNameAndNumber) {
  const TopicId id = create("orders", {.partitions = 3});
  EXPECT_EQ(engine().find("orders")->definition.id, id);
  EXPECT_EQ(engine().find(id)->definition.name, "orders");
  EXPECT_EQ(engine().find(id)->definition.created, WallTime{5});
  EXPECT_EQ(engine().partition_count(), 3u);
  EXPECT_NE(engine().head({id, PartitionId{2}}), nullptr);
  EXPECT_EQ(engine().head({id, PartitionId{3}}), nullptr);
  EXPECT_EQ(engine().decide_create("orders", {.partitions = 3}, {}, false)->existing, engine().find(id));
  EXPECT_EQ(engine().decide_create("orders", {.partitions = 2}, {}, false).error().code, Code::topic_exists);
}

TEST_F(TopicsTest, RefusesNamesSettingsAndTooMuch) {
  const auto code = [&](const std::string& name, TopicSettings settings) {
    return engine().decide_create(name, settings, {}, false).error().code;
  };
  EXPECT_EQ(code("a/b", {}), Code::bad_name);
  EXPECT_EQ(code("continuo.x", {}), Code::system_name);
  EXPECT_TRUE(engine().decide_create("continuo.x", {}, {}, true)) << "the system may";
  EXPECT_EQ(code("a", {.partitions = 0}), Code::bad_setting);
  EXPECT_EQ(code("a", {.partitions = 5}), Code::bad_setting);
  create("one", {.partitions = 4});
  create("two", {.partitions = 3});
  EXPECT_EQ(code("three", {.partitions = 2}), Code::limit_reached);
  create("three");
  EXPECT_EQ(code("four", {}), Code::limit_reached);
}

TEST_F(TopicsTest, SettingsChangeOneByOne) {
  const TopicId id = create("orders", {.partitions = 2, .retention_time = Millis{60'000}});
  change("orders", {.retention_bytes = 1'000'000, .max_batch_bytes = 2'000'000});
  change("orders", {.retention_time = std::optional<Millis>{}, .timestamps = Timestamps::appended});
  TopicSettings expected{.partitions = 2, .retention_bytes = 1'000'000};
  expected.max_batch_bytes = 2'000'000;
  expected.timestamps = Timestamps::appended;
  EXPECT_EQ(engine().find(id)->definition.settings, expected);
  EXPECT_EQ(engine().decide_create("orders", expected, {}, false)->existing, engine().find(id)) << "it is that now";
  recorded_.checkpoint(1'000'000);
  recorded_.restart();
  EXPECT_EQ(engine().find(id)->definition.settings, expected);
}

TEST_F(TopicsTest, ATopicGrowsAndNeverShrinks) {
  const TopicId id = create("orders", {.partitions = 2});
  ASSERT_TRUE(publish({event({id, PartitionId{1}}, 1)}));
  change("orders", {.partitions = 4});
  EXPECT_EQ(engine().partition_count(), 4u);
  EXPECT_EQ(engine().head({id, PartitionId{1}})->next, Offset{1}) << "as it was";
  EXPECT_EQ(engine().head({id, PartitionId{3}})->next, Offset{0});
  EXPECT_EQ(engine().decide_change("orders", {.partitions = 3}).error().code, Code::bad_setting);
  EXPECT_EQ(engine().decide_change("orders", {.partitions = 5}).error().code, Code::bad_setting) << "the limit";
  create("payments", {.partitions = 3});
  EXPECT_TRUE(engine().decide_change("payments", {.partitions = 3})) << "no more than there are";
  create("mails");
  EXPECT_EQ(engine().decide_change("mails", {.partitions = 2}).error().code, Code::limit_reached);
}

TEST_F(TopicsTest, AChangeThatCannotBeIsRefused) {
  create("orders");
  const auto code = [&](const TopicChange& change) { return engine().decide_change("orders", change).error().code; };
  EXPECT_EQ(engine().decide_change("none", {}).error().code, Code::unknown_topic);
  EXPECT_EQ(code({.max_batch_bytes = 0}), Code::bad_setting);
  EXPECT_EQ(code({.max_batch_bytes = most_batch_bytes + 1}), Code::bad_setting);
  EXPECT_EQ(code({.segment_bytes = least_segment_bytes - 1}), Code::bad_setting);
  EXPECT_EQ(code({.segment_bytes = most_segment_bytes + 1}), Code::bad_setting);
  EXPECT_TRUE(engine().decide_change("orders", {.max_batch_bytes = most_batch_bytes}));
  EXPECT_TRUE(engine().decide_change("orders", {.segment_bytes = least_segment_bytes}));
}

TEST_F(TopicsTest, AChangedWindowHoldsForWhatWasSeenToo) {
  const PartitionRef ref{create("orders", {.dedup_window = Millis{120'000}}), PartitionId{0}};
  ASSERT_TRUE(publish({event(ref, 1)}));
  change("orders", {.dedup_window = Millis{10'000}});
  EXPECT_EQ(engine().effective_window(now_), Millis{10'000});
  now_ = now_ + Millis{9'000};
  EXPECT_TRUE(publish({event(ref, 1)})->places[0].duplicate);
  EXPECT_LE(engine().next_due(), now_ + Millis{3'000}) << "the page goes when the new window is over";
  now_ = now_ + Millis{3'000};
  EXPECT_FALSE(publish({event(ref, 1)})->places[0].duplicate);
}

TEST_F(TopicsTest, ANumberIsNeverUsedAgain) {
  const TopicId first = create("a");
  remove("a");
  EXPECT_EQ(engine().find("a"), nullptr);
  EXPECT_EQ(engine().head({first, PartitionId{0}}), nullptr);
  EXPECT_EQ(engine().partition_count(), 0u);
  EXPECT_EQ(engine().decide_delete("a").error().code, Code::unknown_topic);
  recorded_.checkpoint(1'000'000);
  recorded_.restart();
  EXPECT_GT(create("a"), first);
}

TEST_F(TopicsTest, TrimsWithinWhatIsThere) {
  const PartitionRef ref{create("a"), PartitionId{0}};
  ASSERT_TRUE(publish({event(ref, 1), event(ref, 2), event(ref, 3)}));
  EXPECT_EQ(engine().decide_trim(ref, Offset{2}).value(), Offset{2});
  EXPECT_EQ(engine().decide_trim(ref, max_offset).value(), Offset{3});
  EXPECT_EQ(engine().decide_trim(ref, Offset{4}).error().code, Code::offset_out_of_range);
  EXPECT_EQ(engine().decide_trim({ref.topic, PartitionId{1}}, Offset{0}).error().code, Code::unknown_partition);
  EXPECT_EQ(engine().decide_trim({TopicId{9}, PartitionId{0}}, Offset{0}).error().code, Code::unknown_topic);
  recorded_.commit({log_says(LogSays::trimmed, ref, 2)}, now_);
  EXPECT_EQ(engine().decide_trim(ref, Offset{1}).value(), Offset{2}) << "never back";
}

TEST_F(TopicsTest, TheSecretIsKept) {
  recorded_.commit({encode(NodeMade{42})}, now_);
  recorded_.restart();
  EXPECT_EQ(engine().secret(), 42u);
  recorded_.checkpoint(1'000);
  recorded_.restart();
  EXPECT_EQ(engine().secret(), 42u);
}

// ---- publishing -----------------------------------------------------------------------------------------------------

TEST_F(TopicsTest, NewEventsGetConsecutiveOffsetsInTheirPartitions) {
  const TopicId id = create("a", {.partitions = 2});
  const PartitionRef zero{id, PartitionId{0}}, one{id, PartitionId{1}};
  const auto decision = publish({event(zero, 1), event(one, 2), event(zero, 3)});
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->places[0].offset, Offset{0});
  EXPECT_EQ(decision->places[1].offset, Offset{0});
  EXPECT_EQ(decision->places[2].offset, Offset{1});
  EXPECT_EQ(engine().head(zero)->next, Offset{2});
}

TEST_F(TopicsTest, UnknownPlacesAreRefusedAsAWhole) {
  const TopicId id = create("a");
  const PartitionRef ref{id, PartitionId{0}};
  EXPECT_EQ(publish({event(ref, 1), event({id, PartitionId{1}}, 2)}).error().code, Code::unknown_partition);
  EXPECT_EQ(publish({event(ref, 1), event({TopicId{99}, PartitionId{0}}, 2)}).error().code, Code::unknown_topic);
  EXPECT_EQ(engine().head(ref)->next, Offset{0});
  EXPECT_EQ(engine().remembered_ids(), 0u);
}

TEST_F(TopicsTest, ARepeatGetsTheFirstPlaceUntilTheWindowIsOver) {
  const PartitionRef ref{create("a", {.dedup_window = Millis{100}}), PartitionId{0}};
  ASSERT_TRUE(publish({event(ref, 7), event(ref, 8)}));
  for (const std::int64_t later : {0, 50, 100}) {
    now_ = Elapsed{1'000 + later};
    const auto again = publish({event(ref, 8)});
    EXPECT_TRUE(again->places[0].duplicate) << later;
    EXPECT_EQ(again->places[0].offset, Offset{1});
    EXPECT_TRUE(again->remembered.empty());
  }
  now_ = Elapsed{1'101};
  const auto forgotten = publish({event(ref, 8)});
  EXPECT_FALSE(forgotten->places[0].duplicate);
  EXPECT_EQ(forgotten->places[0].offset, Offset{2});
  EXPECT_EQ(publish({event(ref, 8)})->places[0].offset, Offset{2}) << "from now on this one counts";
}

TEST_F(TopicsTest, TheSameIdWithOtherContentIsRefused) {
  const PartitionRef ref{create("a"), PartitionId{0}};
  ASSERT_TRUE(publish({event(ref, 7, 1)}));
  const auto other = publish({event(ref, 6), event(ref, 7, 2)});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::id_reused);
  EXPECT_EQ(other.error().at, "[1].id");
  EXPECT_FALSE(publish({event(ref, 6)})->places[0].duplicate) << "nothing of the refused request was remembered";
}

TEST_F(TopicsTest, TheSameIdTwiceInOneRequest) {
  const TopicId id = create("a", {.partitions = 2});
  const PartitionRef zero{id, PartitionId{0}}, one{id, PartitionId{1}};
  const auto decision = publish({event(zero, 1), event(zero, 1), event(one, 1)});
  ASSERT_TRUE(decision);
  EXPECT_TRUE(decision->places[1].duplicate);
  EXPECT_EQ(decision->places[1].offset, Offset{0});
  EXPECT_FALSE(decision->places[2].duplicate) << "a window is of one partition";
  EXPECT_EQ(publish({event(zero, 2, 1), event(zero, 2, 9)}).error().code, Code::id_reused);
}

TEST_F(TopicsTest, WithoutIdentityOrWindowNothingIsRemembered) {
  const PartitionRef ref{create("a"), PartitionId{0}}, none{create("b", {.dedup_window = Millis{0}}), PartitionId{0}};
  ASSERT_TRUE(publish({{ref, {}, 1}, {ref, {}, 1}, event(none, 5), event(none, 5)}));
  EXPECT_EQ(engine().remembered_ids(), 0u);
  EXPECT_EQ(engine().head(ref)->next, Offset{2});
  EXPECT_EQ(engine().head(none)->next, Offset{2});
}

TEST_F(TopicsTest, TheWindowKeepsWithinItsBudgets) {
  const TopicId id = create("a", {.partitions = 2});
  std::uint64_t next_id = 1;
  for (int round = 0; round < 30; ++round) {
    std::vector<NewId> events;
    for (int i = 0; i < 900; ++i)
      events.push_back(event({id, PartitionId{static_cast<std::uint32_t>(round % 2)}}, next_id++));
    ASSERT_TRUE(publish(events));
    EXPECT_LE(engine().remembered_ids(), limits.ids + 2'048) << "a page or two more, at most";
  }
  EXPECT_GT(engine().remembered_ids(), limits.ids / 2);
  EXPECT_TRUE(publish({event({id, PartitionId{1}}, next_id - 1)})->places[0].duplicate) << "the youngest are kept";
  recorded_.checkpoint(1'000);
  recorded_.restart();
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(TopicsTest, PagesLeaveWhenTheirWindowIsOver) {
  const PartitionRef ref{create("a", {.dedup_window = Millis{100}}), PartitionId{0}};
  for (std::uint64_t i = 1; i <= 3'000; ++i) ASSERT_TRUE(publish({event(ref, i)}));
  EXPECT_EQ(engine().remembered_ids(), 3'000u);
  now_ = Elapsed{2'000};
  ASSERT_TRUE(publish({event(ref, 5'000)}));
  EXPECT_LE(engine().remembered_ids(), 1'025u) << "the newest page is still filled";
}

TEST_F(TopicsTest, PagesOfPartitionsNobodyPublishesToLeaveToo) {
  const TopicId id = create("a", {.partitions = 2, .dedup_window = Millis{100'000}});
  const PartitionRef zero{id, PartitionId{0}}, one{id, PartitionId{1}};
  const PartitionRef slow{create("b", {.dedup_window = Millis{900'000}}), PartitionId{0}};
  EXPECT_EQ(engine().next_due(), std::nullopt);
  for (std::uint64_t i = 1; i <= 3'000; ++i) ASSERT_TRUE(publish({event(zero, i)}));
  now_ = Elapsed{51'000};
  ASSERT_TRUE(publish({event(one, 1), event(slow, 1)}));
  EXPECT_EQ(engine().next_due(), Elapsed{102'000});
  now_ = Elapsed{101'999};
  EXPECT_TRUE(expire(10).empty());
  recorded_.checkpoint(1'000'000);
  recorded_.restart();
  now_ = Elapsed{102'000};
  EXPECT_EQ(expire(2).size(), 2u) << "bounded";
  EXPECT_EQ(expire(2).size(), 1u);
  EXPECT_EQ(engine().remembered_ids(), 2u);
  EXPECT_FALSE(publish({event(zero, 3'000)})->places[0].duplicate);
  EXPECT_TRUE(publish({event(one, 1)})->places[0].duplicate);
  now_ = Elapsed{300'000};
  EXPECT_EQ(expire(9).size(), 2u);
  EXPECT_TRUE(publish({event(slow, 1)})->places[0].duplicate);
  now_ = Elapsed{1'300'000};
  EXPECT_EQ(expire(9).size(), 1u);
  EXPECT_EQ(engine().remembered_ids(), 0u);
  EXPECT_EQ(engine().next_due(), std::nullopt);
  EXPECT_EQ(recorded_.content(), recorded_.replayed_content());
}

TEST_F(TopicsTest, TheBudgetOfAllIsKeptAcrossPartitionsAndTheWindowInEffectIsTold) {
  EXPECT_EQ(engine().effective_window(now_), std::nullopt);
  const TopicId id = create("a", {.partitions = 4});
  create("b", {.dedup_window = Millis{900'000}});
  EXPECT_EQ(engine().effective_window(now_), Millis{120'000});
  std::uint64_t next_id = 1;
  for (std::uint32_t partition = 0; partition < 4; ++partition) {
    now_ = now_ + Millis{2'000};
    for (int round = 0; round < 3; ++round) {
      std::vector<NewId> events;
      for (int i = 0; i < 900; ++i) events.push_back(event({id, PartitionId{partition}}, next_id++));
      ASSERT_TRUE(publish(events));
    }
  }
  EXPECT_GT(engine().remembered_ids(), limits.ids);
  EXPECT_EQ(engine().next_due(), Elapsed{0}) << "at once";
  EXPECT_FALSE(expire(100).empty());
  EXPECT_LE(engine().remembered_ids(), limits.ids);
  EXPECT_FALSE(publish({event({id, PartitionId{0}}, 1)})->places[0].duplicate) << "the oldest went";
  EXPECT_LT(*engine().effective_window(now_), Millis{20'000});
  now_ = now_ + Millis{30'000};
  EXPECT_GE(*engine().effective_window(now_), Millis{30'000}) << "it grows again";
  now_ = now_ + Millis{120'000};
  EXPECT_EQ(engine().effective_window(now_), Millis{120'000});
}

TEST_F(TopicsTest, ALargeRequestOfManyIdsIsDecidedInNoTime) {
  const PartitionRef ref{create("a"), PartitionId{0}};
  std::vector<NewId> events;
  for (std::uint64_t i = 1; i <= 100'000; ++i) events.push_back(event(ref, i));
  events.push_back(event(ref, 50'000));
  const auto decision = engine().decide_publish(events, now_);
  ASSERT_TRUE(decision);
  EXPECT_TRUE(decision->places.back().duplicate);
  EXPECT_EQ(decision->places.back().offset, Offset{49'999});
}

// ---- against a model, over restarts ---------------------------------------------------------------------------------

// Where events go and which were seen, the slow and obvious way.
struct PublishModel {
  static constexpr Millis window{300};
  struct Seen {
    std::uint64_t content;
    Offset offset;
    Elapsed at;
  };
  std::map<PartitionRef, Offset> nexts;
  std::map<PartitionRef, std::map<std::uint64_t, Seen>> seen;

  struct Expected {
    std::vector<std::pair<Offset, bool>> places;
    bool reused = false;
    std::map<PartitionRef, Offset> nexts;
    std::map<PartitionRef, std::map<std::uint64_t, Seen>> seen;
  };
  Expected expect(const std::vector<NewId>& events, Elapsed now) const {
    Expected expected{{}, false, nexts, seen};
    for (const NewId& each : events) {
      auto& ids = expected.seen[each.partition];
      const auto before = ids.find(each.identity.low);
      if (before != ids.end() && now <= before->second.at + window) {
        expected.reused = expected.reused || before->second.content != each.content;
        expected.places.emplace_back(before->second.offset, true);
        continue;
      }
      Offset& next = expected.nexts[each.partition];
      expected.places.emplace_back(next, false);
      ids[each.identity.low] = {each.content, next, now};
      next = next + 1;
    }
    return expected;
  }
};

TEST_F(TopicsTest, EngineAndModelAgreeOverRestarts) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random{seed};
    recorded_ = {};
    std::map<std::string, TopicId> topics;
    std::map<PartitionRef, Offset> firsts;
    PublishModel model;
    for (int step = 0; step < 200; ++step) {
      const std::string name = "t" + std::to_string(random.below(3));
      switch (random.below(12)) {
        case 0:
          if (!topics.contains(name))
            topics[name] = create(name, {.partitions = 2, .dedup_window = PublishModel::window});
          break;
        case 1:
          if (!topics.contains(name) || random.chance(2, 3)) break;
          remove(name);
          std::erase_if(model.nexts, [&](const auto& each) { return each.first.topic == topics[name]; });
          topics.erase(name);
          break;
        case 2: recorded_.checkpoint(random.chance(1, 2) ? 1'000'000 : random.below(2'000)); break;
        case 3: recorded_.restart(); break;
        case 4:
          now_ = now_ + Millis{static_cast<std::int64_t>(random.below(400))};
          if (random.chance(1, 2)) expire(3);
          break;
        case 5: {
          if (!topics.contains(name)) break;
          const PartitionRef ref{topics[name], PartitionId{static_cast<std::uint32_t>(random.below(2))}};
          const auto trim = engine().decide_trim(ref, Offset{static_cast<std::int64_t>(random.below(50))});
          ASSERT_TRUE(trim || trim.error().code == Code::offset_out_of_range);
          if (trim) recorded_.commit({log_says(LogSays::trimmed, ref, trim->value)}, now_);
          if (trim) firsts[ref] = *trim;
          break;
        }
        default: {
          if (!topics.contains(name)) break;
          std::vector<NewId> events;
          for (auto left = 1 + random.below(200); left > 0; --left)
            events.push_back(event({topics[name], PartitionId{static_cast<std::uint32_t>(random.below(2))}},
                                   1 + random.below(3'000), random.chance(1, 2'000) ? 2 : 1));
          const PublishModel::Expected expected = model.expect(events, now_);
          const auto decision = publish(events);
          ASSERT_EQ(decision.has_value(), !expected.reused);
          if (!decision) break;
          for (std::size_t i = 0; i < expected.places.size(); ++i) {
            ASSERT_EQ(decision->places[i].offset, expected.places[i].first);
            ASSERT_EQ(decision->places[i].duplicate, expected.places[i].second);
          }
          model.nexts = expected.nexts;
          model.seen = expected.seen;
        }
      }
      for (const auto& [ref, next] : model.nexts) ASSERT_EQ(engine().head(ref)->next, next);
      for (const auto& [ref, first] : firsts)
        if (const HeadUnit* head = engine().head(ref)) {
          ASSERT_EQ(head->first, first);
        }
    }
    ASSERT_EQ(recorded_.content(), recorded_.replayed_content());
  }
}

// As docs/formats/checkpoint.md shows them. For ever, like the bytes of effects.
TEST_F(TopicsTest, GoldenUnits) {
  const PartitionRef ref{create("a"), PartitionId{0}};
  recorded_.commit({encode(NodeMade{9}), encode(IdsRemembered{ref, 3, {{{1, 2}, 300, Offset{5}}}}),
                    log_says(LogSays::appended, ref, 6)},
                   now_);
  std::map<std::string, std::string> units;
  const auto hex = [](std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
  };
  for (const auto& [key, bytes] : recorded_.content()) units[hex(key)] = hex(bytes);
  const std::map<std::string, std::string> golden{
      {"680000000100000000", "010600"},
      {"6900000001000000000000000000000003", "d00f0101000000000000000200000000000000ac0205d00f"},
      {"6e", "010209"},
      {"7400000001",
       "0101610100008"
       "0d30e0a8c80400000"},
  };
  EXPECT_EQ(units, golden);
}

TEST_F(TopicsTest, UnitsThatCannotBeReadAreRefused) {
  const TopicId id = create("a");
  ASSERT_TRUE(publish({event({id, PartitionId{0}}, 1)}));
  for (const auto& [key, bytes] : recorded_.content()) {
    Machine fresh;
    EXPECT_TRUE(fresh.restore(key, bytes, Sequence{1})) << key[0];
    EXPECT_FALSE(Machine{}.restore(key, bytes.substr(0, bytes.size() - 1), Sequence{1})) << key[0];
    EXPECT_FALSE(Machine{}.restore(key, bytes + "x", Sequence{1})) << key[0];
  }
  EXPECT_TRUE(Machine{}.restore(std::string_view("t\0\0\0\1", 5), std::string_view("\1\1a\1\0\0\0\0", 8), Sequence{1}))
      << "as version 1 wrote a topic";
  EXPECT_FALSE(Machine{}.apply({EffectType::key_leased, 1, ""}, {})) << "an effect of another engine";
  for (const EffectType type : {EffectType::node_made, EffectType::topic_defined, EffectType::topic_changed,
                                EffectType::topic_deleted, EffectType::ids_remembered, EffectType::ids_dropped})
    EXPECT_FALSE(Machine{}.apply({type, 1, "\xff"}, {}));
}

}  // namespace
}  // namespace continuo::engines
