#include "continuo/cli/nearest.h"

#include <algorithm>

#include "continuo/base/edit_distance.h"

namespace continuo::cli {

std::string nearest(std::string_view text, const std::vector<std::string>& words) {
  std::string best;
  std::size_t fewest = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& word : words) {
    const bool begins = !text.empty() && word.starts_with(text);
    const std::size_t count = begins ? 1 : edit_distance(text, word);
    if (count >= fewest) continue;
    fewest = count;
    best = word;
  }
  return best;
}

}  // namespace continuo::cli
