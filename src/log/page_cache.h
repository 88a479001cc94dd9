// How much of what was written last stays in the kernel's page cache.
//
// Topic files are written through the page cache, so that readers a little behind need no disk. Left to itself the
// cache grows with every byte written until memory is full: then each write waits for the kernel to find a page, a
// container pays for memory it never asked for, and the machine's other processes are pushed out. So write-back of
// what is written starts at once, and beyond a bound the piece written longest ago is dropped.
//
// One thread: write-behind.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "continuo/log/segment_file.h"

namespace continuo::log {

class PageCache {
 public:
  /// Keeps about `bytes` of what was written last, over all files.
  explicit PageCache(std::uint64_t bytes) : bound_(bytes) {}

  /// These bytes of the file were just written. May wait until what was written long before is on the disk: the pace of
  /// a device that cannot follow. Errors: io_error when that failed.
  Result<void> wrote(const std::shared_ptr<SegmentFile>& file, std::uint64_t from, std::uint64_t to);
  /// Of whole pages, written and not yet dropped.
  std::uint64_t bytes() const { return kept_; }

 private:
  static constexpr std::uint64_t page = 4'096;
  // Trimmed segments are gone, and their pages with them.
  struct Piece {
    std::weak_ptr<SegmentFile> file;
    std::uint64_t from = 0;  // where a page begins
    std::uint64_t to = 0;
    std::uint64_t cached() const { return (to - from + page - 1) / page * page; }
  };

  std::uint64_t bound_;
  std::uint64_t kept_ = 0;
  std::deque<Piece> pieces_;  // in the order they were written
};

}  // namespace continuo::log
