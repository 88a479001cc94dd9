// Whether one wildcard fits one text.
#pragma once

#include <string_view>

namespace continuo::routing {

/// `*` for any bytes, `\` before a byte that stands for itself. Takes time linear in both.
bool wildcard_fits(std::string_view wildcard, std::string_view text);

}  // namespace continuo::routing
