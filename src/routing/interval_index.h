// Which of many closed intervals hold a point. Immutable; any number of threads.
//
// Intervals sorted by where they begin, as a balanced tree that needs no pointers: the root of a range is its middle.
// Beside each root stands how far its range reaches. A question costs the logarithm of how many there are, and that
// much again for each one found at worst.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace continuo::routing {

template <class Point>
class IntervalIndex {
 public:
  struct Interval {
    Point low, high;
    std::uint32_t number = 0;
  };
  IntervalIndex() = default;
  explicit IntervalIndex(std::vector<Interval> intervals) : all_(std::move(intervals)), reach_(all_.size()) {
    std::ranges::sort(all_, {}, &Interval::low);
    if (!all_.empty()) reach_of(0, all_.size());
  }

  bool empty() const { return all_.empty(); }
  std::size_t bytes() const { return all_.capacity() * sizeof(Interval) + reach_.capacity() * sizeof(Point); }

  /// Calls `each(number)` for every interval that holds the point.
  template <class Each>
  void find(Point point, const Each& each) const {
    if (all_.size() > few) return visit(0, all_.size(), point, each);
    for (const Interval& one : all_) {
      if (point < one.low) return;
      if (!(one.high < point)) each(one.number);
    }
  }

 private:
  static constexpr std::size_t few = 16;  // sooner looked at than searched

  Point reach_of(std::size_t begin, std::size_t end) {
    const std::size_t middle = begin + (end - begin) / 2;
    Point reach = all_[middle].high;
    if (begin < middle) reach = std::max(reach, reach_of(begin, middle));
    if (middle + 1 < end) reach = std::max(reach, reach_of(middle + 1, end));
    return reach_[middle] = reach;
  }
  template <class Each>
  void visit(std::size_t begin, std::size_t end, Point point, const Each& each) const {
    while (begin < end) {
      const std::size_t middle = begin + (end - begin) / 2;
      if (reach_[middle] < point) return;
      visit(begin, middle, point, each);
      if (point < all_[middle].low) return;
      if (!(all_[middle].high < point)) each(all_[middle].number);
      begin = middle + 1;
    }
  }

  std::vector<Interval> all_;  // by their beginnings
  std::vector<Point> reach_;   // at the root of a range: the largest `high` in it
};

}  // namespace continuo::routing
