// What the drain found: the log of each place, which all else is judged by.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "continuo/history/findings.h"
#include "continuo/history/history.h"

namespace continuo::history {

class FinalLog {
 public:
  struct Record {
    std::int64_t offset;
    std::uint64_t value;
    std::size_t drained;  ///< the operation that says so
  };

  FinalLog(const History& history, Findings& findings);

  std::span<const Record> of(std::size_t place) const { return logs_[place]; }
  /// How many records of the place are before that offset.
  std::size_t rank(std::size_t place, std::int64_t offset) const;
  /// The record at exactly that offset, or nullptr.
  const Record* at(std::size_t place, std::int64_t offset) const;

 private:
  std::vector<std::vector<Record>> logs_;
};

}  // namespace continuo::history
