// Who belongs to a group, in Kafka's classic protocol.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

// Versions of the other requests that go with a version of JoinGroup.
std::int16_t up_to(std::int16_t version, std::int16_t most) { return std::min(version, most); }

void a_life(Run& run) {
  for (std::int16_t version = 0; version <= 9; ++version) {
    const std::string group = "life-" + std::to_string(version);
    auto join = run.ask("join", join_of(group), version);
    if (version >= 4) join = run.ask("join with the id", join_of(group, join.member_id), version);
    run.ask("heartbeat before sync", heartbeat_of(group, join), up_to(version, 4));
    run.ask("sync", sync_of(group, join), up_to(version, 5));
    run.ask("sync again", sync_of(group, join, "other"), up_to(version, 5));
    run.ask("heartbeat", heartbeat_of(group, join), up_to(version, 4));
    run.ask("describe", DescribeGroupsRequest{{group}}, up_to(version, 5));
    run.ask("leave", leave_of(group, join.member_id), up_to(version, 5));
    run.ask("leave again", leave_of(group, join.member_id), up_to(version, 5));
    run.ask("heartbeat behind", heartbeat_of(group, join), up_to(version, 4));
    run.ask("describe the empty group", DescribeGroupsRequest{{group}}, up_to(version, 5));
  }
}

void refused_joins(Run& run) {
  run.ask_in_all("a member id of its own", join_of("refused", "stranger"));
  run.ask_in_all("no group id", join_of(""));
  for (const std::int32_t timeout : {-1, 0, 5'999, 1'800'001}) {
    JoinGroupRequest request = join_of("refused");
    request.session_timeout_ms = timeout;
    run.ask("a session of " + std::to_string(timeout) + " ms", request);
  }
  JoinGroupRequest request = join_of("refused");
  request.protocols.clear();
  run.ask_in_all("no protocols", request);
  request = join_of("refused");
  request.protocol_type.clear();
  run.ask_in_all("no protocol type", request);
  request = join_of("refused", "stranger");
  request.group_instance_id = "static";
  run.ask("an unknown static member with an id", request);
  request.member_id.clear();
  request.group_instance_id = "";
  run.ask("an instance id of nothing", request);
  run.ask("describe the group", DescribeGroupsRequest{{"refused"}});
}

void other_protocols(Run& run) {
  const auto join = joined(run, "protocols");
  run.ask("sync", sync_of("protocols", join));
  JoinGroupRequest request = join_of("protocols");
  request.protocols = {{"sticky", Bytes{"wants"}}};
  run.ask("another protocol", request, Run::newest, 1);
  run.ask("another protocol, version 3", request, 3, 1);
  request = join_of("protocols");
  request.protocol_type = "connect";
  run.ask("another type", request, 3, 1);
  SyncGroupRequest sync = sync_of("protocols", join);
  sync.protocol_name = "sticky";
  run.ask("sync of another protocol", sync);
  sync = sync_of("protocols", join);
  sync.protocol_type = "connect";
  run.ask("sync of another type", sync);
  run.ask("still there", heartbeat_of("protocols", join));
  request = join_of("protocols", join.member_id);
  run.ask("the leader joins again", request);
  run.ask("sync anew", sync_of("protocols", join));
}

void strangers(Run& run) {
  JoinGroupResponse nobody;
  nobody.generation_id = 1;
  nobody.member_id = "stranger";
  run.ask_in_all("sync in no group", sync_of("none", nobody));
  run.ask_in_all("heartbeat in no group", heartbeat_of("none", nobody));
  run.ask_in_all("leave no group", leave_of("none", "stranger"));
  run.ask_in_all("sync without a group id", sync_of("", nobody));
  run.ask_in_all("heartbeat without a group id", heartbeat_of("", nobody));
  run.ask_in_all("leave without a group id", leave_of("", "stranger"));
  auto join = joined(run, "wrong");
  for (const std::int32_t generation : {0, 2, -1}) {
    JoinGroupResponse other = join;
    other.generation_id = generation;
    run.ask("sync of generation " + std::to_string(generation), sync_of("wrong", other));
    run.ask("heartbeat of generation " + std::to_string(generation), heartbeat_of("wrong", other));
  }
  run.ask("sync", sync_of("wrong", join));
  nobody.generation_id = join.generation_id;
  run.ask_in_all("sync of a stranger", sync_of("wrong", nobody));
  run.ask_in_all("heartbeat of a stranger", heartbeat_of("wrong", nobody));
  run.ask_in_all("leave of a stranger", leave_of("wrong", "stranger"));
  LeaveGroupRequest both = leave_of("wrong", "stranger");
  both.members.push_back({join.member_id, std::nullopt, std::nullopt});
  run.ask("leave of a stranger and the member", both);
}

// An id that was given and not used yet.
void pending(Run& run) {
  const auto asked = run.ask("ask for an id", join_of("pending"));
  JoinGroupResponse member;
  member.generation_id = 0;
  member.member_id = asked.member_id;
  run.ask("heartbeat", heartbeat_of("pending", member));
  run.ask("sync", sync_of("pending", member));
  run.ask("describe", DescribeGroupsRequest{{"pending"}});
  run.ask("list", ListGroupsRequest{{"Empty"}});
  run.ask("leave", leave_of("pending", asked.member_id));
  run.ask("leave again", leave_of("pending", asked.member_id));
  run.ask("join after all", join_of("pending", asked.member_id));
}

void two_members(Run& run) {
  const auto alone = joined(run, "two");
  run.ask("sync", sync_of("two", alone));
  const auto asked = run.ask("the second asks", join_of("two"), Run::newest, 1);
  const auto waiting = run.send(join_of("two", asked.member_id), Run::newest, 1);
  Run::wait(300);
  run.ask("heartbeat while a rebalance is prepared", heartbeat_of("two", alone));
  run.ask("sync while a rebalance is prepared", sync_of("two", alone));
  run.ask("describe while a rebalance is prepared", DescribeGroupsRequest{{"two"}});
  const auto first = run.ask("the first joins again", join_of("two", alone.member_id));
  const auto second = run.receive<JoinGroupRequest>("the second is in", waiting);
  run.ask("heartbeat before sync", heartbeat_of("two", first));
  run.ask("heartbeat of the old generation", heartbeat_of("two", alone));
  run.ask("describe before sync", DescribeGroupsRequest{{"two"}});
  SyncGroupRequest follower = sync_of("two", second);
  follower.assignments.clear();
  const auto synced = run.send(follower, Run::newest, 1);
  SyncGroupRequest leader = sync_of("two", first, "left");
  leader.assignments.push_back({second.member_id, Bytes{"right"}});
  run.ask("the leader syncs", leader);
  run.receive<SyncGroupRequest>("the follower has its own", synced);
  run.ask("the follower joins again, unchanged", join_of("two", second.member_id), Run::newest, 1);
  run.ask("the follower leaves", leave_of("two", second.member_id), Run::newest, 1);
  run.ask("heartbeat after one left", heartbeat_of("two", first));
  const auto again = run.ask("the first joins alone", join_of("two", first.member_id));
  SyncGroupRequest nothing = sync_of("two", again);
  nothing.assignments.clear();
  run.ask("a sync that assigns nothing", nothing);
  run.ask("describe", DescribeGroupsRequest{{"two"}});
}

void more_protocols(Run& run) {
  JoinGroupRequest request = join_of("choice");
  request.protocols = {{"sticky", Bytes{"s"}}, {"range", Bytes{"r"}}};
  const auto first = run.ask("join", request, 3);
  run.ask("sync", sync_of("choice", first), 3);
  request.protocols = {{"robin", Bytes{"x"}}, {"sticky", Bytes{"s2"}}, {"range", Bytes{"r2"}}};
  const auto waiting = run.send(request, 3, 1);
  Run::wait(300);
  request.protocols = {{"sticky", Bytes{"s"}}, {"range", Bytes{"r"}}};
  request.member_id = first.member_id;
  run.ask("the first again", request, 3);
  run.receive<JoinGroupRequest>("the second", waiting);
}

JoinGroupRequest static_join(const std::string& group, const std::string& instance, const std::string& member = {}) {
  JoinGroupRequest request = join_of(group, member);
  request.group_instance_id = instance;
  return request;
}

void static_members(Run& run) {
  const auto first = run.ask("join", static_join("static", "one"));
  SyncGroupRequest sync = sync_of("static", first);
  sync.group_instance_id = "one";
  run.ask("sync", sync);
  const auto second = run.ask("the same instance again", static_join("static", "one"), Run::newest, 1);
  HeartbeatRequest heartbeat = heartbeat_of("static", first);
  heartbeat.group_instance_id = "one";
  run.ask("heartbeat of the first", heartbeat);
  run.ask("sync of the first", sync);
  run.ask("join of the first", static_join("static", "one", first.member_id));
  OffsetCommitRequest commit;
  commit.group_id = "static";
  commit.generation_id = first.generation_id;
  commit.member_id = first.member_id;
  commit.group_instance_id = "one";
  commit.topics = {{"nowhere", {{0, 1, -1, ""}}}};
  run.ask("commit of the first", commit);
  heartbeat.member_id = second.member_id;
  heartbeat.generation_id = second.generation_id;
  run.ask("heartbeat of the second", heartbeat);
  heartbeat.group_instance_id.reset();
  run.ask("heartbeat of the second without its instance", heartbeat);
  run.ask("heartbeat of an unknown instance", HeartbeatRequest{"static", 1, second.member_id, "two"});
  run.ask("describe", DescribeGroupsRequest{{"static"}});
  LeaveGroupRequest leave{"static", "", {{first.member_id, "one", std::nullopt}, {"", "two", std::nullopt}}};
  run.ask("leave with the first's id, and an unknown instance", leave);
  leave.members = {{"", "one", "an operator"}};
  run.ask("leave by instance", leave);
  run.ask("heartbeat after that", HeartbeatRequest{"static", second.generation_id, second.member_id, "one"});
}

void operators(Run& run) {
  const auto join = joined(run, "operated");
  run.ask("sync", sync_of("operated", join));
  run.ask_in_all("list", ListGroupsRequest{});
  for (const char* state : {"Stable", "stable", "Empty", "PreparingRebalance", "Dead", "Odd"})
    run.ask("list of state " + std::string{state}, ListGroupsRequest{{state}});
  run.ask("list of two states", ListGroupsRequest{{"Empty", "Stable"}});
  run.ask_in_all("describe", DescribeGroupsRequest{{"operated", "none"}});
  run.ask_in_all("describe one that is not", DescribeGroupsRequest{{"none"}});
  run.ask("describe one without a name", DescribeGroupsRequest{{""}});
  run.ask("describe with operations", DescribeGroupsRequest{{"operated"}, true});
  run.ask("describe none", DescribeGroupsRequest{});
  run.ask_in_all("delete it, one that is not, one without a name", DeleteGroupsRequest{{"operated", "none", ""}});
  run.ask("leave", leave_of("operated", join.member_id));
  run.ask("delete it twice", DeleteGroupsRequest{{"operated", "operated"}});
  run.ask("delete it", DeleteGroupsRequest{{"operated"}});
  run.ask("delete it again", DeleteGroupsRequest{{"operated"}});
}

}  // namespace

void groups(Run& run) {
  run.play("A member's life", a_life);
  run.play("Joins refused", refused_joins);
  run.play("Inconsistent protocols", other_protocols);
  run.play("Strangers", strangers);
  run.play("A pending member", pending);
  run.play("Two members", two_members);
  run.play("Protocols to choose from", more_protocols);
  run.play("Static members", static_members);
  run.play("Groups and operators", operators);
}

}  // namespace continuo::conformance
