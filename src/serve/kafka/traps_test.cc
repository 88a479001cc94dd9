// What made other brokers fail with some client, a test for each. Some of it is of features to come: then the test says
// what is answered until then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using L = record::BatchLayout;

constexpr std::int16_t none = 0;

/// Topics "orders" (one partition), a client, and short ways to ask.
class KafkaTraps : public testing::Test {
 protected:
  KafkaTraps() { served.make_topic("orders"); }

  ProduceResponse::Partition produced(std::string_view batch, std::int16_t version = -1) {
    return client.ask(produce_to("orders", 0, batch), version).topics.at(0).partitions.at(0);
  }
  void expect_refused(std::string_view batch, KafkaError error) {
    EXPECT_EQ(produced(batch).error_code, number(error));
    EXPECT_EQ(client.ask(ApiVersionsRequest{}, 0).error_code, none) << "the connection stays";
  }
  std::vector<std::string> fetched(std::int64_t offset) {
    return values_in(client.ask(fetch_from("orders", 0, offset)).topics.at(0).partitions.at(0).records);
  }
  ListOffsetsResponse::Partition found(std::int64_t timestamp) {
    ListOffsetsRequest request;
    request.topics = {{"orders", {{0, -1, timestamp}}}};
    return client.ask(request).topics.at(0).partitions.at(0);
  }
  CreateTopicsResponse::Topic made(const std::string& name, const std::string& config, const std::string& value) {
    CreateTopicsRequest request;
    request.topics = {{name, 1, 1, {}, {{config, value}}}};
    return client.ask(request).topics.at(0);
  }
  static MetadataResponse metadata_of(KafkaClient& asked, const std::string& topic) {
    MetadataRequest request;
    request.topics = {{{{}, topic}}};
    return asked.ask(request);
  }
  MetadataResponse metadata_of(const std::string& topic) { return metadata_of(client, topic); }
  std::int64_t new_producer() { return client.ask(InitProducerIdRequest{}).producer_id; }
  static JoinGroupRequest join_of(const std::string& member = {}) { return wire::kafka::join_of("g", member); }
  static const Api* advertised(std::int16_t key) { return find_api(key); }

  KafkaServed served;
  KafkaClient client = served.client();
};

bool has(const Api* api, std::int16_t version) {
  return api != nullptr && api->min_version <= version && version <= api->max_version;
}

// ---- versions -------------------------------------------------------------------------------------------------------

// Every librdkafka before 2.11.1 compresses only if Produce 0 is in the list.
TEST_F(KafkaTraps, ProduceIsAdvertisedFromZeroSoThatLibrdkafkaCompresses) {
  const auto answer = client.ask(ApiVersionsRequest{"test", "1"});
  const auto produce = std::ranges::find(answer.api_keys, 0, &ApiVersionsResponse::Api::api_key);
  ASSERT_NE(produce, answer.api_keys.end());
  EXPECT_EQ(produce->min_version, 0);
  EXPECT_GE(produce->max_version, 7) << "for zstd";
}

// librdkafka 2.0 and others look for single old versions, and take a feature for missing without them.
TEST_F(KafkaTraps, OldVersionsThatClientsProbeForAreAdvertised) {
  for (const std::int16_t key : {10, 11, 12, 13, 14, 22})
    EXPECT_TRUE(has(advertised(key), 0)) << "FindCoordinator, JoinGroup, Heartbeat, Leave, Sync, InitProducerId "
                                         << key;
  EXPECT_TRUE(has(advertised(8), 2)) << "OffsetCommit";
  EXPECT_TRUE(has(advertised(9), 1)) << "OffsetFetch";
  EXPECT_TRUE(has(advertised(2), 1)) << "ListOffsets";
  EXPECT_TRUE(has(advertised(0), 7)) << "Produce, for zstd";
  EXPECT_TRUE(has(advertised(1), 10)) << "Fetch, for zstd";
}

// With SaslHandshake it must begin at version 0, or librdkafka sends raw SASL; without SASL it is not in the list.
TEST_F(KafkaTraps, SaslHandshakeIsNotAdvertisedOrFromVersionZero) {
  EXPECT_TRUE(advertised(17) == nullptr || has(advertised(17), 0));
}

// kafka-python 2.0 tells a broker's age from requests of fixed versions.
TEST_F(KafkaTraps, VersionsThatKafkaPythonProbesForAreServed) {
  EXPECT_TRUE(has(advertised(0), 8)) << "Produce";
  EXPECT_TRUE(has(advertised(1), 11)) << "Fetch";
  EXPECT_TRUE(has(advertised(2), 5)) << "ListOffsets";
  EXPECT_TRUE(has(advertised(3), 5)) << "Metadata";
  EXPECT_EQ(fetched(0), std::vector<std::string>{});
  produced(batch_of({"a"}), 7);
  EXPECT_THAT(values_in(client.ask(fetch_from("orders", 0, 0), 4).topics.at(0).partitions.at(0).records),
              ElementsAre("a"));
}

// KIP-511. A client reads this answer before it knows anything of the server.
TEST_F(KafkaTraps, ApiVersionsOfTheFutureIsAnsweredInVersionZero) {
  client.send_bytes({"\0\0\0\x0f\0\x12\0\x63\0\0\0\x07\xff\xff\0\x02x\x02y", 19});
  const std::string frame = client.frame();
  ApiVersionsResponse answer;
  Reader reader{std::string_view{frame}.substr(4), 0, false};
  reader.structure(answer);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(answer.error_code, number(KafkaError::unsupported_version));
  ASSERT_THAT(answer.api_keys, SizeIs(1));
  EXPECT_EQ(answer.api_keys[0].api_key, 18);
  EXPECT_EQ(answer.api_keys[0].max_version, advertised(18)->max_version);
  EXPECT_EQ(client.ask(ApiVersionsRequest{"test", "1"}).error_code, none) << "the connection stays";
}

TEST_F(KafkaTraps, ApiVersionsHasTheOldestHeaderInEveryVersion) {
  for (const std::int16_t version : {0, 3, 4}) {
    const auto number = client.send(ApiVersionsRequest{"test", "1"}, version);
    const std::string frame = client.frame();
    ASSERT_GT(frame.size(), 6u);
    EXPECT_EQ(big_endian(load<std::int32_t>(frame.data())), number);
    EXPECT_EQ(big_endian(load<std::int16_t>(frame.data() + 4)), none) << "the error stands behind the number at once";
  }
}

TEST_F(KafkaTraps, OffsetDeleteAndSaslHandshakeAreNeverFlexible) {
  EXPECT_FALSE(advertised(47)->flexible(advertised(47)->max_version));
  EXPECT_TRUE(advertised(17) == nullptr || !advertised(17)->flexible(advertised(17)->max_version));
}

TEST_F(KafkaTraps, TagsThatNobodyKnowsAreSkipped) {
  client.send_bytes(
      {"\0\0\0\x27\0\x0c\0\x04\0\0\0\x01\0\x01t\x01\x09\x02hi\x02g\0\0\0\x01\x09stranger\0\x02\x4d\x01x\xe8\x07\x00",
       43});
  const std::string frame = client.frame();
  ASSERT_EQ(frame.size(), 12u);
  EXPECT_EQ(big_endian(load<std::int16_t>(frame.data() + 9)), number(KafkaError::unknown_member_id));
}

// Versions 4 and 5 are for brokers among themselves.
TEST_F(KafkaTraps, AddPartitionsToTxnIsNotAdvertisedOrUpToVersionThree) {
  EXPECT_TRUE(advertised(24) == nullptr || advertised(24)->max_version <= 3);
}

// Clients of KIP-848 fall back to the classic protocol only where it is not in the list; version 0 alone helps few.
TEST_F(KafkaTraps, ConsumerGroupHeartbeatIsNotAdvertisedOrInVersionOne) {
  EXPECT_TRUE(advertised(68) == nullptr || has(advertised(68), 1));
  EXPECT_TRUE(advertised(68) != nullptr || advertised(8)->max_version < 9) << "librdkafka takes the three together";
}

TEST_F(KafkaTraps, WhatIsNotServedEndsTheConnectionAsWithKafka) {
  for (const std::string_view frame :
       {std::string_view{"\0\0\0\x0e\0\x03\0\x63\0\0\0\x01\xff\xff\0\0\0\0", 18},  // Metadata 99
        std::string_view{"\0\0\0\x0e\0\x01\0\x03\0\0\0\x01\xff\xff\0\0\0\0", 18},  // Fetch 3
        std::string_view{"\0\0\0\x0c\x01\xf4\0\0\0\0\0\x01\xff\xff\0\0", 16}}) {   // an API nobody has
    KafkaClient other = served.client();
    other.send_bytes(frame);
    EXPECT_TRUE(other.closed());
  }
}

// ---- records --------------------------------------------------------------------------------------------------------

TEST_F(KafkaTraps, AnOffsetInsideABatchBringsTheWholeBatchOrConsumersHang) {
  produced(batch_of({"a", "b", "c"}));
  EXPECT_THAT(fetched(2), ElementsAre("a", "b", "c"));
}

TEST_F(KafkaTraps, TheFirstBatchComesEvenIfItIsLargerThanAskedFor) {
  produced(batch_of({std::string(5'000, 'x')}));
  FetchRequest request = fetch_from("orders", 0, 0);
  request.max_bytes = request.topics[0].partitions[0].partition_max_bytes = 1;
  EXPECT_THAT(values_in(client.ask(request).topics.at(0).partitions.at(0).records), SizeIs(1));
}

TEST_F(KafkaTraps, MetadataMakesTopicsThatAreAskedFor) {
  EXPECT_EQ(metadata_of("new").topics.at(0).error_code, none);
  EXPECT_THAT(metadata_of("new").topics.at(0).partitions, SizeIs(1));
}

// Without compaction there is no topic that needs keys; one that shall have it is refused by name.
TEST_F(KafkaTraps, ACompactedTopicIsRefusedSoNoRecordIsWithoutItsKey) {
  const auto topic = made("compacted", "cleanup.policy", "compact");
  EXPECT_EQ(topic.error_code, number(KafkaError::invalid_config));
  EXPECT_THAT(topic.error_message.value_or(""), testing::HasSubstr("cleanup.policy"));
}

TEST_F(KafkaTraps, MaxMessageBytesIsEnforced) {
  expect_refused(batch_of({std::string(1'048'588, 'x')}), KafkaError::message_too_large);
  EXPECT_EQ(produced(batch_of({std::string(1'000'000, 'x')})).error_code, none);
}

TEST_F(KafkaTraps, OffsetsAreListedByEndStartNewestAndTime) {
  constexpr std::int64_t time = 1'795'253'400'000;
  produced(batch_of({"a", "b"}));
  EXPECT_EQ(found(ListOffsetsRequest::latest).offset, 2);
  EXPECT_EQ(found(ListOffsetsRequest::earliest).offset, 0);
  EXPECT_EQ(found(ListOffsetsRequest::max_timestamp).timestamp, time);
  EXPECT_EQ(found(time).offset, 0);
  EXPECT_EQ(found(time + 1).offset, -1);
  EXPECT_EQ(found(time + 1).error_code, none);
}

// There are no transactions yet: all that is durable is stable, and the list is there, empty.
TEST_F(KafkaTraps, ReadCommittedHasALastStableOffsetAndAbortedTransactions) {
  produced(batch_of({"a"}));
  FetchRequest request = fetch_from("orders", 0, 0);
  request.isolation_level = 1;
  const auto answer = client.ask(request).topics.at(0).partitions.at(0);
  EXPECT_EQ(answer.last_stable_offset, answer.high_watermark);
  ASSERT_TRUE(answer.aborted_transactions.has_value());
  EXPECT_THAT(*answer.aborted_transactions, IsEmpty());
}

TEST_F(KafkaTraps, TheCrcDoesNotCoverBaseOffsetAndLeaderEpoch) {
  const std::string batch = batch_of({"a"});
  produced(batch);
  produced(batch);
  const auto answer = client.ask(fetch_from("orders", 0, 1));
  const std::string_view stored = answer.topics.at(0).partitions.at(0).records.pieces.at(0).bytes;
  EXPECT_EQ(stored.substr(L::magic), std::string_view{batch}.substr(L::magic));
  const auto header = record::check_batch(stored);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->base_offset, Offset{1});
  EXPECT_EQ(header->leader_epoch, 0);
}

// The time of appending stands in bytes that the CRC covers: it is made anew, or the setting is refused by name.
TEST_F(KafkaTraps, TheTimeOfAppendingComesWithAnotherCrc) {
  const auto topic = made("stamped", "message.timestamp.type", "LogAppendTime");
  if (topic.error_code != none) {
    EXPECT_EQ(topic.error_code, number(KafkaError::invalid_config));
    EXPECT_THAT(topic.error_message.value_or(""), testing::HasSubstr("message.timestamp.type"));
    return;
  }
  client.ask(produce_to("stamped", 0, batch_of({"a"})));
  const auto answer = client.ask(fetch_from("stamped", 0, 0));
  const auto header = record::check_batch(answer.topics.at(0).partitions.at(0).records.pieces.at(0).bytes);
  ASSERT_TRUE(header.has_value());
  EXPECT_TRUE(header->log_append_time());
}

TEST_F(KafkaTraps, WithoutAcksThereIsNoAnswer) {
  client.send(produce_to("orders", 0, batch_of({"quiet"}), 0));
  EXPECT_EQ(produced(batch_of({"loud"})).base_offset, 1);
}

TEST_F(KafkaTraps, OldMessageFormatsAreRefused) {
  for (const char magic : {0, 1}) {
    std::string old = batch_of({"a"});
    old[L::magic] = magic;
    expect_refused(old, KafkaError::invalid_record);
  }
}

TEST_F(KafkaTraps, ACorruptBatchIsRefusedAndTheConnectionStays) {
  std::string rotten = batch_of({"a"});
  rotten.back() ^= 1;
  expect_refused(rotten, KafkaError::corrupt_message);
}

// ---- producers ------------------------------------------------------------------------------------------------------

TEST_F(KafkaTraps, TheLastFiveBatchesOfAProducerAreKnownAndAnsweredWithTheirFirstOffset) {
  const std::int64_t id = new_producer();
  for (std::int32_t sequence = 0; sequence < 6; ++sequence) produced(batch_of({"x"}, {id, 0, sequence}));
  for (std::int32_t sequence = 1; sequence < 6; ++sequence) {
    const auto again = produced(batch_of({"x"}, {id, 0, sequence}));
    EXPECT_EQ(again.error_code, none);
    EXPECT_EQ(again.base_offset, sequence);
  }
  EXPECT_THAT(fetched(0), SizeIs(6)) << "nothing was written twice";
}

TEST_F(KafkaTraps, AProducerOutOfOrderIsRefusedAndTheConnectionStays) {
  const std::int64_t id = new_producer();
  produced(batch_of({"a"}, {id, 0, 0}));
  expect_refused(batch_of({"c"}, {id, 0, 2}), KafkaError::out_of_order_sequence_number);
  EXPECT_EQ(produced(batch_of({"b"}, {id, 0, 1})).error_code, none);
}

TEST_F(KafkaTraps, AFencedProducerIsRefusedAndTheConnectionStays) {
  const std::int64_t id = new_producer();
  produced(batch_of({"a"}, {id, 1, 0}));
  expect_refused(batch_of({"b"}, {id, 0, 1}), KafkaError::invalid_producer_epoch);
}

TEST_F(KafkaTraps, WhatIsKnownOfProducersOutlastsARestart) {
  const std::int64_t id = new_producer();
  produced(batch_of({"a"}, {id, 0, 0}));
  produced(batch_of({"b"}, {id, 0, 1}));
  served.restart();
  KafkaClient after = served.client();
  const auto send = [&after](const std::string& batch) {
    return after.ask(produce_to("orders", 0, batch)).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(send(batch_of({"b"}, {id, 0, 1})).base_offset, 1);
  EXPECT_EQ(send(batch_of({"d"}, {id, 0, 3})).error_code, number(KafkaError::out_of_order_sequence_number));
  EXPECT_EQ(send(batch_of({"c"}, {id, 0, 2})).base_offset, 2);
  EXPECT_NE(after.ask(InitProducerIdRequest{}).producer_id, id) << "a number is given once";
}

// The longest transaction is checked with the first; until then every transactional id is refused.
TEST_F(KafkaTraps, TransactionsAreRefusedWhateverTheirTimeout) {
  for (const std::int32_t timeout : {1'000, 900'001}) {
    const auto answer = client.ask(InitProducerIdRequest{"t", timeout});
    EXPECT_EQ(answer.error_code, number(KafkaError::transactional_id_authorization_failed));
    EXPECT_EQ(answer.producer_id, -1);
  }
}

// ---- fetch and metadata ---------------------------------------------------------------------------------------------

TEST_F(KafkaTraps, SessionZeroMakesClientsNameAllTheirPartitions) {
  FetchRequest request = fetch_from("orders", 0, 0);
  request.session_epoch = 0;
  for (std::int16_t version = 7; version <= 12; ++version) EXPECT_EQ(client.ask(request, version).session_id, 0);
}

TEST_F(KafkaTraps, OneBrokerIsControllerLeaderReplicaAndInSync) {
  const auto answer = metadata_of("orders");
  ASSERT_THAT(answer.brokers, SizeIs(1));
  const std::int32_t id = answer.brokers[0].node_id;
  EXPECT_EQ(answer.controller_id, id);
  const auto& partition = answer.topics.at(0).partitions.at(0);
  EXPECT_EQ(partition.leader_id, id);
  EXPECT_THAT(partition.replica_nodes, ElementsAre(id));
  EXPECT_THAT(partition.isr_nodes, ElementsAre(id));
  EXPECT_THAT(partition.offline_replicas, IsEmpty());
  EXPECT_GE(partition.leader_epoch, 0);
}

// A client that sees another cluster id, another topic id or an older epoch throws away what it knows.
TEST_F(KafkaTraps, ClusterIdTopicIdsAndEpochsOutlastARestart) {
  const auto before = metadata_of("orders");
  EXPECT_THAT(before.cluster_id.value_or(""), SizeIs(22));
  EXPECT_FALSE(before.topics.at(0).topic_id.is_zero());
  served.restart();
  KafkaClient anew = served.client();
  const auto after = metadata_of(anew, "orders");
  EXPECT_EQ(after.cluster_id, before.cluster_id);
  EXPECT_EQ(after.topics.at(0).topic_id, before.topics[0].topic_id);
  EXPECT_GE(after.topics[0].partitions.at(0).leader_epoch, before.topics[0].partitions.at(0).leader_epoch);
}

TEST_F(KafkaTraps, AnUnknownTopicIdIsSaidSoAndTheConnectionStays) {
  MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({{}, std::nullopt});
  request.topics->at(0).topic_id.bytes[0] = 7;
  EXPECT_EQ(client.ask(request).topics.at(0).error_code, number(KafkaError::unknown_topic_id));
  EXPECT_EQ(metadata_of("orders").topics.at(0).error_code, none);
}

// librdkafka tries ::1 first for a name as "localhost".
TEST_F(KafkaTraps, TheAddressIsToldInDigits) {
  EXPECT_EQ(metadata_of("orders").brokers.at(0).host, "127.0.0.1");
  EXPECT_EQ(metadata_of("orders").brokers[0].port, served.port);
}

// ---- groups and operators -------------------------------------------------------------------------------------------

TEST_F(KafkaTraps, MetadataOfACommitComesBack) {
  OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.topics = {{"orders", {{0, 7, -1, "where I was"}}}};
  client.ask(commit);
  OffsetFetchRequest fetch;
  fetch.groups = {{"g", std::nullopt}};
  const auto place = client.ask(fetch).groups.at(0).topics.at(0).partitions.at(0);
  EXPECT_EQ(place.committed_offset, 7);
  EXPECT_EQ(place.metadata, "where I was");
}

TEST_F(KafkaTraps, SettingsAreToldWithDefaultsAndSources) {
  DescribeConfigsRequest request;
  request.resources = {{ConfigResource::topic, "orders", {}}};
  request.include_synonyms = true;
  const auto answer = client.ask(request);
  for (const char* name : {"cleanup.policy", "retention.ms", "max.message.bytes", "segment.bytes"}) {
    const auto& configs = answer.results.at(0).configs;
    const auto config = std::ranges::find(configs, name, &DescribeConfigsResponse::Config::name);
    ASSERT_NE(config, configs.end()) << name;
    EXPECT_TRUE(config->value.has_value());
    EXPECT_EQ(config->config_source, static_cast<std::int8_t>(ConfigSource::built_in));
    EXPECT_THAT(config->synonyms, testing::Not(IsEmpty()));
  }
}

// Once it is served, each topic has a row of its own.
TEST_F(KafkaTraps, CreatePartitionsIsNotServedOrAnswersARowForEachTopic) {
  const Api& api = *find_api(37);
  client.send_bytes(
      write_request(api, 0, 99, "test", CreatePartitionsRequest{{{"orders", 3, {}}, {"no", 3, {}}}, 5'000}));
  if (advertised(37) == nullptr) {
    EXPECT_TRUE(client.closed());
    return;
  }
  const std::string frame = client.frame();
  CreatePartitionsResponse answer;
  Reader reader{std::string_view{frame}.substr(std::min<std::size_t>(4, frame.size())), 0, false};
  reader.structure(answer);
  ASSERT_THAT(answer.topics, SizeIs(2));
  EXPECT_EQ(answer.topics[0].error_code, none);
  EXPECT_EQ(answer.topics[1].error_code, number(KafkaError::unknown_topic_or_partition));
}

// KIP-394: from version 4 on a member joins with the id it was given, so that lost answers leave no members behind.
TEST_F(KafkaTraps, AMemberIdIsRequiredFromJoinVersionFourOn) {
  const auto asked = client.ask(join_of(), 4);
  EXPECT_EQ(asked.error_code, number(KafkaError::member_id_required));
  EXPECT_EQ(client.ask(join_of(asked.member_id), 4).error_code, none);
}

TEST_F(KafkaTraps, AMemberBeforeJoinVersionFourIsTakenAtOnce) { EXPECT_EQ(client.ask(join_of(), 3).error_code, none); }

TEST_F(KafkaTraps, AStaticMemberComesBackWithoutARebalanceAndFencesWhoItWas) {
  JoinGroupRequest join = join_of();
  join.group_instance_id = "one";
  const auto first = client.ask(join, 5);
  ASSERT_EQ(first.error_code, none) << "a static member needs no id";
  client.ask(
      SyncGroupRequest{"g", first.generation_id, first.member_id, "one", {}, {}, {{first.member_id, Bytes{"p"}}}}, 3);
  const auto again = client.ask(join, 5);
  EXPECT_EQ(again.generation_id, first.generation_id);
  EXPECT_NE(again.member_id, first.member_id);
  EXPECT_EQ(client.ask(HeartbeatRequest{"g", first.generation_id, first.member_id, "one"}, 3).error_code,
            number(KafkaError::fenced_instance_id));
}

// A member that took nothing for its assignment would give up its partitions, and nobody would have them.
TEST_F(KafkaTraps, ASyncUnderARebalanceIsRefusedAndNotEmpty) {
  const auto join = client.ask(join_of(), 3);
  const SyncGroupRequest sync{"g", join.generation_id, join.member_id, {}, {}, {}, {{join.member_id, Bytes{"p"}}}};
  EXPECT_EQ(client.ask(sync).assignment, "p");
  KafkaClient other = served.client();
  other.send(join_of(), 3);
  const HeartbeatRequest heartbeat{"g", join.generation_id, join.member_id, {}};
  while (client.ask(heartbeat).error_code == none) {
  }
  EXPECT_EQ(client.ask(sync).error_code, number(KafkaError::rebalance_in_progress));
}

}  // namespace
}  // namespace continuo::serve
