#include "requests.h"

#include <algorithm>

namespace continuo::conformance {

std::string with_crc(std::string batch) {
  using L = record::BatchLayout;
  store(batch.data() + L::crc, big_endian(crc32c(std::string_view{batch}.substr(L::attributes))));
  return batch;
}

FetchRequest fetch_from(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  FetchRequest request;
  request.min_bytes = 1;
  request.max_bytes = 1 << 20;
  FetchRequest::Partition asked;
  asked.partition = partition;
  asked.fetch_offset = offset;
  asked.partition_max_bytes = 1 << 20;
  request.topics = {{topic, {asked}}};
  return request;
}

CreateTopicsRequest create_of(const std::string& topic, std::int32_t partitions) {
  CreateTopicsRequest request;
  request.timeout_ms = 10'000;
  request.topics = {{topic, partitions, 1, {}, {}}};
  return request;
}

// A topic that was just made may be unknown for a moment to the part of Kafka that answers, and be led by nobody.
void make_topic(Run& run, const std::string& topic, std::int32_t partitions) {
  run.ask("make " + topic, create_of(topic, partitions), 4);
  MetadataRequest ask;
  ask.topics = {{{{}, topic}}};
  ask.allow_auto_topic_creation = false;
  run.settle(ask, 7, [](const MetadataResponse& answer) {
    return !answer.topics.empty() && answer.topics[0].error_code == 0 && !answer.topics[0].partitions.empty();
  });
  ListOffsetsRequest led;
  led.topics.push_back({topic, {}});
  for (std::int32_t each = 0; each < partitions; ++each) led.topics[0].partitions.push_back({each, -1, -1});
  run.settle(led, 4, [](const ListOffsetsResponse& answer) {
    return !answer.topics.empty() && std::ranges::all_of(answer.topics[0].partitions, [](const auto& partition) {
      return partition.error_code == 0;
    });
  });
}

SyncGroupRequest sync_of(const std::string& group, const JoinGroupResponse& join, std::string_view assignment) {
  SyncGroupRequest request;
  request.group_id = group;
  request.generation_id = join.generation_id;
  request.member_id = join.member_id;
  request.protocol_type = "consumer";
  request.protocol_name = "range";
  request.assignments = {{join.member_id, Bytes{std::string{assignment}}}};
  return request;
}

HeartbeatRequest heartbeat_of(const std::string& group, const JoinGroupResponse& join) {
  return {group, join.generation_id, join.member_id, std::nullopt};
}

LeaveGroupRequest leave_of(const std::string& group, const std::string& member) {
  return {group, member, {{member, std::nullopt, std::nullopt}}};
}

JoinGroupResponse joined(Run& run, const std::string& group, std::size_t connection) {
  const auto asked = run.ask("join " + group, join_of(group), Run::newest, connection);
  return run.ask("join " + group + " with the id", join_of(group, asked.member_id), Run::newest, connection);
}

}  // namespace continuo::conformance
