#include "continuo/cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace continuo::cli {
namespace {

namespace json = boost::json;

// Columns of text in UTF-8: bytes that begin a character.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

void pad(std::string& line, std::string_view text, std::size_t to) {
  line.append(text);
  for (std::size_t at = width(text); at < to; ++at) line += ' ';
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

void finish_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

/// A character that steers a terminal; bytes 0: none.
struct Steering {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

// Controls, those beyond ASCII too, and what turns the direction of writing: U+202A to 202E, U+2066 to 2069.
Steering steering_at(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return {byte(0), 1};
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return {byte(1), 2};
  if (byte(0) == 0xe2 && byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) return {0x2000 + (byte(2) - 0x80), 3};
  if (byte(0) == 0xe2 && byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9) return {0x2040 + (byte(2) - 0x80), 3};
  return {};
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  if (text.empty() || text == "auto") return Format::automatic;
  if (text == "table") return Format::table;
  if (text == "json") return Format::json;
  if (text == "jsonl") return Format::jsonl;
  return fail(Code::bad_usage, fmt::format("there is no output format '{}'", text), "--output", "table, json or jsonl");
}

Format settle(Format format) {
  if (format != Format::automatic) return format;
  return stdout_is_terminal() ? Format::table : Format::jsonl;
}

bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

bool wants_color() {
  const char* none = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return stdout_is_terminal() && !(none && *none) && !(terminal && std::string_view{terminal} == "dumb");
}

bool takes_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string locale = upper(value);
    return locale.find("UTF-8") != std::string::npos || locale.find("UTF8") != std::string::npos;
  }
  return false;
}

std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Steering steering = steering_at(text);
    if (steering.bytes == 0)
      out += text.front();
    else
      out += fmt::format("\\u{:04x}", steering.code);
    text.remove_prefix(std::max<std::size_t>(1, steering.bytes));
  }
  return out;
}

std::string cell(const json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return visible({value.as_string().data(), value.as_string().size()});
  if (!value.is_array()) return visible(json::serialize(value));
  std::string out;
  for (const json::value& item : value.as_array()) out += (out.empty() ? "" : ", ") + cell(item);
  return out;
}

std::string Listing::table() const {
  std::vector<std::size_t> widths;
  for (const std::string& column : columns_) widths.push_back(column.size());
  std::vector<std::vector<std::string>> cells;
  for (const json::object& row : rows_) {
    std::vector<std::string>& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const json::value* value = row.if_contains(columns_[i]);
      line.push_back(value ? cell(*value) : "-");
      widths[i] = std::max(widths[i], width(line.back()));
    }
  }
  std::string out, head;
  for (std::size_t i = 0; i < columns_.size(); ++i) pad(head, upper(columns_[i]), widths[i] + 2);
  finish_line(out, head);
  for (const auto& cells_of_row : cells) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) pad(line, cells_of_row[i], widths[i] + 2);
    finish_line(out, line);
  }
  return out;
}

std::string Listing::text(Format format) const {
  if (format == Format::table) return table();
  if (format == Format::json) return json::serialize(json::array(rows_.begin(), rows_.end())) + "\n";
  std::string out;
  for (const json::object& row : rows_) out += json::serialize(row) + "\n";
  return out;
}

void Listing::print(Format format) const { fmt::print("{}", text(settle(format))); }

void print_object(const json::object& object, Format format) {
  if (settle(format) != Format::table) {
    fmt::print("{}\n", json::serialize(object));
    return;
  }
  std::size_t longest = 0;
  for (const auto& member : object) longest = std::max(longest, member.key().size());
  std::string out;
  for (const auto& member : object)
    finish_line(out, fmt::format("{:<{}}  {}", std::string_view{member.key().data(), member.key().size()}, longest,
                                 cell(member.value())));
  fmt::print("{}", out);
}

json::object parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view{text.data(), text.size()}, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

const json::array& array_in(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* member = object.if_contains(json::string_view{name.data(), name.size()});
  return member && member->is_array() ? member->as_array() : none;
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view{name.data(), name.size()});
  if (!value) return {};
  return value->is_string() ? std::string{value->as_string().c_str()} : json::serialize(*value);
}

}  // namespace continuo::cli
