// Whether a text is JSON.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::record {

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
