#include "continuo/node/keeping.h"

#include <fmt/format.h>

#include "continuo/record/batch.h"
#include "continuo/record/partitioner.h"

namespace continuo::node {
namespace {

// Finds single records, and keeps the batch it found the last one in: neighbours share one.
class Finder {
 public:
  explicit Finder(log::Home& home) : home_(home) {}

  Result<record::Record> find(PartitionRef partition, Offset offset) {
    if (!walk_ || offset < at_ || offset >= walk_->header().next_offset()) {
      walk_.reset();
      auto batches = home_.read(partition, offset, 1);
      if (!batches) return pass(batches);
      if (batches->batches.empty()) return missing(offset);
      batch_ = batches->batches.front();
      if (auto header = record::read_batch_header(*batch_); !header) return pass(header);
      walk_.emplace(*batch_);
    }
    while (auto record = walk_->next()) {
      at_ = record->offset + 1;
      if (record->offset == offset) return *record;
    }
    walk_.reset();
    return missing(offset);
  }

 private:
  static std::unexpected<Error> missing(Offset offset) {
    return continuo::fail(Code::not_found, fmt::format("there is no record at offset {}", offset.value));
  }

  log::Home& home_;
  std::shared_ptr<const std::string> batch_;
  std::optional<record::RecordWalk> walk_;
  Offset at_;  // of the record the walk comes to next, at least
};

std::string body_of(const record::Record& record) {
  std::string body;
  record::BodyWriter{body}
      .key(record.key)
      .value(record.value)
      .header_count(static_cast<std::size_t>(record.header_count));
  body += record.headers;
  return body;
}

}  // namespace

Result<std::vector<ReadRecord>> read_records(log::Home& home, const KeepJob& job, std::size_t most_bytes) {
  std::vector<ReadRecord> records;
  Finder finder{home};
  std::size_t bytes = 0;
  for (const Offset offset : job.offsets) {
    auto found = finder.find(job.partition, offset);
    if (!found && found.error().code == Code::io_error) return pass(found);
    ReadRecord read{offset, found.has_value(), 0, 0, {}};
    if (found) {
      read.key_hash = record::key_hash(*found);
      read.timestamp_ms = found->timestamp_ms;
      read.body = body_of(*found);
    }
    if (!records.empty() && bytes + read.body.size() > most_bytes) break;
    bytes += read.body.size();
    records.push_back(std::move(read));
  }
  return records;
}

Result<std::shared_ptr<const std::string>> read_copy(log::Home& home, PartitionRef copies, Offset copy,
                                                     Offset original) {
  Finder finder{home};
  auto found = finder.find(copies, copy);
  if (!found) return pass(found);
  record::BatchBuilder builder;
  builder.add(body_of(*found), found->timestamp_ms);
  return std::make_shared<const std::string>(builder.finish(original));
}

}  // namespace continuo::node
