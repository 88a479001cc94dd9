#include "continuo/routing/ip_address.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace continuo::routing {
namespace {

constexpr std::size_t longest = 45;  // eight groups of four, the last two as IPv4
constexpr std::size_t groups = 8;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::optional<unsigned> small_number(std::string_view digits, std::size_t most_digits, int base) {
  if (digits.empty() || digits.size() > most_digits) return std::nullopt;
  unsigned number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto number = small_number(text.substr(0, dot), 3, 10);
    if (!number || *number > 255) return std::nullopt;
    bits = bits << 8 | *number;
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return bits;
}

// The groups of an IPv6 address while they are read; `::` stands for the ones that are missing.
class Groups {
 public:
  bool read(std::string_view text) {
    if (text.starts_with("::")) {
      text.remove_prefix(2);
      gap_ = 0;
    }
    while (!text.empty()) {
      const std::size_t colon = text.find(':');
      if (colon == std::string_view::npos) return add_last(text);
      if (!add(text.substr(0, colon))) return false;
      text.remove_prefix(colon + 1);
      if (text.empty()) return false;
      if (text[0] == ':') {
        if (gap_ != no_gap) return false;
        gap_ = count_;
        text.remove_prefix(1);
      }
    }
    return true;
  }

  std::optional<unsigned __int128> bits() const {
    const bool complete = gap_ == no_gap ? count_ == groups : count_ < groups;
    if (!complete) return std::nullopt;
    const std::size_t missing = groups - count_;
    unsigned __int128 bits = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (i == gap_) bits <<= 16 * missing;
      bits = bits << 16 | groups_[i];
    }
    return gap_ == count_ ? bits << 16 * (missing % groups) : bits;
  }

 private:
  static constexpr std::size_t no_gap = groups + 1;

  bool add(std::string_view digits) {
    const auto group = small_number(digits, 4, 16);
    if (!group || count_ == groups) return false;
    groups_[count_++] = static_cast<std::uint16_t>(*group);
    return true;
  }
  bool add_last(std::string_view text) {
    if (text.find('.') == std::string_view::npos) return add(text);
    const auto v4 = parse_v4(text);
    if (!v4 || count_ + 2 > groups) return false;
    groups_[count_++] = static_cast<std::uint16_t>(*v4 >> 16);
    groups_[count_++] = static_cast<std::uint16_t>(*v4);
    return true;
  }

  std::array<std::uint16_t, groups> groups_{};
  std::size_t count_ = 0;
  std::size_t gap_ = no_gap;  // before which group
};

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  // Nearly all texts of events are none: these few looks tell most of them.
  if (text.size() < 2 || text.size() > longest || !(is_hex_digit(text[0]) || text[0] == ':')) return std::nullopt;
  if (text.find(':') == std::string_view::npos) {
    const auto bits = parse_v4(text);
    if (!bits) return std::nullopt;
    return Address{*bits, false};
  }
  Groups read;
  if (!read.read(text)) return std::nullopt;
  const auto bits = read.bits();
  if (!bits) return std::nullopt;
  return Address{*bits, true};
}

std::optional<AddressRange> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  const auto fixed_bits = small_number(text.substr(slash + 1), 3, 10);
  if (!address || !fixed_bits) return std::nullopt;
  const unsigned width = address->v6 ? 128 : 32;
  if (*fixed_bits > width) return std::nullopt;
  // In two shifts: one by all 128 bits is not defined.
  const unsigned free_bits = width - *fixed_bits;
  const unsigned __int128 ones = ~static_cast<unsigned __int128>(0);
  const unsigned __int128 free = free_bits == 0 ? 0 : ones >> (128 - free_bits);
  return AddressRange{address->bits & ~free, address->bits | free, address->v6};
}

}  // namespace continuo::routing
