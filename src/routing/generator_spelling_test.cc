// The ways in which one JSON value can be written, and broken.
#include <string>

#include "continuo/routing/generator_test.h"

namespace continuo::routing::oracle {
namespace {

constexpr std::string_view hex = "0123456789abcdefABCDEF";

void append_unit(std::uint32_t unit, bool upper, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    const auto digit = unit >> shift & 0xf;
    out += hex[upper && digit > 9 ? digit + 6 : digit];
  }
}

struct CodePoint {
  std::uint32_t value;
  std::size_t size;
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])); };
  const auto rest = [&](std::size_t i) { return byte(i) & 0x3f; };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xe0) return {(byte(0) & 0x1f) << 6 | rest(1), 2};
  if (byte(0) < 0xf0) return {(byte(0) & 0xf) << 12 | rest(1) << 6 | rest(2), 3};
  return {(byte(0) & 7) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4};
}

class Speller {
 public:
  Speller(Random& random, bool blanks, bool escapes) : random_(random), blanks_(blanks), escapes_(escapes) {}

  void append(const Json& json) {
    blank();
    if (json.is(Json::Kind::string)) {
      append_string(json.text);
    } else if (json.is_scalar()) {
      out_ += json.text;
    } else {
      append_container(json);
    }
    blank();
  }

  std::string take() { return std::move(out_); }

 private:
  void blank() {
    if (!blanks_) return;
    for (std::uint64_t left = random_.below(random_.chance(1, 100) ? 200 : 3); left > 0; --left)
      out_ += " \t\n\r"[random_.below(4)];
  }

  void append_container(const Json& json) {
    const bool object = json.is(Json::Kind::object);
    out_ += object ? '{' : '[';
    if (json.children.empty()) blank();
    for (std::size_t i = 0; i < json.children.size(); ++i) {
      if (i > 0) out_ += ',';
      if (object) {
        blank();
        append_string(json.names[i]);
        blank();
        out_ += ':';
      }
      append(json.children[i]);
    }
    out_ += object ? '}' : ']';
  }

  void append_string(std::string_view text) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      const char c = text[at];
      const bool must = static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
      const auto letter = meant.find(c);
      if (!must && !(escapes_ && random_.chance(1, 3))) {
        out_ += text.substr(at, point.size);
      } else if (letter != std::string_view::npos && random_.chance(1, 2)) {
        out_ += '\\';
        out_ += letters[letter];
      } else {
        append_code_point(point.value);
      }
      at += point.size;
    }
    out_ += '"';
  }

  void append_code_point(std::uint32_t value) {
    const bool upper = random_.chance(1, 2);
    if (value < 0x10000) return append_unit(value, upper, out_);
    append_unit(0xd800 + ((value - 0x10000) >> 10), upper, out_);
    append_unit(0xdc00 + ((value - 0x10000) & 0x3ff), upper, out_);
  }

  Random& random_;
  bool blanks_, escapes_;
  std::string out_;
};

}  // namespace

std::string Generator::spell(const Json& json) {
  Speller speller{random_, random_.chance(1, 4), random_.chance(1, 4)};
  speller.append(json);
  return speller.take();
}

std::string Generator::bend(std::string text) {
  switch (random_.below(40)) {
    case 0: text.resize(random_.below(text.size() + 1)); break;
    case 1: text += ' ' + spell(event()); break;
    case 2: text += random_.chance(1, 2) ? "}" : ",\"a\":1"; break;
    case 3:
      if (random_.chance(1, 4)) text = spell(value(1));
      break;
    default: break;
  }
  return text;
}

}  // namespace continuo::routing::oracle
