// Passing over JSON text as fast as memory gives it: the end of a string, of a scalar, of whatever was opened.
//
// Nothing is checked but what it takes to find the end: quotes, backslashes, and how many are open. Any bytes may be
// given; nothing behind the text is read. The masks over 64 bytes follow G. Langdale, D. Lemire, "Parsing Gigabytes of
// JSON per Second" (2019), section 3.1.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "continuo/record/word_scan.h"

namespace continuo::record {

inline constexpr std::size_t no_end = ~std::size_t{0};

/// The place of the quote that ends the string whose first byte is at `from`; no_end. `escaped` becomes true when there
/// is a backslash in it.
std::size_t string_end(std::string_view json, std::size_t from, bool& escaped);

/// Behind the bracket that closes what `open` brackets before `from` opened, all kinds alike; no_end.
std::size_t container_end(std::string_view json, std::size_t from, std::size_t open);

inline bool is_space(char byte) {
  return static_cast<std::uint8_t>(byte) <= ' ' && (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t');
}

inline std::size_t skip_space(std::string_view json, std::size_t at) {
  while (at < json.size() && is_space(json.data()[at])) ++at;
  return at;
}

/// Behind a number or a name: at the next comma, bracket or space, or the end of the text.
inline std::size_t scalar_end(std::string_view json, std::size_t at) {
  for (; at < json.size(); ++at)
    if (const char byte = json.data()[at]; byte == ',' || byte == '}' || byte == ']' || is_space(byte)) break;
  return at;
}

/// What the first eight bytes of a string tell.
struct FrontOfName {
  std::uint64_t head = 0;    ///< zeroes behind the string's end
  std::size_t end = no_end;  ///< of the quote behind it, if it is that short
  bool is_plain = false;     ///< no dot and no escape is in the head
};

/// Needs eight bytes from `from` on.
inline FrontOfName front_of_name(std::string_view json, std::size_t from) {
  FrontOfName front;
  std::memcpy(&front.head, json.data() + from, 8);
  const std::uint64_t quotes = bytes_equal(front.head, '"');
  const std::uint64_t before = (quotes - 1) & ~quotes;  // the bits below the first quote's; all when there is none
  front.is_plain = ((bytes_equal(front.head, '.') | bytes_equal(front.head, '\\')) & before) == 0;
  if (quotes != 0) {
    front.end = from + static_cast<std::size_t>(std::countr_zero(quotes)) / 8;
    front.head &= before >> 7;
  }
  return front;
}

struct ScannedName {
  std::size_t end = no_end;  ///< of the quote behind it; no_end: there is none, or there are escapes
  std::uint64_t head = 0;    ///< its first eight bytes, zeroes behind
  bool has_dots = false;
};

/// Scans a string without escapes from its first byte on.
inline ScannedName scan_name(std::string_view json, std::size_t from) {
  ScannedName name;
  std::uint64_t dots = 0, slashes = 0;
  std::size_t at = from;
  for (; at + 8 <= json.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, json.data() + at, 8);
    const std::uint64_t quotes = bytes_equal(eight, '"');
    const std::uint64_t before = (quotes - 1) & ~quotes;  // the bits below the first quote's; all when there is none
    dots |= bytes_equal(eight, '.') & before;
    slashes |= bytes_equal(eight, '\\') & before;
    if (at == from) name.head = quotes == 0 ? eight : eight & before >> 7;
    if (quotes == 0) continue;
    if (slashes == 0) name.end = at + static_cast<std::size_t>(std::countr_zero(quotes)) / 8;
    name.has_dots = dots != 0;
    return name;
  }
  name.has_dots = dots != 0;
  for (; at < json.size() && json[at] != '"' && json[at] != '\\'; ++at) {
    name.has_dots |= json[at] == '.';
    if (at - from < 8) name.head |= std::uint64_t{static_cast<std::uint8_t>(json[at])} << 8 * (at - from);
  }
  if (slashes == 0 && at < json.size() && json[at] == '"') name.end = at;
  return name;
}

/// Appends what a string's text between its quotes stands for. False: an escape that is none, or half of a surrogate
/// pair.
bool decode_string(std::string_view text, std::string& out);

}  // namespace continuo::record
