// What answers each of Kafka's requests. docs/kafka.md says what a client sees.
#pragma once

#include "continuo/serve/kafka/call.h"
#include "continuo/wire/kafka/configs.h"
#include "continuo/wire/kafka/fetch.h"
#include "continuo/wire/kafka/groups.h"
#include "continuo/wire/kafka/metadata.h"
#include "continuo/wire/kafka/offsets.h"
#include "continuo/wire/kafka/produce.h"
#include "continuo/wire/kafka/records.h"
#include "continuo/wire/kafka/topics.h"

namespace continuo::serve {

/// Kafka's number of this broker; there is only one.
constexpr std::int32_t broker_id = 1;
/// Of every partition: it never changes hands.
constexpr std::int32_t leader_epoch = 0;

/// Begins a request: reads it and hands it to one of the below. `request` points into the session's buffer and is valid
/// during the call only.
void handle(KafkaCall& call, const wire::kafka::Request& request);

// metadata.cc
void api_versions(KafkaCall& call, const wire::kafka::Request& request);
void metadata(KafkaCall& call, wire::kafka::MetadataRequest request);
void describe_cluster(KafkaCall& call, wire::kafka::DescribeClusterRequest request);
void find_coordinator(KafkaCall& call, wire::kafka::FindCoordinatorRequest request);
// produce.cc
void produce(KafkaCall& call, wire::kafka::ProduceRequest request);
/// Produce before version 3 is advertised, because clients tell features from it, and not served.
void refuse_old_produce(KafkaCall& call, const wire::kafka::Request& request);
void init_producer_id(KafkaCall& call, wire::kafka::InitProducerIdRequest request);
void describe_producers(KafkaCall& call, wire::kafka::DescribeProducersRequest request);
// fetch.cc
void fetch(KafkaCall& call, wire::kafka::FetchRequest request);
// offsets.cc
void list_offsets(KafkaCall& call, wire::kafka::ListOffsetsRequest request);
void offset_for_leader_epoch(KafkaCall& call, wire::kafka::OffsetForLeaderEpochRequest request);
// groups.cc
void join_group(KafkaCall& call, wire::kafka::JoinGroupRequest request);
void sync_group(KafkaCall& call, wire::kafka::SyncGroupRequest request);
void heartbeat(KafkaCall& call, wire::kafka::HeartbeatRequest request);
void leave_group(KafkaCall& call, wire::kafka::LeaveGroupRequest request);
void list_groups(KafkaCall& call, wire::kafka::ListGroupsRequest request);
void describe_groups(KafkaCall& call, wire::kafka::DescribeGroupsRequest request);
void delete_groups(KafkaCall& call, wire::kafka::DeleteGroupsRequest request);
// group_offsets.cc
void offset_commit(KafkaCall& call, wire::kafka::OffsetCommitRequest request);
void offset_fetch(KafkaCall& call, wire::kafka::OffsetFetchRequest request);
void offset_delete(KafkaCall& call, wire::kafka::OffsetDeleteRequest request);
// topics.cc
void create_topics(KafkaCall& call, wire::kafka::CreateTopicsRequest request);
void create_partitions(KafkaCall& call, wire::kafka::CreatePartitionsRequest request);
void delete_topics(KafkaCall& call, wire::kafka::DeleteTopicsRequest request);
void delete_records(KafkaCall& call, wire::kafka::DeleteRecordsRequest request);
// configs.cc
void describe_configs(KafkaCall& call, wire::kafka::DescribeConfigsRequest request);
void alter_configs(KafkaCall& call, wire::kafka::AlterConfigsRequest request);
void incremental_alter_configs(KafkaCall& call, wire::kafka::IncrementalAlterConfigsRequest request);
void describe_log_dirs(KafkaCall& call, wire::kafka::DescribeLogDirsRequest request);

/// What a client hears of something that is not done.
struct Refusal {
  wire::kafka::KafkaError error;
  std::string message;
};
/// Says it in the part of an answer that tells of one thing.
void refuse(auto& place, wire::kafka::KafkaError error, std::string message) {
  place.error_code = wire::kafka::number(error);
  place.error_message = std::move(message);
}
void refuse(auto& place, Refusal refusal) { refuse(place, refusal.error, std::move(refusal.message)); }

/// The topic's partition, or what a client hears when there is none.
std::expected<PartitionRef, wire::kafka::KafkaError> find_partition(const node::Catalogue& catalogue,
                                                                    std::string_view topic, std::int32_t partition);
/// What a partition's leader epoch in a request says: none, or why it is refused.
wire::kafka::KafkaError check_epoch(std::int32_t current_leader_epoch);
/// A topic's id as clients know it, and back; none when it is of another server.
wire::kafka::Uuid uuid_of(const Door& door, TopicId topic);
const node::Topic* find_topic(const Door& door, const node::Catalogue& catalogue, const wire::kafka::Uuid& id);

/// An answer that several things fill in: it goes when the last of them is done and lets it go.
template <class T>
class GatheredAnswer {
 public:
  explicit GatheredAnswer(KafkaCall& call) : call_(call.shared_from_this()) {}
  ~GatheredAnswer() {
    if (!call_->gone()) call_->answer(message);
  }
  T message;

 private:
  std::shared_ptr<KafkaCall> call_;
};

/// The same for what is more than one message: calls `then`, on the session's thread.
class Gathering {
 public:
  explicit Gathering(std::move_only_function<void()> then) : then_(std::move(then)) {}
  ~Gathering() { then_(); }

 private:
  std::move_only_function<void()> then_;
};

}  // namespace continuo::serve
