// Request targets: path segments, query parameters, percent-encoding. Source: RFC 3986.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::wire::http {

/// Appends `text` with %XX decoded (and '+' as a blank where `plus_is_blank`). False, with `out` unspecified, when a %
/// is not followed by two hex digits.
bool percent_decode(std::string_view text, std::string& out, bool plus_is_blank = false);
/// Appends `text` with everything but RFC 3986's unreserved characters as %XX.
void percent_encode(std::string_view text, std::string& out);

/// A target in its parts, still encoded. "/v1/topics/a/?x=1" has the segments v1, topics, a: one slash at the end does
/// not count.
struct Target {
  static constexpr std::size_t max_segments = 8;
  std::array<std::string_view, max_segments> segments;
  std::size_t count = 0;  ///< max_segments + 1 when there are more
  std::string_view query;
};
Target split_target(std::string_view target);

/// The query's parameters, decoded, in the order given.
class Query {
 public:
  /// Errors: bad_request naming the parameter (encoding, given twice).
  static Result<Query> parse(std::string_view query);
  std::optional<std::string_view> find(std::string_view name) const;
  /// Errors: unknown_field when a parameter is not one of `known`.
  Result<void> only(std::initializer_list<std::string_view> known) const;

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

/// The one of `known` that a mistyped `name` was most probably meant to be, or empty.
std::string_view nearest(std::string_view name, const std::string_view* known, std::size_t count);
/// "did you mean 'retention'? Known are: a, b, c"
std::string hint_for_unknown(std::string_view name, const std::string_view* known, std::size_t count);

}  // namespace continuo::wire::http
