// Compressing, as producers do it: for tests.
#pragma once

#include <lz4frame.h>

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/record/batch.h"

namespace continuo::record {

inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string compressed(Compression compression, std::string_view text) {
  std::string out;
  switch (compression) {
    case Compression::none: return std::string{text};
    case Compression::gzip: return gzipped(text);
    case Compression::snappy: snappy::Compress(text.data(), text.size(), &out); return out;
    case Compression::lz4:
      out.resize(LZ4F_compressFrameBound(text.size(), nullptr));
      out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), nullptr));
      return out;
    case Compression::zstd:
      out.resize(ZSTD_compressBound(text.size()));
      out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
      return out;
  }
  return out;
}

/// In the frames of Java's snappy library.
inline std::string java_snappy(std::string_view text, std::size_t block_size) {
  std::string out{"\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16};
  for (std::size_t at = 0; at < text.size(); at += block_size) {
    const std::string_view part = text.substr(at, block_size);
    std::string block;
    snappy::Compress(part.data(), part.size(), &block);
    ByteWriter{out}.be(static_cast<std::uint32_t>(block.size()));
    out += block;
  }
  return out;
}

/// The same batch with its records compressed, as a producer sends it.
inline std::string compressed_batch(std::string_view batch, Compression compression) {
  using L = BatchLayout;
  std::string out{batch.substr(0, L::records)};
  out += compressed(compression, batch.substr(L::records));
  store(out.data() + L::batch_length, big_endian(static_cast<std::int32_t>(out.size() - L::before_length)));
  store(out.data() + L::attributes, big_endian(static_cast<std::int16_t>(compression)));
  store(out.data() + L::crc, big_endian(crc32c(std::string_view{out}.substr(L::attributes))));
  return out;
}

}  // namespace continuo::record
