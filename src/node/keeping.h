// Records that outlive their topic's retention because somebody still waits for them.
//
// Before a partition is trimmed the core names the records in the way that are leased or wait in parked keys (KeepJob).
// The write-behind thread reads them, and the core lays copies into the topic `continuo.kept`, an ordinary topic of the
// node's own, and remembers which is which (engines::KeptRecordsEngine); only then it trims. A crash between any two of
// these steps loses nothing: the trim comes last, and copies without one are found and released after the start.
// Whoever reads a delivery gets the copy at its old place (read_or_copy), and cannot tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/node/record_finder.h"

namespace continuo::node {

/// The topic of copies. Nobody deletes or trims it but the node.
inline constexpr std::string_view kept_topic = "continuo.kept";

/// Work for the write-behind thread: records to be read before their partition is trimmed.
struct KeepJob {
  PartitionRef partition;
  std::vector<Offset> offsets;  ///< growing
  bool dead_letters = false;    ///< they are read for core_dead_letters.cc, and nothing is trimmed
};

/// One of them.
struct ReadRecord {
  Offset offset;
  bool readable = false;  ///< false: damaged, or gone with its topic; what follows is empty
  std::uint64_t key_hash = 0;
  std::uint32_t murmur = 0;  ///< of its key, as partitions are chosen by; without a key, of its offset
  std::int64_t timestamp_ms = 0;
  std::string body;
};

/// A change of what is kept, on its way to those who read.
struct KeptChange {
  PartitionRef partition;
  Offset offset;
  std::optional<Offset> copy;  ///< none: released
};

/// Reads the job's records in order, as many as have about `most_bytes` together, and at least one. `read_batch` gives
/// their batches, or the copies of what was trimmed: whoever is given up may have been held by a trim before. Errors:
/// io_error.
Result<std::vector<ReadRecord>> read_records(RecordFinder::ReadBatch read_batch, const KeepJob& job,
                                             std::size_t most_bytes);

}  // namespace continuo::node
