#include "continuo/record/json_syntax.h"

#include <simdjson.h>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/record/json_scan.h"

namespace continuo::record {
namespace {

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t first_capacity = 4096;

}  // namespace

struct JsonSyntax::State {
  explicit State(std::size_t depth) : max_depth(depth) {}

  // The parser grows as needed, but would then take a depth of its own choice.
  bool accepts(std::string_view json) {
    if (json.size() > parser.capacity() &&
        parser.allocate(std::max(json.size(), first_capacity), max_depth) != simdjson::SUCCESS)
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
  // simdjson refuses numbers that no 64-bit type holds; they are JSON nevertheless, so the slow parser has the last
  // word.
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
