// Bytes: a view is a std::string_view, an owned run is a std::string. Writing appends to a string; reading never
// passes the end: a reader that ran out stays failed and gives zeros, so a decoder checks once, at its end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace continuo::inline base {

static_assert(std::endian::native == std::endian::little, "formats are written for little-endian machines");

template <class Int>
constexpr Int big_endian(Int value) {
  return std::byteswap(value);
}

/// Loads an integer from unaligned memory, as it lies there.
template <class Int>
Int load(const void* at) {
  Int value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class Int>
void store(void* at, Int value) {
  std::memcpy(at, &value, sizeof value);
}

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
/// How many bytes a varint takes: 1 to 10.
constexpr std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

/// Appends to a string. Integers are little-endian unless the name says `be`.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { fixed(v); }
  void u32(std::uint32_t v) { fixed(v); }
  void u64(std::uint64_t v) { fixed(v); }
  void i64(std::int64_t v) { fixed(v); }
  template <class Int>
  void be(Int v) {
    fixed(big_endian(v));
  }
  /// LEB128, unsigned.
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<char>(v | 0x80));
    out_.push_back(static_cast<char>(v));
  }
  /// Zigzag, as Kafka's records use it.
  void svarint(std::int64_t v) { varint(zigzag(v)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  /// Length as a varint, then the bytes.
  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  std::string& out() { return out_; }

 private:
  template <class Int>
  void fixed(Int v) {
    char bytes[sizeof v];
    std::memcpy(bytes, &v, sizeof v);
    out_.append(bytes, sizeof v);
  }
  std::string& out_;
};

/// Reads from a view it does not own.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::int64_t i64() { return fixed<std::int64_t>(); }
  template <class Int>
  Int be() {
    return big_endian(fixed<Int>());
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::int64_t svarint() { return unzigzag(varint()); }
  std::string_view raw(std::uint64_t size) {
    if (size > left()) {
      fail();
      return {};
    }
    const std::string_view bytes{at_, static_cast<std::size_t>(size)};
    at_ += size;
    return bytes;
  }
  std::string_view text() { return raw(varint()); }
  std::string_view rest() { return raw(left()); }

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return !failed_; }
  /// All was read, and nothing was missing.
  bool done() const { return !failed_ && at_ == end_; }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

 private:
  template <class Int>
  Int fixed() {
    if (left() < sizeof(Int)) {
      fail();
      return 0;
    }
    const Int value = load<Int>(at_);
    at_ += sizeof(Int);
    return value;
  }
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace continuo::inline base
