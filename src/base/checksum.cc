#include "continuo/base/checksum.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace continuo::inline base {

#if defined(__SSE4_2__)
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78u;

// The crc instruction has a latency of three and a throughput of one, so three streams run side by side; their sums are
// joined by shifting the earlier ones over the later ones' length with tables (Adler's crc32c.c describes the method).
constexpr std::size_t stride = 4096;

using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::uint32_t shift_byte(std::uint32_t crc) {
  for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? polynomial : 0);
  return crc;
}

using Matrix = std::array<std::uint32_t, 32>;

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (std::size_t bit = 0; vector != 0; ++bit, vector >>= 1)
    if (vector & 1) sum ^= matrix[bit];
  return sum;
}

constexpr Matrix square(const Matrix& matrix) {
  Matrix out{};
  for (std::size_t i = 0; i < 32; ++i) out[i] = times(matrix, matrix[i]);
  return out;
}

// What `stride` zero bytes do to a checksum, byte by byte of it.
constexpr ShiftTable make_shift_table() {
  Matrix zeros{};
  for (std::size_t i = 0; i < 32; ++i) zeros[i] = shift_byte(1u << i);
  for (std::size_t length = 1; length < stride; length *= 2) zeros = square(zeros);
  ShiftTable table{};
  for (std::size_t place = 0; place < 4; ++place)
    for (std::uint32_t value = 0; value < 256; ++value) table[place][value] = times(zeros, value << (8 * place));
  return table;
}

constexpr ShiftTable shift_table = make_shift_table();

std::uint64_t shift(std::uint64_t crc) {
  const auto c = static_cast<std::uint32_t>(crc);
  return shift_table[0][c & 0xff] ^ shift_table[1][(c >> 8) & 0xff] ^ shift_table[2][(c >> 16) & 0xff] ^
         shift_table[3][c >> 24];
}

std::uint64_t word(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * stride; at += 3 * stride, left -= 3 * stride) {
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < stride; i += 8) {
      crc = _mm_crc32_u64(crc, word(at + i));
      second = _mm_crc32_u64(second, word(at + stride + i));
      third = _mm_crc32_u64(third, word(at + 2 * stride + i));
    }
    crc = shift(shift(crc) ^ second) ^ third;
  }
  for (; left >= 8; at += 8, left -= 8) crc = _mm_crc32_u64(crc, word(at));
  auto small = static_cast<std::uint32_t>(crc);
  for (; left > 0; ++at, --left) small = _mm_crc32_u8(small, static_cast<unsigned char>(*at));
  return ~small;
}

#else

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t value = 0; value < 256; ++value) {
      std::uint32_t crc = value;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
      made[value] = crc;
    }
    return made;
  }();
  std::uint32_t crc = ~seed;
  for (const char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

#endif

}  // namespace continuo::inline base
