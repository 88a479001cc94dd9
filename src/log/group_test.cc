// What a group's body says: frames of effects, and the batches behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/log/hex_test.h"
#include "continuo/log/sample_batch_test.h"
#include "continuo/log/seam/home.h"

namespace continuo::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr PartitionRef partition{TopicId{300}, PartitionId{2}};

std::string sealed(Group& group) {
  std::string body;
  for (const std::string_view piece : group.seal()) body += piece;
  return body;
}

struct Seen {
  std::uint8_t type, version;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

Result<std::vector<Seen>> effects_of(std::string_view body) {
  std::vector<Seen> seen;
  auto walked = walk_effects(body, [&](const EffectView& effect) -> Result<void> {
    seen.push_back({effect.type, effect.version, std::string{effect.payload}});
    return {};
  });
  if (!walked) return pass(walked);
  return seen;
}

TEST(Group, GoldenBytes) {
  Group group;
  group.begin_frame();
  group.effect(34, 1, "abc");
  group.trim({partition, Offset{5}});
  group.end_frame();
  group.append({partition, Offset{5}, Offset{7}, 1003, std::make_shared<const std::string>("<batch>")});
  const char* golden =
      "11 00 00 00 00 00 02 00 "        // a frame: 17 bytes follow, shard 0, 2 effects
      "22 01 03 61 62 63 "              // type 34 version 1, 3 bytes: "abc"
      "04 01 04 ac 02 02 05 "           // type 4 (trimmed) version 1, 4 bytes: topic 300, partition 2, before 5
      "15 00 00 00 00 00 01 00 "        // the frame of the batches: 21 bytes follow, shard 0, 1 effect
      "01 01 0e ac 02 02 05 07 d6 0f "  // type 1 (appended) version 1, 14 bytes: topic, partition, base 5, next 7, 1003
                                        // ms
      "3c 62 61 74 63 68 3e ";          // the batch
  EXPECT_EQ(hex(sealed(group)), golden);
  EXPECT_EQ(group.frame_count(), 2u);
}

TEST(Group, GoldenRaised) {
  Group group;
  group.begin_frame();
  group.raise({partition, Offset{300}});
  group.end_frame();
  EXPECT_EQ(hex(sealed(group)), "0c 00 00 00 00 00 01 00 06 01 05 ac 02 02 ac 02 ");
}

TEST(Group, GivesBackItsEffectsInOrder) {
  EXPECT_TRUE(rc::check([](const std::vector<std::vector<std::string>>& frames, std::uint8_t records) {
    Group group;
    std::vector<Seen> put;
    for (const auto& frame : frames) {
      group.begin_frame();
      for (const std::string& payload : frame) {
        put.push_back({static_cast<std::uint8_t>(16 + payload.size() % 200), 1, payload});
        group.effect(put.back().type, 1, payload);
      }
      group.end_frame();
    }
    std::vector<AppendedBatch> batches;
    for (int i = 0; i < records % 5; ++i) {
      batches.push_back(sample_batch({TopicId{1}, PartitionId{static_cast<std::uint32_t>(i)}}, Offset{i}, 1 + i));
      group.append(batches.back());
    }
    RC_ASSERT(group.empty() == (put.empty() && batches.empty()));
    const std::size_t promised = group.size();
    const std::string body = sealed(group);
    RC_ASSERT(body.size() <= promised);
    auto found = effects_of(body);
    RC_ASSERT(found.has_value());
    RC_ASSERT(found->size() == put.size() + batches.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto view = read_appended(found->back().payload);
      RC_ASSERT(view.has_value());
      const AppendedBatch& batch = batches[batches.size() - 1 - i];
      RC_ASSERT(view->partition == batch.partition && view->base == batch.base && view->next == batch.next);
      RC_ASSERT(view->max_timestamp_ms == batch.max_timestamp_ms && view->batch == *batch.bytes);
      found->pop_back();
    }
    RC_ASSERT(*found == put);
  }));
}

TEST(Group, IsNeverLargerThanItSays) {
  EXPECT_TRUE(rc::check([](const std::vector<std::pair<std::uint8_t, std::uint64_t>>& draws) {
    Group group;
    const auto offset = [](std::uint64_t drawn) {
      return Offset{static_cast<std::int64_t>(drawn >> (1 + drawn % 60))};
    };
    for (const auto& [kind, drawn] : draws) {
      const PartitionRef ref{TopicId{static_cast<std::uint32_t>(drawn >> (drawn % 60))},
                             PartitionId{static_cast<std::uint32_t>(drawn >> (drawn % 50))}};
      if (kind % 7 == 6) {
        AppendedBatch batch = sample_batch(ref, offset(drawn), 1);
        batch.next = batch.base + 1 + kind;
        batch.max_timestamp_ms = static_cast<std::int64_t>(drawn);
        group.append(batch);
        continue;
      }
      group.begin_frame();
      if (kind % 7 == 0) group.effect(kind, 1, std::string(drawn % 300, '.'));
      if (kind % 7 == 1) group.make_partitions({ref.topic, ref.partition.value});
      if (kind % 7 == 2) group.remove_topic({ref.topic});
      if (kind % 7 == 3) group.trim({ref, offset(drawn)});
      if (kind % 7 == 4) group.skip({ref, offset(drawn), offset(drawn) + 1, std::string(drawn % 200, '.')});
      if (kind % 7 == 5 && kind > 50) group.raise({ref, offset(drawn)});
      group.end_frame();
    }
    const std::size_t most = group.size();
    RC_ASSERT(sealed(group).size() <= most);
  }));
}

TEST(Group, AFrameOfNothingIsNoFrame) {
  Group group;
  group.begin_frame();
  group.end_frame();
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(group.frame_count(), 0u);
  EXPECT_THAT(group.seal(), IsEmpty());
}

TEST(Group, TheLogsOwnEffectsAreReadBack) {
  Group group;
  group.begin_frame();
  group.make_partitions({TopicId{7}, 16});
  group.remove_topic({TopicId{6}});
  group.trim({partition, Offset{99}});
  group.skip({partition, Offset{3}, Offset{9}, "the disk ate them"});
  group.raise({partition, Offset{77}});
  group.end_frame();
  const auto effects = effects_of(sealed(group));
  ASSERT_TRUE(effects);
  ASSERT_EQ(effects->size(), 5u);
  const auto made = read_partitions_made((*effects)[0].payload);
  EXPECT_EQ(made->topic, TopicId{7});
  EXPECT_EQ(made->partitions, 16u);
  EXPECT_EQ(read_topic_removed((*effects)[1].payload)->topic, TopicId{6});
  const auto trimmed = read_trimmed((*effects)[2].payload);
  EXPECT_EQ(trimmed->partition, partition);
  EXPECT_EQ(trimmed->before, Offset{99});
  const auto skipped = read_skipped((*effects)[3].payload);
  EXPECT_EQ(skipped->partition, partition);
  EXPECT_EQ(skipped->from, Offset{3});
  EXPECT_EQ(skipped->next, Offset{9});
  EXPECT_EQ(skipped->reason, "the disk ate them");
  EXPECT_EQ(group.made().size() + group.removed().size() + group.trims().size() + group.skips().size(), 4u);
}

TEST(Group, ABodyThatIsCutAnywhereIsRefusedOrEndsWithAFrame) {
  Group group;
  for (int i = 0; i < 3; ++i) {
    group.begin_frame();
    group.effect(40, 1, std::string(static_cast<std::size_t>(i * 50), 'x'));
    group.effect(41, 1, "y");
    group.end_frame();
  }
  const std::string body = sealed(group);
  const auto all = effects_of(body);
  ASSERT_TRUE(all);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto part = effects_of(std::string_view{body}.substr(0, size));
    if (!part) {
      EXPECT_EQ(part.error().code, Code::damaged_journal);
      continue;
    }
    EXPECT_EQ(part->size() % 2, 0u) << "whole frames only";
    EXPECT_TRUE(std::equal(part->begin(), part->end(), all->begin()));
  }
}

TEST(Group, AnyBytesAreWalkedOrRefused) {
  EXPECT_TRUE(rc::check([](const std::string& garbage) {
    const auto effects = effects_of(garbage);
    if (!effects) RC_ASSERT(effects.error().code == Code::damaged_journal);
    (void)read_appended(garbage);
    (void)read_partitions_made(garbage);
    (void)read_topic_removed(garbage);
    (void)read_trimmed(garbage);
    (void)read_skipped(garbage);
  }));
}

TEST(Group, ImpossiblePlacesAreRefused) {
  const auto payload = [](Offset base, Offset next) {
    Group group;
    group.append({partition, base, next, 0, std::make_shared<const std::string>("b")});
    return (*effects_of(sealed(group)))[0].payload;
  };
  EXPECT_TRUE(read_appended(payload(Offset{5}, Offset{6})));
  EXPECT_FALSE(read_appended(payload(Offset{5}, Offset{5})));
  EXPECT_FALSE(read_appended(payload(Offset{-1}, Offset{5})));
  EXPECT_FALSE(read_appended(""));
  EXPECT_FALSE(read_trimmed(std::string_view{"\x01\x01\x01\x01", 4})) << "a byte too many";
  EXPECT_FALSE(read_skipped(std::string_view{"\x01\x01\x05\x05\x00", 5})) << "a range of nothing";
}

TEST(Group, AnErrorOfTheVisitorEndsTheWalk) {
  Group group;
  group.begin_frame();
  group.effect(40, 1, "a");
  group.effect(41, 1, "b");
  group.end_frame();
  int visited = 0;
  const auto walked = walk_effects(sealed(group), [&](const EffectView&) -> Result<void> {
    ++visited;
    return fail(Code::wrong_format, "enough");
  });
  EXPECT_EQ(walked.error().code, Code::wrong_format);
  EXPECT_EQ(visited, 1);
}

}  // namespace
}  // namespace continuo::log
