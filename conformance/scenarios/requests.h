// Requests that most scenarios need.
#pragma once

#include "continuo/record/produced_batch_test.h"
#include "continuo/wire/kafka/requests_test.h"
#include "run.h"

namespace continuo::conformance {

/// Of all records, unless a scenario is about time.
constexpr std::int64_t some_time = 1'700'000'000'000;

inline std::string batch_of(const std::vector<std::string>& values, record::ProducedBy by = {},
                            std::int64_t timestamp_ms = some_time) {
  return record::produced_batch(values, timestamp_ms, by);
}

/// After its header was changed.
std::string with_crc(std::string batch);
/// The batch with a big-endian number written over its header.
template <class T>
std::string with(std::string batch, std::size_t place, T value) {
  store(batch.data() + place, big_endian(value));
  return with_crc(std::move(batch));
}

FetchRequest fetch_from(const std::string& topic, std::int32_t partition, std::int64_t offset);

CreateTopicsRequest create_of(const std::string& topic, std::int32_t partitions = 1);
/// Makes a topic and says nothing of it; waits until the server knows it.
void make_topic(Run& run, const std::string& topic, std::int32_t partitions = 1);

SyncGroupRequest sync_of(const std::string& group, const JoinGroupResponse& join, std::string_view assignment = "has");
HeartbeatRequest heartbeat_of(const std::string& group, const JoinGroupResponse& join);
LeaveGroupRequest leave_of(const std::string& group, const std::string& member);
/// A member of a new generation, alone in its group.
JoinGroupResponse joined(Run& run, const std::string& group, std::size_t connection = 0);

}  // namespace continuo::conformance
