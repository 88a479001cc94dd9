// Whether a text is JSON, and where it stops being it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::record {

/// Says at length what is wrong with `json`: bad_utf8 or bad_json with "line L, column C" in `at`; nothing when it is one JSON
/// value (RFC 8259) no deeper than `max_depth`. Slow (a scalar parser) and without allocation: for texts already refused. It
/// recurses: a depth from outside would be a stack overflow from outside.
std::optional<Error> find_json_error(std::string_view json, std::size_t max_depth);

/// Decides fast whether a text is JSON. Keeps its buffers between calls; not thread-safe.
class JsonSyntax {
 public:
  explicit JsonSyntax(std::size_t max_depth);
  ~JsonSyntax();
  JsonSyntax(JsonSyntax&&) noexcept;
  JsonSyntax& operator=(JsonSyntax&&) noexcept;

  /// As find_json_error. Needs json_padding readable bytes behind the text.
  std::optional<Error> find_error(std::string_view json);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace continuo::record
