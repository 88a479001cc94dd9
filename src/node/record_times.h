// Records found by their own times, which need not grow with their offsets; and when records came.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "continuo/log/seam/home.h"
#include "continuo/node/node.h"

namespace continuo::node {

/// The first record of that time (ms) or later; none: there is none. Errors as Home::read.
Result<std::optional<RecordTime>> first_record_since(log::Home& home, PartitionRef partition,
                                                     std::int64_t timestamp_ms);
/// The first record of the latest time there is; none: the partition is empty.
Result<std::optional<RecordTime>> newest_record(log::Home& home, PartitionRef partition);
/// When the first of these was appended, of those that can be looked up. Reads files.
std::optional<WallTime> oldest_append(Node& node, const std::vector<std::pair<PartitionRef, Offset>>& places);

}  // namespace continuo::node
