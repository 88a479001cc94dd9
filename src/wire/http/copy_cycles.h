// Whether copies from topic to topic would go round for ever.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::wire::http {

/// A subscription that copies what it takes from some topics into another.
struct TopicCopy {
  std::string_view subscription;
  std::span<const std::string> from;
  std::string_view to;
};

/// The way an event would go round, shortest first, if `added` copied beside `others`:
/// "a -> b (by 's1') -> a (by 's2')"; empty when there is none.
std::string copy_cycle(const TopicCopy& added, std::span<const TopicCopy> others);

/// Places in `all` of those that would close a circle with ones before them; without them nothing goes round. Fast
/// where there is none.
std::vector<std::size_t> closing_copies(std::span<const TopicCopy> all);

}  // namespace continuo::wire::http
