// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace continuo::cli {

/// The word that needs the fewest edits to become `text`; empty when none is near enough to be meant.
std::string nearest(std::string_view text, const std::vector<std::string>& words);

}  // namespace continuo::cli
