#include "continuo/wire/kafka/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/wire/kafka/errors.h"
#include "continuo/wire/kafka/messages_test.h"

namespace continuo::wire::kafka {
namespace {

std::string_view without_length(const std::string& frame) { return std::string_view{frame}.substr(4); }

// As librdkafka 2.x opens a connection; bytes laid by hand after the protocol guide.
TEST(KafkaApi, AFirstRequestAsClientsSendIt) {
  const std::string frame{
      "\0\x12\0\x03\0\0\0\x01\0\x07rdkafka\0\x0blibrdkafka\x06"
      "2.0.2\0",
      36};
  const auto request = read_request(frame);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->header.correlation_id, 1);
  EXPECT_EQ(request->header.client_id, "rdkafka");
  ASSERT_TRUE(request->supported);
  const auto body = read_body<ApiVersionsRequest>(*request);
  ASSERT_TRUE(body.has_value()) << to_string(body.error());
  EXPECT_EQ(body->client_software_name, "librdkafka");
  EXPECT_EQ(body->client_software_version, "2.0.2");
}

// Trap: the header of this answer never becomes flexible, or no client could read it before it knows the versions.
TEST(KafkaApi, TheAnswerToApiVersionsHasTheOldHeaderInEveryVersion) {
  ApiVersionsResponse answer;
  answer.api_keys = {{18, 0, 3}};
  const Output out = write_answer(*find_api(18), 3, 9, answer);
  EXPECT_EQ(out.flat(), std::string("\0\0\0\x13\0\0\0\x09"
                                    "\0\0"
                                    "\x02\0\x12\0\0\0\x03\0"
                                    "\0\0\0\0"
                                    "\0",
                                    23));
}

TEST(KafkaApi, FlexibleRequestsHaveTheFlexibleHeader) {
  HeartbeatRequest heartbeat;
  heartbeat.group_id = "g";
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto frame = write_request(*find_api(12), version, 3, "me", heartbeat);
    const auto request = read_request(without_length(frame));
    ASSERT_TRUE(request.has_value());
    const auto body = read_body<HeartbeatRequest>(*request);
    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->group_id, "g");
  }
}

TEST(KafkaApi, AnUnknownKeyOrVersionIsToldAsSuch) {
  const auto unknown = read_request({"\x7f\0\0\0\0\0\0\x01", 8});
  ASSERT_TRUE(unknown.has_value());
  EXPECT_EQ(unknown->api, nullptr);
  const auto newer = read_request({"\0\x12\0\x63\0\0\0\x01\xff\xff??", 12});  // ApiVersions 99
  ASSERT_TRUE(newer.has_value());
  EXPECT_NE(newer->api, nullptr);
  EXPECT_FALSE(newer->supported);
}

TEST(KafkaApi, AHeaderThatIsCutIsRefused) {
  const std::string frame{"\0\x0c\0\x04\0\0\0\x01\0\x02me\0", 13};
  for (std::size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(read_request(std::string_view{frame}.substr(0, size)).has_value()) << size;
  EXPECT_TRUE(read_request(frame).has_value());
}

TEST(KafkaApi, ABodyThatIsCutIsRefused) {
  const auto frame = write_request(*find_api(12), 0, 3, "me", HeartbeatRequest{});
  const auto body = read_body<HeartbeatRequest>(*read_request(without_length(frame).substr(0, frame.size() - 5)));
  ASSERT_FALSE(body.has_value());
  EXPECT_THAT(body.error().detail, ::testing::HasSubstr("heartbeat version 0"));
}

// Trap: asked for all topics, librdkafka 2.16 leaves the four bytes it had reserved for their number, where a compact
// null has one. Kafka reads no further than the message, and so must others.
TEST(KafkaApi, BytesBehindTheEndAreIgnored) {
  const std::string frame{"\0\x03\0\x0c\0\0\0\x03\0\x07rdkafka\0\0\0\0\0\x01\0\0", 25};
  const auto body = read_body<MetadataRequest>(*read_request(frame));
  ASSERT_TRUE(body.has_value()) << to_string(body.error());
  EXPECT_FALSE(body->topics.has_value()) << "all topics";
}

// Trap: clients before librdkafka 2.11.1 switch compression off when Produce does not begin at 0; zstd when 7 and Fetch
// 10 are not inside.
TEST(KafkaApi, ProduceIsAdvertisedFromZero) {
  const Api& produce = *find_api(0);
  EXPECT_EQ(produce.min_version, 0);
  EXPECT_EQ(produce.first_served, 3);
  EXPECT_GE(produce.max_version, 7);
  EXPECT_GE(find_api(1)->max_version, 10);
}

// Trap: old clients look for single old versions to tell what a broker can do.
TEST(KafkaApi, OldVersionsThatClientsTestForAreAdvertised) {
  for (const ApiKey key : {ApiKey::join_group, ApiKey::sync_group, ApiKey::heartbeat, ApiKey::leave_group,
                           ApiKey::find_coordinator, ApiKey::init_producer_id})
    EXPECT_EQ(find_api(static_cast<std::int16_t>(key))->min_version, 0);
  EXPECT_LE(find_api(8)->min_version, 2);
  EXPECT_LE(find_api(9)->min_version, 1);
  EXPECT_LE(find_api(2)->min_version, 1);
}

TEST(KafkaApi, EveryCodeOfOursHasAnError) {
  for (const CodeInfo& info : all_codes())
    EXPECT_NE(number(kafka_error(info.code)), number(KafkaError::none)) << info.name;
}

}  // namespace
}  // namespace continuo::wire::kafka
