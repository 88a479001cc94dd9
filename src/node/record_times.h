// Records found by their own times, which need not grow with their offsets.
#pragma once

#include <optional>

#include "continuo/log/seam/home.h"
#include "continuo/node/requests.h"

namespace continuo::node {

/// The first record of that time (ms) or later; none: there is none. Errors as Home::read.
Result<std::optional<RecordTime>> first_record_since(log::Home& home, PartitionRef partition,
                                                     std::int64_t timestamp_ms);
/// The first record of the latest time there is; none: the partition is empty.
Result<std::optional<RecordTime>> newest_record(log::Home& home, PartitionRef partition);

}  // namespace continuo::node
