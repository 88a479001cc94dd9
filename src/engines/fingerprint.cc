#include "continuo/engines/fingerprint.h"

#include "continuo/base/hash.h"

namespace continuo::engines {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '.' || c == ':'; }

// A word with a digit in it is mostly a number, a time, an address or an id.
void write_word(std::string_view word, std::string& out) {
  for (const char c : word)
    if (is_digit(c)) {
      out += '#';
      return;
    }
  out += word;
}

// What is the same in every such message.
std::string shape(std::string_view message) {
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const char c = message[at];
    std::size_t end = at + 1;
    if (is_word(c)) {
      while (end < message.size() && is_word(message[end])) ++end;
      write_word(message.substr(at, end - at), out);
    } else if (const auto close = c == '"' || c == '\'' ? message.find(c, end) : std::string_view::npos;
               close != std::string_view::npos) {
      out += '#';
      end = close + 1;
    } else {
      out += c;
    }
    at = end;
  }
  return out;
}

}  // namespace

std::string fingerprint(const Failure& failure) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = failure.code + "-";
  const std::uint64_t hash = hash64(shape(failure.message));
  for (int shift = 60; shift >= 32; shift -= 4) text += digits[hash >> shift & 0xf];
  return text;
}

}  // namespace continuo::engines
