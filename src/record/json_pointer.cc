#include "continuo/record/json_pointer.h"

#include <algorithm>
#include <charconv>

namespace continuo::record {

std::optional<JsonPointer> JsonPointer::parse(std::string_view text) {
  JsonPointer pointer;
  if (!text.empty() && text.front() != '/') return std::nullopt;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '/') {
      pointer.names.emplace_back();
      continue;
    }
    char byte = text[at];
    if (byte == '~') {
      const char escape = at + 1 < text.size() ? text[at + 1] : '\0';
      if (escape != '0' && escape != '1') return std::nullopt;
      byte = escape == '0' ? '~' : '/';
      ++at;
    }
    pointer.names.back() += byte;
  }
  return pointer;
}

std::string JsonPointer::text(std::size_t count) const {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) append_pointer_name(names[i], out);
  return out;
}

bool JsonPointer::is_in(const JsonPointer& place) const {
  return place.names.size() <= names.size() && std::equal(place.names.begin(), place.names.end(), names.begin());
}

void append_pointer_name(std::string_view name, std::string& out) {
  out += '/';
  for (const char byte : name) {
    if (byte == '~')
      out += "~0";
    else if (byte == '/')
      out += "~1";
    else
      out += byte;
  }
}

std::optional<std::size_t> array_index(std::string_view name) {
  if (name.empty() || name.front() < '0' || name.front() > '9' || (name.size() > 1 && name.front() == '0'))
    return std::nullopt;
  std::size_t index = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, index);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return index;
}

}  // namespace continuo::record
