// Text without upper and lower case: Unicode's full case folding, so "straße" and "STRASSE" are the same.
#pragma once

#include <string>
#include <string_view>

namespace continuo::routing {

/// Replaces `out`, which keeps its memory from call to call. Code points fold one by one and nothing is normalised: a
/// folded text's beginning is its folded beginning. Folding twice changes nothing more. Bytes that are no UTF-8 stay as
/// they are. `text` may not lie in `out`.
void fold_case(std::string_view text, std::string& out);

std::string fold_case(std::string_view text);

}  // namespace continuo::routing
