// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of Kafka's batches and of every format here.
#pragma once

#include <cstdint>
#include <string_view>

namespace continuo::inline base {

/// CRC-32C of the bytes. To go on where an earlier call ended, give its result as `seed`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace continuo::inline base
