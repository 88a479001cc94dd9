// Single records, out of the batches they lie in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/log/seam/home.h"
#include "continuo/record/batch.h"

namespace continuo::node {

/// The batch that holds `offset`. Errors as Home::read; not_found when a gap is there. May read files.
Result<std::shared_ptr<const std::string>> batch_at(log::Home& home, PartitionRef partition, Offset offset);

/// Finds the record at an offset in one batch after the other, going forward where it can: neighbours share a batch.
class RecordFinder {
 public:
  /// Gives the batch that holds an offset.
  using ReadBatch = std::function<Result<std::shared_ptr<const std::string>>(PartitionRef, Offset)>;
  explicit RecordFinder(ReadBatch read) : read_(std::move(read)) {}
  /// Valid until the next call. Errors as those of the batch's reader; not_found when a gap is there.
  Result<record::Record> find(PartitionRef partition, Offset offset);

 private:
  ReadBatch read_;
  PartitionRef partition_;
  std::shared_ptr<const std::string> batch_;
  std::optional<record::RecordWalk> walk_;
  Offset last_{-1};
};

}  // namespace continuo::node
