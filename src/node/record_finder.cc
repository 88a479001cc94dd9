#include "continuo/node/record_finder.h"

#include <fmt/format.h>

namespace continuo::node {
namespace {

std::unexpected<Error> missing(Offset offset) {
  return continuo::fail(Code::not_found, fmt::format("there is no record at offset {}", offset.value));
}

}  // namespace

Result<std::shared_ptr<const std::string>> batch_at(log::Home& home, PartitionRef partition, Offset offset) {
  auto batches = home.read(partition, offset, 1);
  if (!batches) return pass(batches);
  if (batches->batches.empty()) return missing(offset);
  const auto header = record::read_batch_header(*batches->batches.front());
  if (!header || header->base_offset > offset) return missing(offset);
  return batches->batches.front();
}

Result<record::Record> RecordFinder::find(PartitionRef partition, Offset offset) {
  const bool further = walk_ && partition == partition_ && offset > last_ && offset < walk_->header().next_offset();
  if (!further) {
    auto batch = read_(partition, offset);
    if (!batch) return pass(batch);
    batch_ = std::move(*batch);
    walk_.emplace(*batch_);
    partition_ = partition;
  }
  last_ = offset;
  if (const auto record = walk_->find(offset)) return *record;
  walk_.reset();
  return missing(offset);
}

}  // namespace continuo::node
