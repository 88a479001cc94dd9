#include "continuo/record/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace continuo::record {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t no_digit = 0x80000000u;

constexpr auto digits = [] {
  std::array<std::uint32_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint32_t>(i);
  return table;
}();

// Up to four characters as one 24-bit number, missing ones as zero; no_digit is set when one is not in the alphabet.
std::uint32_t read_group(std::string_view characters) {
  std::uint32_t group = 0, bad = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t digit = i < characters.size() ? digits[static_cast<std::uint8_t>(characters[i])] : 0;
    bad |= digit & no_digit;
    group = group << 6 | (digit & 63);
  }
  return group | bad;
}

void write_bytes(char* out, std::uint32_t group, std::size_t count) {
  for (; count > 0; --count, group <<= 8) *out++ = static_cast<char>(group >> 16);
}

// The last group without its padding: two characters for one byte, three for two, four for three.
bool decode_last(std::string_view characters, char* out) {
  const std::size_t bytes = characters.size() - 1;
  const std::uint32_t group = read_group(characters);
  if ((group & no_digit) != 0 || (group & (0xffffffu >> (8 * bytes))) != 0) return false;
  write_bytes(out, group, bytes);
  return true;
}

bool decode(std::string_view text, char* out) {
  for (; text.size() > 4; text.remove_prefix(4), out += 3) {
    const std::uint32_t group = read_group(text.substr(0, 4));
    if ((group & no_digit) != 0) return false;
    write_bytes(out, group, 3);
  }
  while (text.size() > 2 && text.ends_with('=')) text.remove_suffix(1);
  return decode_last(text, out);
}

}  // namespace

bool base64_decode(std::string_view text, std::string& out) {
  if (text.empty()) return true;
  if (text.size() % 4 != 0) return false;
  const std::size_t before = out.size();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(before + base64_decoded_bound(text) - padding);
  if (decode(text, out.data() + before)) return true;
  out.resize(before);
  return false;
}

void base64_encode(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size());
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? static_cast<std::uint8_t>(bytes[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? alphabet[group >> (18 - 6 * i) & 63] : '=';
  }
}

}  // namespace continuo::record
