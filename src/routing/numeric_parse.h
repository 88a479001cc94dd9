// The operand of `numeric`.
#pragma once

#include "continuo/routing/pattern.h"
#include "continuo/routing/pattern_json.h"
#include "continuo/routing/pattern_place.h"

namespace continuo::routing {

/// ["=", 5], [">", 5], [">", 0, "<=", 5]. False: `place` has the error.
bool parse_numeric(const PatternJson& operand, PatternPlace& place, NumberRange& out);

}  // namespace continuo::routing
