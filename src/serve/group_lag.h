// How far consumer groups are behind: what HTTP's door and the metrics tell of committed offsets. Any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "continuo/engines/groups/group_requests.h"
#include "continuo/node/node.h"

namespace continuo::serve {

/// The topics of one moment, by their ids.
class TopicsById {
 public:
  explicit TopicsById(const node::Node& node);
  /// Null: it was deleted. As long as this lives.
  const node::Topic* find(TopicId id) const;

 private:
  std::shared_ptr<const node::Catalogue> catalogue_;
  std::unordered_map<TopicId, const node::Topic*> topics_;
};

/// Records from `committed` to `next`, the partition's visible end; 0 for an offset past it. Offsets whose records are
/// gone count too, as in Kafka.
constexpr std::uint64_t lag_between(Offset committed, Offset next) {
  return committed < next ? static_cast<std::uint64_t>(next - std::max(committed, Offset{0})) : 0;
}

struct TopicLag {
  const node::Topic* topic;
  std::uint64_t lag = 0;  ///< of all its partitions that have a committed offset
};

/// For each topic with committed offsets, in the order of their ids. What is deleted meanwhile is left out.
std::vector<TopicLag> lag_by_topic(node::Node& node, const TopicsById& topics,
                                   const std::vector<std::pair<PartitionRef, Offset>>& committed);

/// So many offsets are looked up on an I/O thread; more are left to the readers.
constexpr std::size_t few_offsets = 2'000;

/// What a person hears of a group's refusal; `group` is its name.
Error group_refusal(engines::GroupError error, std::string_view group);

}  // namespace continuo::serve
