// A few threads for reads that may have to wait for the disk, so that I/O threads do not.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace continuo::serve {

class ReaderPool {
 public:
  ~ReaderPool() { stop(); }
  void start(unsigned threads);
  /// Drops what has not begun, waits for what has.
  void stop();
  /// Any thread. The queue is bounded by the number of connections: each has one read under way.
  void run(std::move_only_function<void()> job);
  bool empty() const { return threads_.empty(); }

 private:
  void work();
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace continuo::serve
