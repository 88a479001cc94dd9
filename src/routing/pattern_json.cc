#include "continuo/routing/pattern_json.h"

#include "continuo/record/json_scan.h"
#include "continuo/record/json_skim.h"

namespace continuo::routing {
namespace {

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
  void skip_blanks() { at_ = record::skip_space(text_, at_); }
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
    const std::size_t end = record::scalar_end(text_, at_);
    out.text = text_.substr(at_, end - at_);
    at_ = end;
  }

  std::string read_string() {
    const std::size_t begin = at_ + 1;
    bool has_escapes = false;
    const std::size_t end = record::string_end(text_, begin, has_escapes);
    at_ = end + 1;
    std::string out;
    record::decode_string(text_.substr(begin, end - begin), out);
    return out;
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
    if (!in_string && record::is_space(c)) continue;
    out += c;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') out += json[++i];
  }
  return out;
}

}  // namespace continuo::routing
