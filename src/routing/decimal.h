// What the numbers of JSON are worth: exactly, as decimals of any size, and as doubles.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace continuo::routing {

/// Replaces `out` by a form that two JSON numbers share when, and only when, they are exactly equal: 5, 5.0 and 0.5e1
/// do, and so do 0 and -0. No longer than a few bytes more than `text`, whatever its exponent. Two exceptions:
/// exponents of more than 18 digits are compared as written (1e9999999999999999999 is not 10e9999999999999999998), and
/// a text that is no JSON number has a form that only it has.
void canonical_number(std::string_view text, std::string& out);

/// The nearest double, and never -0; infinite when there is none so large. Nothing when `text` is no JSON number.
std::optional<double> number_of(std::string_view text);

}  // namespace continuo::routing
