// Requests that tests ask again and again.
#pragma once

#include <string>
#include <string_view>

#include "continuo/wire/kafka/groups.h"
#include "continuo/wire/kafka/produce.h"

namespace continuo::wire::kafka {

inline ProduceRequest produce_to(const std::string& topic, std::int32_t partition, std::string_view batch,
                                 std::int16_t acks = -1) {
  ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 5'000;
  request.topics = {{topic, {{partition, {batch}}}}};
  return request;
}

inline JoinGroupRequest join_of(const std::string& group, const std::string& member = {}) {
  JoinGroupRequest request;
  request.group_id = group;
  request.member_id = member;
  request.session_timeout_ms = request.rebalance_timeout_ms = 10'000;
  request.protocol_type = "consumer";
  request.protocols = {{"range", Bytes{"wants"}}};
  return request;
}

}  // namespace continuo::wire::kafka
