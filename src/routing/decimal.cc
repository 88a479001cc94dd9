#include "continuo/routing/decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>

namespace continuo::routing {
namespace {

constexpr std::size_t max_exponent_digits = 18;  // any such number, and a text's length more, fits 64 bits
constexpr std::size_t max_exact_digits = 15;     // any such integer is a double

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

std::optional<double> small_integer(std::string_view text) {
  std::string_view digits = text;
  const bool negative = take(digits, '-');
  if (digits.empty() || digits.size() > max_exact_digits || (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  std::int64_t number = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return static_cast<double>(negative ? -number : number);
}

}  // namespace

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
  if (const auto integer = small_integer(text)) return integer;
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

}  // namespace continuo::routing
