// The text of a pattern as a tree in which every value knows where it stands. For small texts: messages point into
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"

namespace continuo::routing {

struct PatternMember;

struct PatternJson {
  enum class Kind : std::uint8_t { object, array, string, number, boolean, null };
  Kind kind = Kind::null;
  std::size_t begin = 0, end = 0;  ///< bytes of the text
  std::string text;                ///< string: decoded; number, boolean, null: as written
  std::vector<PatternMember> members;
  std::vector<PatternJson> items;

  bool is(Kind other) const { return kind == other; }
  bool is_scalar() const { return kind != Kind::object && kind != Kind::array; }
};

struct PatternMember {
  std::string name;
  std::size_t begin = 0;  ///< of the name
  PatternJson value;
};

/// Errors: bad_pattern, with line and column in `at`.
Result<PatternJson> read_pattern_json(std::string_view text, std::size_t max_depth);

/// A part of a JSON text without the blanks between its tokens.
std::string compact_json(std::string_view json);

}  // namespace continuo::routing
