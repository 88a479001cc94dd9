// Batches of producers beside single records, in one partition and over restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "continuo/node/running_node_test.h"
#include "continuo/record/produced_batch_test.h"

namespace continuo::node {
namespace {

using testing::ElementsAre;

using Numbers = record::ProducedBy;

std::string batch_of(const std::vector<std::string>& values, Numbers numbers = {}) {
  return record::produced_batch(values, 1'000, numbers);
}

class ProduceTest : public testing::Test {
 protected:
  using Places = std::vector<Result<BatchPlace>>;
  ProduceTest() {
    CHECK(running_.start().has_value());
    ref_ = {running_.make_topic(), PartitionId{0}};
  }
  Result<Places> produce(std::vector<NewBatch> batches) {
    return running_.edge.ask<Places>(
        [&](Edge& edge, auto answer) { running_.node->produce(edge, std::move(batches), std::move(answer)); });
  }
  Result<BatchPlace> produce(const std::vector<std::string>& values, Numbers numbers = {}) {
    return produce({{ref_, batch_of(values, numbers)}})->at(0);
  }
  NewRecord record_of(const std::string& value) const {
    NewRecord record{.topic = ref_.topic, .partition = ref_.partition, .timestamp_ms = 1'000};
    record::BodyWriter{record.body}.key("k").value(value).header_count(0);
    return record;
  }
  std::vector<std::string> values() {
    std::vector<std::string> all;
    for (Offset at{0};;) {
      const auto read = running_.node->read(ref_, at, 1 << 20);
      if (!read || read->batches.empty()) return all;
      for (const auto& batch : read->batches) {
        EXPECT_TRUE(record::check_batch(*batch).has_value());
        record::RecordWalk walk{*batch};
        while (const auto record = walk.next()) {
          EXPECT_EQ(record->offset, Offset{static_cast<std::int64_t>(all.size())});
          all.emplace_back(*record->value);
        }
      }
      at = read->next;
    }
  }
  RunningNode running_{testing::TempDir()};
  PartitionRef ref_;
};

// One group holds what both doors sent, in the order the core took it.
TEST_F(ProduceTest, BatchesAndSingleRecordsKeepTheirOrder) {
  int answered = 0;
  const auto publish = [&](const std::string& value) {
    running_.node->publish(running_.edge, {record_of(value)}, [&](Result<Published> done) {
      EXPECT_TRUE(done.has_value());
      ++answered;
    });
  };
  const auto send = [&](const std::vector<std::string>& values) {
    running_.node->produce(running_.edge, {{ref_, batch_of(values)}}, [&](Result<Places> done) {
      EXPECT_TRUE(done && done->at(0));
      ++answered;
    });
  };
  publish("a");
  publish("b");
  send({"c", "d"});
  publish("e");
  send({"f"});
  send({"g", "h", "i"});
  publish("j");
  while (answered < 7) running_.edge.run();
  EXPECT_THAT(values(), ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"));
  ASSERT_TRUE(running_.start());
  EXPECT_THAT(values(), testing::SizeIs(10));
  EXPECT_EQ(produce({"k"})->base, Offset{10});
}

TEST_F(ProduceTest, ABatchSentAgainIsKnownAlsoAfterARestart) {
  EXPECT_EQ(produce({"a", "b"}, {7, 0, 0})->base, Offset{0});
  ASSERT_TRUE(running_.start());
  const auto again = produce({"a", "b"}, {7, 0, 0});
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->base, Offset{0});
  EXPECT_EQ(produce({"d"}, {7, 0, 3}).error().code, Code::out_of_order);
  EXPECT_EQ(produce({"c"}, {7, 0, 2})->base, Offset{2});
  EXPECT_THAT(values(), ElementsAre("a", "b", "c"));
}

// What is refused leaves the others of its request alone.
TEST_F(ProduceTest, EachBatchHasItsOwnOutcome) {
  produce({"a"}, {7, 3, 0});
  const auto places = produce({{ref_, batch_of({"b"}, {7, 2, 1})},
                               {{ref_.topic, PartitionId{9}}, batch_of({"c"})},
                               {ref_, batch_of({"d"}, {7, 3, 1})}});
  ASSERT_TRUE(places.has_value());
  EXPECT_EQ(places->at(0).error().code, Code::fenced);
  EXPECT_EQ(places->at(1).error().code, Code::unknown_partition);
  EXPECT_EQ(places->at(2)->base, Offset{1});
  EXPECT_THAT(values(), ElementsAre("a", "d"));
}

TEST_F(ProduceTest, BatchesGoWithATopicThatIsDeletedInTheSameGroup) {
  int answered = 0;
  running_.node->produce(running_.edge, {{ref_, batch_of({"a"}, {7, 0, 0})}}, [&](Result<Places>) { ++answered; });
  running_.node->delete_topic(running_.edge, "t", [&](Result<void> gone) {
    EXPECT_TRUE(gone.has_value());
    ++answered;
  });
  while (answered < 2) running_.edge.run();
  ASSERT_TRUE(running_.start());
  ref_ = {running_.make_topic(), PartitionId{0}};
  EXPECT_EQ(produce({"b"}, {7, 0, 5})->base, Offset{0}) << "of the new topic's producers nothing is known";
  EXPECT_THAT(values(), ElementsAre("b"));
}

TEST_F(ProduceTest, ProducersAreNumberedOnce) {
  std::set<std::int64_t> numbers;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      numbers.insert(*running_.edge.ask<std::int64_t>(
          [&](Edge& edge, auto answer) { running_.node->number_producer(edge, std::move(answer)); }));
    ASSERT_TRUE(running_.start());
  }
  EXPECT_EQ(numbers.size(), 9u);
}

// By the records' own times, wherever they lie: in memory, or in files after a restart.
TEST_F(ProduceTest, RecordsAreFoundByTheirTimes) {
  const auto at = [&](std::int64_t time) {
    record::BatchBuilder builder;
    std::string body;
    record::BodyWriter{body}.key({}).value("v").header_count(0);
    builder.add(body, time);
    builder.add(body, time - 50);
    return NewBatch{ref_, builder.finish(Offset{0})};
  };
  EXPECT_FALSE(running_.node->newest_record(ref_)->has_value());
  for (const std::int64_t time : {100, 300, 200}) ASSERT_TRUE(produce({at(time)})->at(0));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ((*running_.node->newest_record(ref_))->offset, Offset{2});
    EXPECT_EQ((*running_.node->first_record_since(ref_, 0))->offset, Offset{0});
    EXPECT_EQ((*running_.node->first_record_since(ref_, 101))->offset, Offset{2});
    EXPECT_EQ((*running_.node->first_record_since(ref_, 101))->timestamp_ms, 300);
    EXPECT_FALSE(running_.node->first_record_since(ref_, 301)->has_value());
    ASSERT_TRUE(running_.start());
  }
}

}  // namespace
}  // namespace continuo::node
