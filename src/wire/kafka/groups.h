// Consumer groups: membership, and what operators ask of them.
#pragma once

#include "continuo/wire/kafka/codec.h"

namespace continuo::wire::kafka {

struct JoinGroupRequest {
  struct Protocol {
    std::string name;
    Bytes metadata;
  };
  std::string group_id;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  std::vector<Protocol> protocols;
  std::optional<std::string> reason;
};
void fields(auto& io, Of<JoinGroupRequest::Protocol> auto& m) {
  io(m.name);
  io(m.metadata);
}
void fields(auto& io, Of<JoinGroupRequest> auto& m) {
  io(m.group_id);
  io(m.session_timeout_ms);
  io(m.rebalance_timeout_ms, {.since = 1});
  io(m.member_id);
  io(m.group_instance_id, {.since = 5});
  io(m.protocol_type);
  io(m.protocols);
  io(m.reason, {.since = 8});
}

struct JoinGroupResponse {
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    Bytes metadata;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<Member> members;
};
void fields(auto& io, Of<JoinGroupResponse::Member> auto& m) {
  io(m.member_id);
  io(m.group_instance_id, {.since = 5});
  io(m.metadata);
}
void fields(auto& io, Of<JoinGroupResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 2});
  io(m.error_code);
  io(m.generation_id);
  io(m.protocol_type, {.since = 7});
  io(m.protocol_name, {.nullable = 7});
  io(m.leader);
  io(m.skip_assignment, {.since = 9});
  io(m.member_id);
  io(m.members);
}

struct SyncGroupRequest {
  struct Assignment {
    std::string member_id;
    Bytes assignment;
  };
  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<Assignment> assignments;
};
void fields(auto& io, Of<SyncGroupRequest::Assignment> auto& m) {
  io(m.member_id);
  io(m.assignment);
}
void fields(auto& io, Of<SyncGroupRequest> auto& m) {
  io(m.group_id);
  io(m.generation_id);
  io(m.member_id);
  io(m.group_instance_id, {.since = 3});
  io(m.protocol_type, {.since = 5});
  io(m.protocol_name, {.since = 5});
  io(m.assignments);
}

struct SyncGroupResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Bytes assignment;
};
void fields(auto& io, Of<SyncGroupResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code);
  io(m.protocol_type, {.since = 5});
  io(m.protocol_name, {.since = 5});
  io(m.assignment);
}

struct HeartbeatRequest {
  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
};
void fields(auto& io, Of<HeartbeatRequest> auto& m) {
  io(m.group_id);
  io(m.generation_id);
  io(m.member_id);
  io(m.group_instance_id, {.since = 3});
}

struct HeartbeatResponse {
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
};
void fields(auto& io, Of<HeartbeatResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code);
}

struct LeaveGroupRequest {
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;
  };
  std::string group_id;
  std::string member_id;
  std::vector<Member> members;
};
void fields(auto& io, Of<LeaveGroupRequest::Member> auto& m) {
  io(m.member_id);
  io(m.group_instance_id);
  io(m.reason, {.since = 5});
}
void fields(auto& io, Of<LeaveGroupRequest> auto& m) {
  io(m.group_id);
  io(m.member_id, {.until = 2});
  io(m.members, {.since = 3});
}

struct LeaveGroupResponse {
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::int16_t error_code = 0;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<Member> members;
};
void fields(auto& io, Of<LeaveGroupResponse::Member> auto& m) {
  io(m.member_id);
  io(m.group_instance_id);
  io(m.error_code);
}
void fields(auto& io, Of<LeaveGroupResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code);
  io(m.members, {.since = 3});
}

struct DescribeGroupsRequest {
  std::vector<std::string> groups;
  bool include_authorized_operations = false;
};
void fields(auto& io, Of<DescribeGroupsRequest> auto& m) {
  io(m.groups);
  io(m.include_authorized_operations, {.since = 3});
}

struct DescribeGroupsResponse {
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    Bytes member_metadata;
    Bytes member_assignment;
  };
  struct Group {
    std::int16_t error_code = 0;
    std::string group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;
    std::vector<Member> members;
    std::int32_t authorized_operations = std::numeric_limits<std::int32_t>::min();
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;
};
void fields(auto& io, Of<DescribeGroupsResponse::Member> auto& m) {
  io(m.member_id);
  io(m.group_instance_id, {.since = 4});
  io(m.client_id);
  io(m.client_host);
  io(m.member_metadata);
  io(m.member_assignment);
}
void fields(auto& io, Of<DescribeGroupsResponse::Group> auto& m) {
  io(m.error_code);
  io(m.group_id);
  io(m.group_state);
  io(m.protocol_type);
  io(m.protocol_data);
  io(m.members);
  io(m.authorized_operations, {.since = 3});
}
void fields(auto& io, Of<DescribeGroupsResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.groups);
}

struct ListGroupsRequest {
  std::vector<std::string> states_filter;
};
void fields(auto& io, Of<ListGroupsRequest> auto& m) { io(m.states_filter, {.since = 4}); }

struct ListGroupsResponse {
  struct Group {
    std::string group_id;
    std::string protocol_type;
    std::string group_state;
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::vector<Group> groups;
};
void fields(auto& io, Of<ListGroupsResponse::Group> auto& m) {
  io(m.group_id);
  io(m.protocol_type);
  io(m.group_state, {.since = 4});
}
void fields(auto& io, Of<ListGroupsResponse> auto& m) {
  io(m.throttle_time_ms, {.since = 1});
  io(m.error_code);
  io(m.groups);
}

struct DeleteGroupsRequest {
  std::vector<std::string> groups;
};
void fields(auto& io, Of<DeleteGroupsRequest> auto& m) { io(m.groups); }

struct DeleteGroupsResponse {
  struct Group {
    std::string group_id;
    std::int16_t error_code = 0;
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;
};
void fields(auto& io, Of<DeleteGroupsResponse::Group> auto& m) {
  io(m.group_id);
  io(m.error_code);
}
void fields(auto& io, Of<DeleteGroupsResponse> auto& m) {
  io(m.throttle_time_ms);
  io(m.groups);
}

}  // namespace continuo::wire::kafka
