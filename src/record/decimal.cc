#include "continuo/record/decimal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace continuo::record {
namespace {

constexpr std::size_t max_exponent_digits = 18;  // any such number, and a text's length more, fits 64 bits

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A JSON number, cut into what it is made of: views of digits.
struct Parts {
  bool negative = false;
  std::string_view integer;
  std::string_view fraction;
  bool negative_exponent = false;
  std::string_view exponent;
};

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Parts> split(std::string_view text) {
  Parts parts;
  parts.negative = take(text, '-');
  parts.integer = take_digits(text);
  if (parts.integer.empty() || (parts.integer.size() > 1 && parts.integer[0] == '0')) return std::nullopt;
  if (take(text, '.')) {
    parts.fraction = take_digits(text);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (take(text, 'e') || take(text, 'E')) {
    if (!take(text, '+')) parts.negative_exponent = take(text, '-');
    parts.exponent = take_digits(text);
    if (parts.exponent.empty()) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

std::string_view without_leading_zeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

std::int64_t number_of_digits(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void append_number(std::int64_t number, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Digits without a point and without zeros at either end: how often ten goes on top of them.
std::int64_t append_digits(const Parts& parts, std::string& out) {
  const std::size_t start = out.size();
  const auto integer = without_leading_zeros(parts.integer);
  out += integer;
  out += integer.empty() ? without_leading_zeros(parts.fraction) : parts.fraction;
  auto power = -static_cast<std::int64_t>(parts.fraction.size());
  while (out.size() > start && out.back() == '0') {
    out.pop_back();
    ++power;
  }
  return power;
}

// Of a number that no double holds: whether it is too small, not too large. from_chars does not say which.
bool is_below_one(const Parts& parts) {
  const auto exponent = without_leading_zeros(parts.exponent);
  if (exponent.size() > max_exponent_digits) return parts.negative_exponent;
  const auto integer = without_leading_zeros(parts.integer);
  const auto fraction = without_leading_zeros(parts.fraction);
  // How many digits stand before the point, or how many zeros follow it.
  const auto place = integer.empty() ? fraction.size() - parts.fraction.size() : integer.size();
  const auto power = parts.negative_exponent ? -number_of_digits(exponent) : number_of_digits(exponent);
  return static_cast<std::int64_t>(place) + power <= 0;
}

// Most numbers of events: integers that are their own form.
bool is_canonical(std::string_view text) {
  if (text.empty() || text.front() == '0' || text.back() == '0') return false;
  for (const char c : text)
    if (!is_digit(c)) return false;
  return true;
}

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Of eight bytes the high bits of those that are no digits.
std::uint64_t others_than_digits(std::uint64_t eight) {
  const std::uint64_t distance = eight ^ 0x3030303030303030;  // 0 to 9 for digits
  // What a byte adds to the next one is more than it has room for, so it is one of the others itself.
  return (distance | (distance + 0x7676767676767676)) & 0x8080808080808080;
}

constexpr std::uint64_t integer_powers_of_ten[] = {1,       10,        100,        1'000,      10'000,
                                                   100'000, 1'000'000, 10'000'000, 100'000'000};

// The number of eight digits: pairs, pairs of pairs, both halves (D. Lemire).
std::uint64_t of_eight(std::uint64_t digits) {
  digits -= 0x3030303030303030;
  digits = digits * 10 + (digits >> 8);
  const std::uint64_t low = (digits & 0x000000FF000000FF) * 0x000F424000000064;
  const std::uint64_t high = (digits >> 16 & 0x000000FF000000FF) * 0x0000271000000001;
  return (low + high) >> 32;
}

// Reads digits from `at` on into a number, which is right as long as they are not more than 19 in all.
void add_digits(std::string_view text, std::size_t& at, std::uint64_t& number) {
  for (std::uint64_t eight = 0; at + 8 <= text.size();) {
    std::memcpy(&eight, text.data() + at, 8);
    const std::uint64_t others = others_than_digits(eight);
    if (others == 0) {
      number = number * 100'000'000 + of_eight(eight);
      at += 8;
      continue;
    }
    const auto count = static_cast<std::size_t>(std::countr_zero(others)) / 8;
    if (count == 0) return;
    // Zeroes in front of those that there are.
    const std::size_t missing = 64 - 8 * count;
    number = number * integer_powers_of_ten[count] + of_eight(eight << missing | 0x3030303030303030u >> 8 * count);
    at += count;
    return;
  }
  for (; at < text.size() && is_digit(text.data()[at]); ++at)
    number = number * 10 + static_cast<std::uint64_t>(text.data()[at] - '0');
}

// Behind an exponent's digits; 0 when there are none.
std::size_t exponent_end(std::string_view text, std::size_t at) {
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at == first ? 0 : at;
}

}  // namespace

NumberInFront number_in_front(std::string_view text) {
  constexpr std::size_t most_digits = 18;
  constexpr std::uint64_t most_exact = std::uint64_t{1} << 53;
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t first = at;
  std::uint64_t number = 0;
  add_digits(text, at, number);
  std::size_t digits = at - first, fraction = 0;
  if (digits == 0 || (digits > 1 && text.data()[first] == '0')) return {};
  if (at < text.size() && text.data()[at] == '.') {
    const std::size_t point = at++;
    add_digits(text, at, number);
    fraction = at - point - 1;
    digits += fraction;
    if (fraction == 0) return {};
  }
  if (at < text.size() && (text.data()[at] | 0x20) == 'e') return {.size = exponent_end(text, at + 1)};
  if (digits > most_digits || number > most_exact) return {.size = at};
  // The number is a double, and so is the power of ten: their quotient is the nearest one to what is written (W. D.
  // Clinger, "How to Read Floating Point Numbers Accurately").
  const double value = static_cast<double>(number) / powers_of_ten[fraction];
  return {.size = at, .value = first == 1 && number != 0 ? -value : value};
}

void canonical_number(std::string_view text, std::string& out) {
  if (is_canonical(text)) {
    out = text;
    return;
  }
  const auto parts = split(text);
  if (!parts) {
    out = '?';
    out += text;
    return;
  }
  out.clear();
  if (parts->negative) out += '-';
  std::int64_t power = append_digits(*parts, out);
  if (out.empty() || out == "-") {
    out = '0';
    return;
  }
  const auto exponent = without_leading_zeros(parts->exponent);
  if (exponent.size() > max_exponent_digits) {
    out += parts->negative_exponent ? "E-" : "E";
    out += exponent;
  } else {
    power += parts->negative_exponent ? -number_of_digits(exponent) : number_of_digits(exponent);
    if (power == 0) return;
  }
  out += 'e';
  append_number(power, out);
}

std::optional<double> number_of(std::string_view text) {
  const NumberInFront short_number = number_in_front(text);
  if (text.empty() || short_number.size != text.size()) return std::nullopt;
  if (!std::isnan(short_number.value)) return short_number.value;
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::result_out_of_range) {
    number = is_below_one(*parts) ? 0 : std::numeric_limits<double>::infinity();
    if (parts->negative) number = -number;
  }
  return number == 0 ? 0 : number;
}

}  // namespace continuo::record
