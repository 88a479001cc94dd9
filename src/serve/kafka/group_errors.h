// What a Kafka client hears of a group's refusal.
#pragma once

#include "continuo/engines/groups/group_requests.h"
#include "continuo/wire/kafka/errors.h"

namespace continuo::serve {

inline wire::kafka::KafkaError kafka_error(engines::GroupError error) {
  using wire::kafka::KafkaError;
  switch (error) {
    case engines::GroupError::none: return KafkaError::none;
    case engines::GroupError::invalid_group_id: return KafkaError::invalid_group_id;
    case engines::GroupError::unknown_member_id: return KafkaError::unknown_member_id;
    case engines::GroupError::illegal_generation: return KafkaError::illegal_generation;
    case engines::GroupError::rebalance_in_progress: return KafkaError::rebalance_in_progress;
    case engines::GroupError::member_id_required: return KafkaError::member_id_required;
    case engines::GroupError::fenced_instance_id: return KafkaError::fenced_instance_id;
    case engines::GroupError::inconsistent_group_protocol: return KafkaError::inconsistent_group_protocol;
    case engines::GroupError::invalid_session_timeout: return KafkaError::invalid_session_timeout;
    case engines::GroupError::group_max_size_reached: return KafkaError::group_max_size_reached;
    case engines::GroupError::offset_metadata_too_large: return KafkaError::offset_metadata_too_large;
    case engines::GroupError::group_id_not_found: return KafkaError::group_id_not_found;
    case engines::GroupError::non_empty_group: return KafkaError::non_empty_group;
    case engines::GroupError::group_subscribed_to_topic: return KafkaError::group_subscribed_to_topic;
    case engines::GroupError::unknown_topic_or_partition: return KafkaError::unknown_topic_or_partition;
    case engines::GroupError::too_large: return KafkaError::invalid_request;
    case engines::GroupError::limit_reached: return KafkaError::policy_violation;
  }
  return KafkaError::unknown_server_error;
}

/// Of what the node could not do at all.
inline std::int16_t failed(const Error& error) { return number(wire::kafka::kafka_error(error.code)); }

}  // namespace continuo::serve
