// Looks at eight bytes at a time: the inner loops over attributes and JSON strings.
//
// Every function gives a word whose top bit is set in each byte that has the property; bytes after the first such byte
// may be set wrongly (a borrow runs upwards), so callers use "any" or the lowest one. Source: Hacker's Delight, 6-1.
#pragma once

#include <cstdint>

namespace continuo::record {

constexpr std::uint64_t word_tops = 0x8080808080808080u;

/// The byte in all eight places.
constexpr std::uint64_t in_every_byte(std::uint8_t byte) { return 0x0101010101010101u * byte; }

/// Bytes below `limit`, which is at most 128.
constexpr std::uint64_t bytes_below(std::uint64_t word, std::uint8_t limit) {
  return (word - in_every_byte(limit)) & ~word & word_tops;
}

/// Bytes that are `byte`.
constexpr std::uint64_t bytes_equal(std::uint64_t word, std::uint8_t byte) {
  return bytes_below(word ^ in_every_byte(byte), 1);
}

/// Bytes that are not ASCII.
constexpr std::uint64_t bytes_beyond_ascii(std::uint64_t word) { return word & word_tops; }

}  // namespace continuo::record
