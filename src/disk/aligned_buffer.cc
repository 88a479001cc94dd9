#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "continuo/disk/disk.h"

namespace continuo::disk {

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

void AlignedBuffer::reserve(std::size_t size) {
  if (size <= capacity_) return;
  // Large ones in huge pages: the kernel then hands a device a few long pieces instead of hundreds of short ones.
  constexpr std::size_t huge_page = 2u << 20, large = 256u << 10;
  std::size_t capacity = capacity_ == 0 ? 16 * block_size : capacity_;
  while (capacity < size) capacity *= 2;
  if (capacity >= large) capacity = std::max(capacity, huge_page);
  const bool huge = capacity >= huge_page;
  void* grown = nullptr;
  CHECK(posix_memalign(&grown, huge ? huge_page : block_size, capacity) == 0, "out of memory");
  if (huge) ::madvise(grown, capacity, MADV_HUGEPAGE);  // refused where there are none, which does no harm
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
