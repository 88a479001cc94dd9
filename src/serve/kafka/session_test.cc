// Kafka's door over a real connection and a real node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "continuo/record/compressed_batch_test.h"
#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int16_t none = 0;

std::int64_t appended(KafkaClient& client, const ProduceRequest& request) {
  const auto answer = client.ask(request);
  const auto& place = answer.topics.at(0).partitions.at(0);
  EXPECT_EQ(place.error_code, none) << place.error_message.value_or("");
  return place.base_offset;
}

std::int16_t refusal(KafkaClient& client, const ProduceRequest& request) {
  return client.ask(request).topics.at(0).partitions.at(0).error_code;
}

std::vector<std::string> fetched(KafkaClient& client, const FetchRequest& request) {
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.topics.at(0).partitions.at(0).error_code, none);
  return values_in(answer.topics[0].partitions[0].records);
}

TEST(KafkaSession, TellsWhatItServes) {
  const KafkaServed served;
  KafkaClient client = served.client();
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto answer = client.ask(ApiVersionsRequest{"test", "1"}, version);
    EXPECT_EQ(answer.error_code, none);
    EXPECT_EQ(answer.api_keys.size(), apis().size());
  }
}

// Trap (KIP-511): a newer ApiVersions than is known is answered in the oldest form, and the connection stays.
TEST(KafkaSession, AnswersANewerApiVersionsInTheOldestForm) {
  const KafkaServed served;
  KafkaClient client = served.client();
  client.send_bytes({"\0\0\0\x0a\0\x12\0\x63\0\0\0\x07\xff\xff", 14});
  const std::string frame = client.frame();
  ASSERT_GE(frame.size(), 10u);
  ApiVersionsResponse answer;
  Reader reader{std::string_view{frame}.substr(4), 0, false};
  reader.structure(answer);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(answer.error_code, number(KafkaError::unsupported_version));
  ASSERT_THAT(answer.api_keys, SizeIs(1));
  EXPECT_EQ(answer.api_keys[0].api_key, 18);
}

TEST(KafkaSession, WhatIsProducedIsFetchedByteForByte) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = batch_of({"a", "b", "c"});
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch)), 0);
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch)), 3);
  const auto answer = client.ask(fetch_from("orders", 0, 3));
  const auto& partition = answer.topics.at(0).partitions.at(0);
  EXPECT_EQ(partition.high_watermark, 6);
  EXPECT_EQ(partition.last_stable_offset, 6);
  EXPECT_EQ(partition.log_start_offset, 0);
  std::string expected = batch;
  record::set_place(expected.data(), Offset{3}, 0);
  ASSERT_THAT(partition.records.pieces, SizeIs(1));
  EXPECT_EQ(partition.records.pieces[0].bytes, expected);
}

// Trap: a consumer that was told a place inside a batch gets the whole batch, or it would hang.
TEST(KafkaSession, AnOffsetInsideABatchBringsTheWholeBatch) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  appended(client, produce_to("orders", 0, batch_of({"a", "b", "c"})));
  EXPECT_THAT(fetched(client, fetch_from("orders", 0, 2)), ElementsAre("a", "b", "c"));
}

// Trap (KIP-74): the first batch comes even if it is larger than what was asked for.
TEST(KafkaSession, TheFirstBatchComesWhateverItsSize) {
  KafkaServed served;
  served.make_topic("orders", 2);
  KafkaClient client = served.client();
  for (const std::int32_t partition : {0, 1})
    for (int i = 0; i < 2; ++i) appended(client, produce_to("orders", partition, batch_of({std::string(1'000, 'x')})));
  FetchRequest request = fetch_from("orders", 0, 0);
  request.max_bytes = 10;
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  request.topics[0].partitions[1].partition = 1;
  const auto answer = client.ask(request);
  EXPECT_THAT(values_in(answer.topics.at(0).partitions.at(0).records), SizeIs(1));
  EXPECT_THAT(values_in(answer.topics.at(0).partitions.at(1).records), IsEmpty());
}

// A partition for which an answer has no room is not read, and told all the same: where it ends, or that it is asked
// for at no place of its own.
TEST(KafkaSession, APartitionWithoutRoomIsTold) {
  KafkaServed served;
  served.make_topic("orders", 4);
  KafkaClient client = served.client();
  for (std::int32_t partition = 0; partition < 3; ++partition)
    for (int i = 0; i < 2; ++i) appended(client, produce_to("orders", partition, batch_of({std::string(1'000, 'x')})));
  FetchRequest request = fetch_from("orders", 0, 0);
  request.max_bytes = 1'500;
  auto& asked = request.topics[0].partitions;
  asked.resize(4, asked[0]);
  for (std::int32_t partition = 0; partition < 4; ++partition)
    asked[static_cast<std::size_t>(partition)].partition = partition;
  asked[2].fetch_offset = 7;
  const auto answer = client.ask(request);
  const auto& told = answer.topics.at(0).partitions;
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_THAT(values_in(told[0].records), SizeIs(1));
  EXPECT_THAT(values_in(told[1].records), IsEmpty());
  EXPECT_EQ(told[1].error_code, none);
  EXPECT_EQ(told[1].high_watermark, 2);
  EXPECT_EQ(told[2].error_code, number(KafkaError::offset_out_of_range));
  EXPECT_EQ(told[3].high_watermark, 0);
}

TEST(KafkaSession, AFetchWaitsForRecordsAndIsWokenByThem) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient consumer = served.client();
  const auto number = consumer.send(fetch_from("orders", 0, 0, 30'000));
  KafkaClient producer = served.client();
  appended(producer, produce_to("orders", 0, batch_of({"late"})));
  const auto answer = consumer.receive<FetchRequest>(number);
  EXPECT_THAT(values_in(answer.topics.at(0).partitions.at(0).records), ElementsAre("late"));
}

TEST(KafkaSession, AFetchOfNothingEndsAtItsTime) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  EXPECT_THAT(fetched(client, fetch_from("orders", 0, 0, 50)), IsEmpty());
  EXPECT_THAT(fetched(client, fetch_from("orders", 0, 0, 0)), IsEmpty());
}

TEST(KafkaSession, AFetchWaitsForAsManyBytesAsItWants) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient consumer = served.client();
  FetchRequest request = fetch_from("orders", 0, 0, 30'000);
  request.min_bytes = 5'000;
  const auto number = consumer.send(request);
  KafkaClient producer = served.client();
  for (int i = 0; i < 6; ++i) appended(producer, produce_to("orders", 0, batch_of({std::string(1'000, 'x')})));
  const auto answer = consumer.receive<FetchRequest>(number);
  EXPECT_GE(answer.topics.at(0).partitions.at(0).records.size(), 5'000u);
}

TEST(KafkaSession, OffsetsOutsideThePartitionAreTold) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  appended(client, produce_to("orders", 0, batch_of({"a"})));
  for (const std::int64_t offset : {-1, 2, 1'000}) {
    const auto answer = client.ask(fetch_from("orders", 0, offset, 30'000));
    EXPECT_EQ(answer.topics.at(0).partitions.at(0).error_code, number(KafkaError::offset_out_of_range)) << offset;
  }
  const auto unknown = client.ask(fetch_from("orders", 7, 0, 30'000));
  EXPECT_EQ(unknown.topics.at(0).partitions.at(0).error_code, number(KafkaError::unknown_topic_or_partition));
}

// Sessions of fetches are answered with number 0: clients then name their partitions each time.
TEST(KafkaSession, FetchSessionsAreDeclined) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  FetchRequest request = fetch_from("orders", 0, 0);
  request.session_epoch = 0;
  EXPECT_EQ(client.ask(request).session_id, 0);
  request.session_id = 5;
  request.session_epoch = 1;
  EXPECT_EQ(client.ask(request).error_code, number(KafkaError::fetch_session_id_not_found));
}

// Trap: with acks 0 there is no answer at all; what follows is answered.
TEST(KafkaSession, WithoutAcksThereIsNoAnswer) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = batch_of({"quiet"});
  client.send(produce_to("orders", 0, batch, 0));
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch_of({"loud"}))), 1);
}

// Answers that fill the socket hold back the requests behind them, and these have their turn when it is empty again.
TEST(KafkaSession, PipelinedFetchesOfMuchAreAllAnswered) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  for (int i = 0; i < 3; ++i) appended(client, produce_to("orders", 0, batch_of({std::string(900'000, 'x')})));
  std::vector<std::int32_t> numbers;
  for (int i = 0; i < 30; ++i) numbers.push_back(client.send(fetch_from("orders", 0, i % 3)));
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  for (const std::int32_t number : numbers)
    EXPECT_GT(client.receive<FetchRequest>(number).topics.at(0).partitions.at(0).records.size(), 900'000u);
}

TEST(KafkaSession, PipelinedProducesAreAnsweredInTheirOrder) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  std::vector<std::int32_t> numbers;
  for (int i = 0; i < 50; ++i) {
    const std::string batch = batch_of({std::to_string(i)});
    numbers.push_back(client.send(produce_to("orders", 0, batch)));
  }
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(
        client.receive<ProduceRequest>(numbers[static_cast<std::size_t>(i)]).topics.at(0).partitions.at(0).base_offset,
        i);
}

TEST(KafkaSession, ABatchSentAgainKeepsItsFirstPlace) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::int64_t id = client.ask(InitProducerIdRequest{}).producer_id;
  const std::string first = batch_of({"a", "b"}, {id, 0, 0}), second = batch_of({"c"}, {id, 0, 2});
  EXPECT_EQ(appended(client, produce_to("orders", 0, first)), 0);
  EXPECT_EQ(appended(client, produce_to("orders", 0, second)), 2);
  EXPECT_EQ(appended(client, produce_to("orders", 0, first)), 0);
  EXPECT_EQ(refusal(client, produce_to("orders", 0, batch_of({"x"}, {id, 0, 9}))),
            number(KafkaError::out_of_order_sequence_number));
  appended(client, produce_to("orders", 0, batch_of({"d"}, {id, 1, 0})));
  EXPECT_EQ(refusal(client, produce_to("orders", 0, batch_of({"x"}, {id, 0, 3}))),
            number(KafkaError::invalid_producer_epoch));
  EXPECT_THAT(fetched(client, fetch_from("orders", 0, 0)), ElementsAre("a", "b", "c", "d"));
}

TEST(KafkaSession, BatchesThatAreNoneAreRefusedAndTheConnectionStays) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  std::string rotten = batch_of({"a"});
  rotten.back() ^= 1;
  EXPECT_EQ(refusal(client, produce_to("orders", 0, rotten)), number(KafkaError::corrupt_message));
  EXPECT_EQ(refusal(client, produce_to("orders", 0, "")), number(KafkaError::invalid_record));
  EXPECT_EQ(refusal(client, produce_to("orders", 0, batch_of({"a"}) + batch_of({"b"}))),
            number(KafkaError::invalid_record));
  EXPECT_EQ(refusal(client, produce_to("orders", 0, batch_of({std::string(1'100'000, 'x')}))),
            number(KafkaError::message_too_large));
  std::string old = batch_of({"a"});
  old[record::BatchLayout::magic] = 1;
  EXPECT_EQ(refusal(client, produce_to("orders", 0, old)), number(KafkaError::invalid_record));
  EXPECT_EQ(refusal(client, produce_to("orders", 0, batch_of({"a"}), 2)), number(KafkaError::invalid_required_acks));
  EXPECT_EQ(refusal(client, produce_to("nowhere", 0, batch_of({"a"}))), number(KafkaError::unknown_topic_or_partition));
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch_of({"a"}))), 0);
}

TEST(KafkaSession, CompressedBatchesGoThroughUntouched) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  std::int64_t next = 0;
  for (const auto compression :
       {record::Compression::gzip, record::Compression::snappy, record::Compression::lz4, record::Compression::zstd}) {
    std::string batch = record::compressed_batch(batch_of({"a", "b"}), compression);
    EXPECT_EQ(appended(client, produce_to("orders", 0, batch)), next);
    const auto answer = client.ask(fetch_from("orders", 0, next));
    record::set_place(batch.data(), Offset{next}, 0);
    EXPECT_EQ(answer.topics.at(0).partitions.at(0).records.pieces.at(0).bytes, batch);
    next += 2;
  }
  std::string rubbish = record::compressed_batch(batch_of({"a", "b"}), record::Compression::lz4);
  rubbish.resize(rubbish.size() - 3);
  store(rubbish.data() + record::BatchLayout::batch_length, big_endian(static_cast<std::int32_t>(rubbish.size() - 12)));
  store(rubbish.data() + record::BatchLayout::crc,
        big_endian(crc32c(std::string_view{rubbish}.substr(record::BatchLayout::attributes))));
  EXPECT_NE(refusal(client, produce_to("orders", 0, rubbish)), none);
}

TEST(KafkaSession, MetadataMakesTopicsThatAreAskedFor) {
  const KafkaServed served;
  KafkaClient client = served.client();
  MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({{}, "new"});
  request.allow_auto_topic_creation = false;
  EXPECT_EQ(client.ask(request).topics.at(0).error_code, number(KafkaError::unknown_topic_or_partition));
  request.allow_auto_topic_creation = true;
  const auto answer = client.ask(request);
  ASSERT_EQ(answer.topics.at(0).error_code, none);
  EXPECT_THAT(answer.topics[0].partitions, SizeIs(1));
  EXPECT_FALSE(answer.topics[0].topic_id.is_zero());
  ASSERT_THAT(answer.brokers, SizeIs(1));
  EXPECT_EQ(answer.brokers[0].host, "127.0.0.1");
  EXPECT_EQ(answer.brokers[0].port, served.port);
  EXPECT_EQ(answer.controller_id, answer.brokers[0].node_id);
  EXPECT_EQ(answer.cluster_id->size(), 22u);
  MetadataRequest by_id;
  by_id.topics.emplace();
  by_id.topics->push_back({answer.topics[0].topic_id, std::nullopt});
  EXPECT_EQ(client.ask(by_id).topics.at(0).name, "new");
  by_id.topics->at(0).topic_id.bytes[3] ^= 1;
  EXPECT_EQ(client.ask(by_id).topics.at(0).error_code, number(KafkaError::unknown_topic_id));
  request.topics->at(0).name = "no name/";
  EXPECT_EQ(client.ask(request).topics.at(0).error_code, number(KafkaError::invalid_topic));
}

// Every version a client may choose is answered in that version.
TEST(KafkaSession, MetadataIsAnsweredInEveryVersion) {
  KafkaServed served;
  served.make_topic("orders", 3);
  KafkaClient client = served.client();
  for (std::int16_t version = 0; version <= 12; ++version) {
    MetadataRequest all;
    if (version == 0) all.topics.emplace();
    const auto answer = client.ask(all, version);
    ASSERT_THAT(answer.topics, SizeIs(1)) << version;
    EXPECT_THAT(answer.topics[0].partitions, SizeIs(3));
  }
}

TEST(KafkaSession, ProduceAndFetchAreAnsweredInEveryVersion) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = batch_of({"v"});
  for (std::int16_t version = 3; version <= 10; ++version)
    EXPECT_EQ(client.ask(produce_to("orders", 0, batch), version).topics.at(0).partitions.at(0).base_offset,
              version - 3);
  for (std::int16_t version = 4; version <= 12; ++version)
    EXPECT_THAT(values_in(client.ask(fetch_from("orders", 0, 0), version).topics.at(0).partitions.at(0).records),
                SizeIs(8));
  for (const std::int16_t version : {0, 1, 2})
    EXPECT_EQ(client.ask(produce_to("orders", 0, batch), version).topics.at(0).partitions.at(0).error_code,
              number(KafkaError::unsupported_for_message_format));
}

TEST(KafkaSession, OffsetsAreFoundByTheirEndsAndByTime) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const auto find = [&](std::int64_t timestamp) {
    ListOffsetsRequest request;
    request.topics = {{"orders", {{0, -1, timestamp}}}};
    return client.ask(request).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(find(ListOffsetsRequest::max_timestamp).offset, -1);
  appended(client, produce_to("orders", 0, batch_of({"a", "b"})));
  appended(client, produce_to("orders", 0, batch_of({"c"})));
  EXPECT_EQ(find(ListOffsetsRequest::earliest).offset, 0);
  EXPECT_EQ(find(ListOffsetsRequest::latest).offset, 3);
  EXPECT_EQ(find(1'795'253'400'000).offset, 0);
  EXPECT_EQ(find(1'795'253'400'001).offset, -1);
  EXPECT_EQ(find(ListOffsetsRequest::max_timestamp).offset, 0);
  EXPECT_EQ(find(ListOffsetsRequest::max_timestamp).timestamp, 1'795'253'400'000);
}

TEST(KafkaSession, TopicsAreMadeAndRemoved) {
  const KafkaServed served;
  KafkaClient client = served.client();
  CreateTopicsRequest request;
  request.topics.resize(5);
  for (auto& topic : request.topics) topic.replication_factor = 1, topic.num_partitions = 2;
  request.topics[0].name = "good";
  request.topics[0].configs = {{"retention.ms", "86400000"}};
  request.topics[1].name = "three copies";
  request.topics[1].replication_factor = 3;
  request.topics[2].name = "bad/name";
  request.topics[3].name = "odd";
  request.topics[3].configs = {{"retention.msec", "1"}};
  request.topics[4].name = "none";
  request.topics[4].num_partitions = 0;
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.topics.at(0).error_code, none);
  EXPECT_EQ(answer.topics[0].num_partitions, 2);
  EXPECT_EQ(answer.topics.at(1).error_code, number(KafkaError::invalid_replication_factor));
  EXPECT_EQ(answer.topics.at(2).error_code, number(KafkaError::invalid_topic));
  EXPECT_EQ(answer.topics.at(3).error_code, number(KafkaError::invalid_config));
  EXPECT_THAT(*answer.topics[3].error_message, testing::HasSubstr("retention.msec"));
  EXPECT_EQ(answer.topics.at(4).error_code, number(KafkaError::invalid_partitions));
  request.topics.resize(1);
  EXPECT_EQ(client.ask(request).topics.at(0).error_code, number(KafkaError::topic_already_exists));
  DeleteTopicsRequest remove;
  remove.topics = {{"good", {}}, {"never", {}}};
  const auto removed = client.ask(remove);
  EXPECT_EQ(removed.topics.at(0).error_code, none);
  EXPECT_EQ(removed.topics.at(1).error_code, number(KafkaError::unknown_topic_or_partition));
}

// Trap: all keys are told, with their defaults and where each value comes from.
TEST(KafkaSession, SettingsAreDescribedWithTheirSources) {
  const KafkaServed served;
  KafkaClient client = served.client();
  CreateTopicsRequest make;
  make.topics.resize(1);
  make.topics[0].name = "orders";
  make.topics[0].num_partitions = make.topics[0].replication_factor = 1;
  make.topics[0].configs = {{"retention.ms", "1000"}};
  client.ask(make);
  DescribeConfigsRequest request;
  request.resources = {{ConfigResource::topic, "orders", {}},
                       {ConfigResource::topic, "none", {}},
                       {ConfigResource::broker, "1", {}},
                       {ConfigResource::broker, "7", {}},
                       {ConfigResource::topic, "orders", {{"retention.ms"}}}};
  request.include_synonyms = request.include_documentation = true;
  for (std::int16_t version = 1; version <= 4; ++version) {
    const auto answer = client.ask(request, version);
    ASSERT_THAT(answer.results, SizeIs(5));
    EXPECT_THAT(answer.results[0].configs, SizeIs(9));
    EXPECT_EQ(answer.results[1].error_code, number(KafkaError::unknown_topic_or_partition));
    EXPECT_EQ(answer.results[2].error_code, none);
    EXPECT_EQ(answer.results[3].error_code, number(KafkaError::invalid_request));
    ASSERT_THAT(answer.results[4].configs, SizeIs(1));
    const auto& retention = answer.results[4].configs[0];
    EXPECT_EQ(retention.value, "1000");
    EXPECT_EQ(retention.config_source, static_cast<std::int8_t>(ConfigSource::topic));
    ASSERT_THAT(retention.synonyms, SizeIs(2));
    EXPECT_EQ(retention.synonyms[1].value, "-1");
    EXPECT_EQ(retention.documentation.has_value(), version >= 3);
  }
}

TEST(KafkaSession, FilesAreDescribed) {
  KafkaServed served;
  served.make_topic("orders", 2);
  KafkaClient client = served.client();
  appended(client, produce_to("orders", 1, batch_of({"a"})));
  for (std::int16_t version = 1; version <= 4; ++version) {
    const auto answer = client.ask(DescribeLogDirsRequest{}, version);
    ASSERT_THAT(answer.results, SizeIs(1));
    ASSERT_THAT(answer.results[0].topics, SizeIs(1));
    ASSERT_THAT(answer.results[0].topics[0].partitions, SizeIs(2));
    EXPECT_GT(answer.results[0].topics[0].partitions[1].partition_size, 0);
  }
  DescribeLogDirsRequest one;
  one.topics = {{"orders", {1, 9}}, {"none", {0}}};
  EXPECT_THAT(client.ask(one).results.at(0).topics.at(0).partitions, SizeIs(1));
}

TEST(KafkaSession, RecordsAreDeleted) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  for (const char* value : {"a", "b", "c"}) appended(client, produce_to("orders", 0, batch_of({value})));
  DeleteRecordsRequest request;
  request.topics = {{"orders", {{0, 2}, {1, 0}}}};
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.topics.at(0).partitions.at(0).low_watermark, 2);
  EXPECT_EQ(answer.topics[0].partitions.at(1).error_code, number(KafkaError::unknown_topic_or_partition));
  EXPECT_THAT(fetched(client, fetch_from("orders", 0, 2)), ElementsAre("c"));
}

TEST(KafkaSession, RubbishEndsTheConnectionAndNothingElse) {
  KafkaServed served;
  served.make_topic("orders");
  for (const std::string_view rubbish :
       {std::string_view{"GET / HTTP/1.1\r\n\r\n"}, std::string_view{"\xff\xff\xff\xff", 4},
        std::string_view{"\0\0\0\x02hi", 6}, std::string_view{"\0\0\0\x0c\0\x01\0\x0c\0\0\0\x01\0\0\0\x7f", 16},
        std::string_view{"\0\0\0\x0a\x7f\0\0\0\0\0\0\x01\0\0", 14}}) {
    KafkaClient client = served.client();
    client.send_bytes(rubbish);
    EXPECT_TRUE(client.closed());
  }
  KafkaClient client = served.client();
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch_of({"a"}))), 0);
}

TEST(KafkaSession, AClientThatGoesAwayWhileItWaitsIsForgotten) {
  KafkaServed served;
  served.make_topic("orders");
  for (int i = 0; i < 5; ++i) {
    KafkaClient client = served.client();
    client.send(fetch_from("orders", 0, 0, 60'000));
  }
  KafkaClient client = served.client();
  EXPECT_EQ(appended(client, produce_to("orders", 0, batch_of({"a"}))), 0);
}

TEST(KafkaSession, StopAnswersWhatWaits) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const auto number = client.send(fetch_from("orders", 0, 0, 60'000));
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  served.server->stop();
  EXPECT_THAT(client.receive<FetchRequest>(number).topics, SizeIs(1));
}

}  // namespace
}  // namespace continuo::serve
