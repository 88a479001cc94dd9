#include "continuo/wire/kafka/errors.h"

namespace continuo::wire::kafka {

KafkaError kafka_error(Code code) {
  switch (code) {
    case Code::unknown_topic:
    case Code::unknown_partition: return KafkaError::unknown_topic_or_partition;
    case Code::bad_name:
    case Code::system_name: return KafkaError::invalid_topic;
    case Code::topic_exists: return KafkaError::topic_already_exists;
    case Code::bad_setting: return KafkaError::invalid_config;
    case Code::offset_out_of_range: return KafkaError::offset_out_of_range;
    case Code::out_of_order: return KafkaError::out_of_order_sequence_number;
    case Code::fenced: return KafkaError::invalid_producer_epoch;
    case Code::too_large: return KafkaError::message_too_large;
    case Code::limit_reached: return KafkaError::policy_violation;
    // Clients repeat what timed out, later; nothing happened.
    case Code::overloaded:
    case Code::too_many_requests: return KafkaError::request_timed_out;
    case Code::disk_full:
    case Code::node_failed:
    case Code::io_error: return KafkaError::kafka_storage_error;
    case Code::shutting_down:
    case Code::not_ready: return KafkaError::coordinator_not_available;
    case Code::damaged_data: return KafkaError::corrupt_message;
    case Code::unsupported: return KafkaError::unsupported_version;
    case Code::bad_request:
    case Code::unknown_field: return KafkaError::invalid_request;
    default: return KafkaError::unknown_server_error;
  }
}

std::string_view name(KafkaError error) {
  switch (error) {
#define CONTINUO_KAFKA_ERROR(NAME, NUMBER) \
  case KafkaError::NAME: return #NAME;
    CONTINUO_KAFKA_ERRORS(CONTINUO_KAFKA_ERROR)
#undef CONTINUO_KAFKA_ERROR
  }
  return "unknown_server_error";
}

}  // namespace continuo::wire::kafka
