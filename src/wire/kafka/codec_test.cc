#include "continuo/wire/kafka/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/wire/kafka/messages_test.h"

namespace continuo::wire::kafka {
namespace {

constexpr int rounds = 20;

// What is written is read back whole, and writes the same again: every message, every version.
template <class T>
void expect_round_trip(const Api& api, std::int16_t version, std::uint64_t seed) {
  SCOPED_TRACE(std::string{api.name} + " version " + std::to_string(version));
  T message;
  Filler filler{seed, version};
  fields(filler, message);
  const std::string bytes = written(message, api, version);
  T read;
  Reader reader{bytes, version, api.flexible(version)};
  reader.structure(read);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(written(read, api, version), bytes);
}

TEST(KafkaCodec, EveryMessageOfEveryVersionComesBackAsItWasWritten) {
  each_api([]<class Request, class Response>(ApiKey key) {
    const Api& api = *find_api(static_cast<std::int16_t>(key));
    for (std::int16_t version = api.min_version; version <= api.max_version; ++version)
      for (int round = 0; round < rounds; ++round) {
        expect_round_trip<Request>(api, version, static_cast<std::uint64_t>(round));
        expect_round_trip<Response>(api, version, static_cast<std::uint64_t>(round));
      }
  });
}

// Cut anywhere, a message is refused, and nothing is read behind its end (the sanitizers look).
template <class T>
void expect_cuts_refused(const Api& api, std::int16_t version) {
  SCOPED_TRACE(std::string{api.name} + " version " + std::to_string(version));
  T message;
  Filler filler{7, version};
  fields(filler, message);
  const std::string bytes = written(message, api, version);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = std::make_unique<char[]>(size + 1);
    bytes.copy(part.get(), size);
    T read;
    Reader reader{{part.get(), size}, version, api.flexible(version)};
    reader.structure(read);
    EXPECT_FALSE(reader.done()) << "cut at " << size;
  }
}

TEST(KafkaCodec, EveryCutOfEveryMessageIsRefused) {
  each_api([]<class Request, class Response>(ApiKey key) {
    const Api& api = *find_api(static_cast<std::int16_t>(key));
    for (const std::int16_t version : {api.min_version, api.max_version}) {
      expect_cuts_refused<Request>(api, version);
      expect_cuts_refused<Response>(api, version);
    }
  });
}

TEST(KafkaCodec, UnknownTaggedFieldsAreSkipped) {
  // HeartbeatRequest version 4: group "g", generation 1, member "m", no instance; then a tag 77 of three bytes.
  const std::string bytes{"\x02g\0\0\0\x01\x02m\0\x01\x4d\x03xyz", 15};
  HeartbeatRequest request;
  Reader reader{bytes, 4, true};
  reader.structure(request);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(request.group_id, "g");
  EXPECT_EQ(request.generation_id, 1);
  EXPECT_EQ(request.member_id, "m");
  EXPECT_FALSE(request.group_instance_id.has_value());
}

TEST(KafkaCodec, AKnownTaggedFieldIsReadWhereverItStands) {
  FetchRequest request;
  request.cluster_id = "home";
  const Api& api = *find_api(1);
  const std::string bytes = written(request, api, 12);
  FetchRequest read;
  Reader reader{bytes, 12, true};
  reader.structure(read);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(read.cluster_id, "home");
}

TEST(KafkaCodec, ATaggedFieldWithMoreThanItsValueIsRefused) {
  FetchRequest request;
  const std::string bare = written(request, *find_api(1), 12);
  // One tag, number 0, four bytes, of which the value takes two.
  const std::string bytes = bare.substr(0, bare.size() - 1) + std::string{"\x01\x00\x04\x02hxx", 7};
  FetchRequest read;
  Reader reader{bytes, 12, true};
  reader.structure(read);
  EXPECT_FALSE(reader.ok());
}

// A count that the rest of the message cannot hold is refused before memory is taken for it.
TEST(KafkaCodec, AnArrayCannotBeLargerThanItsMessage) {
  const std::string bytes{"\x7f\xff\xff\xff", 4};
  DeleteGroupsRequest request;
  Reader reader{bytes, 0, false};
  reader.structure(request);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(request.groups.capacity(), 0u);
}

// A compact length of 63 bits and more, as the fuzzer found it.
TEST(KafkaCodec, ACompactLengthThatCannotBeIsRefused) {
  for (const std::string_view length :
       {std::string_view{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"},
        std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}, std::string_view{"\x80\x80\x80\x80\x08"}}) {
    DeleteGroupsRequest request;
    Reader reader{length, 2, true};
    reader.structure(request);
    EXPECT_FALSE(reader.ok());
  }
}

TEST(KafkaCodec, AMessageOfMoreElementsThanAllowedIsRefused) {
  DeleteGroupsRequest request;
  request.groups.assign(1'000, "");
  const std::string bytes = written(request, *find_api(42), 0);
  DeleteGroupsRequest read;
  Reader reader{bytes, 0, false, 999};
  reader.structure(read);
  EXPECT_FALSE(reader.ok());
}

TEST(KafkaCodec, NullWhereAVersionDoesNotAllowItIsRefused) {
  const std::string null_list{"\xff\xff\xff\xff", 4};
  MetadataRequest request;
  Reader zero{null_list, 0, false};
  zero.structure(request);
  EXPECT_FALSE(zero.ok());
  Reader one{null_list, 1, false};
  one.structure(request);
  EXPECT_TRUE(one.done());
  EXPECT_FALSE(request.topics.has_value());
}

TEST(KafkaCodec, RecordsOfAnAnswerAreNotCopied) {
  FetchResponse answer;
  const auto batch = std::make_shared<const std::string>(1'000, 'r');
  answer.topics = {{"t", {{}}}};
  answer.topics[0].partitions[0].records.pieces = {{batch, *batch}, {batch, *batch}};
  const Output out = write_answer(*find_api(1), 12, 5, answer);
  ASSERT_EQ(out.splices.size(), 2u);
  EXPECT_EQ(out.splices[0].piece.bytes.data(), batch->data());
  EXPECT_LT(out.bytes.size(), 100u);
  EXPECT_EQ(out.size(), out.bytes.size() + 2'000);
  EXPECT_EQ(load<std::int32_t>(out.bytes.data()), big_endian(static_cast<std::int32_t>(out.size() - 4)));
}

}  // namespace
}  // namespace continuo::wire::kafka
