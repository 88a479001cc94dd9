// JSON Pointer (RFC 6901): the names and indices that lead to a place in a JSON text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::record {

struct JsonPointer {
  std::vector<std::string> names;  ///< decoded; none: the whole text
  bool operator==(const JsonPointer&) const = default;
  /// Nothing when it neither is empty nor begins with '/', or when a '~' is followed by neither 0 nor 1.
  static std::optional<JsonPointer> parse(std::string_view text);
  /// "/data/a~1b", of the first `count` names.
  std::string text(std::size_t count) const;
  std::string text() const { return text(names.size()); }
  /// Whether every place this leads to is `place` or inside it.
  bool is_in(const JsonPointer& place) const;
};

/// Appends "/" and the name, escaped.
void append_pointer_name(std::string_view name, std::string& out);

/// The index that a name is in an array: digits without a leading zero.
std::optional<std::size_t> array_index(std::string_view name);

}  // namespace continuo::record
