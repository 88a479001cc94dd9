// Which topics a consumer subscribes to, read from the metadata it joins its group with.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace continuo::engines {

/// The protocol type of groups whose metadata this is.
constexpr std::string_view consumer_protocol_type = "consumer";

/// The names; none: the metadata cannot be read. Source: Apache Kafka, ConsumerProtocolSubscription.json: every version
/// begins with a version and the names, what follows is not looked at.
std::optional<std::set<std::string, std::less<>>> subscribed_topics(std::string_view metadata);

}  // namespace continuo::engines
