// Offsets that groups commit.
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

OffsetCommitRequest commit_of(const std::string& group, const std::string& topic, std::int32_t partition,
                              std::int64_t offset, std::optional<std::string> metadata = "") {
  OffsetCommitRequest request;
  request.group_id = group;
  request.topics = {{topic, {{partition, offset, -1, std::move(metadata)}}}};
  return request;
}

OffsetFetchRequest offsets_of(const std::string& group, const std::string& topic,
                              const std::vector<std::int32_t>& partitions) {
  OffsetFetchRequest request;
  request.group_id = group;
  request.topics = {{{topic, partitions}}};
  request.groups = {{group, request.topics}};
  return request;
}

OffsetFetchRequest all_of(const std::string& group) {
  OffsetFetchRequest request;
  request.group_id = group;
  request.groups = {{group, std::nullopt}};
  return request;
}

void simple(Run& run) {
  make_topic(run, "committed", 3);
  run.ask_in_all("commit", commit_of("simple", "committed", 0, 40, "at lunch"));
  run.ask_in_all("what was committed", offsets_of("simple", "committed", {0, 1}));
  OffsetCommitRequest epoch = commit_of("simple", "committed", 1, 7);
  epoch.topics[0].partitions[0].committed_leader_epoch = 0;
  run.ask_in_all("with a leader epoch", epoch, 6);
  run.ask_in_all("with its epoch", offsets_of("simple", "committed", {1}));
  run.ask("back", commit_of("simple", "committed", 0, 4));
  run.ask("no metadata", commit_of("simple", "committed", 2, 1, std::nullopt));
  run.ask("offset -1", commit_of("simple", "committed", 2, -1));
  run.ask("offset -2", commit_of("simple", "committed", 2, -2));
  run.ask("4,096 bytes of metadata", commit_of("simple", "committed", 2, 2, std::string(4'096, 'm')));
  run.ask("4,097 bytes of metadata", commit_of("simple", "committed", 2, 3, std::string(4'097, 'm')));
  run.ask_in_all("an unknown topic", commit_of("simple", "nowhere", 0, 1));
  run.ask("an unknown partition", commit_of("simple", "committed", 9, 1));
  OffsetCommitRequest several = commit_of("simple", "committed", 0, 5);
  several.topics[0].partitions.push_back({9, 5, -1, ""});
  several.topics.push_back({"nowhere", {{0, 5, -1, ""}}});
  run.ask("known and unknown", several);
  run.ask("nothing", OffsetCommitRequest{"simple", -1, "", std::nullopt, -1, {}});
  run.ask_in_all("all", all_of("simple"), 2);
  run.ask("the group", DescribeGroupsRequest{{"simple"}});
}

void wrong(Run& run) {
  make_topic(run, "wrongly");
  run.ask_in_all("no group id", commit_of("", "wrongly", 0, 1));
  OffsetCommitRequest stranger = commit_of("wrong-commit", "wrongly", 0, 1);
  stranger.generation_id = 1;
  stranger.member_id = "stranger";
  run.ask_in_all("a member of no group", stranger);
  stranger.generation_id = -1;
  run.ask("a member id without a generation", stranger);
  stranger.generation_id = 5;
  stranger.member_id.clear();
  run.ask("a generation without a member id", stranger);
  const auto join = joined(run, "wrong-commit");
  OffsetCommitRequest member = commit_of("wrong-commit", "wrongly", 0, 2);
  member.generation_id = join.generation_id;
  member.member_id = join.member_id;
  run.ask("a member before sync", member);
  run.ask("nobody before sync", commit_of("wrong-commit", "wrongly", 0, 1));
  run.ask("sync", sync_of("wrong-commit", join));
  run.ask("a member", member);
  ++member.generation_id;
  run.ask("a member of a generation to come", member);
  member.generation_id = join.generation_id - 1;
  run.ask("a member of the generation before", member);
  member.generation_id = -1;
  run.ask("a member without a generation", member);
  run.ask("nobody, while the group has members", commit_of("wrong-commit", "wrongly", 0, 1));
  stranger.generation_id = join.generation_id;
  stranger.member_id = "stranger";
  run.ask("a stranger", stranger);
  run.ask("what was committed", offsets_of("wrong-commit", "wrongly", {0}));
  run.ask("leave", leave_of("wrong-commit", join.member_id));
  run.ask("nobody, when all left", commit_of("wrong-commit", "wrongly", 0, 9));
}

void while_rebalancing(Run& run) {
  make_topic(run, "moving");
  const auto join = joined(run, "moving");
  run.ask("sync", sync_of("moving", join));
  const auto waiting = run.send(join_of("moving"), 3, 1);
  Run::wait(300);
  OffsetCommitRequest commit = commit_of("moving", "moving", 0, 3);
  commit.generation_id = join.generation_id;
  commit.member_id = join.member_id;
  run.ask("commit while a rebalance is prepared", commit);
  run.ask("join again", join_of("moving", join.member_id));
  run.receive<JoinGroupRequest>("the second", waiting);
  run.ask("commit of the old generation", commit);
  ++commit.generation_id;
  run.ask("commit before sync", commit);
}

void fetched(Run& run) {
  make_topic(run, "asked-for", 2);
  run.ask("commit", commit_of("asking", "asked-for", 0, 3, "m"));
  run.ask_in_all("of a group that is not", offsets_of("none", "asked-for", {0}));
  run.ask_in_all("all of a group that is not", all_of("none"), 2);
  run.ask_in_all("of an unknown topic and partition", offsets_of("asking", "nowhere", {0}));
  run.ask("of an unknown partition", offsets_of("asking", "asked-for", {9, -1}));
  run.ask_in_all("without a group id", offsets_of("", "asked-for", {0}));
  OffsetFetchRequest stable = offsets_of("asking", "asked-for", {0, 1});
  stable.require_stable = true;
  run.ask_in_all("only what is stable", stable, 7);
  OffsetFetchRequest several = offsets_of("asking", "asked-for", {0, 1});
  several.groups.push_back({"none", std::nullopt});
  several.groups.push_back({"asking", std::nullopt});
  run.ask("of three groups", several, 8);
  several.groups.clear();
  run.ask("of no group", several, 8);
  OffsetFetchRequest empty = offsets_of("asking", "asked-for", {});
  run.ask_in_all("of no partition", empty);
  empty.topics->clear();
  empty.groups[0].topics->clear();
  run.ask_in_all("of no topic", empty, 2);
}

// A member's metadata as Kafka's consumers write it: version 0, one topic, no user data.
std::string subscription(std::string_view topic) {
  std::string out;
  ByteWriter writer{out};
  writer.be(std::int16_t{0});
  writer.be(std::int32_t{1});
  writer.be(static_cast<std::int16_t>(topic.size()));
  writer.raw(topic);
  writer.be(std::int32_t{-1});
  return out;
}

void deleted(Run& run) {
  make_topic(run, "left", 2);
  make_topic(run, "wanted");
  const auto remove = [&run](std::string_view step, const std::string& group, const std::string& topic,
                             std::int32_t partition = 0) {
    run.ask(step, OffsetDeleteRequest{group, {{topic, {{partition}}}}});
  };
  remove("of a group that is not", "none", "left");
  remove("of a group without a name", "", "left");
  run.ask("commit", commit_of("deleting", "left", 0, 3));
  run.ask("commit", commit_of("deleting", "wanted", 0, 3));
  JoinGroupRequest request = join_of("deleting");
  request.protocols = {{"range", Bytes{subscription("wanted")}}};
  const auto asked = run.ask("join", request);
  request.member_id = asked.member_id;
  const auto join = run.ask("join with the id", request);
  run.ask("sync", sync_of("deleting", join));
  remove("of a topic that is subscribed to", "deleting", "wanted");
  remove("of one that is not", "deleting", "left");
  remove("of a partition without a commit", "deleting", "left", 1);
  remove("of an unknown partition", "deleting", "left", 9);
  remove("of an unknown topic", "deleting", "nowhere");
  run.ask("what is left", all_of("deleting"));
  run.ask("leave", leave_of("deleting", join.member_id));
  remove("when all left", "deleting", "wanted");
  run.ask("what is left at last", all_of("deleting"));
  run.ask("commit", commit_of("forgotten", "left", 0, 3));
  run.ask("delete the group", DeleteGroupsRequest{{"forgotten"}});
  run.ask("what it had", all_of("forgotten"));
}

// What groups committed goes with the topic.
void of_deleted_topics(Run& run) {
  make_topic(run, "gone");
  run.ask("commit", commit_of("bereft", "gone", 0, 3));
  run.ask("delete the topic", DeleteTopicsRequest{{}, {"gone"}, 5'000}, 1);
  Run::wait(500);
  run.ask("what was committed", offsets_of("bereft", "gone", {0}));
  run.ask("all", all_of("bereft"));
}

}  // namespace

void group_offsets(Run& run) {
  run.play("Commits of nobody", simple);
  run.play("Commits refused", wrong);
  run.play("Commits while rebalancing", while_rebalancing);
  run.play("OffsetFetch", fetched);
  run.play("OffsetDelete", deleted);
  run.play("Offsets of a deleted topic", of_deleted_topics);
}

}  // namespace continuo::conformance
