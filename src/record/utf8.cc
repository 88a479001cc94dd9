#include "continuo/record/utf8.h"

#include <simdjson.h>

#include <cstdint>

namespace continuo::record {
namespace {

// Code points below this need fewer bytes than `size`: such a form is overlong.
constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

std::size_t size_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc0) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = size_of(lead);
  if (size == 0 || size > text.size()) return {};
  char32_t value = size == 1 ? lead : lead & (0x7fu >> size);
  for (const char c : text.substr(1, size - 1)) {
    if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) return {};
    value = value << 6 | (static_cast<std::uint8_t>(c) & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[size] || value > 0x10ffff || surrogate) return {};
  return {value, size};
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (const std::size_t size = first_code_point(text.substr(at)).size) at += size;
  return at;
}

}  // namespace continuo::record
