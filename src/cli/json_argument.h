// JSON on the command line: as it is, in a file, or from stdin.
#pragma once

#include <cstdint>
#include <string>

#include "continuo/base/errors.h"

namespace continuo::cli {

enum class JsonKind : std::uint8_t { object, array };

/// `given` itself where it begins with "{" (or "["), stdin for "-", else what the file of that name holds; "@" may
/// stand before the name. The text as it is there: numbers stay as they were written. Errors: bad_usage with `option`
/// in `at` - no such file, or no such JSON in it.
Result<std::string> json_argument(const std::string& given, std::string_view option, JsonKind kind = JsonKind::object);

}  // namespace continuo::cli
