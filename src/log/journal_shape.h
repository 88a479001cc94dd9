// What ring a data folder holds, found in its files: for tools that open a folder without being told how it was made.
#pragma once

#include <cstdint>
#include <optional>

#include "continuo/base/errors.h"
#include "continuo/disk/disk.h"

namespace continuo::log {

struct JournalShape {
  std::uint32_t slots = 0;       ///< files that are there; at least 4
  std::uint64_t slot_bytes = 0;  ///< of each
};

/// Reads the segment headers; where none is intact, the files' lengths count. Changes nothing. None: there is no
/// journal. wrong_format when no ring can be of that shape.
Result<std::optional<JournalShape>> journal_shape(disk::Disk& disk);

}  // namespace continuo::log
