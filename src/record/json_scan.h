// The second look at a JSON text, one byte at a time: says what is wrong with it and where.
#pragma once

#include <optional>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::record {

/// bad_utf8 or bad_json, with "line L, column C" in `at`; nothing when `json` is one JSON value (RFC 8259, numbers of
/// any size, no halves of surrogate pairs) no deeper than `max_depth`. Slow next to JsonSyntax: for texts that refused.
std::optional<Error> find_json_error(std::string_view json, std::size_t max_depth);

}  // namespace continuo::record
