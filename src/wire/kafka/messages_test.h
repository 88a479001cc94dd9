// All messages there are, and ways to go over them: for tests.
#pragma once

#include <random>

#include "continuo/wire/kafka/api.h"
#include "continuo/wire/kafka/configs.h"
#include "continuo/wire/kafka/fetch.h"
#include "continuo/wire/kafka/groups.h"
#include "continuo/wire/kafka/metadata.h"
#include "continuo/wire/kafka/offsets.h"
#include "continuo/wire/kafka/produce.h"
#include "continuo/wire/kafka/records.h"
#include "continuo/wire/kafka/topics.h"

namespace continuo::wire::kafka {

// Each request, its answer, and the API they are of.
#define CONTINUO_KAFKA_MESSAGES(X)                                                      \
  X(ProduceRequest, ProduceResponse, produce)                                           \
  X(FetchRequest, FetchResponse, fetch)                                                 \
  X(ListOffsetsRequest, ListOffsetsResponse, list_offsets)                              \
  X(MetadataRequest, MetadataResponse, metadata)                                        \
  X(OffsetCommitRequest, OffsetCommitResponse, offset_commit)                           \
  X(OffsetFetchRequest, OffsetFetchResponse, offset_fetch)                              \
  X(FindCoordinatorRequest, FindCoordinatorResponse, find_coordinator)                  \
  X(JoinGroupRequest, JoinGroupResponse, join_group)                                    \
  X(HeartbeatRequest, HeartbeatResponse, heartbeat)                                     \
  X(LeaveGroupRequest, LeaveGroupResponse, leave_group)                                 \
  X(SyncGroupRequest, SyncGroupResponse, sync_group)                                    \
  X(DescribeGroupsRequest, DescribeGroupsResponse, describe_groups)                     \
  X(ListGroupsRequest, ListGroupsResponse, list_groups)                                 \
  X(ApiVersionsRequest, ApiVersionsResponse, api_versions)                              \
  X(CreateTopicsRequest, CreateTopicsResponse, create_topics)                           \
  X(DeleteTopicsRequest, DeleteTopicsResponse, delete_topics)                           \
  X(DeleteRecordsRequest, DeleteRecordsResponse, delete_records)                        \
  X(InitProducerIdRequest, InitProducerIdResponse, init_producer_id)                    \
  X(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, offset_for_leader_epoch) \
  X(DescribeConfigsRequest, DescribeConfigsResponse, describe_configs)                  \
  X(AlterConfigsRequest, AlterConfigsResponse, alter_configs)                           \
  X(DescribeLogDirsRequest, DescribeLogDirsResponse, describe_log_dirs)                 \
  X(CreatePartitionsRequest, CreatePartitionsResponse, create_partitions)               \
  X(DeleteGroupsRequest, DeleteGroupsResponse, delete_groups)                           \
  X(IncrementalAlterConfigsRequest, AlterConfigsResponse, incremental_alter_configs)    \
  X(OffsetDeleteRequest, OffsetDeleteResponse, offset_delete)                           \
  X(DescribeClusterRequest, DescribeClusterResponse, describe_cluster)                  \
  X(DescribeProducersRequest, DescribeProducersResponse, describe_producers)

/// What an answer is of which request.
template <class Request>
struct AnswerOf;
#define CONTINUO_KAFKA_ANSWER(REQUEST, RESPONSE, KEY) \
  template <>                                         \
  struct AnswerOf<REQUEST> {                          \
    using type = RESPONSE;                            \
    static constexpr ApiKey key = ApiKey::KEY;        \
  };
CONTINUO_KAFKA_MESSAGES(CONTINUO_KAFKA_ANSWER)
#undef CONTINUO_KAFKA_ANSWER

/// Calls visit.template operator()<Request, Response>(key) for each API.
void each_api(auto visit) {
#define CONTINUO_KAFKA_VISIT(REQUEST, RESPONSE, KEY) visit.template operator()<REQUEST, RESPONSE>(ApiKey::KEY);
  CONTINUO_KAFKA_MESSAGES(CONTINUO_KAFKA_VISIT)
#undef CONTINUO_KAFKA_VISIT
}

/// Gives every field some value, nulls where they may stand. What it points to lives as long as the filler.
class Filler {
 public:
  Filler(std::uint64_t seed, std::int16_t version) : random_(seed), version_(version) {}
  template <class T>
  void operator()(T& value, When when = {}) {
    if (version_ >= when.since && version_ <= when.until) put(value, version_ >= when.nullable);
  }
  template <class T>
  void tagged(std::int32_t, T& value, When when = {}) {
    if (roll(2) == 0) (*this)(value, when);
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  std::string text() { return std::string(roll(20), static_cast<char>('a' + roll(26))); }
  void put(bool& value, bool) { value = roll(2) == 0; }
  template <std::integral T>
  void put(T& value, bool) {
    value = static_cast<T>(random_());
  }
  void put(Uuid& value, bool) {
    for (auto& byte : value.bytes) byte = static_cast<std::uint8_t>(random_());
  }
  void put(std::string& value, bool) { value = text(); }
  void put(Bytes& value, bool) { value = Bytes{text()}; }
  void put(std::optional<std::string>& value, bool nullable) {
    value.reset();
    if (!nullable || roll(3) != 0) value = text();
  }
  void put(ReceivedRecords& value, bool nullable) {
    if (!nullable || roll(3) != 0) value.bytes = "some records";
  }
  void put(SentRecords& value, bool) {
    for (std::uint64_t i = roll(3); i > 0; --i) {
      auto owner = std::make_shared<const std::string>(text());
      value.pieces.push_back({owner, *owner});
    }
  }
  template <class T>
  void put(std::vector<T>& value, bool) {
    value.resize(roll(4));
    for (T& each : value) put(each, false);
  }
  template <class T>
  void put(std::optional<std::vector<T>>& value, bool nullable) {
    value.reset();
    if (!nullable || roll(3) != 0) put(value.emplace(), false);
  }
  template <class T>
    requires std::is_class_v<T>
  void put(T& value, bool) {
    fields(*this, value);
  }
  std::mt19937_64 random_;
  std::int16_t version_;
};

template <class T>
std::string written(const T& message, const Api& api, std::int16_t version) {
  Output out;
  Writer writer{out, version, api.flexible(version)};
  writer.structure(message);
  return out.flat();
}

}  // namespace continuo::wire::kafka
