#include "continuo/cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace continuo::cli {
namespace {

std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view text, const std::vector<std::string>& words) {
  std::string best;
  std::size_t fewest = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& word : words) {
    const bool begins = !text.empty() && word.starts_with(text);
    const std::size_t count = begins ? 1 : edits(text, word);
    if (count >= fewest) continue;
    fewest = count;
    best = word;
  }
  return best;
}

}  // namespace continuo::cli
