// What commands print: tables for people, JSON for programs.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::cli {

enum class Format : std::uint8_t {
  automatic,  ///< table on a terminal, jsonl in a pipe
  table,
  json,   ///< one document
  jsonl,  ///< one object a line
};

/// Errors: bad_usage.
Result<Format> parse_format(std::string_view text);
/// Decides `automatic`.
Format settle(Format format);

bool stdout_is_terminal();
bool stderr_is_terminal();
/// Colours and moving pictures are wanted: a terminal, and NO_COLOR is not set.
bool wants_color();
/// The locale takes more than ASCII.
bool takes_utf8();

/// Rows with named columns. A row may have members that are no column: they show in JSON only.
class Listing {
 public:
  explicit Listing(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  void add(boost::json::object row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// The whole listing as text in this format; `automatic` is not one of them.
  std::string text(Format format) const;
  void print(Format format) const;

 private:
  std::string table() const;
  std::vector<std::string> columns_;
  std::vector<boost::json::object> rows_;
};

/// Text that others wrote, for a terminal: characters that steer one are shown as \u001b.
std::string visible(std::string_view text);
/// A cell of a table: strings without quotes, arrays as "a, b"; visible.
std::string cell(const boost::json::value& value);
/// One object: as name and value below each other, or as JSON.
void print_object(const boost::json::object& object, Format format);

/// The object a server's answer holds; {} when it holds none.
boost::json::object parse_object(std::string_view text);
/// A member that is an array; an empty one when it is absent.
const boost::json::array& array_in(const boost::json::object& object, std::string_view name);
/// A member as text: strings as they are, other values as JSON; empty when absent.
std::string text_in(const boost::json::object& object, std::string_view name);

}  // namespace continuo::cli
