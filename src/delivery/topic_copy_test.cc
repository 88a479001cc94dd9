#include "continuo/delivery/topic_copy.h"

#include <gmock/gmock.h>

#include <deque>
#include <map>

#include "continuo/delivery/pushing_test.h"

namespace continuo::delivery {
namespace {

using testing::ElementsAre;
using testing::Pair;

class TopicCopyTest : public Pushing {
 protected:
  // (id, key, causationid) of all events of a partition.
  std::vector<record::Event> events(TopicId topic, std::uint32_t partition = 0) {
    const PartitionRef ref{topic, PartitionId{partition}};
    std::vector<record::Event> all;
    for (const std::int64_t offset : home_.offsets(ref)) {
      const auto batch = home_.node->read_one(ref, Offset{offset});
      batches_.push_back(batch.value());
      record::RecordWalk walk{*batches_.back()};
      while (const auto record = walk.next())
        if (record->offset.value == offset)
          all.push_back(record::event_of(*record, {"copies", ref.partition}, scratches_.emplace_back()));
    }
    return all;
  }
  std::vector<std::string> ids(TopicId topic, std::uint32_t partition = 0) {
    std::vector<std::string> ids;
    for (const record::Event& each : events(topic, partition)) ids.emplace_back(each.id);
    return ids;
  }
  void remove_topic(const std::string& name) {
    ASSERT_TRUE(home_.edge.ask<void>(
        [&](node::Edge& to, auto answer) { home_.node->delete_topic(to, name, std::move(answer)); }));
  }

  std::vector<std::shared_ptr<const std::string>> batches_;
  std::deque<std::string> scratches_;
};

constexpr const char* into_copies = R"({"topic":{"name":"copies"}})";

TEST_F(TopicCopyTest, HasEveryEventOnceInOrderAsItWas) {
  const TopicId topic = home_.make_topic(), copies = home_.make_topic("copies");
  std::vector<std::pair<std::string, std::string>> made;
  std::vector<std::string> wanted;
  for (int i = 0; i < 1'000; ++i) {
    made.emplace_back(std::to_string(i), "k" + std::to_string(i % 7));
    wanted.push_back(std::to_string(i));
  }
  publish(topic, made);
  const SubscriptionId id = subscribe("s", into_copies);
  ASSERT_TRUE(all_settled(id));
  std::map<std::string, std::vector<std::string>> by_key, wanted_by_key;
  for (const record::Event& each : events(copies)) by_key[std::string{each.key()}].emplace_back(each.id);
  for (const auto& [event, key] : made) wanted_by_key[key].push_back(event);
  EXPECT_EQ(by_key, wanted_by_key);
  const record::Event first = events(copies).front();
  EXPECT_EQ(first.source, "/test");
  EXPECT_EQ(first.data, R"({"n":1})");
  EXPECT_EQ(first.extension("correlationid"), "c-1");
  EXPECT_EQ(first.extension("causationid"), first.id);
}

TEST_F(TopicCopyTest, KeepsKeysTogetherInMorePartitions) {
  const TopicId topic = home_.make_topic();
  const TopicId copies = home_.make_topic("copies", {.partitions = 5});
  std::vector<std::pair<std::string, std::string>> made;
  for (int i = 0; i < 100; ++i) made.emplace_back(std::to_string(i), "k" + std::to_string(i % 20));
  publish(topic, made);
  ASSERT_TRUE(all_settled(subscribe("s", into_copies)));
  std::map<std::string, std::uint32_t> place;
  std::size_t all = 0, used = 0;
  for (std::uint32_t partition = 0; partition < 5; ++partition) {
    const auto found = events(copies, partition);
    used += found.empty() ? 0 : 1;
    for (const record::Event& each : found) {
      ++all;
      EXPECT_EQ(place.try_emplace(std::string{each.key()}, partition).first->second, partition);
    }
  }
  EXPECT_EQ(all, 100u);
  EXPECT_GT(used, 1u);
}

TEST_F(TopicCopyTest, WaitsForItsTopic) {
  const TopicId topic = home_.make_topic();
  home_.make_topic("copies");
  const SubscriptionId id = subscribe("s", into_copies);
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(all_settled(id));
  remove_topic("copies");
  publish(topic, {{"2", "a"}});
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  EXPECT_EQ(state(id).lag, 1u) << "it is still there";
  const TopicId later = home_.make_topic("copies");
  ASSERT_TRUE(all_settled(id));
  EXPECT_THAT(ids(later), ElementsAre("2"));
}

// What the definitions' door refuses, but two of them at the same moment may have got through.
TEST_F(TopicCopyTest, NeverGoesRound) {
  const TopicId topic = home_.make_topic(), copies = home_.make_topic("copies");
  const SubscriptionId there = subscribe("there", into_copies);
  subscribe("back", R"({"topic":{"name":"t"}})",
            [](node::SubscriptionSettings& settings) { settings.topics = {"copies"}; });
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(all_settled(there));
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  EXPECT_THAT(ids(copies), ElementsAre("1"));
  EXPECT_THAT(ids(topic), ElementsAre("1"));
}

TEST_F(TopicCopyTest, LargeEventsGoInSmallerCommits) {
  const TopicId topic = home_.make_topic(), copies = home_.make_topic("copies");
  std::vector<node::NewRecord> records;
  for (int i = 0; i < 3; ++i) {
    auto& made = records.emplace_back(node::NewRecord{topic, PartitionId{0}, {}, 1'000, {}});
    const std::string id = std::to_string(i);
    auto large = event(id, "k");
    const std::string data = "\"" + std::string(2'300'000, 'x') + "\"";
    large.data = data;
    record::encode_record_body(large, made.body);
  }
  ASSERT_TRUE(home_.publish(std::move(records)));
  ASSERT_TRUE(all_settled(subscribe("s", into_copies)));
  EXPECT_THAT(ids(copies), ElementsAre("0", "1", "2"));
}

// A record as a Kafka producer makes it becomes an event of the same content; nothing it had is lost.
TEST_F(TopicCopyTest, OfAForeignRecordKeepsKeyValueAndHeaders) {
  const TopicId topic = home_.make_topic(), copies = home_.make_topic("copies");
  node::NewRecord foreign{topic, PartitionId{0}, {}, 5'000, {}};
  record::BodyWriter{foreign.body}.key("k\xff").value(R"({"a":1})").header_count(1).header("x-team", "orders");
  ASSERT_TRUE(home_.publish({foreign}));
  ASSERT_TRUE(all_settled(subscribe("s", into_copies)));
  const auto batch = home_.node->read_one({copies, PartitionId{0}}, Offset{0}).value();
  record::RecordWalk walk{*batch};
  const auto copy = walk.next();
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->key, "k\xff");
  EXPECT_EQ(copy->value, R"({"a":1})");
  EXPECT_EQ(copy->timestamp_ms, 5'000);
  std::map<std::string, std::string> headers;
  record::HeaderWalk header_walk{*copy};
  while (const auto header = header_walk.next()) headers[std::string{header->key}] = header->value.value_or("");
  EXPECT_THAT(headers,
              testing::IsSupersetOf({Pair("x-team", "orders"), Pair("ce_id", "0-0"), Pair("ce_source", "/topics/t"),
                                     Pair("ce_correlationid", "0-0"), Pair("content-type", "application/json")}));
}

TEST_F(TopicCopyTest, KeepsTheCauseThatAnEventNames) {
  record::Event with_cause = event("2", "k");
  with_cause.extensions.push_back({"causationid", "1"});
  std::string body;
  record::encode_record_body(with_cause, body);
  record::BatchBuilder builder;
  builder.add(body, 1'000);
  const std::string batch = builder.finish(Offset{0});
  record::RecordWalk walk{batch};
  const auto original = walk.next();
  std::string scratch;
  const std::string copy = copied_body(*original, record::event_of(*original, {"t", PartitionId{0}}, scratch));
  builder.add(copy, 1'000);
  const std::string copied = builder.finish(Offset{0});
  record::RecordWalk copied_walk{copied};
  const auto record = copied_walk.next();
  const record::Event event = record::event_of(*record, {"c", PartitionId{0}}, scratch);
  EXPECT_EQ(event.extension("causationid"), "1");
  EXPECT_EQ(event.extension("correlationid"), "c-1");
  EXPECT_EQ(record->header_count, original->header_count);
}

}  // namespace
}  // namespace continuo::delivery
