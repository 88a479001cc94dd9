// The files of recorded cases: JSON with comments and with commas behind the last member.
#pragma once

#include <string>
#include <string_view>

namespace continuo::routing {

/// The text as JSON: comments that begin with two slashes become blanks, and so does a comma before a closing bracket.
inline std::string json_of_json5(std::string_view text) {
  std::string out{text};
  bool in_string = false;
  std::size_t comma = std::string::npos;  // when nothing but blanks followed it so far
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char c = out[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    if (c == '/' && i + 1 < out.size() && out[i + 1] == '/') {
      while (i < out.size() && out[i] != '\n') out[i++] = ' ';
    } else if (c == ',') {
      comma = i;
    } else if ((c == '}' || c == ']') && comma != std::string::npos) {
      out[comma] = ' ';
    }
    in_string = c == '"';
    if (c != ',' && c != ' ' && c != '\n' && c != '\r' && c != '\t' && c != '/') comma = std::string::npos;
  }
  return out;
}

}  // namespace continuo::routing
