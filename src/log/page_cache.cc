#include "continuo/log/page_cache.h"

namespace continuo::log {

Result<void> PageCache::wrote(const std::shared_ptr<SegmentFile>& file, std::uint64_t from, std::uint64_t to) {
  file->start_write_back(from, to);
  pieces_.push_back({file, from, to});
  kept_ += to - from;
  while (kept_ > bound_) {
    const Piece oldest = std::move(pieces_.front());
    pieces_.pop_front();
    kept_ -= oldest.to - oldest.from;
    if (const auto written = oldest.file.lock())
      if (auto dropped = written->drop_cached(oldest.from, oldest.to); !dropped) return dropped;
  }
  return {};
}

}  // namespace continuo::log
