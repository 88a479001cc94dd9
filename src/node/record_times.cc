#include "continuo/node/record_times.h"

#include "continuo/record/batch.h"

namespace continuo::node {
namespace {

// Of the batch that holds `base`, the first record of at least that time.
Result<std::optional<RecordTime>> find_in(log::Home& home, PartitionRef partition, Offset base,
                                          std::int64_t timestamp_ms) {
  const auto batches = home.read(partition, base, 1);
  if (!batches) return std::unexpected(batches.error());
  if (batches->batches.empty()) return std::nullopt;
  record::RecordWalk walk{*batches->batches.front()};
  while (const auto record = walk.next())
    if (record->offset >= base && record->timestamp_ms >= timestamp_ms)
      return RecordTime{record->offset, record->timestamp_ms};
  if (walk.damaged()) return fail(Code::damaged_data, "a batch cannot be read");
  return std::nullopt;
}

}  // namespace

Result<std::optional<RecordTime>> first_record_since(log::Home& home, PartitionRef partition,
                                                     std::int64_t timestamp_ms) {
  // A batch may hold its latest record before what was trimmed: then the next one is looked at.
  Result<std::optional<RecordTime>> found = std::nullopt;
  const auto walked = home.walk_batches(partition, [&](Offset base, std::int64_t max_timestamp_ms) {
    if (max_timestamp_ms < timestamp_ms) return false;
    found = find_in(home, partition, base, timestamp_ms);
    return !found || found->has_value();
  });
  if (!walked) return std::unexpected(walked.error());
  return found;
}

Result<std::optional<RecordTime>> newest_record(log::Home& home, PartitionRef partition) {
  std::optional<RecordTime> newest;  // of its batch
  const auto walked = home.walk_batches(partition, [&](Offset base, std::int64_t max_timestamp_ms) {
    if (!newest || max_timestamp_ms > newest->timestamp_ms) newest = {base, max_timestamp_ms};
    return false;
  });
  if (!walked) return std::unexpected(walked.error());
  if (!newest) return std::nullopt;
  return find_in(home, partition, newest->offset, newest->timestamp_ms);
}

std::optional<WallTime> oldest_append(Node& node, const std::vector<std::pair<PartitionRef, Offset>>& places) {
  std::optional<WallTime> oldest;
  for (const auto& [partition, offset] : places)
    if (const auto appended = node.appended_at(partition, offset); appended && (!oldest || *appended < *oldest))
      oldest = *appended;
  return oldest;
}

}  // namespace continuo::node
