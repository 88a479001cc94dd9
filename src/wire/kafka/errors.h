// Kafka's error codes, and which of them says what one of ours says.
#pragma once

#include <cstdint>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::wire::kafka {

// Those that Continuo answers. Source: org.apache.kafka.common.protocol.Errors.
#define CONTINUO_KAFKA_ERRORS(X)               \
  X(unknown_server_error, -1)                  \
  X(none, 0)                                   \
  X(offset_out_of_range, 1)                    \
  X(corrupt_message, 2)                        \
  X(unknown_topic_or_partition, 3)             \
  X(request_timed_out, 7)                      \
  X(message_too_large, 10)                     \
  X(offset_metadata_too_large, 12)             \
  X(coordinator_load_in_progress, 14)          \
  X(coordinator_not_available, 15)             \
  X(invalid_topic, 17)                         \
  X(record_list_too_large, 18)                 \
  X(invalid_required_acks, 21)                 \
  X(illegal_generation, 22)                    \
  X(inconsistent_group_protocol, 23)           \
  X(invalid_group_id, 24)                      \
  X(unknown_member_id, 25)                     \
  X(invalid_session_timeout, 26)               \
  X(rebalance_in_progress, 27)                 \
  X(unsupported_version, 35)                   \
  X(topic_already_exists, 36)                  \
  X(invalid_partitions, 37)                    \
  X(invalid_replication_factor, 38)            \
  X(invalid_replica_assignment, 39)            \
  X(invalid_config, 40)                        \
  X(invalid_request, 42)                       \
  X(unsupported_for_message_format, 43)        \
  X(policy_violation, 44)                      \
  X(out_of_order_sequence_number, 45)          \
  X(duplicate_sequence_number, 46)             \
  X(invalid_producer_epoch, 47)                \
  X(transactional_id_authorization_failed, 53) \
  X(kafka_storage_error, 56)                   \
  X(unknown_producer_id, 59)                   \
  X(non_empty_group, 68)                       \
  X(group_id_not_found, 69)                    \
  X(fetch_session_id_not_found, 70)            \
  X(fenced_leader_epoch, 74)                   \
  X(unknown_leader_epoch, 75)                  \
  X(unsupported_compression_type, 76)          \
  X(member_id_required, 79)                    \
  X(group_max_size_reached, 81)                \
  X(fenced_instance_id, 82)                    \
  X(group_subscribed_to_topic, 86)             \
  X(invalid_record, 87)                        \
  X(throttling_quota_exceeded, 89)             \
  X(unknown_topic_id, 100)                     \
  X(mismatched_endpoint_type, 114)             \
  X(unsupported_endpoint_type, 115)

enum class KafkaError : std::int16_t {
#define CONTINUO_KAFKA_ERROR(NAME, NUMBER) NAME = NUMBER,
  CONTINUO_KAFKA_ERRORS(CONTINUO_KAFKA_ERROR)
#undef CONTINUO_KAFKA_ERROR
};

constexpr std::int16_t number(KafkaError error) { return static_cast<std::int16_t>(error); }

/// What a Kafka client hears of a refusal. One that passes - no credit, a full disk, a stop - is an error after which
/// clients repeat the request.
KafkaError kafka_error(Code code);

/// The name as in the list above.
std::string_view name(KafkaError error);

}  // namespace continuo::wire::kafka
