#include "continuo/record/json_skim.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(__PCLMUL__)
#include <wmmintrin.h>
#endif

namespace continuo::record {
namespace {

constexpr std::size_t block = 64, part = 16;

// One bit for each byte of a block.
struct Masks {
  std::uint64_t quotes = 0, backslashes = 0, opens = 0, closes = 0;
};

#if defined(__SSE2__)
template <std::size_t count>
std::uint64_t equal(const __m128i (&parts)[count], char byte) {
  const __m128i wanted = _mm_set1_epi8(byte);
  std::uint64_t mask = 0;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < count; ++i)
    mask |= std::uint64_t{static_cast<std::uint16_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(parts[i], wanted)))} << (16 * i);
  return mask;
}

template <std::size_t size>
Masks masks_of(const char* bytes) {
  __m128i parts[size / 16], folded[size / 16];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < size / 16; ++i) {
    parts[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
    folded[i] = _mm_or_si128(parts[i], _mm_set1_epi8(0x20));  // [ and { alike, ] and }
  }
  return {equal(parts, '"'), equal(parts, '\\'), equal(folded, '{'), equal(folded, '}')};
}
#else
template <std::size_t size>
Masks masks_of(const char* bytes) {
  Masks masks;
  for (std::size_t i = 0; i < size; ++i) {
    const auto bit = std::uint64_t{1} << i;
    const char byte = bytes[i];
    if (byte == '"') masks.quotes |= bit;
    if (byte == '\\') masks.backslashes |= bit;
    if ((byte | 0x20) == '{') masks.opens |= bit;
    if ((byte | 0x20) == '}') masks.closes |= bit;
  }
  return masks;
}
#endif

// Bit i: whether an odd number of bits up to and with i are set.
template <std::size_t size>
std::uint64_t parity(std::uint64_t bits) {
#if defined(__PCLMUL__)
  const auto all = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8('\xFF'), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(all));
#else
  for (std::size_t shift = 1; shift < size; shift *= 2) bits ^= bits << shift;
  return bits;
#endif
}

// Bytes behind an odd run of backslashes; `carry`: whether the next block's first byte is one.
template <std::size_t size>
std::uint64_t escaped(std::uint64_t backslashes, bool& carry) {
  std::uint64_t out = 0;
  bool in = carry;
  if (backslashes == 0) {
    out = in ? 1 : 0;
    carry = false;
    return out;
  }
  if (in) {
    out = 1;
    backslashes &= ~std::uint64_t{1};
    in = false;
  }
  while (backslashes != 0) {
    const auto at = static_cast<std::size_t>(std::countr_zero(backslashes));
    if (at == size - 1) {
      in = true;
      break;
    }
    out |= std::uint64_t{2} << at;
    backslashes &= ~(std::uint64_t{3} << at);
  }
  carry = in;
  return out;
}

// Where in the block the last of `open` brackets closes, or `size`; then `open` is what remains open.
template <std::size_t size>
std::size_t close_in(Masks masks, std::uint64_t in_string, std::size_t& open) {
  const auto opens = masks.opens & ~in_string;
  auto closes = masks.closes & ~in_string;
  const auto closing = static_cast<std::size_t>(std::popcount(closes));
  if (closing < open) {
    open += static_cast<std::size_t>(std::popcount(opens)) - closing;
    return size;
  }
  for (std::size_t closed = 1; closes != 0; ++closed, closes &= closes - 1) {
    const auto before = opens & ((closes & -closes) - 1);
    if (open + static_cast<std::size_t>(std::popcount(before)) == closed)
      return static_cast<std::size_t>(std::countr_zero(closes));
  }
  open += static_cast<std::size_t>(std::popcount(opens)) - closing;
  return size;
}

// What a walk through a container knows between blocks.
struct Inside {
  std::size_t open = 0;
  bool escape = false;
  std::uint64_t string = 0;  // all ones: the block begins inside a string

  template <std::size_t size>
  std::size_t end_in(const char* bytes) {
    const Masks masks = masks_of<size>(bytes);
    const auto in_string = parity<size>(masks.quotes & ~escaped<size>(masks.backslashes, escape)) ^ string;
    string = (in_string >> (size - 1) & 1) != 0 ? ~std::uint64_t{0} : 0;
    return close_in<size>(masks, in_string, open);
  }
};

void append_utf8(std::uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// Four hex digits behind "\u" at `at`.
bool hex4(std::string_view text, std::size_t at, std::uint32_t& unit) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return false;
  unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const char digit = text[i];
    const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                      : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                      : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                     : -1;
    if (value < 0) return false;
    unit = unit << 4 | static_cast<std::uint32_t>(value);
  }
  return true;
}

// A \u escape, or two that are one code point; `at` is moved behind it.
bool decode_unicode(std::string_view text, std::size_t& at, std::string& out) {
  std::uint32_t point = 0;
  if (!hex4(text, at, point)) return false;
  at += 6;
  if (point >= 0xDC00 && point < 0xE000) return false;
  if (point >= 0xD800 && point < 0xDC00) {
    std::uint32_t low = 0;
    if (!hex4(text, at, low) || low < 0xDC00 || low >= 0xE000) return false;
    at += 6;
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(point, out);
  return true;
}

}  // namespace

std::size_t string_end(std::string_view json, std::size_t from, bool& has_escapes) {
  std::size_t at = from;
  for (;;) {
#if defined(__SSE2__)
    for (; at + 16 <= json.size(); at += 16) {
      const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(json.data() + at));
      const auto found =
          _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
      if (mask == 0) continue;
      at += static_cast<std::size_t>(std::countr_zero(mask));
      break;
    }
#endif
    while (at < json.size() && json[at] != '"' && json[at] != '\\') ++at;
    if (at >= json.size()) return no_end;
    if (json[at] == '"') return at;
    has_escapes = true;
    at += 2;
  }
}

std::size_t container_end(std::string_view json, std::size_t from, std::size_t open) {
  Inside inside{.open = open};
  std::size_t at = from;
  // Many end soon.
  if (at + part <= json.size()) {
    if (const std::size_t end = inside.end_in<part>(json.data() + at); end < part) return at + end + 1;
    at += part;
  }
  for (; at + block <= json.size(); at += block)
    if (const std::size_t end = inside.end_in<block>(json.data() + at); end < block) return at + end + 1;
  if (at >= json.size()) return no_end;
  char last[block];
  std::memset(last, ' ', block);
  std::memcpy(last, json.data() + at, json.size() - at);
  const std::size_t end = inside.end_in<block>(last);
  return end < block ? at + end + 1 : no_end;
}

bool decode_string(std::string_view text, std::string& out) {
  for (std::size_t at = 0;;) {
    const auto slash = text.find('\\', at);
    out.append(text.substr(at, slash - at));
    if (slash == std::string_view::npos) return true;
    if (slash + 1 >= text.size()) return false;
    at = slash + 2;
    switch (text[slash + 1]) {
      case '"': out += '"'; break;
      case '\\': out += '\\'; break;
      case '/': out += '/'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u':
        at = slash;
        if (!decode_unicode(text, at, out)) return false;
        break;
      default: return false;
    }
  }
}

}  // namespace continuo::record
