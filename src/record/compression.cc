#include "continuo/record/compression.h"

#include <lz4frame.h>

#include <fmt/format.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "continuo/base/bytes.h"

namespace continuo::record {
namespace {

constexpr std::size_t step = 64 * 1024;
constexpr std::size_t most_at_first = 1u << 20;

std::unexpected<Error> damaged(Compression compression, std::string_view why) {
  return fail(Code::damaged_data, fmt::format("the records cannot be read as {}: {}", name(compression), why), "batch");
}

std::unexpected<Error> bomb(std::size_t most) {
  return fail(Code::too_large, fmt::format("the records have more than {} bytes uncompressed", most), "batch",
              "send smaller batches");
}

// A string that grows by what is written behind its end.
class Growing {
 public:
  Growing(std::size_t expected, std::size_t most) : most_(most) {
    out_.resize(std::min({expected, most, most_at_first}));
  }
  /// False when there may be no more.
  bool make_room() {
    if (used_ < out_.size()) return true;
    if (out_.size() >= most_) return false;
    out_.resize(std::min(most_, std::max(step, 2 * out_.size())));
    return true;
  }
  char* spare() { return out_.data() + used_; }
  std::size_t spare_size() const { return out_.size() - used_; }
  void filled(std::size_t bytes) { used_ += bytes; }
  std::string finish() {
    out_.resize(used_);
    return std::move(out_);
  }

 private:
  std::string out_;
  std::size_t used_ = 0;
  const std::size_t most_;
};

Result<std::string> inflate_gzip(std::string_view bytes, std::size_t most) {
  constexpr int gzip_only = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, gzip_only) != Z_OK) return damaged(Compression::gzip, "zlib does not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner{&stream, ::inflateEnd};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  Growing out{4 * bytes.size(), most};
  while (true) {
    if (!out.make_room()) return bomb(most);
    stream.next_out = reinterpret_cast<Bytef*>(out.spare());
    stream.avail_out = static_cast<uInt>(out.spare_size());
    const std::size_t room = out.spare_size();
    const int state = ::inflate(&stream, Z_NO_FLUSH);
    out.filled(room - stream.avail_out);
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) return out.finish();
      if (inflateReset(&stream) != Z_OK) return damaged(Compression::gzip, "a second member does not begin");
    } else if (state != Z_OK) {
      return damaged(Compression::gzip, stream.avail_in == 0 ? "cut" : "not in its format");
    }
  }
}

Result<void> inflate_block(std::string_view block, std::size_t most, std::string& out) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size))
    return damaged(Compression::snappy, "a block without a length");
  if (size > most - out.size()) return bomb(most);
  // Nobody compresses further than this: a length beyond it is none.
  constexpr std::size_t best_ratio = 256;
  if (size / best_ratio > block.size()) return damaged(Compression::snappy, "a block with an impossible length");
  const std::size_t before = out.size();
  out.resize(before + size);
  if (!snappy::RawUncompress(block.data(), block.size(), out.data() + before))
    return damaged(Compression::snappy, "not in its format");
  return {};
}

Result<std::string> inflate_snappy(std::string_view bytes, std::size_t most) {
  constexpr std::string_view java_magic{"\x82SNAPPY\0", 8};
  std::string out;
  if (!bytes.starts_with(java_magic)) {
    if (auto ok = inflate_block(bytes, most, out); !ok) return pass(ok);
    return out;
  }
  constexpr std::size_t versions = 8;  // two numbers that never changed
  if (bytes.size() < java_magic.size() + versions) return damaged(Compression::snappy, "cut");
  ByteReader in{bytes.substr(java_magic.size() + versions)};
  while (in.left() != 0) {
    const std::string_view block = in.raw(in.be<std::uint32_t>());
    if (!in.ok()) return damaged(Compression::snappy, "cut");
    if (auto ok = inflate_block(block, most, out); !ok) return pass(ok);
  }
  return out;
}

Result<std::string> inflate_lz4(std::string_view bytes, std::size_t most) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
    return damaged(Compression::lz4, "lz4 does not start");
  const std::unique_ptr<LZ4F_dctx, std::size_t (*)(LZ4F_dctx*)> owner{context, LZ4F_freeDecompressionContext};
  Growing out{4 * bytes.size(), most};
  while (true) {
    if (!out.make_room()) return bomb(most);
    std::size_t written = out.spare_size();
    std::size_t read = bytes.size();
    const std::size_t hint = LZ4F_decompress(context, out.spare(), &written, bytes.data(), &read, nullptr);
    if (LZ4F_isError(hint)) return damaged(Compression::lz4, LZ4F_getErrorName(hint));
    out.filled(written);
    bytes.remove_prefix(read);
    if (hint == 0 && bytes.empty()) return out.finish();
    if (read == 0 && written == 0) return damaged(Compression::lz4, "cut");
  }
}

Result<std::string> inflate_zstd(std::string_view bytes, std::size_t most) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{ZSTD_createDCtx(), ZSTD_freeDCtx};
  if (!context) return damaged(Compression::zstd, "zstd does not start");
  // The largest window a decoder must take (RFC 8878, 3.1.1.1.2), so that a frame cannot ask for gigabytes.
  constexpr int window_log = 27;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log);
  Growing out{4 * bytes.size(), most};
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    if (!out.make_room()) return bomb(most);
    ZSTD_outBuffer to{out.spare(), out.spare_size(), 0};
    const std::size_t read_before = in.pos;
    const std::size_t hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return damaged(Compression::zstd, ZSTD_getErrorName(hint));
    out.filled(to.pos);
    if (hint == 0 && in.pos == in.size) return out.finish();
    if (in.pos == read_before && to.pos == 0) return damaged(Compression::zstd, "cut");
  }
}

}  // namespace

std::string_view name(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::snappy: return "snappy";
    case Compression::lz4: return "lz4";
    case Compression::zstd: return "zstd";
  }
  return "unknown";
}

Result<std::string> inflate(Compression compression, std::string_view bytes, std::size_t most) {
  switch (compression) {
    case Compression::none: return std::string{bytes};
    case Compression::gzip: return inflate_gzip(bytes, most);
    case Compression::snappy: return inflate_snappy(bytes, most);
    case Compression::lz4: return inflate_lz4(bytes, most);
    case Compression::zstd: return inflate_zstd(bytes, most);
  }
  return fail(Code::damaged_data, "the compression is unknown", "batch");
}

}  // namespace continuo::record
