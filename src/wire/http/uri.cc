#include "continuo/wire/http/uri.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/edit_distance.h"
#include "continuo/record/utf8.h"

namespace continuo::wire::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out, bool plus_is_blank) {
  out.reserve(out.size() + text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return true;
}

void percent_encode(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (is_unreserved(c))
      out.push_back(c);
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
}

Target split_target(std::string_view target) {
  Target parts;
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) parts.query = target.substr(question + 1);
  std::string_view path = target.substr(0, question);
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    if (parts.count == Target::max_segments) {
      ++parts.count;
      break;
    }
    const std::size_t slash = path.find('/');
    parts.segments[parts.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

Result<Query> Query::parse(std::string_view query) {
  Query parsed;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view item = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    std::string key, value;
    const bool decoded = percent_decode(item.substr(0, equals), key, true) &&
                         (equals == std::string_view::npos || percent_decode(item.substr(equals + 1), value, true));
    if (!decoded)
      return fail(Code::bad_request, "a % in the query is not followed by two hex digits", std::string(item));
    if (!record::is_utf8(key) || !record::is_utf8(value))
      return fail(Code::bad_utf8, "a query parameter is not UTF-8 once decoded", std::string(item));
    if (parsed.find(key)) return fail(Code::bad_request, fmt::format("'{}' is given twice", key), key);
    parsed.items_.emplace_back(std::move(key), std::move(value));
  }
  return parsed;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [key, value] : items_)
    if (key == name) return value;
  return std::nullopt;
}

Result<void> Query::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : items_)
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fail(Code::unknown_field, fmt::format("there is no query parameter '{}'", key.substr(0, 80)),
                  key.substr(0, 80), hint_for_unknown(key, known.begin(), known.size()));
  return {};
}

std::string_view nearest(std::string_view name, const std::string_view* known, std::size_t count) {
  if (name.size() > 80) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t distance = edit_distance(name, known[i]);
    if (distance >= best_distance) continue;
    best = known[i];
    best_distance = distance;
  }
  return best;
}

std::string hint_for_unknown(std::string_view name, const std::string_view* known, std::size_t count) {
  if (count == 0) return "nothing is taken here";
  std::string hint;
  if (const std::string_view near = nearest(name, known, count); !near.empty())
    hint = fmt::format("did you mean '{}'? ", near);
  hint += "known are: ";
  for (std::size_t i = 0; i < count; ++i) hint += (i == 0 ? "" : ", ") + std::string(known[i]);
  return hint;
}

}  // namespace continuo::wire::http
