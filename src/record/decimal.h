// What the numbers of JSON are worth: exactly, as decimals of any size, and as doubles.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace continuo::record {

/// Instead of a number's value: ask number_of.
inline constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

/// The JSON number that a text begins with.
struct NumberInFront {
  std::size_t size = 0;      ///< of its text; 0: there is none
  double value = not_known;  ///< of numbers without an exponent and of few digits
};
NumberInFront number_in_front(std::string_view text);

/// Replaces `out` by a form that two JSON numbers share when, and only when, they are exactly equal: 5, 5.0 and 0.5e1
/// do, and so do 0 and -0. No longer than a few bytes more than `text`, whatever its exponent. Two exceptions:
/// exponents of more than 18 digits are compared as written (1e9999999999999999999 is not 10e9999999999999999998), and
/// a text that is no JSON number has a form that only it has.
void canonical_number(std::string_view text, std::string& out);

/// The nearest double, and never -0; infinite when there is none so large. Nothing when `text` is no JSON number.
std::optional<double> number_of(std::string_view text);

}  // namespace continuo::record
