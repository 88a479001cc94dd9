#include "continuo/base/checksum.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace continuo::inline base {

// ISA-L picks the fastest instructions this machine has: 25 GB/s with AVX-512 where the crc instruction gives 9 to 20.
// It inverts neither what it begins with nor what it ends with, and counts in int.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  constexpr std::size_t at_once = 1u << 30;
  std::uint32_t crc = ~seed;
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), at_once);
    auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));  // only read: its C signature
    crc = crc32_iscsi(at, static_cast<int>(size), crc);
    bytes.remove_prefix(size);
  }
  return ~crc;
}

}  // namespace continuo::inline base
