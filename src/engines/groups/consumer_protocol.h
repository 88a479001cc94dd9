// What consumers tell each other through their group, as far as the group has to understand it. Source: Apache Kafka,
// ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json: later versions add behind what is read here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace continuo::engines {

/// The protocol type of groups whose members speak it.
constexpr std::string_view consumer_protocol_type = "consumer";

/// The topics a member subscribes to, from the metadata it joins with; none: that cannot be read.
std::optional<std::set<std::string, std::less<>>> subscribed_topics(std::string_view metadata);

/// Partitions by topic and number; the names lie in what was read.
using ConsumerPartitions = std::set<std::pair<std::string_view, std::int32_t>>;

/// What it owned when it joined. Nothing when it does not say: only cooperative members do, since version 1.
ConsumerPartitions owned_partitions(std::string_view metadata);

/// What an assignment gives. Nothing when it cannot be read.
ConsumerPartitions assigned_partitions(std::string_view assignment);

}  // namespace continuo::engines
