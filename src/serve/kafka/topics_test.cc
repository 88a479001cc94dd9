// Topics that change: their settings and partitions, as Kafka's tools change them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::int16_t none = 0;

class KafkaTopics : public testing::Test {
 protected:
  KafkaTopics() { served_.make_topic("orders"); }
  using Configs = std::map<std::string, std::string>;
  Configs configs(const std::string& topic = "orders") {
    DescribeConfigsRequest request;
    request.resources = {{ConfigResource::topic, topic, {}}};
    Configs all;
    const auto answer = client_.ask(request);
    for (const auto& config : answer.results.at(0).configs) all[config.name] = config.value.value_or("");
    return all;
  }
  // What each setting of a list was answered with, asked one by one.
  AlterConfigsResponse::Resource change(std::vector<IncrementalAlterConfigsRequest::Config> configs,
                                        bool validate_only = false, std::int8_t type = ConfigResource::topic,
                                        const std::string& name = "orders") {
    IncrementalAlterConfigsRequest request;
    request.resources = {{type, name, std::move(configs)}};
    request.validate_only = validate_only;
    return client_.ask(request).responses.at(0);
  }
  ProduceResponse::Partition produce(const std::string& batch, std::int32_t partition = 0) {
    return client_.ask(produce_to("orders", partition, batch)).topics.at(0).partitions.at(0);
  }
  CreatePartitionsResponse::Topic grow(std::int32_t count, const std::string& topic = "orders",
                                       bool validate_only = false) {
    CreatePartitionsRequest request;
    request.topics = {{topic, count, {}}};
    request.validate_only = validate_only;
    return client_.ask(request).topics.at(0);
  }

  using Change = IncrementalAlterConfigsRequest;
  KafkaServed served_;
  KafkaClient client_ = served_.client();
};

TEST_F(KafkaTopics, WhatCannotBeMadeIsRefused) {
  const auto refusal = [&](auto ask) {
    CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "new";
    topic.num_partitions = topic.replication_factor = -1;
    request.validate_only = true;
    ask(topic);
    return client_.ask(request).topics.at(0).error_code;
  };
  using Topic = CreateTopicsRequest::Topic;
  const auto assigned = [&](std::vector<std::int32_t> partitions) {
    return refusal([&](Topic& topic) {
      for (const std::int32_t partition : partitions) topic.assignments.push_back({partition, {broker_id}});
    });
  };
  EXPECT_EQ(assigned({1, 0}), none);
  EXPECT_EQ(assigned({0, 2}), number(KafkaError::invalid_replica_assignment));
  EXPECT_EQ(assigned({0, 0}), number(KafkaError::invalid_replica_assignment));
  EXPECT_EQ(assigned({1, 2}), number(KafkaError::invalid_replica_assignment));
  EXPECT_EQ(refusal([](Topic& topic) { topic.configs = {{"retention.ms", {}}}; }), number(KafkaError::invalid_config));
  EXPECT_EQ(refusal([](Topic& topic) { topic.name = "a/b"; }), number(KafkaError::invalid_topic));
  DeleteTopicsRequest nothing;
  nothing.topics.emplace_back();
  EXPECT_EQ(client_.ask(nothing).topics.at(0).error_code, number(KafkaError::invalid_request));
}

// What is only validated is told as if it had been made, but for its id.
TEST_F(KafkaTopics, AValidatedTopicIsTold) {
  CreateTopicsRequest request;
  request.topics.resize(1);
  request.topics[0].name = "new";
  request.topics[0].num_partitions = 3;
  request.topics[0].replication_factor = 1;
  request.topics[0].configs = {{"retention.ms", "60000"}};
  request.validate_only = true;
  const auto answer = client_.ask(request);
  const auto& topic = answer.topics.at(0);
  EXPECT_EQ(topic.num_partitions, 3);
  EXPECT_EQ(topic.topic_id, Uuid{});
  ASSERT_TRUE(topic.configs);
  EXPECT_THAT(*topic.configs, SizeIs(9));
}

TEST_F(KafkaTopics, SettingsAreChangedOneByOne) {
  EXPECT_EQ(change({{"retention.ms", Change::set, "60000"}, {"max.message.bytes", Change::set, "2000000"}}).error_code,
            none);
  EXPECT_EQ(change({{"retention.ms", Change::remove, {}}, {"segment.bytes", Change::set, "1048576"}}).error_code, none);
  EXPECT_EQ(change({{"message.timestamp.type", Change::set, "LogAppendTime"}}).error_code, none);
  const Configs all = configs();
  EXPECT_EQ(all.at("retention.ms"), "-1");
  EXPECT_EQ(all.at("max.message.bytes"), "2000000");
  EXPECT_EQ(all.at("segment.bytes"), "1048576");
  EXPECT_EQ(all.at("message.timestamp.type"), "LogAppendTime");
}

TEST_F(KafkaTopics, AlteringReplacesEverything) {
  change({{"retention.ms", Change::set, "60000"}, {"segment.bytes", Change::set, "1048576"}});
  AlterConfigsRequest request;
  request.resources = {{ConfigResource::topic, "orders", {{"retention.bytes", "5000"}}}};
  for (std::int16_t version = 0; version <= 2; ++version)
    EXPECT_EQ(client_.ask(request, version).responses.at(0).error_code, none);
  const Configs all = configs();
  EXPECT_EQ(all.at("retention.bytes"), "5000");
  EXPECT_EQ(all.at("retention.ms"), "-1");
  EXPECT_EQ(all.at("segment.bytes"), "268435456");
  request.resources[0].configs = {{"retention.ms", {}}};
  EXPECT_EQ(client_.ask(request).responses.at(0).error_code, number(KafkaError::invalid_request));
}

TEST_F(KafkaTopics, WhatIsOnlyValidatedStays) {
  EXPECT_EQ(change({{"retention.ms", Change::set, "60000"}}, true).error_code, none);
  EXPECT_EQ(change({{"retention.ms", Change::set, "x"}}, true).error_code, number(KafkaError::invalid_config));
  EXPECT_EQ(configs().at("retention.ms"), "-1");
}

// All of a topic's settings are changed, or none; and the message says which one was wrong.
TEST_F(KafkaTopics, UnknownSettingsAndValuesAreRefusedByName) {
  const auto refused = [&](const std::string& name, std::optional<std::string> value, std::int8_t operation = 0) {
    const auto answer = change({{"retention.ms", Change::set, "60000"}, {name, operation, std::move(value)}});
    EXPECT_THAT(answer.error_message.value_or(""), HasSubstr(name));
    EXPECT_EQ(configs().at("retention.ms"), "-1") << name;
    return answer.error_code;
  };
  const auto invalid_config = number(KafkaError::invalid_config);
  EXPECT_EQ(refused("retention.msec", "1"), invalid_config);
  EXPECT_EQ(refused("segment.ms", "1000"), invalid_config) << "Kafka knows it, it has no meaning here";
  EXPECT_EQ(refused("cleanup.policy", "compact"), invalid_config);
  EXPECT_EQ(refused("min.insync.replicas", "2"), invalid_config);
  EXPECT_EQ(refused("max.message.bytes", "7340033"), invalid_config);
  EXPECT_EQ(refused("max.message.bytes", "0"), invalid_config);
  EXPECT_EQ(refused("retention.bytes", "-2"), invalid_config);
  EXPECT_EQ(refused("segment.bytes", "1000"), invalid_config);
  EXPECT_EQ(refused("message.timestamp.type", "NoTimestampType"), invalid_config);
  EXPECT_EQ(refused("retention.bytes", "1", Change::append), invalid_config) << "no list";
  EXPECT_EQ(refused("cleanup.policy", "compact", Change::append), invalid_config);
  EXPECT_EQ(refused("cleanup.policy", "delete", Change::subtract), invalid_config) << "nothing would be left";
  EXPECT_EQ(refused("retention.bytes", {}), number(KafkaError::invalid_request));
  EXPECT_EQ(refused("retention.ms", "1"), number(KafkaError::invalid_request)) << "twice";
  EXPECT_EQ(change({{"retention.bytes", 9, "1"}}).error_code, number(KafkaError::invalid_request))
      << "no such operation";
}

TEST_F(KafkaTopics, WhatIsTheOnlyValueMayBeSet) {
  EXPECT_EQ(
      change({{"cleanup.policy", Change::set, "delete"}, {"compression.type", Change::set, "producer"}}).error_code,
      none);
  EXPECT_EQ(change({{"cleanup.policy", Change::append, "delete"}}).error_code, none);
  EXPECT_EQ(change({{"cleanup.policy", Change::subtract, "compact"}}).error_code, none);
}

TEST_F(KafkaTopics, OnlyTopicsHaveSettingsThatChange) {
  EXPECT_EQ(change({{"retention.ms", Change::set, "1"}}, false, ConfigResource::topic, "none").error_code,
            number(KafkaError::unknown_topic_or_partition));
  for (const std::int8_t type : {ConfigResource::broker, std::int8_t{8}})
    EXPECT_EQ(change({{"retention.ms", Change::set, "1"}}, false, type, "1").error_code,
              number(KafkaError::invalid_request));
  Change twice;
  twice.resources = {{ConfigResource::topic, "orders", {}}, {ConfigResource::topic, "orders", {}}};
  const auto answers = client_.ask(twice);
  EXPECT_THAT(answers.responses, SizeIs(2));
  for (const auto& answer : answers.responses) EXPECT_EQ(answer.error_code, number(KafkaError::invalid_request));
}

// Trap: max.message.bytes is enforced, for each topic as it says.
TEST_F(KafkaTopics, TheLargestBatchIsWhatTheTopicSays) {
  const std::string large = batch_of({std::string(1'500'000, 'x')});
  EXPECT_EQ(produce(large).error_code, number(KafkaError::message_too_large));
  change({{"max.message.bytes", Change::set, "7340032"}});
  EXPECT_EQ(produce(large).error_code, none);
  EXPECT_EQ(produce(batch_of({std::string(7'340'032 - 100, 'x')})).error_code, none) << "the largest there is";
  const auto answer = client_.ask(fetch_from("orders", 0, 1));
  EXPECT_THAT(values_in(answer.topics.at(0).partitions.at(0).records), SizeIs(1)) << "and it can be read";
  change({{"max.message.bytes", Change::set, "1000"}});
  EXPECT_EQ(produce(batch_of({std::string(1'000, 'x')})).error_code, number(KafkaError::message_too_large));
  EXPECT_EQ(produce(batch_of({"small"})).error_code, none);
}

// Trap: LogAppendTime changes bytes that the CRC covers.
TEST_F(KafkaTopics, RecordsGetTheTimeOfTheirAppendingWhereTheTopicSaysSo) {
  EXPECT_EQ(produce(batch_of({"a"})).log_append_time_ms, -1);
  change({{"message.timestamp.type", Change::set, "LogAppendTime"}});
  const auto placed = produce(batch_of({"b", "c"}));
  EXPECT_EQ(placed.error_code, none);
  EXPECT_GT(placed.log_append_time_ms, 0);
  const auto answer = client_.ask(fetch_from("orders", 0, 1));
  const std::string_view batch = answer.topics.at(0).partitions.at(0).records.pieces.at(0).bytes;
  const auto header = record::check_batch(batch);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->log_append_time());
  EXPECT_EQ(header->max_timestamp, placed.log_append_time_ms);
  ListOffsetsRequest find;
  find.topics.resize(1);
  find.topics[0].name = "orders";
  find.topics[0].partitions.resize(1);
  find.topics[0].partitions[0].timestamp = placed.log_append_time_ms;
  const auto found = client_.ask(find).topics.at(0).partitions.at(0);
  const bool later = placed.log_append_time_ms > 1'795'253'400'000;  // of the first record, as its producer said
  EXPECT_EQ(found.offset, later ? 1 : 0);
}

TEST_F(KafkaTopics, ATopicGetsMorePartitions) {
  for (std::int32_t count = 2; count <= 5; ++count) EXPECT_EQ(grow(count).error_code, none);
  EXPECT_EQ(produce(batch_of({"a"}), 4).error_code, none);
  MetadataRequest request;
  request.topics.emplace().push_back({{}, "orders"});
  EXPECT_THAT(client_.ask(request).topics.at(0).partitions, SizeIs(5));
}

TEST_F(KafkaTopics, PartitionsThatCannotBeAddedAreRefused) {
  EXPECT_EQ(grow(3, "orders", true).error_code, none);
  EXPECT_EQ(grow(2).error_code, none) << "what was validated was not done";
  EXPECT_EQ(grow(2).error_code, number(KafkaError::invalid_partitions));
  EXPECT_EQ(grow(1).error_code, number(KafkaError::invalid_partitions));
  EXPECT_EQ(grow(-1).error_code, number(KafkaError::invalid_partitions));
  EXPECT_EQ(grow(1'001).error_code, number(KafkaError::invalid_partitions)) << "more than a topic has";
  EXPECT_EQ(grow(3, "none").error_code, number(KafkaError::unknown_topic_or_partition));
  CreatePartitionsRequest request;
  request.topics = {{"orders", 4, {{{{broker_id}}}}}};
  EXPECT_EQ(client_.ask(request).topics.at(0).error_code, number(KafkaError::invalid_replica_assignment))
      << "two are new, one is placed";
  request.topics[0].assignments = {{{{broker_id}}, {{7}}}};
  EXPECT_EQ(client_.ask(request).topics.at(0).error_code, number(KafkaError::invalid_replica_assignment));
  request.topics[0].assignments = {{{{broker_id}}, {{broker_id}}}};
  EXPECT_EQ(client_.ask(request).topics.at(0).error_code, none);
  request.topics.push_back(request.topics[0]);
  const auto answers = client_.ask(request);
  EXPECT_THAT(answers.topics, SizeIs(2));
  for (const auto& answer : answers.topics) EXPECT_EQ(answer.error_code, number(KafkaError::invalid_request));
}

TEST_F(KafkaTopics, TheProducersOfAPartitionAreTold) {
  produce(batch_of({"a"}));
  produce(batch_of({"b", "c"}, {.producer = 9, .epoch = 2, .first_sequence = 0}));
  DescribeProducersRequest request;
  request.topics = {{"orders", {0, 7}}, {"none", {0}}};
  const auto answer = client_.ask(request);
  const auto& known = answer.topics.at(0).partitions.at(0).active_producers;
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].producer_id, 9);
  EXPECT_EQ(known[0].producer_epoch, 2);
  EXPECT_EQ(known[0].last_sequence, 1);
  EXPECT_EQ(known[0].last_timestamp, 1'795'253'400'000);
  EXPECT_EQ(known[0].current_txn_start_offset, -1);
  EXPECT_EQ(known[0].coordinator_epoch, -1) << "there are no transactions";
  EXPECT_EQ(answer.topics[0].partitions.at(1).error_code, number(KafkaError::unknown_topic_or_partition));
  EXPECT_EQ(answer.topics.at(1).partitions.at(0).error_code, number(KafkaError::unknown_topic_or_partition));
}

}  // namespace
}  // namespace continuo::serve
