#include "continuo/serve/group_lag.h"

#include <fmt/format.h>

namespace continuo::serve {

TopicsById::TopicsById(const node::Node& node) : catalogue_(node.catalogue()) {
  topics_.reserve(catalogue_->topics.size());
  for (const auto& [name, topic] : catalogue_->topics) topics_.emplace(topic->id, topic.get());
}

const node::Topic* TopicsById::find(TopicId id) const {
  const auto found = topics_.find(id);
  return found == topics_.end() ? nullptr : found->second;
}

std::vector<TopicLag> lag_by_topic(node::Node& node, const TopicsById& topics,
                                   const std::vector<std::pair<PartitionRef, Offset>>& committed) {
  std::vector<TopicLag> all;
  for (const auto& [partition, offset] : committed) {
    const node::Topic* topic = topics.find(partition.topic);
    if (topic == nullptr) continue;
    const auto state = node.partition_state(partition);
    if (!state) continue;
    if (all.empty() || all.back().topic != topic) all.push_back({topic});
    all.back().lag += lag_between(offset, state->next);
  }
  return all;
}

Error group_refusal(engines::GroupError error, std::string_view group) {
  switch (error) {
    case engines::GroupError::group_id_not_found:
      return {Code::unknown_group, fmt::format("there is no consumer group '{}'", group), "group", {}};
    case engines::GroupError::non_empty_group:
    case engines::GroupError::unknown_member_id:  // of a commit by somebody who is no member
      return {Code::group_not_empty, fmt::format("consumer group '{}' has members", group), "group", {}};
    case engines::GroupError::limit_reached:
      return {Code::limit_reached, "there are as many groups, or committed offsets, as there may be", "group", {}};
    case engines::GroupError::invalid_group_id:
      return {Code::bad_name, fmt::format("'{}' cannot be a group's name", group), "group",
              fmt::format("1 to {} bytes", engines::longest_group)};
    default: return {Code::bad_request, "the group refuses", "group", {}};
  }
}

}  // namespace continuo::serve
