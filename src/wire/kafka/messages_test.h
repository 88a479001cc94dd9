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

/// Calls visit.template operator()<Request, Response>(key) for each API.
void each_api(auto visit) {
  visit.template operator()<ProduceRequest, ProduceResponse>(ApiKey::produce);
  visit.template operator()<FetchRequest, FetchResponse>(ApiKey::fetch);
  visit.template operator()<ListOffsetsRequest, ListOffsetsResponse>(ApiKey::list_offsets);
  visit.template operator()<MetadataRequest, MetadataResponse>(ApiKey::metadata);
  visit.template operator()<OffsetCommitRequest, OffsetCommitResponse>(ApiKey::offset_commit);
  visit.template operator()<OffsetFetchRequest, OffsetFetchResponse>(ApiKey::offset_fetch);
  visit.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>(ApiKey::find_coordinator);
  visit.template operator()<JoinGroupRequest, JoinGroupResponse>(ApiKey::join_group);
  visit.template operator()<HeartbeatRequest, HeartbeatResponse>(ApiKey::heartbeat);
  visit.template operator()<LeaveGroupRequest, LeaveGroupResponse>(ApiKey::leave_group);
  visit.template operator()<SyncGroupRequest, SyncGroupResponse>(ApiKey::sync_group);
  visit.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>(ApiKey::describe_groups);
  visit.template operator()<ListGroupsRequest, ListGroupsResponse>(ApiKey::list_groups);
  visit.template operator()<ApiVersionsRequest, ApiVersionsResponse>(ApiKey::api_versions);
  visit.template operator()<CreateTopicsRequest, CreateTopicsResponse>(ApiKey::create_topics);
  visit.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>(ApiKey::delete_topics);
  visit.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>(ApiKey::delete_records);
  visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>(ApiKey::init_producer_id);
  visit.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(ApiKey::offset_for_leader_epoch);
  visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>(ApiKey::describe_configs);
  visit.template operator()<AlterConfigsRequest, AlterConfigsResponse>(ApiKey::alter_configs);
  visit.template operator()<DescribeLogDirsRequest, DescribeLogDirsResponse>(ApiKey::describe_log_dirs);
  visit.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>(ApiKey::create_partitions);
  visit.template operator()<DeleteGroupsRequest, DeleteGroupsResponse>(ApiKey::delete_groups);
  visit.template operator()<IncrementalAlterConfigsRequest, AlterConfigsResponse>(ApiKey::incremental_alter_configs);
  visit.template operator()<OffsetDeleteRequest, OffsetDeleteResponse>(ApiKey::offset_delete);
  visit.template operator()<DescribeClusterRequest, DescribeClusterResponse>(ApiKey::describe_cluster);
  visit.template operator()<DescribeProducersRequest, DescribeProducersResponse>(ApiKey::describe_producers);
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
