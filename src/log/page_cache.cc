#include "continuo/log/page_cache.h"

namespace continuo::log {

// In whole pages: that is what memory is taken by, and it bounds how many small pieces can wait here. The kernel drops
// only pages that lie in a piece whole, so the page that two pieces share goes with the second.
Result<void> PageCache::wrote(const std::shared_ptr<SegmentFile>& file, std::uint64_t from, std::uint64_t to) {
  file->start_write_back(from, to);
  pieces_.push_back({file, from / page * page, to});
  kept_ += pieces_.back().cached();
  while (kept_ > bound_) {
    const Piece oldest = std::move(pieces_.front());
    pieces_.pop_front();
    kept_ -= oldest.cached();
    if (const auto written = oldest.file.lock())
      if (auto dropped = written->drop_cached(oldest.from, oldest.to); !dropped) return dropped;
  }
  return {};
}

}  // namespace continuo::log
