// Passing over JSON text as fast as memory gives it: the end of a string, of a scalar, of whatever was opened.
//
// Nothing is checked but what it takes to find the end: quotes, backslashes, and how many are open. Any bytes may be
// given; nothing behind the text is read. The masks over 64 bytes follow G. Langdale, D. Lemire, "Parsing Gigabytes of
// JSON per Second" (2019), section 3.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace continuo::routing {

inline constexpr std::size_t no_end = ~std::size_t{0};

/// The place of the quote that ends the string whose first byte is at `from`; no_end. `escaped` becomes true when there
/// is a backslash in it.
std::size_t string_end(std::string_view json, std::size_t from, bool& escaped);

/// Behind the bracket that closes what `open` brackets before `from` opened, all kinds alike; no_end.
std::size_t container_end(std::string_view json, std::size_t from, std::size_t open);

inline bool is_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

inline std::size_t skip_space(std::string_view json, std::size_t at) {
  while (at < json.size() && is_space(json[at])) ++at;
  return at;
}

/// Behind a number or a name: at the next comma, bracket or space, or the end of the text.
inline std::size_t scalar_end(std::string_view json, std::size_t at) {
  while (at < json.size() && json[at] != ',' && json[at] != '}' && json[at] != ']' && !is_space(json[at])) ++at;
  return at;
}

/// Appends what a string's text between its quotes stands for. False: an escape that is none, or half of a surrogate
/// pair.
bool decode_string(std::string_view text, std::string& out);

}  // namespace continuo::routing
