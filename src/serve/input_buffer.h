// The bytes a connection sent and the session has not used up.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "continuo/record/cloudevents.h"

namespace continuo::serve {

/// A run of bytes that grows at its end and is used up at its front, always with record::json_padding readable bytes
/// behind it, so that JSON is parsed where it was received. Views stay valid until reserve() or compact().
class InputBuffer {
 public:
  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return begin_ == end_; }

  char* spare() { return data_.get() + end_; }
  std::size_t spare_size() const { return capacity_ - end_; }
  void filled(std::size_t bytes) { end_ += bytes; }

  /// Moves nothing: a read into spare() may be under way.
  void use_up(std::size_t bytes) { begin_ += bytes; }

  /// Moves what is there to the front. No read may be under way, here and in reserve().
  void compact() {
    if (begin_ == 0) return;
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }

  /// Makes the whole at least `bytes` large; smaller when it is empty and shall be.
  void reserve(std::size_t bytes) {
    if (bytes == capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(bytes + record::json_padding);
    const std::size_t kept = size();
    if (kept != 0) std::memcpy(larger.get(), data_.get() + begin_, kept);
    std::memset(larger.get() + bytes, 0, record::json_padding);
    data_ = std::move(larger);
    capacity_ = bytes;
    begin_ = 0;
    end_ = kept;
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace continuo::serve
