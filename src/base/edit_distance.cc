#include "continuo/base/edit_distance.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace continuo {

std::size_t edit_distance(std::string_view from, std::string_view to) {
  // Three rows of the table: two letters back, one letter back, this one.
  std::vector<std::size_t> earlier(to.size() + 1), last(to.size() + 1), row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], earlier[j - 2] + 1);
    }
    std::swap(earlier, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

}  // namespace continuo
