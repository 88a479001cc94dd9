#include "continuo/routing/wildcard_fit.h"

#include <string.h>

#include <string>

namespace continuo::routing {
namespace {

// Takes what stands before the next `*` off the wildcard, with the `*`; escapes are resolved into `buffer`. `ends`: no
// `*` came.
std::string_view take_piece(std::string_view& wildcard, std::string& buffer, bool& ends) {
  const std::size_t plain = wildcard.find_first_of("*\\");
  ends = plain == std::string_view::npos;
  const std::string_view piece = wildcard.substr(0, plain);
  if (ends || wildcard[plain] == '*') {
    wildcard.remove_prefix(ends ? wildcard.size() : plain + 1);
    return piece;
  }
  buffer = piece;
  std::size_t at = plain;
  for (; at < wildcard.size() && wildcard[at] != '*'; ++at) {
    if (wildcard[at] == '\\' && at + 1 < wildcard.size()) ++at;
    buffer += wildcard[at];
  }
  ends = at >= wildcard.size();
  wildcard.remove_prefix(ends ? wildcard.size() : at + 1);
  return buffer;
}

}  // namespace

bool wildcard_fits(std::string_view wildcard, std::string_view text) {
  std::string buffer;
  bool ends = false;
  std::string_view piece = take_piece(wildcard, buffer, ends);
  if (ends) return text == piece;
  if (!text.starts_with(piece)) return false;
  text.remove_prefix(piece.size());
  for (;;) {
    piece = take_piece(wildcard, buffer, ends);
    if (ends) return text.ends_with(piece);
    // As early as it comes. memmem: texts and pieces made to be slow take linear time.
    const void* found = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (found == nullptr) return false;
    text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + piece.size());
  }
}

}  // namespace continuo::routing
