#include "continuo/routing/case_fold.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstddef>

#include "continuo/record/utf8.h"

namespace continuo::routing {
namespace {

constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
constexpr char fold_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

void append_folded(char32_t code_point, std::string& out) {
  constexpr int room = 16;  // the longest folding has three code points
  utf8proc_int32_t folded[room];
  int boundary = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), folded, room, UTF8PROC_CASEFOLD, &boundary);
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    utf8proc_uint8_t bytes[4];
    const auto size = utf8proc_encode_char(folded[i], bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

}  // namespace

void fold_case(std::string_view text, std::string& out) {
  // The whole text as if it were ASCII, in a loop that compilers make wide; most texts end here.
  out.resize(text.size());
  unsigned char all = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    all |= static_cast<unsigned char>(text[i]);
    out[i] = fold_ascii(text[i]);
  }
  if (all < 0x80) return;

  auto at = static_cast<std::size_t>(std::ranges::find_if_not(text, is_ascii) - text.begin());
  out.resize(at);
  while (at < text.size()) {
    const auto next = is_ascii(text[at]) ? record::CodePoint{} : record::first_code_point(text.substr(at));
    if (next.size == 0) {
      out += fold_ascii(text[at++]);
    } else {
      append_folded(next.value, out);
      at += next.size;
    }
  }
}

std::string fold_case(std::string_view text) {
  std::string out;
  fold_case(text, out);
  return out;
}

}  // namespace continuo::routing
