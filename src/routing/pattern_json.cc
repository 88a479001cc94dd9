#include "continuo/routing/pattern_json.h"

#include <charconv>

#include "continuo/record/json_scan.h"

namespace continuo::routing {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

constexpr bool is_high_surrogate(char32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }

void append_utf8(char32_t point, std::string& out) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      add(0xe0 | point >> 12);
    } else {
      add(0xf0 | point >> 18);
      add(0x80 | (point >> 12 & 0x3f));
    }
    add(0x80 | (point >> 6 & 0x3f));
  }
  add(0x80 | (point & 0x3f));
}

// Reads a text that is known to be JSON and not too deep: nothing is checked again.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  PatternJson value() {
    using enum PatternJson::Kind;
    PatternJson out;
    skip_blanks();
    out.begin = at_;
    switch (text_[at_]) {
      case '{':
        out.kind = object;
        read_members(out.members);
        break;
      case '[':
        out.kind = array;
        read_items(out.items);
        break;
      case '"':
        out.kind = string;
        out.text = read_string();
        break;
      default: read_word(out);
    }
    out.end = at_;
    return out;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  /// Behind the next token when it is `c`.
  bool take(char c) {
    skip_blanks();
    if (text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void read_members(std::vector<PatternMember>& members) {
    ++at_;
    if (take('}')) return;
    do {
      skip_blanks();
      auto& member = members.emplace_back();
      member.begin = at_;
      member.name = read_string();
      take(':');
      member.value = value();
    } while (take(','));
    take('}');
  }

  void read_items(std::vector<PatternJson>& items) {
    ++at_;
    if (take(']')) return;
    do {
      items.push_back(value());
    } while (take(','));
    take(']');
  }

  void read_word(PatternJson& out) {
    using enum PatternJson::Kind;
    const char first = text_[at_];
    out.kind = first == 'n' ? null : first == 't' || first == 'f' ? boolean : number;
    const std::size_t end = std::min(text_.find_first_of(" \n\r\t,]}", at_), text_.size());
    out.text = text_.substr(at_, end - at_);
    at_ = end;
  }

  std::string read_string() {
    std::string out;
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\')
        read_escape(out);
      else
        out += text_[at_];
    }
    ++at_;
    return out;
  }

  // Leaves the reader at the escape's last byte.
  void read_escape(std::string& out) {
    const char name = text_[++at_];
    switch (name) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': append_utf8(code_point(), out); break;
      default: out += name;
    }
  }

  char32_t code_point() {
    const char32_t first = four_hex_digits();
    if (!is_high_surrogate(first)) return first;
    at_ += 2;  // the backslash and the 'u' of the other half
    return 0x10000 + ((first & 0x3ff) << 10) + (four_hex_digits() & 0x3ff);
  }

  char32_t four_hex_digits() {
    unsigned unit = 0;
    std::from_chars(text_.data() + at_ + 1, text_.data() + at_ + 5, unit, 16);
    at_ += 4;
    return unit;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<PatternJson> read_pattern_json(std::string_view text, std::size_t max_depth) {
  if (auto error = record::find_json_error(text, max_depth))
    return fail(Code::bad_pattern, "the pattern is not JSON: " + error->detail, std::move(error->at));
  return Reader{text}.value();
}

std::string compact_json(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!in_string && is_blank(c)) continue;
    out += c;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') out += json[++i];
  }
  return out;
}

}  // namespace continuo::routing
