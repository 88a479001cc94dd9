// A history that many processes write at once, in memory they share: what a process noted before it was killed stays.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "continuo/history/history.h"

namespace continuo::history {

class SharedHistory {
 public:
  /// Makes an empty one; its memory is a file that processes started from here can open.
  SharedHistory();
  /// The one behind a file that another process made.
  explicit SharedHistory(int file);
  ~SharedHistory();
  SharedHistory(const SharedHistory&) = delete;
  SharedHistory& operator=(const SharedHistory&) = delete;

  int file() const { return file_; }
  /// From any thread of any process. Ends the process when there is no room.
  void add(const Operation& operation);
  std::span<const Operation> operations() const;

 private:
  struct Head {
    std::atomic<std::uint64_t> claimed;
  };
  void map();

  int file_;
  Head* head_ = nullptr;
  Operation* operations_ = nullptr;
};

}  // namespace continuo::history
