#include "continuo/record/json_syntax.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/record/utf8.h"

namespace continuo::record {
namespace {

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t first_capacity = 4096;

// Takes what Boost.JSON's parser finds and keeps nothing of it: only the verdict and the place count.
struct IgnoreAll {
  static constexpr std::size_t max_object_size = -1;
  static constexpr std::size_t max_array_size = -1;
  static constexpr std::size_t max_key_size = -1;
  static constexpr std::size_t max_string_size = -1;
  using Text = boost::json::string_view;
  using Ec = boost::json::error_code;

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) { return true; }
  bool on_object_end(std::size_t, Ec&) { return true; }
  bool on_array_begin(Ec&) { return true; }
  bool on_array_end(std::size_t, Ec&) { return true; }
  bool on_key_part(Text, std::size_t, Ec&) { return true; }
  bool on_key(Text, std::size_t, Ec&) { return true; }
  bool on_string_part(Text, std::size_t, Ec&) { return true; }
  bool on_string(Text, std::size_t, Ec&) { return true; }
  bool on_number_part(Text, Ec&) { return true; }
  bool on_int64(std::int64_t, Text, Ec&) { return true; }
  bool on_uint64(std::uint64_t, Text, Ec&) { return true; }
  bool on_double(double, Text, Ec&) { return true; }
  bool on_bool(bool, Ec&) { return true; }
  bool on_null(Ec&) { return true; }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

boost::json::parse_options strict_options(std::size_t max_depth) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  return options;
}

Error utf8_error(std::string_view text) {
  return {Code::bad_utf8, "the text is not valid UTF-8", line_and_column(text, valid_utf8_prefix(text)), {}};
}

}  // namespace

std::string line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, before.size() - line_start + 1);
}

std::optional<Error> find_json_error(std::string_view json, std::size_t max_depth) {
  if (!simdjson::validate_utf8(json.data(), json.size())) return utf8_error(json);
  boost::json::basic_parser<IgnoreAll> parser{strict_options(max_depth)};
  boost::json::error_code ec;
  const std::size_t read = parser.write_some(false, json.data(), json.size(), ec);
  if (ec) return Error{Code::bad_json, ec.message(), line_and_column(json, read), {}};
  if (read < json.size()) return Error{Code::bad_json, "text after the end of the value", line_and_column(json, read), {}};
  return std::nullopt;
}

struct JsonSyntax::State {
  explicit State(std::size_t depth) : max_depth(depth) {}

  // The parser grows as needed, but would then take a depth of its own choice.
  bool accepts(std::string_view json) {
    if (json.size() > parser.capacity() && parser.allocate(std::max(json.size(), first_capacity), max_depth) != simdjson::SUCCESS)
      return false;
    return parser.parse(json.data(), json.size(), false).error() == simdjson::SUCCESS;
  }

  std::size_t max_depth;
  simdjson::dom::parser parser;
};

JsonSyntax::JsonSyntax(std::size_t max_depth) : state_(std::make_unique<State>(max_depth)) {}
JsonSyntax::~JsonSyntax() = default;
JsonSyntax::JsonSyntax(JsonSyntax&&) noexcept = default;
JsonSyntax& JsonSyntax::operator=(JsonSyntax&&) noexcept = default;

std::optional<Error> JsonSyntax::find_error(std::string_view json) {
  if (state_->accepts(json)) return std::nullopt;
  // simdjson refuses numbers that no 64-bit type holds; they are JSON nevertheless, so the slow parser has the last word.
  return find_json_error(json, state_->max_depth);
}

Result<void> validate_json(std::string_view json, std::size_t max_depth) {
  thread_local JsonSyntax syntax{max_depth};
  thread_local std::size_t depth = max_depth;
  if (depth != max_depth) syntax = JsonSyntax{depth = max_depth};
  if (auto error = syntax.find_error(json)) return std::unexpected(std::move(*error));
  return {};
}

}  // namespace continuo::record
