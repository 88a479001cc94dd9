#include "continuo/routing/pattern_place.h"

#include <utility>

#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"

namespace continuo::routing {

std::string shown(std::string_view text) {
  constexpr std::size_t most = 60;
  if (text.size() <= most) return std::string{text};
  const auto front = text.substr(0, most);
  return std::string{front.substr(0, record::valid_utf8_prefix(front))} + "...";
}

bool PatternPlace::wrong(std::size_t byte, std::string detail, std::string hint) {
  std::string at = record::line_and_column(text_, byte);
  if (!path_.empty()) at = path_ + " (" + at + ")";
  error_ = Error{Code::bad_pattern, std::move(detail), std::move(at), std::move(hint)};
  return false;
}

}  // namespace continuo::routing
