// The bytes of every effect. They stand in journals that outlive this version: these tests are for ever. A change of
// bytes is a new version of the effect beside the old one, with its own line here.
#include "continuo/engines/effects.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "continuo/base/random.h"
#include "continuo/engines/groups/group_effects.h"
#include "continuo/engines/healing_effects.h"
#include "continuo/engines/kept_effects.h"
#include "continuo/engines/producer_effects.h"
#include "continuo/engines/topic_effects.h"

namespace continuo::engines {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

const PartitionRef partition{TopicId{300}, PartitionId{2}};
const KeyRef key{SubscriptionId{7}, partition, 0x1122334455667788};
const Failure failure{"card_declined", "no funds"};

template <class T>
void check(const T& effect, int type, std::string_view golden, std::uint8_t version = 1) {
  const Effect made = encode(effect);
  EXPECT_EQ(static_cast<int>(made.type), type);
  EXPECT_EQ(made.version, version);
  EXPECT_EQ(hex(made.payload), golden);
  const auto read = decode<T>(version, made.payload);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read).payload, made.payload);
  EXPECT_FALSE(decode<T>(0, made.payload));
  EXPECT_FALSE(decode<T>(version + 1, made.payload)) << "a version of the future";
}

std::string bytes_of(std::string_view hex_digits) {
  std::string bytes;
  for (std::size_t i = 0; i < hex_digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string{hex_digits.substr(i, 2)}, nullptr, 16));
  return bytes;
}

/// Bytes that an earlier version wrote are read, and say what they said.
template <class T>
void check_read(std::uint8_t version, std::string_view golden, const T& meant) {
  const auto read = decode<T>(version, bytes_of(golden));
  ASSERT_TRUE(read);
  EXPECT_EQ(hex(encode(*read).payload), hex(encode(meant).payload));
}

TEST(Effects, GoldenNodeMade) { check(NodeMade{0x1122334455667788}, 16, "88ef99abc5e88c9111"); }

TEST(Effects, GoldenTopicDefined) {
  const TopicSettings settings{4,         Millis{86'400'000},   1 << 30, Millis{120'000},
                               2'000'000, Timestamps::appended, 1 << 20};
  check(TopicDefined{TopicId{300}, "orders", settings, WallTime{1'763'713'800'000}}, 17,
        "ac02066f7264657273040180f0b25201808080800480d30e80ddc6d8d46680897a0101808040", 2);
}
TEST(Effects, GoldenTopicDefinedWithoutLimits) {
  check(TopicDefined{TopicId{1}, "a", {1, std::nullopt, std::nullopt, Millis{0}}, WallTime{0}}, 17,
        "01016101000000008c80400000", 2);
}
TEST(Effects, GoldenTopicDefinedVersion1) {
  const auto read = decode<TopicDefined>(1, bytes_of("ac02066f7264657273040180f0b25201808080800480d30e80ddc6d8d466"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, TopicId{300});
  EXPECT_EQ(read->name, "orders");
  const TopicSettings settings{4, Millis{86'400'000}, 1 << 30, Millis{120'000}, 1'048'588, Timestamps::created, {}};
  EXPECT_EQ(read->settings, settings) << "what had no choice then is as it was";
  EXPECT_EQ(read->created, WallTime{1'763'713'800'000});
}
TEST(Effects, GoldenTopicChanged) {
  const TopicSettings settings{4,         Millis{86'400'000},   1 << 30, Millis{120'000},
                               2'000'000, Timestamps::appended, 1 << 20};
  check(TopicChanged{TopicId{300}, settings}, 22, "ac02040180f0b25201808080800480d30e80897a0101808040");
}

TEST(Effects, GoldenTopicDeleted) { check(TopicDeleted{TopicId{300}}, 18, "ac02"); }

TEST(Effects, GoldenIdsRemembered) {
  check(
      IdsRemembered{
          partition, 5, {{{0x0102030405060708, 0x090a0b0c0d0e0f10}, 0x42, Offset{1000}}, {{1, 2}, 3, Offset{1001}}}},
      19, "ac020205020807060504030201100f0e0d0c0b0a0942e8070100000000000000020000000000000003e907");
}

TEST(Effects, GoldenIdsDropped) { check(IdsDropped{partition, 5}, 20, "ac020205"); }

TEST(Effects, GoldenProducersNumbered) { check(ProducersNumbered{300}, 72, "ac02"); }

TEST(Effects, GoldenBatchProduced) {
  check(BatchProduced{partition, ProducerId{300}, 1, 5, 9, Offset{1000}, WallTime{1'763'713'800'000}}, 73,
        "ac0202ac02010509e80780ddc6d8d466");
}

TEST(Effects, GoldenProducerForgotten) { check(ProducerForgotten{partition, ProducerId{300}}, 74, "ac0202ac02"); }

SubscriptionSettings settings_of_version_3() {
  SubscriptionSettings settings;
  settings.topics = {"orders", "payments"};
  settings.from = StartFrom::earliest;
  settings.order_by = OrderBy::none;
  settings.concurrency = 64;
  settings.lease = Millis{30'000};
  settings.retry = {5, Millis{1'000}};
  settings.on_failure = OnFailure::drop;
  settings.filter = R"({"type":["A"]})";
  return settings;
}
TEST(Effects, GoldenSubscriptionDefined) {
  SubscriptionSettings settings = settings_of_version_3();
  settings.from = StartFrom::time;
  settings.from_time = WallTime{1'763'713'800'000};
  settings.target = R"({"topic":"b"})";
  settings.repairs = "[]";
  settings.on_failure = OnFailure::dead_letter;
  settings.dead_letter = "x";
  settings.ttl = Millis{86'400'000};
  settings.idle = Millis{60'000};
  settings.storm = {50, Millis{10'000}, Millis{5'000}};
  settings.queue = true;
  check(SubscriptionDefined{SubscriptionId{7}, "shipping", 2, true, settings, {TopicId{300}, TopicId{301}}, 3}, 32,
        "07087368697070696e67020102066f7264657273087061796d656e7473020140e0d40305d00f0202ac02ad020e7b2274797065223a5b22"
        "41225d7d0300e0d40300000080ddc6d8d4660d7b22746f706963223a2262227d025b5d01780180f0b25201c0a90732a09c01904e01",
        4);
}
TEST(Effects, GoldenSubscriptionDefinedVersion3) {
  check_read(3,
             "07087368697070696e67020102066f7264657273087061796d656e7473000140e0d40305d00f0102ac02ad02"
             "0e7b2274797065223a5b2241225d7d03"
             "00e0d403000000",
             SubscriptionDefined{
                 SubscriptionId{7}, "shipping", 2, true, settings_of_version_3(), {TopicId{300}, TopicId{301}}, 3});
}
TEST(Effects, GoldenSubscriptionDefinedWithoutFilter) {
  check(SubscriptionDefined{SubscriptionId{1}, "s", 1, false, {}, {}}, 32,
        "01017301000001008008e0d40305d00f0000000100e0d40300000000000000000000a09c01904e00", 4);
}
TEST(Effects, GoldenSubscriptionDefinedVersion1) {
  const auto read = decode<SubscriptionDefined>(
      1, bytes_of("07087368697070696e67020102066f7264657273087061796d656e7473000140e0d40305d00f0102ac02ad02"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "shipping");
  EXPECT_EQ(read->epoch, 2u);
  EXPECT_TRUE(read->paused);
  EXPECT_EQ(read->settings.topics, (std::vector<std::string>{"orders", "payments"}));
  EXPECT_EQ(read->settings.on_failure, OnFailure::drop);
  EXPECT_EQ(read->topics, (std::vector{TopicId{300}, TopicId{301}}));
  EXPECT_EQ(read->settings.filter, "") << "there was no choice but every event";
  EXPECT_EQ(read->filter_version, 1u);
}

TEST(Effects, GoldenSubscriptionDeleted) { check(SubscriptionDeleted{SubscriptionId{7}}, 33, "07"); }
TEST(Effects, GoldenCursorMoved) { check(CursorMoved{SubscriptionId{7}, partition, Offset{1000}}, 34, "07ac0202e807"); }
TEST(Effects, GoldenKeyQueued) {
  check(KeyQueued{key, {Offset{1000}, Offset{1005}}, {{Offset{1005}, WallTime{9}, WallTime{300}}}}, 35,
        "07ac020288ef99abc5e88c911102e8070501ed0712d804", 2);
}
TEST(Effects, GoldenKeyQueuedVersion1) {
  check_read(1, "07ac020288ef99abc5e88c911102e80705", KeyQueued{key, {Offset{1000}, Offset{1005}}});
}
TEST(Effects, GoldenKeyPageFilled) {
  check(KeyPageFilled{key, Offset{900}, {Offset{1000}, Offset{1005}}, {{Offset{1005}, WallTime{9}, {}}}}, 48,
        "07ac020288ef99abc5e88c9111840702e8070501ed071200", 2);
}
TEST(Effects, GoldenKeyPageFilledVersion1) {
  check_read(1, "07ac020288ef99abc5e88c9111840702e80705",
             KeyPageFilled{key, Offset{900}, {Offset{1000}, Offset{1005}}});
}
TEST(Effects, GoldenKeyPageDropped) { check(KeyPageDropped{key, Offset{900}}, 49, "07ac020288ef99abc5e88c91118407"); }
TEST(Effects, GoldenLeaseNumbered) { check(LeaseNumbered{300}, 50, "ac02"); }
TEST(Effects, GoldenKeyLeased) {
  check(KeyLeased{key, 2, 9, Elapsed{35'000}}, 36, "07ac020288ef99abc5e88c91110209f0a204");
}
TEST(Effects, GoldenKeySettled) { check(KeySettled{key, 2}, 37, "07ac020288ef99abc5e88c911102"); }
TEST(Effects, GoldenKeyReturned) {
  check(KeyReturned{key, Elapsed{36'000}, failure, true}, 38,
        "07ac020288ef99abc5e88c9111c0b2040d636172645f6465636c696e6564086e6f2066756e647301", 2);
}
TEST(Effects, GoldenKeyReturnedVersion1) {
  check_read(1, "07ac020288ef99abc5e88c9111c0b2040d636172645f6465636c696e6564086e6f2066756e6473",
             KeyReturned{key, Elapsed{36'000}, failure});
}
TEST(Effects, GoldenKeyParked) {
  check(KeyParked{key, failure, WallTime{1'763'713'800'000}, GivenUp::dead_letter, RepairBy::person, "paid", "ann"}, 39,
        "07ac020288ef99abc5e88c91110d636172645f6465636c696e6564086e6f2066756e647380ddc6d8d4660102047061696403616e6e",
        3);
}
TEST(Effects, GoldenKeyParkedVersion2) {
  check_read(2, "07ac020288ef99abc5e88c91110d636172645f6465636c696e6564086e6f2066756e647380ddc6d8d46601020470616964",
             KeyParked{key, failure, WallTime{1'763'713'800'000}, GivenUp::dead_letter, RepairBy::person, "paid", {}});
}
TEST(Effects, GoldenKeyParkedVersion1) {
  check_read(1, "07ac020288ef99abc5e88c91110d636172645f6465636c696e6564086e6f2066756e647380ddc6d8d466",
             KeyParked{key, failure, WallTime{1'763'713'800'000}});
}
TEST(Effects, GoldenKeyReleased) {
  check(KeyReleased{key, Offset{1000}, 3, "ann", "fixed"}, 40, "07ac020288ef99abc5e88c9111e8070303616e6e056669786564",
        2);
}
TEST(Effects, GoldenKeyReleasedVersion1) { check_read(1, "07ac020288ef99abc5e88c9111", KeyReleased{key}); }
TEST(Effects, GoldenKeySkipped) {
  check(KeySkipped{key, "paid by phone", "ann"}, 41, "07ac020288ef99abc5e88c91110d706169642062792070686f6e6503616e6e",
        2);
}
TEST(Effects, GoldenKeySkippedVersion1) {
  check_read(1, "07ac020288ef99abc5e88c91110d706169642062792070686f6e65", KeySkipped{key, "paid by phone"});
}
TEST(Effects, GoldenHeadEdited) {
  check(HeadEdited{key, Offset{9}, "ann", "typo", "[]"}, 51, "07ac020288ef99abc5e88c91110903616e6e047479706f025b5d");
}
TEST(Effects, GoldenRepairChanged) {
  check(RepairChanged{key, RepairBy::person, 300, Elapsed{35'000}, "bot", "odd"}, 52,
        "07ac020288ef99abc5e88c911102ac02f0a20403626f74036f6464");
}
TEST(Effects, GoldenReleaseChanged) {
  check(ReleaseChanged{SubscriptionId{7},
                       3,
                       ReleaseState::relapsed,
                       {"f", "paid", WallTime{1}, WallTime{2}},
                       100,
                       true,
                       "ann",
                       "fixed",
                       WallTime{1'763'713'800'000},
                       Elapsed{35'000},
                       partition,
                       5,
                       1000,
                       17,
                       1},
        53, "0703020166047061696401020104640103616e6e05666978656480ddc6d8d466f0a204ac020205e8071101");
}
TEST(Effects, GoldenStormChanged) {
  check(StormChanged{SubscriptionId{7}, false, "f", WallTime{1'763'713'800'000}, Elapsed{35'000}, 2, key}, 54,
        "0700016680ddc6d8d466f0a204020107ac020288ef99abc5e88c9111");
}
TEST(Effects, GoldenSubscriptionUsed) {
  check(SubscriptionUsed{SubscriptionId{7}, WallTime{1'763'713'800'000}}, 55, "0780ddc6d8d466");
}
TEST(Effects, GoldenKeyTimeCame) { check(KeyTimeCame{key}, 57, "07ac020288ef99abc5e88c9111"); }
TEST(Effects, GoldenLeaseExtended) {
  check(LeaseExtended{key, Elapsed{65'000}}, 42, "07ac020288ef99abc5e88c9111d0f707");
}
TEST(Effects, GoldenSettleRemembered) {
  check(SettleRemembered{SubscriptionId{7}, 3, {1, 2}, "outcome"}, 43,
        "070301000000000000000200000000000000076f7574636f6d65");
}
TEST(Effects, GoldenSettlesDropped) { check(SettlesDropped{SubscriptionId{7}, 3}, 44, "0703"); }
TEST(Effects, GoldenCursorDropped) { check(CursorDropped{SubscriptionId{7}, partition}, 45, "07ac0202"); }
TEST(Effects, GoldenKeyDropped) { check(KeyDropped{key}, 46, "07ac020288ef99abc5e88c9111"); }

TEST(Effects, GoldenLeaseCut) { check(LeaseCut{key, 3}, 47, "07ac020288ef99abc5e88c911103"); }

TEST(Effects, GoldenEventsLost) {
  check(EventsLost{key, {Offset{1000}, Offset{1005}}}, 56, "07ac020288ef99abc5e88c911102e80705");
}
TEST(Effects, GoldenRecordsKept) {
  check(RecordsKept{partition, 3, {{Offset{6200}, Offset{9}, 0x1122334455667788}, {Offset{6201}, Offset{10}, 5}}}, 64,
        "ac02020302b8300988ef99abc5e88c9111b9300a05");
}
TEST(Effects, GoldenRecordsReleased) {
  check(RecordsReleased{partition, 3, {Offset{6200}, Offset{6201}}}, 65, "ac02020302b83001");
}

TEST(Effects, GoldenGroupsNumbered) { check(GroupsNumbered{300}, 80, "ac02"); }
TEST(Effects, GoldenGenerationFinished) {
  check(GenerationFinished{GroupId{300}, "shipping", 7, "consumer", "range", "c-1", 2, Elapsed{35'000}}, 81,
        "ac02087368697070696e670708636f6e73756d65720572616e676503632d3102f0a204");
}
TEST(Effects, GoldenGroupDeleted) { check(GroupDeleted{GroupId{300}}, 82, "ac02"); }
TEST(Effects, GoldenMemberAssigned) {
  check(MemberAssigned{GroupId{300}, "c-1", "i", "c", "/::1", Millis{45'000}, Millis{300'000}, "meta", "parts"}, 83,
        "ac0203632d310101690163042f3a3a3190bf05c0cf24046d657461057061727473");
}
TEST(Effects, GoldenMemberAssignedWithoutInstance) {
  check(MemberAssigned{GroupId{1}, "m", std::nullopt, "", "", Millis{0}, Millis{0}, "", ""}, 83,
        "01016d00000000000000");
}
TEST(Effects, GoldenMemberLeft) { check(MemberLeft{GroupId{300}, "c-1"}, 84, "ac0203632d31"); }
TEST(Effects, GoldenOffsetCommitted) {
  check(OffsetCommitted{GroupId{300}, partition, Offset{1000}, 5, "note", WallTime{1'763'713'800'000}, Elapsed{35'000}},
        85, "ac02ac0202e8070105046e6f746580ddc6d8d466f0a204");
}
TEST(Effects, GoldenOffsetCommittedWithoutLeaderEpoch) {
  check(OffsetCommitted{GroupId{1}, partition, Offset{0}, std::nullopt, "", WallTime{0}, Elapsed{0}}, 85,
        "01ac02020000000000");
}
TEST(Effects, GoldenOffsetForgotten) { check(OffsetForgotten{GroupId{300}, partition}, 86, "ac02ac0202"); }

// ---- any effect -----------------------------------------------------------------------------------------------------

// Draws values of every kind a field can have; small and large ones alike.
class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}
  std::uint64_t number() { return random_.next() >> random_.below(64); }
  std::uint32_t small() { return static_cast<std::uint32_t>(random_.next() >> (32 + random_.below(32))); }
  std::int64_t time() { return static_cast<std::int64_t>(number()) * (random_.chance(1, 2) ? 1 : -1); }
  bool flag() { return random_.chance(1, 2); }
  Offset offset() { return Offset{static_cast<std::int64_t>(number() >> 1)}; }
  std::string text() {
    std::string bytes(random_.below(40), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_.next());
    return bytes;
  }
  PartitionRef place() { return {TopicId{small()}, PartitionId{small()}}; }
  KeyRef any_key() { return {SubscriptionId{small()}, place(), number()}; }
  Failure any_failure() { return {text(), text()}; }
  template <class Make>
  auto many(Make make) {
    std::vector<decltype(make())> all;
    for (auto left = random_.below(6); left > 0; --left) all.push_back(make());
    return all;
  }
  TopicSettings topic_settings() {
    TopicSettings settings{.partitions = small(), .dedup_window = Millis{time()}};
    if (flag()) settings.retention_time = Millis{time()};
    if (flag()) settings.retention_bytes = number();
    settings.max_batch_bytes = small();
    if (flag()) settings.timestamps = Timestamps::appended;
    if (flag()) settings.segment_bytes = number();
    return settings;
  }
  SubscriptionSettings subscription_settings() {
    SubscriptionSettings settings{.topics = many([&] { return text(); }),
                                  .from = flag() ? StartFrom::latest : StartFrom::time,
                                  .from_time = WallTime{time()},
                                  .order_by = flag() ? OrderBy::key : OrderBy::none,
                                  .concurrency = small(),
                                  .lease = Millis{time()},
                                  .retry = {{small(), Millis{time()}}, {}},
                                  .on_failure = flag() ? OnFailure::park : OnFailure::dead_letter,
                                  .filter = text(),
                                  .target = text(),
                                  .repairs = text(),
                                  .dead_letter = text(),
                                  .storm = {small(), Millis{time()}, Millis{time()}},
                                  .queue = flag()};
    if (flag()) settings.ttl = Millis{time()};
    if (flag()) settings.idle = Millis{time()};
    return settings;
  }
  std::vector<EventTimes> times() {
    return many([&] { return EventTimes{offset(), WallTime{time()}, WallTime{time()}}; });
  }
  ReleaseFilter release_filter() {
    ReleaseFilter filter{text(), text(), {}, {}};
    if (flag()) filter.after = WallTime{time()};
    if (flag()) filter.before = WallTime{time()};
    return filter;
  }

 private:
  Random& random_;
};

using AnyDecode = std::function<Result<Effect>(std::uint8_t, std::string_view)>;
struct Drawn {
  Effect effect;
  AnyDecode decode_again;
};

template <class T>
Drawn drawn(const T& effect) {
  return {encode(effect), [](std::uint8_t version, std::string_view payload) -> Result<Effect> {
            auto read = decode<T>(version, payload);
            if (!read) return pass(read);
            return encode(*read);
          }};
}

std::vector<Drawn> one_of_each(Draw draw) {
  return {
      drawn(NodeMade{draw.number()}),
      drawn(TopicDefined{TopicId{draw.small()}, draw.text(), draw.topic_settings(), WallTime{draw.time()}}),
      drawn(TopicChanged{TopicId{draw.small()}, draw.topic_settings()}),
      drawn(TopicDeleted{TopicId{draw.small()}}),
      drawn(IdsRemembered{draw.place(), draw.number(), draw.many([&] {
                            return RememberedId{{draw.number(), draw.number()}, draw.number(), draw.offset()};
                          })}),
      drawn(IdsDropped{draw.place(), draw.number()}),
      drawn(SubscriptionDefined{SubscriptionId{draw.small()}, draw.text(), draw.small(), draw.flag(),
                                draw.subscription_settings(), draw.many([&] { return TopicId{draw.small()}; }),
                                draw.small()}),
      drawn(SubscriptionDeleted{SubscriptionId{draw.small()}}),
      drawn(CursorMoved{SubscriptionId{draw.small()}, draw.place(), draw.offset()}),
      drawn(KeyQueued{draw.any_key(), draw.many([&] { return draw.offset(); }), draw.times()}),
      drawn(KeyPageFilled{draw.any_key(), draw.offset(), draw.many([&] { return draw.offset(); }), draw.times()}),
      drawn(KeyPageDropped{draw.any_key(), draw.offset()}),
      drawn(LeaseNumbered{draw.number()}),
      drawn(KeyLeased{draw.any_key(), draw.small(), draw.number(), Elapsed{draw.time()}}),
      drawn(KeySettled{draw.any_key(), draw.small()}),
      drawn(KeyReturned{draw.any_key(), Elapsed{draw.time()}, draw.any_failure(), draw.flag()}),
      drawn(KeyParked{draw.any_key(), draw.any_failure(), WallTime{draw.time()}, GivenUp::dead_letter, RepairBy::person,
                      draw.text(), draw.text()}),
      drawn(KeyReleased{draw.any_key(), draw.offset(), draw.number(), draw.text(), draw.text()}),
      drawn(KeySkipped{draw.any_key(), draw.text(), draw.text()}),
      drawn(HeadEdited{draw.any_key(), draw.offset(), draw.text(), draw.text(), draw.text()}),
      drawn(RepairChanged{draw.any_key(), RepairBy::declared, draw.number(), Elapsed{draw.time()}, draw.text(),
                          draw.text()}),
      drawn(ReleaseChanged{SubscriptionId{draw.small()}, draw.number(), ReleaseState::done, draw.release_filter(),
                           draw.small(), draw.flag(), draw.text(), draw.text(), WallTime{draw.time()},
                           Elapsed{draw.time()}, draw.place(), draw.number(), draw.number(), draw.number(),
                           draw.number()}),
      drawn(StormChanged{SubscriptionId{draw.small()}, draw.flag(), draw.text(), WallTime{draw.time()},
                         Elapsed{draw.time()}, draw.small(), draw.any_key()}),
      drawn(SubscriptionUsed{SubscriptionId{draw.small()}, WallTime{draw.time()}}),
      drawn(KeyTimeCame{draw.any_key()}),
      drawn(LeaseCut{draw.any_key(), draw.small()}),
      drawn(EventsLost{draw.any_key(), draw.many([&] { return draw.offset(); })}),
      drawn(RecordsKept{draw.place(), draw.number(),
                        draw.many([&] { return KeptRecord{draw.offset(), draw.offset(), draw.number()}; })}),
      drawn(RecordsReleased{draw.place(), draw.number(), draw.many([&] { return draw.offset(); })}),
      drawn(LeaseExtended{draw.any_key(), Elapsed{draw.time()}}),
      drawn(SettleRemembered{SubscriptionId{draw.small()}, draw.number(), {draw.number(), draw.number()}, draw.text()}),
      drawn(SettlesDropped{SubscriptionId{draw.small()}, draw.number()}),
      drawn(CursorDropped{SubscriptionId{draw.small()}, draw.place()}),
      drawn(KeyDropped{draw.any_key()}),
      drawn(GroupsNumbered{draw.small()}),
      drawn(GenerationFinished{GroupId{draw.small()}, draw.text(), draw.small(), draw.text(), draw.text(), draw.text(),
                               draw.small(), Elapsed{draw.time()}}),
      drawn(GroupDeleted{GroupId{draw.small()}}),
      drawn(MemberAssigned{GroupId{draw.small()}, draw.text(), draw.flag() ? std::optional{draw.text()} : std::nullopt,
                           draw.text(), draw.text(), Millis{draw.time()}, Millis{draw.time()}, draw.text(),
                           draw.text()}),
      drawn(MemberLeft{GroupId{draw.small()}, draw.text()}),
      drawn(OffsetCommitted{GroupId{draw.small()}, draw.place(), draw.offset(),
                            draw.flag() ? std::optional{draw.small()} : std::nullopt, draw.text(),
                            WallTime{draw.time()}, Elapsed{draw.time()}}),
      drawn(OffsetForgotten{GroupId{draw.small()}, draw.place()})};
}

TEST(Effects, AnyIsReadBackAsItWas) {
  SeededRandom random{1};
  for (int round = 0; round < 500; ++round)
    for (const Drawn& each : one_of_each(Draw{random})) {
      const auto again = each.decode_again(each.effect.version, each.effect.payload);
      ASSERT_TRUE(again) << static_cast<int>(each.effect.type);
      ASSERT_EQ(again->payload, each.effect.payload) << static_cast<int>(each.effect.type);
    }
}

TEST(Effects, AnyThatIsCutOrLengthenedIsRefused) {
  SeededRandom random{2};
  for (int round = 0; round < 50; ++round)
    for (const Drawn& each : one_of_each(Draw{random})) {
      for (std::size_t size = 0; size < each.effect.payload.size(); ++size) {
        const auto part = each.decode_again(each.effect.version, std::string_view{each.effect.payload}.substr(0, size));
        ASSERT_FALSE(part) << "type " << static_cast<int>(each.effect.type) << " cut at " << size;
        ASSERT_EQ(part.error().code, Code::wrong_format);
      }
      ASSERT_FALSE(each.decode_again(each.effect.version, each.effect.payload + "x"));
    }
}

TEST(Effects, GarbageIsRefusedOrReadsAsSomethingThatCanBeWritten) {
  SeededRandom random{3};
  const auto all = one_of_each(Draw{random});
  for (int round = 0; round < 2'000; ++round)
    for (const Drawn& each : all) {
      std::string garbage = each.effect.payload;
      for (auto left = 1 + random.below(4); left > 0 && !garbage.empty(); --left)
        garbage[random.below(garbage.size())] = static_cast<char>(random.next());
      const auto read = each.decode_again(each.effect.version, garbage);
      if (read) {
        ASSERT_TRUE(each.decode_again(each.effect.version, read->payload));
      }
    }
}

TEST(Effects, AListThatSaysToBeLongerThanItsBytesIsRefusedBeforeItIsMade) {
  const std::string payload = encode(KeyQueued{key, {}}).payload;
  EXPECT_FALSE(decode<KeyQueued>(1, payload.substr(0, payload.size() - 1) + "\xff\xff\xff\xff\xff\x7f"));
}

TEST(Effects, AnEnumerationOfTheFutureIsRefused) {
  std::string payload = encode(SubscriptionDefined{SubscriptionId{7}, "s", 1, false, {}, {}}).payload;
  const std::size_t from = payload.find("s") + 1 + 1 + 1 + 1;  // epoch, paused, no topics
  ASSERT_EQ(payload[from], 1);
  payload[from] = 9;
  EXPECT_FALSE(decode<SubscriptionDefined>(3, payload)) << "starting from what?";
}

}  // namespace
}  // namespace continuo::engines
