#include <cstdlib>
#include <cstring>

#include "continuo/disk/disk.h"

namespace continuo::disk {

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

void AlignedBuffer::reserve(std::size_t size) {
  if (size <= capacity_) return;
  std::size_t capacity = capacity_ == 0 ? 16 * block_size : capacity_;
  while (capacity < size) capacity *= 2;
  void* grown = nullptr;
  CHECK(posix_memalign(&grown, block_size, capacity) == 0, "out of memory");
  if (size_ != 0) std::memcpy(grown, data_, size_);
  std::free(data_);
  data_ = static_cast<char*>(grown);
  capacity_ = capacity;
}

void AlignedBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  reserve(size_ + bytes.size());
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void AlignedBuffer::pad() {
  const std::size_t whole = (size_ + block_size - 1) / block_size * block_size;
  if (whole == size_) return;
  reserve(whole);
  std::memset(data_ + size_, 0, whole - size_);
  size_ = whole;
}

}  // namespace continuo::disk
