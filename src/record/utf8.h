// UTF-8 one code point at a time, for the places where a text is not plain ASCII. Source: RFC 3629, section 4.
#pragma once

#include <cstddef>
#include <string_view>

namespace continuo::record {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  ///< in bytes; 0: no valid code point starts here
};

/// The code point at the front of `text`.
CodePoint first_code_point(std::string_view text);

bool is_utf8(std::string_view text);

/// How many bytes at the front are valid.
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace continuo::record
