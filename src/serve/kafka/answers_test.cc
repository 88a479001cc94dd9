// Small things that Kafka answers in its own way: each was found by conformance/differential.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/record/compressed_batch_test.h"
#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using testing::IsEmpty;
using testing::SizeIs;
using L = record::BatchLayout;

constexpr std::int16_t none = 0;

std::int16_t produced(KafkaClient& client, std::string_view batch, std::int16_t version = -1) {
  return client.ask(produce_to("orders", 0, batch), version).topics.at(0).partitions.at(0).error_code;
}

// A client that is told "unknown" asks again for a minute; one that is told "invalid" stops.
TEST(KafkaAnswers, ANameThatCannotBeIsInvalidAlsoWhereTopicsAreNotMade) {
  const KafkaServed served;
  KafkaClient client = served.client();
  MetadataRequest request;
  request.topics = {{{{}, "no name"}, {{}, "unknown"}}};
  request.allow_auto_topic_creation = false;
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.topics.at(0).error_code, number(KafkaError::invalid_topic));
  EXPECT_EQ(answer.topics.at(1).error_code, number(KafkaError::unknown_topic_or_partition));
}

// It may have been deleted and made again since the client heard of it.
TEST(KafkaAnswers, ATopicsIdCountsMoreThanItsName) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  MetadataRequest request;
  request.topics = {{{{}, "orders"}}};
  request.topics->at(0).topic_id.bytes[3] = 1;
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.topics.at(0).error_code, number(KafkaError::unknown_topic_id));
  EXPECT_EQ(answer.topics[0].name, std::nullopt);
  EXPECT_THAT(answer.topics[0].partitions, IsEmpty());
}

TEST(KafkaAnswers, ThereAreBrokersToDescribeAndNothingElse) {
  const KafkaServed served;
  KafkaClient client = served.client();
  DescribeClusterRequest request;
  request.endpoint_type = 2;
  auto answer = client.ask(request);
  EXPECT_EQ(answer.error_code, number(KafkaError::mismatched_endpoint_type));
  EXPECT_THAT(answer.brokers, IsEmpty());
  request.endpoint_type = 9;
  EXPECT_EQ(client.ask(request).error_code, number(KafkaError::unsupported_endpoint_type));
}

TEST(KafkaAnswers, ACoordinatorIsOfAGroupOrOfATransaction) {
  const KafkaServed served;
  KafkaClient client = served.client();
  FindCoordinatorRequest request;
  request.key = "g";
  request.coordinator_keys = {"g"};
  for (const std::int8_t type : {0, 1}) {
    request.key_type = type;
    EXPECT_EQ(client.ask(request, 2).error_code, none);
    EXPECT_EQ(client.ask(request, 4).coordinators.at(0).error_code, none);
  }
  request.key_type = 7;
  EXPECT_EQ(client.ask(request, 2).error_code, number(KafkaError::invalid_request));
  EXPECT_EQ(client.ask(request, 2).node_id, -1);
  EXPECT_EQ(client.ask(request, 4).coordinators.at(0).error_code, number(KafkaError::invalid_request));
  EXPECT_EQ(client.ask(request, 4).coordinators.at(0).node_id, -1);
}

// Damage on the way is worth sending again; what was made wrongly is not.
TEST(KafkaAnswers, ABatchMadeWronglyIsInvalidAndNotCorrupt) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = batch_of({"a", "b"});
  const auto with = [&batch](std::size_t place, auto value) {
    std::string other = batch;
    store(other.data() + place, big_endian(value));
    store(other.data() + L::crc, big_endian(crc32c(std::string_view{other}.substr(L::attributes))));
    return other;
  };
  EXPECT_EQ(produced(client, with(L::record_count, std::int32_t{3})), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, with(L::record_count, std::int32_t{-1})), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, with(L::last_offset_delta, std::int32_t{0})), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, with(L::attributes, std::int16_t{32})), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, with(L::producer_id, std::int64_t{7})), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, std::string_view{batch}.substr(0, batch.size() - 2)), number(KafkaError::invalid_record));
  EXPECT_EQ(produced(client, with(L::attributes, std::int16_t{16})),
            number(KafkaError::transactional_id_authorization_failed));
  EXPECT_EQ(produced(client, batch), none);
}

// Clients that speak an older version may not read it: Produce version 7 (KIP-110).
TEST(KafkaAnswers, ZstdNeedsAVersionThatKnowsIt) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = record::compressed_batch(batch_of({"a"}), record::Compression::zstd);
  EXPECT_EQ(produced(client, batch, 6), number(KafkaError::unsupported_compression_type));
  EXPECT_EQ(produced(client, batch, 7), none);
}

// Who asked for no answer hears of a refusal by the end of the connection, or never.
TEST(KafkaAnswers, ARefusalWithoutAcksEndsTheConnection) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  const std::string batch = batch_of({"a"});
  client.send(produce_to("orders", 7, batch, 0));
  EXPECT_TRUE(client.closed());
  KafkaClient fine = served.client();
  fine.send(produce_to("orders", 0, batch, 0));
  EXPECT_EQ(fine.ask(produce_to("orders", 0, batch)).topics.at(0).partitions.at(0).base_offset, 1);
}

TEST(KafkaAnswers, AProducersNumberAndEpochGoTogether) {
  const KafkaServed served;
  KafkaClient client = served.client();
  InitProducerIdRequest request;
  request.producer_id = 5;
  EXPECT_EQ(client.ask(request).error_code, number(KafkaError::invalid_request));
  request.producer_epoch = 0;
  EXPECT_EQ(client.ask(request).error_code, none);
  request.producer_id = -1;
  EXPECT_EQ(client.ask(request).error_code, number(KafkaError::invalid_request));
  request = {};
  request.transactional_id = "";
  const auto answer = client.ask(request);
  EXPECT_EQ(answer.error_code, number(KafkaError::invalid_request));
  EXPECT_EQ(answer.producer_epoch, -1);
}

// KIP-227: the epoch says whether all is asked for, or what a session knows.
TEST(KafkaAnswers, OnlyAFetchThatGoesOnNeedsASession) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  FetchRequest request = fetch_from("orders", 0, 0);
  for (const std::int32_t epoch : {-1, 0}) {
    request.session_id = 12'345;
    request.session_epoch = epoch;
    const auto answer = client.ask(request);
    EXPECT_EQ(answer.error_code, none);
    EXPECT_EQ(answer.session_id, 0);
    EXPECT_THAT(answer.topics, SizeIs(1));
  }
  for (const std::int32_t session : {0, 12'345}) {
    request.session_id = session;
    request.session_epoch = 5;
    EXPECT_EQ(client.ask(request).error_code, number(KafkaError::fetch_session_id_not_found));
  }
}

// -3 since version 7 (KIP-734), -4 since version 8 (KIP-405: all records are local here); admin clients look for this
// error to learn what a broker can.
TEST(KafkaAnswers, AskingForAPlaceItsVersionDoesNotHaveIsUnsupported) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  client.ask(produce_to("orders", 0, batch_of({"a", "b"})));
  const auto find = [&client](std::int64_t timestamp, std::int16_t version) {
    ListOffsetsRequest request;
    request.topics = {{"orders", {{0, -1, timestamp}}}};
    return client.ask(request, version).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(find(-3, 6).error_code, number(KafkaError::unsupported_version));
  EXPECT_EQ(find(-3, 7).error_code, none);
  EXPECT_EQ(find(-4, 7).error_code, number(KafkaError::unsupported_version));
  EXPECT_EQ(find(-4, 8).error_code, none);
  EXPECT_EQ(find(-4, 8).offset, 0);
  EXPECT_EQ(find(-5, 8).error_code, number(KafkaError::unsupported_version));
}

TEST(KafkaAnswers, LeavingAGroupThatIsNotIsTheMembersError) {
  const KafkaServed served;
  KafkaClient client = served.client();
  const LeaveGroupRequest request{"none", "stranger", {{"stranger", std::nullopt, std::nullopt}}};
  EXPECT_EQ(client.ask(request, 2).error_code, number(KafkaError::unknown_member_id));
  const auto answer = client.ask(request, 5);
  EXPECT_EQ(answer.error_code, none);
  ASSERT_THAT(answer.members, SizeIs(1));
  EXPECT_EQ(answer.members[0].error_code, number(KafkaError::unknown_member_id));
}

TEST(KafkaAnswers, StatesOfGroupsAreFoundInAnyCase) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.topics = {{"orders", {{0, 1, -1, ""}}}};
  client.ask(commit);
  EXPECT_THAT(client.ask(ListGroupsRequest{{"empty"}}).groups, SizeIs(1));
  EXPECT_THAT(client.ask(ListGroupsRequest{{"stable"}}).groups, IsEmpty());
}

TEST(KafkaAnswers, OffsetsAreDeletedOfAGroupWithAName) {
  KafkaServed served;
  served.make_topic("orders");
  KafkaClient client = served.client();
  OffsetCommitRequest commit;
  commit.topics = {{"orders", {{0, 1, -1, ""}}}};
  client.ask(commit);
  EXPECT_EQ(client.ask(OffsetDeleteRequest{"", {{"orders", {{0}}}}}).error_code, number(KafkaError::invalid_group_id));
}

}  // namespace
}  // namespace continuo::serve
