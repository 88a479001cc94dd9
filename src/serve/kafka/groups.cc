// Consumer groups: who belongs to them, and what operators ask of them.
#include "continuo/node/groups.h"

#include <algorithm>

#include "continuo/serve/kafka/group_errors.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

// From these versions on: the protocol guide's notes on JoinGroup.
constexpr std::int16_t known_member_version = 4;
constexpr std::int16_t skip_assignment_version = 9;

char ascii_lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

engines::Membership who(const auto& request) {
  return {request.group_id, request.member_id, request.group_instance_id, request.generation_id};
}

}  // namespace

void join_group(KafkaCall& call, JoinGroupRequest request) {
  engines::JoinGroup join{.group = std::move(request.group_id),
                          .member = std::move(request.member_id),
                          .instance = std::move(request.group_instance_id),
                          .client_id = call.header().client_id.value_or(""),
                          .client_host = call.session().peer(),
                          .session_timeout = Millis{request.session_timeout_ms},
                          .rebalance_timeout = Millis{request.rebalance_timeout_ms},
                          .protocol_type = std::move(request.protocol_type),
                          .requires_known_member = call.version() >= known_member_version,
                          .can_skip_assignment = call.version() >= skip_assignment_version};
  for (auto& protocol : request.protocols) join.protocols.push_back({protocol.name, std::move(protocol.metadata)});
  call.node().groups().join(
      call.thread(), std::move(join), [self = call.shared_from_this()](Result<engines::JoinAnswer> joined) {
        if (self->gone()) return;
        JoinGroupResponse answer;
        answer.error_code = joined ? number(kafka_error(joined->error)) : failed(joined.error());
        if (!joined) return self->answer(answer);
        answer.generation_id = joined->generation;
        const bool good = joined->error == engines::GroupError::none;
        if (good) answer.protocol_type = joined->protocol_type;
        // An empty name where versions before 7 know no null.
        if (good || self->version() < 7) answer.protocol_name = joined->protocol;
        answer.leader = joined->leader;
        answer.skip_assignment = joined->skip_assignment;
        answer.member_id = joined->member;
        for (auto& member : joined->members)
          answer.members.push_back({member.id, member.instance, Bytes{std::move(member.metadata)}});
        self->answer(answer);
      });
}

void sync_group(KafkaCall& call, SyncGroupRequest request) {
  engines::SyncGroup sync{.who = who(request),
                          .protocol_type = std::move(request.protocol_type),
                          .protocol = std::move(request.protocol_name)};
  for (auto& each : request.assignments) sync.assignments.push_back({each.member_id, std::move(each.assignment)});
  call.node().groups().sync(call.thread(), std::move(sync),
                            [self = call.shared_from_this()](Result<engines::SyncAnswer> synced) {
                              if (self->gone()) return;
                              SyncGroupResponse answer;
                              answer.error_code = synced ? number(kafka_error(synced->error)) : failed(synced.error());
                              if (synced && synced->error == engines::GroupError::none) {
                                answer.protocol_type = synced->protocol_type;
                                answer.protocol_name = synced->protocol;
                                answer.assignment = Bytes{std::move(synced->assignment)};
                              }
                              self->answer(answer);
                            });
}

void heartbeat(KafkaCall& call, HeartbeatRequest request) {
  call.node().groups().heartbeat(call.thread(), who(request),
                                 [self = call.shared_from_this()](Result<engines::GroupError> told) {
                                   if (self->gone()) return;
                                   HeartbeatResponse answer;
                                   answer.error_code = told ? number(kafka_error(*told)) : failed(told.error());
                                   self->answer(answer);
                                 });
}

void leave_group(KafkaCall& call, LeaveGroupRequest request) {
  const bool one = call.version() < 3;
  if (one) request.members = {{request.member_id, std::nullopt, std::nullopt}};
  engines::LeaveGroup leave{.group = request.group_id};
  for (const auto& member : request.members) leave.members.push_back({member.member_id, member.group_instance_id});
  call.node().groups().leave(
      call.thread(), std::move(leave),
      [self = call.shared_from_this(), one, members = std::move(request.members)](Result<node::GroupOutcomes> left) {
        if (self->gone()) return;
        LeaveGroupResponse answer;
        // Of several members each has its own error, also where the group does not know any.
        if (left && !one && left->error == engines::GroupError::unknown_member_id) {
          left->error = engines::GroupError::none;
          left->each.assign(members.size(), engines::GroupError::unknown_member_id);
        }
        answer.error_code = left ? number(kafka_error(left->error)) : failed(left.error());
        if (left && one && !left->each.empty() && answer.error_code == 0)
          answer.error_code = number(kafka_error(left->each.front()));
        for (std::size_t i = 0; left && i < left->each.size(); ++i)
          answer.members.push_back(
              {members[i].member_id, members[i].group_instance_id, number(kafka_error(left->each[i]))});
        self->answer(answer);
      });
}

void list_groups(KafkaCall& call, ListGroupsRequest request) {
  call.node().groups().list(call.thread(), [self = call.shared_from_this(), states = std::move(request.states_filter)](
                                               Result<std::vector<engines::GroupSummary>> groups) {
    if (self->gone()) return;
    ListGroupsResponse answer;
    if (!groups) answer.error_code = failed(groups.error());
    for (const engines::GroupSummary& group : groups.value_or(std::vector<engines::GroupSummary>{})) {
      const std::string state{name(group.state)};
      const auto is_wanted = [&state](const std::string& wanted) {
        return std::ranges::equal(wanted, state, {}, ascii_lower, ascii_lower);
      };
      if (states.empty() || std::ranges::any_of(states, is_wanted))
        answer.groups.push_back({group.name, group.protocol_type, state});
    }
    self->answer(answer);
  });
}

void describe_groups(KafkaCall& call, DescribeGroupsRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<DescribeGroupsResponse>>(call);
  answer->message.groups.resize(request.groups.size());
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    DescribeGroupsResponse::Group& place = answer->message.groups[i];
    place.group_id = request.groups[i];
    call.node().groups().describe(
        call.thread(), place.group_id, [answer, &place](Result<std::optional<engines::GroupDescription>> group) {
          if (!group) place.error_code = failed(group.error());
          if (!group || !*group) {
            place.group_state = "Dead";  // what Kafka calls a group that is not
            return;
          }
          place.group_state = name((*group)->group.state);
          place.protocol_type = (*group)->group.protocol_type;
          place.protocol_data = (*group)->protocol;
          for (auto& member : (*group)->members)
            place.members.push_back({member.id, member.instance, member.client_id, member.client_host,
                                     Bytes{std::move(member.metadata)}, Bytes{std::move(member.assignment)}});
        });
  }
}

void delete_groups(KafkaCall& call, DeleteGroupsRequest request) {
  const auto answer = std::make_shared<GatheredAnswer<DeleteGroupsResponse>>(call);
  answer->message.groups.resize(request.groups.size());
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    DeleteGroupsResponse::Group& place = answer->message.groups[i];
    place.group_id = request.groups[i];
    call.node().groups().remove(call.thread(), place.group_id, [answer, &place](Result<engines::GroupError> gone) {
      place.error_code = gone ? number(kafka_error(*gone)) : failed(gone.error());
    });
  }
}

}  // namespace continuo::serve
