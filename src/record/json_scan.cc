#include "continuo/record/json_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"

namespace continuo::record {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit <= 0xdbff; }
constexpr bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// Goes over a text that is valid UTF-8. Every step is true when it found what it wants, and leaves the scan behind
// that; else the scan stays at what is wrong. No recursion: a deep text takes a byte a level.
class Scan {
 public:
  Scan(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  /// The whole text is one value.
  bool run() {
    do {
      if (!skip_to_scalar() || (!just_closed_ && !scalar())) return false;
      if (!leave_values()) return false;
    } while (!open_.empty());
    return at_ == text_.size() || wrong("text after the end of the value");
  }
  std::size_t at() const { return at_; }
  const std::string& what() const { return what_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool wrong(std::string what) {
    what_ = at_ == text_.size() ? "the text ends too early" : std::move(what);
    return false;
  }

  // Enters arrays and objects until there is a value without members: a scalar, or an empty one that is closed again.
  bool skip_to_scalar();
  bool open(char bracket);
  bool member_name();
  // Goes on behind a value: closes what ends here, and stops where the next value is due.
  bool leave_values();
  bool scalar();
  bool literal(std::string_view word);
  bool number();
  bool digits();
  bool string();
  bool escape();
  bool unicode_escape();
  int four_hex_digits();

  std::string_view text_;
  std::size_t max_depth_;
  std::size_t at_ = 0;
  bool just_closed_ = false;
  std::string open_;  // the closing brackets still due
  std::string what_;
};

bool Scan::skip_to_scalar() {
  just_closed_ = false;
  while (true) {
    skip_blanks();
    const char bracket = peek();
    if (bracket != '{' && bracket != '[') return true;
    if (!open(bracket)) return false;
    skip_blanks();
    if (take(open_.back())) {
      open_.pop_back();
      return just_closed_ = true;
    }
    if (bracket == '{' && !member_name()) return false;
  }
}

bool Scan::open(char bracket) {
  if (open_.size() == max_depth_) return wrong(fmt::format("nested deeper than {} levels", max_depth_));
  open_ += bracket == '{' ? '}' : ']';
  ++at_;
  return true;
}

bool Scan::member_name() {
  skip_blanks();
  if (peek() != '"') return wrong("the name of a member is expected");
  if (!string()) return false;
  skip_blanks();
  return take(':') || wrong("':' is expected");
}

bool Scan::leave_values() {
  while (true) {
    skip_blanks();
    if (open_.empty()) return true;
    if (take(',')) return open_.back() == ']' || member_name();
    if (!take(open_.back())) return wrong(fmt::format("',' or '{}' is expected", open_.back()));
    open_.pop_back();
  }
}

bool Scan::scalar() {
  switch (peek()) {
    case '"': return string();
    case 't': return literal("true");
    case 'f': return literal("false");
    case 'n': return literal("null");
    default: return number();
  }
}

bool Scan::literal(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return wrong("a value is expected");
  at_ += word.size();
  return true;
}

bool Scan::digits() {
  if (!is_digit(peek())) return wrong("a digit is expected");
  while (is_digit(peek())) ++at_;
  return true;
}

bool Scan::number() {
  if (peek() != '-' && !is_digit(peek())) return wrong("a value is expected");
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (!take('e') && !take('E')) return true;
  if (!take('+')) take('-');
  return digits();
}

bool Scan::string() {
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '"') return take('"');
    if (c >= 0 && c < 0x20) return wrong("a string holds a control character");
    if (c == '\\' && !escape()) return false;
  }
  return wrong("");
}

// Leaves the scan at the last byte of the escape.
bool Scan::escape() {
  ++at_;
  if (peek() == 'u') return unicode_escape();
  constexpr std::string_view simple = "\"\\/bfnrt";
  return (at_ < text_.size() && simple.find(peek()) != std::string_view::npos) || wrong("there is no such escape");
}

bool Scan::unicode_escape() {
  const std::size_t start = at_;
  const int unit = four_hex_digits();
  if (unit < 0) return wrong("four hexadecimal digits are expected");
  if (is_high_surrogate(unit) && text_.substr(at_ + 1).starts_with("\\u")) {
    at_ += 2;
    if (is_low_surrogate(four_hex_digits())) return true;
  }
  if (!is_high_surrogate(unit) && !is_low_surrogate(unit)) return true;
  at_ = start;
  return wrong("half a surrogate pair");
}

// From the 'u' to the last digit; -1 when there are not four.
int Scan::four_hex_digits() {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    ++at_;
    const int digit = at_ < text_.size() ? hex_value(text_[at_]) : -1;
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

}  // namespace

std::string line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, before.size() - line_start + 1);
}

std::optional<Error> find_json_error(std::string_view json, std::size_t max_depth) {
  if (!is_utf8(json))
    return Error{Code::bad_utf8, "the text is not valid UTF-8", line_and_column(json, valid_utf8_prefix(json)), {}};
  Scan scan{json, max_depth};
  if (scan.run()) return std::nullopt;
  return Error{Code::bad_json, scan.what(), line_and_column(json, scan.at()), {}};
}

}  // namespace continuo::record
