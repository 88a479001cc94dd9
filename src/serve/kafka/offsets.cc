// Where in a partition something is: its ends, a time, an epoch.
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

ListOffsetsResponse::Partition refused(std::int32_t partition, KafkaError error) {
  ListOffsetsResponse::Partition out;
  out.partition_index = partition;
  out.error_code = number(error);
  return out;
}

// KIP-734, KIP-405.
constexpr std::int16_t first_with_max_timestamp = 7;
constexpr std::int16_t first_with_earliest_local = 8;

bool is_place(std::int64_t timestamp, std::int16_t version) {
  if (timestamp == ListOffsetsRequest::max_timestamp) return version >= first_with_max_timestamp;
  if (timestamp == ListOffsetsRequest::earliest_local) return version >= first_with_earliest_local;
  return timestamp >= ListOffsetsRequest::earliest;
}

ListOffsetsResponse::Partition find(node::Node& node, PartitionRef ref, std::int64_t timestamp) {
  ListOffsetsResponse::Partition out;
  out.partition_index = static_cast<std::int32_t>(ref.partition.value);
  out.leader_epoch = leader_epoch;
  const auto state = node.partition_state(ref);
  if (!state) return refused(out.partition_index, kafka_error(state.error().code));
  if (timestamp == ListOffsetsRequest::earliest_local) timestamp = ListOffsetsRequest::earliest;  // all are here
  if (timestamp == ListOffsetsRequest::earliest || timestamp == ListOffsetsRequest::latest) {
    out.offset = timestamp == ListOffsetsRequest::earliest ? state->first.value : state->next.value;
    return out;
  }
  const auto found = timestamp == ListOffsetsRequest::max_timestamp ? node.newest_record(ref)
                                                                    : node.first_record_since(ref, timestamp);
  if (!found) return refused(out.partition_index, kafka_error(found.error().code));
  if (*found) {
    out.offset = (*found)->offset.value;
    out.timestamp = (*found)->timestamp_ms;
  } else {
    out.leader_epoch = -1;
  }
  return out;
}

ListOffsetsResponse find_all(node::Node& node, const ListOffsetsRequest& request, std::int16_t version) {
  const auto catalogue = node.catalogue();
  ListOffsetsResponse answer;
  for (const ListOffsetsRequest::Topic& topic : request.topics) {
    auto& out = answer.topics.emplace_back();
    out.name = topic.name;
    for (const ListOffsetsRequest::Partition& asked : topic.partitions) {
      const auto ref = find_partition(*catalogue, topic.name, asked.partition_index);
      const KafkaError epoch = check_epoch(asked.current_leader_epoch);
      if (!ref || epoch != KafkaError::none)
        out.partitions.push_back(refused(asked.partition_index, ref ? epoch : ref.error()));
      else if (!is_place(asked.timestamp, version))
        out.partitions.push_back(refused(asked.partition_index, KafkaError::unsupported_version));
      else
        out.partitions.push_back(find(node, *ref, asked.timestamp));
    }
  }
  return answer;
}

}  // namespace

// A time is looked for in files: not on the thread of the sessions.
void list_offsets(KafkaCall& call, ListOffsetsRequest request) {
  bool by_time = false;
  for (const auto& topic : request.topics)
    for (const auto& partition : topic.partitions)
      by_time = by_time || (partition.timestamp != ListOffsetsRequest::latest &&
                            partition.timestamp != ListOffsetsRequest::earliest);
  ReaderPool& readers = call.thread().door().readers;
  if (!by_time || readers.empty()) return call.answer(find_all(call.node(), request, call.version()));
  readers.run([self = call.shared_from_this(), &node = call.node(), request = std::move(request)]() mutable {
    self->thread().post([self, answer = find_all(node, request, self->version())] {
      if (!self->gone()) self->answer(answer);
    });
  });
}

// There was only ever one epoch: it ends where the partition ends.
void offset_for_leader_epoch(KafkaCall& call, OffsetForLeaderEpochRequest request) {
  const auto catalogue = call.node().catalogue();
  OffsetForLeaderEpochResponse answer;
  for (const OffsetForLeaderEpochRequest::Topic& topic : request.topics) {
    auto& out = answer.topics.emplace_back();
    out.topic = topic.topic;
    for (const OffsetForLeaderEpochRequest::Partition& asked : topic.partitions) {
      auto& place = out.partitions.emplace_back();
      place.partition = asked.partition;
      const auto ref = find_partition(*catalogue, topic.topic, asked.partition);
      const KafkaError epoch = check_epoch(asked.current_leader_epoch);
      if (!ref || epoch != KafkaError::none) {
        place.error_code = number(ref ? epoch : ref.error());
        continue;
      }
      const auto state = call.node().partition_state(*ref);
      if (!state || asked.leader_epoch != leader_epoch) continue;  // -1, -1: no such epoch
      place.leader_epoch = leader_epoch;
      place.end_offset = state->next.value;
    }
  }
  call.answer(answer);
}

}  // namespace continuo::serve
