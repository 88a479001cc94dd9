#include "continuo/routing/oracle_json_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

namespace continuo::routing::oracle {
namespace {

void append_code_point(std::uint32_t code, std::string& out) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  enum class Outcome : std::uint8_t { whole, broken, nothing };

  Outcome value(Json& out) {
    blanks();
    switch (peek()) {
      case '{': return container(out, Json::object(), '}');
      case '[': return container(out, Json::array(), ']');
      case '"': out = Json::string(""); return string(out.text) ? Outcome::whole : Outcome::nothing;
      default: return scalar(out);
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (at_ < text_.size() && std::string_view{" \t\n\r"}.contains(text_[at_])) ++at_;
  }

  // Up to what may stand behind it. What is no JSON is no value, but the text goes on: an empty array is as much. What
  // the text ends with may have been longer.
  Outcome scalar(Json& out) {
    const std::size_t end = std::min(text_.find_first_of(",]} \t\n\r", at_), text_.size());
    const std::string_view text = text_.substr(at_, end - at_);
    if (text.empty() || (end == text_.size() && depth_ > 0)) return Outcome::nothing;
    at_ = end;
    if (text == "true" || text == "false") {
      out = {Json::Kind::boolean, std::string{text}, {}, {}};
    } else if (text == "null") {
      out = {};
    } else {
      static const std::regex number{R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)"};
      out = std::regex_match(text.begin(), text.end(), number) ? Json::number(text) : Json::array();
    }
    return Outcome::whole;
  }

  bool four_hex(std::uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9') {
        code = code * 16 + static_cast<std::uint32_t>(c - '0');
      } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        code = code * 16 + static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  bool escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
    if (const auto which = letters.find(peek()); which != std::string_view::npos && at_ < text_.size()) {
      out += meant[which];
      ++at_;
      return true;
    }
    std::uint32_t code = 0;
    if (!take('u') || !four_hex(code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      std::uint32_t low = 0;
      if (!take('\\') || !take('u') || !four_hex(low) || low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
    }
    append_code_point(code, out);
    return true;
  }

  bool string(std::string& out) {
    out.clear();
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }

  Outcome container(Json& out, Json empty, char close) {
    out = std::move(empty);
    ++at_;
    ++depth_;
    const Outcome outcome = inside(out, close);
    --depth_;
    return outcome;
  }

  Outcome inside(Json& out, char close) {
    blanks();
    if (take(close)) return Outcome::whole;
    do {
      std::string name;
      blanks();
      if (out.is(Json::Kind::object)) {
        if (!string(name)) return Outcome::broken;
        blanks();
        if (!take(':')) return Outcome::broken;
      }
      Json child;
      const Outcome outcome = value(child);
      if (outcome == Outcome::nothing) return Outcome::broken;
      if (out.is(Json::Kind::object)) out.names.push_back(std::move(name));
      out.add(std::move(child));
      if (outcome == Outcome::broken) return Outcome::broken;
      blanks();
    } while (take(','));
    return take(close) ? Outcome::whole : Outcome::broken;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

void append_string(std::string_view text, std::string& out) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[c & 0xf];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

void append(const Json& json, std::string& out) {
  if (json.is(Json::Kind::string)) return append_string(json.text, out);
  if (json.is_scalar()) {
    out += json.text;
    return;
  }
  const bool object = json.is(Json::Kind::object);
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < json.children.size(); ++i) {
    if (i > 0) out += ',';
    if (object) {
      append_string(json.names[i], out);
      out += ':';
    }
    append(json.children[i], out);
  }
  out += object ? '}' : ']';
}

}  // namespace

std::optional<Json> read_if_any(std::string_view text) {
  Json out;
  if (Reader{text}.value(out) == Reader::Outcome::nothing) return std::nullopt;
  return out;
}

Json read(std::string_view text) { return read_if_any(text).value_or(Json{}); }

std::string write(const Json& json) {
  std::string out;
  append(json, out);
  return out;
}

namespace {

TEST(OracleJson, KeepsWhatWasWritten) {
  const auto again = [](std::string_view text) { return write(read(text)); };
  EXPECT_EQ(again(R"( { "a" : [ 1.0e+2 , -0 , [ ] ] , "a" : { } , "b.c" : null } )"),
            R"({"a":[1.0e+2,-0,[]],"a":{},"b.c":null})");
  EXPECT_EQ(read(R"("\u0041\n\/\u00df\ud83d\ude00")").text, "A\n/\u00df\U0001F600");
  EXPECT_EQ(again(R"("a\u0001\"\\")"), R"("a\u0001\"\\")");
}

TEST(OracleJson, KeepsWhatStandsBeforeTheBreak) {
  const auto again = [](std::string_view text) { return write(read(text)); };
  EXPECT_EQ(again(R"({"a":1,"b":[true,{"c":"d"},{"e":"f)"), R"({"a":1,"b":[true,{"c":"d"},{}]})");
  EXPECT_EQ(again(R"({"a":1,"b")"), R"({"a":1})");
  EXPECT_EQ(again(R"({"a":12)"), R"({})");
  EXPECT_EQ(again(R"({"a":12 )"), R"({"a":12})");
  EXPECT_EQ(again(R"({"a":"\ud800"})"), R"({})");
  EXPECT_EQ(again(R"({"a":01,"b":[tru,2]})"), R"({"a":[],"b":[[],2]})");
  EXPECT_EQ(again("12"), "12");
  EXPECT_FALSE(read_if_any(""));
  EXPECT_FALSE(read_if_any("\"a"));
}

}  // namespace
}  // namespace continuo::routing::oracle
