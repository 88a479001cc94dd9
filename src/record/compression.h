// The compressions of Kafka's record batches, undone.
//
// gzip, snappy (raw blocks, and in the frames of Java's snappy library that most clients write), lz4 and zstd frames.
// Source: Apache Kafka, CompressionType and its codecs; xerial's snappy-java, SnappyOutputStream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::record {

enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::string_view name(Compression compression);

/// What the records of one batch may have uncompressed: more is taken for an attack.
constexpr std::size_t max_inflated_bytes = 64u << 20;

/// Undoes a compression. Memory grows with what comes out, up to `most` bytes. Errors: damaged_data (not in that
/// format, or cut), too_large (more than `most`).
Result<std::string> inflate(Compression compression, std::string_view bytes, std::size_t most = max_inflated_bytes);

}  // namespace continuo::record
