#include "continuo/node/keeping.h"

#include "continuo/node/kept_places.h"
#include "continuo/record/batch.h"
#include "continuo/record/partitioner.h"

namespace continuo::node {
namespace {

std::string body_of(const record::Record& record) {
  std::string body;
  record::BodyWriter{body}
      .key(record.key)
      .value(record.value)
      .header_count(static_cast<std::size_t>(record.header_count));
  body += record.headers;
  return body;
}

// The record at `copy` of the partition of copies, as a batch of its own at offset `original`.
Result<std::shared_ptr<const std::string>> read_copy(log::Home& home, PartitionRef copies, Offset copy,
                                                     Offset original) {
  RecordFinder finder{[&home](PartitionRef partition, Offset offset) { return batch_at(home, partition, offset); }};
  auto found = finder.find(copies, copy);
  if (!found) return pass(found);
  record::BatchBuilder builder;
  builder.add(body_of(*found), found->timestamp_ms);
  return std::make_shared<const std::string>(builder.finish(original));
}

}  // namespace

Result<std::vector<ReadRecord>> read_records(RecordFinder::ReadBatch read_batch, const KeepJob& job,
                                             std::size_t most_bytes) {
  std::vector<ReadRecord> records;
  RecordFinder finder{std::move(read_batch)};
  std::size_t bytes = 0;
  for (const Offset offset : job.offsets) {
    auto found = finder.find(job.partition, offset);
    if (!found && found.error().code == Code::io_error) return pass(found);
    ReadRecord read{offset, found.has_value(), 0, 0, 0, {}};
    if (found) {
      read.key_hash = record::key_hash(*found);
      read.murmur = record::murmur2(found->key ? *found->key : std::to_string(offset.value));
      read.timestamp_ms = found->timestamp_ms;
      read.body = body_of(*found);
    }
    if (!records.empty() && bytes + read.body.size() > most_bytes) break;
    bytes += read.body.size();
    records.push_back(std::move(read));
  }
  return records;
}

Result<std::shared_ptr<const std::string>> read_or_copy(
    log::Home& home, KeptPlaces& kept, const std::function<std::shared_ptr<const Catalogue>()>& catalogue,
    PartitionRef partition, Offset offset) {
  auto batch = batch_at(home, partition, offset);
  if (batch || batch.error().code != Code::offset_out_of_range) return batch;
  const auto copy = kept.find(partition, offset);
  if (!copy) return batch;
  const auto current = catalogue();
  const Topic* copies = current->find_topic(kept_topic);
  return copies == nullptr ? batch : read_copy(home, {copies->id, PartitionId{0}}, *copy, offset);
}

}  // namespace continuo::node
