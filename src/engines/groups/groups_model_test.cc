// A consumer group under consumers that join, hang, die, lose connections, sync late, and a node that is restarted at
// any time. Whatever happens in whatever order: a generation has one assignment and everybody is told that one,
// generations never go back, committed offsets are those last committed, nobody waits for ever, and when the trouble is
// over all consumers are members of one generation again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "continuo/base/random.h"
#include "continuo/engines/groups/groups_test.h"

namespace continuo::engines::groups_test {
namespace {

const GroupOptions short_lived{.groups = 3, .offsets_kept = Millis{60'000}, .empty_kept = Millis{20'000}};

struct PlayedMachine : Machine {
  PlayedMachine() : Machine(short_lived) {}
};

/// A consumer as clients' libraries write them.
struct Consumer {
  enum class Phase { out, joining, joined, syncing, in };
  std::optional<std::string> instance;
  bool requires_known_member = false;
  bool can_skip_assignment = false;
  std::string member;
  std::int32_t generation = -1;
  Phase phase = Phase::out;
  std::uint64_t token = 0;  // of what it waits for
  std::vector<std::string> led;
  std::uint32_t mood = 0;  // part of what it says of itself
};

class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 6; ++i) {
      Consumer consumer;
      if (i % 3 == 0) consumer.instance = "i" + std::to_string(i);
      consumer.requires_known_member = random_.chance(1, 2);
      consumer.can_skip_assignment = random_.chance(1, 2);
      consumers_.push_back(consumer);
    }
  }
  Random& random() { return random_; }

  // --- steps ---
  void act() { act(any()); }
  /// It stops, with or without a word; what it asked may still wait.
  void die() {
    Consumer& consumer = any();
    if (!consumer.member.empty() && random_.chance(1, 3)) leave(consumer);
    abandon(consumer);
    consumer.member.clear();
    consumer.generation = -1;
    if (!consumer.instance) consumer.requires_known_member = random_.chance(1, 2);
  }
  /// It asks again.
  void lose_connection() { abandon(any()); }
  void change_mind() {
    Consumer& consumer = any();
    ++consumer.mood;
    abandon(consumer);
  }
  void pass_time() {
    now_ = now_ + Millis{static_cast<std::int64_t>(random_.below(random_.chance(1, 10) ? 30'000 : 3'000))};
    if (random_.chance(4, 5)) tick();
  }
  void commit() {
    const Consumer& consumer = any();
    const bool simple = random_.chance(1, 4);
    const Membership who{"g", simple ? "" : consumer.member, simple ? std::nullopt : consumer.instance,
                         simple ? -1 : consumer.generation};
    CommitOffsets request{who, {}};
    for (auto left = 1 + random_.below(3); left > 0; --left)
      request.partitions.push_back({place(static_cast<std::uint32_t>(left)),
                                    Offset{static_cast<std::int64_t>(random_.below(1'000))}, std::nullopt,
                                    std::string(random_.below(4), 'x')});
    OffsetsOutcome outcome = engine().commit_offsets(request, {WallTime{now_.ms}, now_});
    ASSERT_TRUE(outcome.error == GroupError::none || outcome.effects.empty());
    note(std::move(outcome.effects), nullptr);
    if (outcome.error != GroupError::none) return;
    for (const CommitOffsets::Partition& each : request.partitions) offsets_[each.partition] = {each.offset, now_};
  }
  void delete_group() {
    DeleteOutcome outcome = engine().delete_group("g");
    if (outcome.error == GroupError::none) offsets_.clear();
    note(std::move(outcome.effects), nullptr);
  }
  void checkpoint() { recorded_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(200)); }
  void restart() {
    recorded_.restart();
    engine().recovered(now_);
    tokens_.clear();
    for (Consumer& consumer : consumers_)
      if (consumer.phase == Consumer::Phase::joining || consumer.phase == Consumer::Phase::syncing)
        consumer.phase = Consumer::Phase::out;
  }

  // --- what must hold ---
  void check() {
    const auto group = engine().describe("g");
    const bool stable = group && group->group.state == GroupState::stable;
    for (const GroupDescription::Member& each : stable ? group->members : std::vector<GroupDescription::Member>{}) {
      ASSERT_EQ(each.assignment, finished_[each.id]) << "of " << each.id << " in " << generation_;
    }
    std::map<PartitionRef, Offset> wanted, found;
    for (const auto& [partition, each] : offsets_) wanted[partition] = each.first;
    for (const OffsetUnit* each : engine().committed("g")) found[each->committed.partition] = each->committed.offset;
    ASSERT_EQ(found, wanted);
  }
  /// No more trouble: all become members of one generation.
  void calm() {
    for (int round = 0; round < 400; ++round) {
      for (Consumer& consumer : consumers_) act(consumer);
      now_ = now_ + Millis{500};
      tick();
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(engine().describe("g")->group.state, GroupState::stable);
    ASSERT_EQ(engine().describe("g")->members.size(), consumers_.size());
    for (const Consumer& consumer : consumers_) {
      ASSERT_EQ(consumer.phase, Consumer::Phase::in);
      ASSERT_EQ(consumer.generation, generation_);
    }
    check();
  }
  /// Nobody says anything any more: whoever waits is answered, and what is kept goes.
  void fall_silent() {
    const Elapsed until = now_ + Millis{7'200'000};
    for (auto due = engine().next_due(); due && *due <= until; due = engine().next_due()) {
      now_ = std::max(now_, *due);
      tick();
      if (testing::Test::HasFatalFailure()) return;
    }
    for (const auto& [token, asked] : tokens_) ADD_FAILURE() << "token " << token << " waits for ever";
    ASSERT_EQ(engine().size(), 0u);
    ASSERT_EQ(engine().offsets(), 0u);
    ASSERT_LE(recorded_.content().size(), 1u) << "the counter";
  }
  void check_log() { ASSERT_EQ(recorded_.content(), recorded_.replayed_content()); }

 private:
  struct Asked {
    Consumer* by = nullptr;  // none: whoever asked went away, but its connection did not
    std::int32_t generation = -1;
    std::string member;
  };

  GroupsEngine& engine() { return recorded_.live().engine; }
  Consumer& any() { return consumers_[random_.below(consumers_.size())]; }
  static PartitionRef place(std::uint32_t number) { return {TopicId{1}, PartitionId{number}}; }

  // --- what consumers do ---
  void act(Consumer& consumer) {
    switch (consumer.phase) {
      case Consumer::Phase::out: return join(consumer);
      case Consumer::Phase::joined: return sync(consumer);
      case Consumer::Phase::in:
        return react(consumer,
                     engine().heartbeat({"g", consumer.member, consumer.instance, consumer.generation}, now_));
      default: return;
    }
  }
  std::uint64_t ask(Consumer& consumer, Consumer::Phase phase) {
    consumer.phase = phase;
    consumer.token = ++token_;
    tokens_[token_] = {&consumer, consumer.generation, consumer.member};
    return token_;
  }
  void join(Consumer& consumer) {
    const std::uint64_t token = ask(consumer, Consumer::Phase::joining);
    take(engine().join({.token = token,
                        .group = "g",
                        .member = consumer.member,
                        .fresh_member = "m" + std::to_string(++fresh_),
                        .instance = consumer.instance,
                        .client_id = "c",
                        .session_timeout = Millis{10'000},
                        .rebalance_timeout = Millis{20'000},
                        .protocol_type = "consumer",
                        .protocols = {{"range", subscription({"a"}, std::to_string(consumer.mood))}, {"sticky", "s"}},
                        .requires_known_member = consumer.requires_known_member,
                        .can_skip_assignment = consumer.can_skip_assignment},
                       now_));
  }
  void sync(Consumer& consumer) {
    SyncGroup request{.who = {"g", consumer.member, consumer.instance, consumer.generation}};
    std::map<std::string, std::string> given;
    for (const std::string& each : consumer.led)
      if (!random_.chance(1, 10)) given[each] = each + "/" + std::to_string(++serial_);
    for (const auto& [member, assignment] : given) request.assignments.push_back({member, assignment});
    request.token = ask(consumer, Consumer::Phase::syncing);
    take(engine().sync(std::move(request), now_), &given);
  }
  void leave(const Consumer& consumer) { take(engine().leave({"g", {{consumer.member, consumer.instance}}}, now_)); }
  void tick() { take(engine().tick(now_, 1 + random_.below(20))); }

  // What it asked is asked no more; only sometimes does anybody notice.
  void abandon(Consumer& consumer) {
    if (const auto asked = tokens_.find(consumer.token); asked != tokens_.end()) {
      if (random_.chance(1, 2)) {
        engine().forget(consumer.token);
        tokens_.erase(asked);
      } else {
        asked->second.by = nullptr;
      }
    }
    consumer.phase = Consumer::Phase::out;
  }
  void react(Consumer& consumer, GroupError error) {
    if (error == GroupError::none) return;
    consumer.phase = Consumer::Phase::out;
    if (error == GroupError::unknown_member_id || error == GroupError::fenced_instance_id) {
      consumer.member.clear();
      consumer.generation = -1;
    }
  }

  // --- what they are told ---
  void take(GroupOutcome outcome, const std::map<std::string, std::string>* given = nullptr) {
    note(std::move(outcome.effects), given);
    for (const GroupAnswer& answer : outcome.answers) {
      if (testing::Test::HasFatalFailure()) return;
      std::visit([this](const auto& each) { hear(each); }, answer);
    }
  }
  void hear(const JoinAnswer& answer) {
    const auto node = tokens_.extract(answer.token);
    ASSERT_FALSE(node.empty()) << "answered twice, or after it was forgotten";
    if (answer.error == GroupError::none) {
      ASSERT_GE(answer.generation, generation_);
    }
    if (node.mapped().by == nullptr) return;
    Consumer& consumer = *node.mapped().by;
    react(consumer, answer.error);
    if (answer.error == GroupError::member_id_required) consumer.member = answer.member;
    if (answer.error != GroupError::none) return;
    consumer.member = answer.member;
    consumer.generation = answer.generation;
    consumer.phase = Consumer::Phase::joined;
    consumer.led.clear();
    for (const JoinAnswer::Member& each : answer.members) consumer.led.push_back(each.id);
    ASSERT_EQ(!consumer.led.empty(), answer.leader == answer.member);
  }
  void hear(const SyncAnswer& answer) {
    const auto node = tokens_.extract(answer.token);
    ASSERT_FALSE(node.empty()) << "answered twice, or after it was forgotten";
    const Asked& asked = node.mapped();
    if (answer.error == GroupError::none) {
      ASSERT_EQ(asked.generation, generation_) << "which is the last that finished";
      ASSERT_EQ(answer.assignment, finished_[asked.member]);
    } else {
      ASSERT_TRUE(answer.assignment.empty());
    }
    if (asked.by == nullptr) return;
    asked.by->phase = Consumer::Phase::in;
    react(*asked.by, answer.error);
  }

  // --- what the log is told ---
  void note(std::vector<Effect> effects, const std::map<std::string, std::string>* given) {
    if (effects.empty()) return;
    std::string left;
    for (const Effect& effect : effects) {
      if (effect.type == EffectType::generation_finished)
        finished(*decode<GenerationFinished>(1, effect.payload), given);
      if (effect.type == EffectType::member_left) left = decode<MemberLeft>(1, effect.payload)->member;
      if (effect.type == EffectType::member_assigned) assigned(*decode<MemberAssigned>(1, effect.payload), left);
      if (effect.type == EffectType::offset_forgotten) forgotten(*decode<OffsetForgotten>(1, effect.payload));
      if (effect.type == EffectType::group_deleted) {
        ASSERT_TRUE(offsets_.empty());
        generation_ = 0;
      }
    }
    recorded_.commit(std::move(effects), now_);
  }
  void finished(const GenerationFinished& effect, const std::map<std::string, std::string>* given) {
    const auto generation = static_cast<std::int32_t>(effect.generation);
    if (effect.group != group_) {
      ASSERT_GT(effect.group, group_) << "numbers never come back";
      generation_ = 0;
    }
    group_ = effect.group;
    ASSERT_GE(generation, generation_);
    if (effect.members == 0) empty_since_ = now_;
    if (given != nullptr) {
      ASSERT_GT(generation, generation_) << "a generation finishes once";
      finished_ = *given;
    }
    generation_ = generation;
  }
  // Within a generation only a static member that comes back is stored again: what it has is what it had.
  void assigned(const MemberAssigned& effect, const std::string& left) {
    if (left.empty()) {
      ASSERT_EQ(effect.assignment, finished_[effect.member]);
      return;
    }
    ASSERT_TRUE(effect.instance);
    ASSERT_EQ(effect.assignment, finished_[left]);
    finished_[effect.member] = finished_[left];
  }
  void forgotten(const OffsetForgotten& effect) {
    if (effect.group != group_) return;  // left of one that was deleted
    const auto found = offsets_.find(effect.partition);
    if (found == offsets_.end()) return;
    ASSERT_GE(now_, std::max(empty_since_, found->second.second) + short_lived.offsets_kept);
    offsets_.erase(found);
  }

  SeededRandom random_;
  Recorded<PlayedMachine> recorded_;
  std::vector<Consumer> consumers_;
  std::map<std::uint64_t, Asked> tokens_;  // that wait
  std::map<PartitionRef, std::pair<Offset, Elapsed>> offsets_;
  std::map<std::string, std::string> finished_;  // the last generation's assignment
  GroupId group_{0};
  std::int32_t generation_ = 0;  // the last that finished
  Elapsed empty_since_;
  Elapsed now_{1};
  std::uint64_t token_ = 0;
  int fresh_ = 0;
  int serial_ = 0;
};

void step(Play& play) {
  switch (play.random().below(80)) {
    case 0: return play.die();
    case 1: return play.lose_connection();
    case 2: return play.change_mind();
    case 3:
    case 4: return play.commit();
    case 5:
    case 6: return play.checkpoint();
    case 7: return play.random().chance(1, 3) ? play.restart() : play.act();
    case 8: return play.random().chance(1, 5) ? play.delete_group() : play.act();
    default: return play.random().chance(1, 3) ? play.pass_time() : play.act();
  }
}

TEST(GroupsModel, ConsumersAgreeOverTroubleAndRestarts) {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play{seed};
    for (int at = 0; at < 400; ++at) {
      step(play);
      if (testing::Test::HasFatalFailure()) return;
      play.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    play.check_log();
    if (seed % 2 == 0) play.calm();
    if (testing::Test::HasFatalFailure()) return;
    play.fall_silent();
    if (testing::Test::HasFailure()) return;
    play.check_log();
  }
}

}  // namespace
}  // namespace continuo::engines::groups_test
