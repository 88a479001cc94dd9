// A groups engine with the log it would stand on, and the steps of a test in a line each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "continuo/engines/groups/groups.h"
#include "continuo/engines/recorded_test.h"

namespace continuo::engines::groups_test {

inline const GroupOptions options{
    .groups = 4, .members = 5, .offsets = 8, .offset_metadata = 20, .member_bytes = 1'000, .group_bytes = 2'500};
constexpr PartitionRef zero{TopicId{1}, PartitionId{0}}, one{TopicId{1}, PartitionId{1}},
    other{TopicId{2}, PartitionId{0}};

struct Machine {
  explicit Machine(const GroupOptions& limits = options) : engine(ledger, limits) {}
  Ledger ledger;
  GroupsEngine engine;
  Result<void> apply(const Effect& effect, Elapsed) {
    return engine.apply(effect.type, effect.version, effect.payload);
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(static_cast<UnitKind>(key.front()), key, bytes, stamp);
  }
};

/// The metadata of a consumer that subscribes to these topics; what follows them is its own.
inline std::string subscription(const std::vector<std::string>& topics, std::string_view rest = {}) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.be(std::int16_t{1});
  writer.be(static_cast<std::int32_t>(topics.size()));
  for (const std::string& topic : topics) {
    writer.be(static_cast<std::int16_t>(topic.size()));
    writer.raw(topic);
  }
  writer.raw(rest);
  return bytes;
}

class GroupsTest : public testing::Test {
 protected:
  using Token = std::uint64_t;

  GroupsEngine& engine() { return recorded_.live().engine; }
  void take(GroupOutcome outcome) {
    if (!outcome.effects.empty()) recorded_.commit(std::move(outcome.effects), now_);
    for (GroupAnswer& answer : outcome.answers) std::visit([this](auto& each) { keep(std::move(each)); }, answer);
  }
  void keep(JoinAnswer answer) {
    ASSERT_TRUE(joins_.emplace(answer.token, std::move(answer)).second) << "answered twice";
  }
  void keep(SyncAnswer answer) {
    ASSERT_TRUE(syncs_.emplace(answer.token, std::move(answer)).second) << "answered twice";
  }
  void restart() {
    recorded_.restart();
    engine().recovered(now_);
  }
  void pass(Millis time) {
    const Elapsed until = now_ + time;
    for (auto due = engine().next_due(); due && *due <= until; due = engine().next_due()) {
      now_ = std::max(now_, *due);
      take(engine().tick(now_, 3));
    }
    now_ = until;
  }

  // --- joining ---
  JoinGroup request(const std::string& member = {}) {
    return {.group = "g",
            .member = member,
            .fresh_member = "m" + std::to_string(++fresh_),
            .client_id = "client",
            .client_host = "/10.0.0.1",
            .session_timeout = Millis{10'000},
            .rebalance_timeout = Millis{20'000},
            .protocol_type = "consumer",
            .protocols = {{"range", subscription({"a"})}}};
  }
  JoinGroup static_request(const std::string& instance, const std::string& member = {}) {
    JoinGroup made = request(member);
    made.instance = instance;
    made.can_skip_assignment = true;
    return made;
  }
  Token join(JoinGroup request) {
    request.token = ++token_;
    take(engine().join(std::move(request), now_));
    return token_;
  }
  Token join(const std::string& member = {}) { return join(request(member)); }
  bool answered(Token token) const { return joins_.contains(token) || syncs_.contains(token); }
  const JoinAnswer& joined(Token token) {
    const auto found = joins_.find(token);
    EXPECT_NE(found, joins_.end()) << "the join still waits";
    static const JoinAnswer none;
    return found == joins_.end() ? none : found->second;
  }
  GroupError refusal(Token token) {
    if (const auto found = syncs_.find(token); found != syncs_.end()) return found->second.error;
    return joined(token).error;
  }

  // --- syncing ---
  Token sync(const std::string& member, const std::vector<std::string>& assigned = {}) {
    SyncGroup request{.token = ++token_, .who = who(member)};
    for (const std::string& each : assigned) request.assignments.push_back({each, "for " + each});
    take(engine().sync(std::move(request), now_));
    return token_;
  }
  const SyncAnswer& synced(Token token) {
    const auto found = syncs_.find(token);
    EXPECT_NE(found, syncs_.end()) << "the sync still waits";
    static const SyncAnswer none;
    return found == syncs_.end() ? none : found->second;
  }

  // --- the rest ---
  Membership who(const std::string& member) { return {"g", member, std::nullopt, generation_}; }
  GroupError heartbeat(const std::string& member) { return engine().heartbeat(who(member), now_); }
  GroupError leave(const std::string& member, const std::optional<std::string>& instance = std::nullopt) {
    LeaveOutcome outcome = engine().leave({"g", {{member, instance}}}, now_);
    const GroupError error = outcome.members.empty() ? outcome.error : outcome.members[0];
    take(std::move(outcome));
    return error;
  }
  GroupError commit(const Membership& who, PartitionRef partition, Offset offset, const std::string& metadata = {}) {
    OffsetsOutcome outcome =
        engine().commit_offsets({who, {{partition, offset, 3, metadata}}}, {WallTime{7'000 + now_.ms}, now_});
    if (!outcome.effects.empty()) recorded_.commit(std::move(outcome.effects), now_);
    return outcome.partitions[0];
  }
  GroupError commit(PartitionRef partition, Offset offset) { return commit({"g", "", {}, -1}, partition, offset); }
  GroupState state(const std::string& group = "g") { return engine().describe(group)->group.state; }

  /// Members that joined together and synced; the first of them leads.
  std::vector<std::string> stable(std::size_t count) {
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(join());
    pass(Millis{1'000});
    return finish(tokens);
  }
  /// These joins are answered: their members sync, the leader first.
  std::vector<std::string> finish(const std::vector<Token>& tokens) {
    std::vector<std::string> ids;
    for (const Token token : tokens) ids.push_back(joined(token).member);
    generation_ = joined(tokens[0]).generation;
    sync(joined(tokens[0]).leader, ids);
    for (const std::string& id : ids)
      if (id != joined(tokens[0]).leader) sync(id);
    EXPECT_EQ(state(), GroupState::stable);
    return ids;
  }

  Recorded<Machine> recorded_;
  Elapsed now_{1'000};
  std::map<Token, JoinAnswer> joins_;
  std::map<Token, SyncAnswer> syncs_;
  std::int32_t generation_ = 0;  ///< that members name
  Token token_ = 0;
  int fresh_ = 0;
};

}  // namespace continuo::engines::groups_test
