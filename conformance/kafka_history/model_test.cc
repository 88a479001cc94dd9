// Histories of a correct system, made up at random: nothing is found in them; and with one thing made wrong, something
// is.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include "continuo/history/check.h"

namespace continuo::history {
namespace {

/// A log, producers, two groups whose members come, go and die, commits that get lost on the way, and a server that is
/// started again. One place, for places have nothing to do with each other.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) this->step();
    for (const auto& [offset, value] : log_) add({.kind = Kind::drained, .offset = offset, .value = value});
  }

  History history() const {
    return {.operations = operations_,
            .producers = {{.idempotent = true}, {.idempotent = false}},
            .clients = clients_,
            .places = {"a/0"},
            .groups = {"g0", "g1"}};
  }
  std::vector<Operation>& operations() { return operations_; }

 private:
  struct Commit {
    std::uint32_t client;
    std::uint64_t call;
    std::int64_t offset;
  };
  struct Group {
    std::int32_t generation = 0;
    std::optional<std::uint32_t> owner;
    std::size_t next = 0;  ///< rank in the log
    std::int64_t committed = -1;
    std::optional<Commit> under_way;
    bool applied = false;
  };

  std::uint64_t dice(std::uint64_t sides) { return random_() % sides; }
  void add(const Operation& operation) { operations_.push_back(operation); }

  void step() {
    Group& group = groups_[dice(2)];
    const auto number = static_cast<std::uint32_t>(&group - groups_.data());
    switch (dice(12)) {
      case 0:
      case 1: return produce();
      case 2: return rebalance(group, number);
      case 3: return begin_commit(group);
      case 4: return end_commit(group);
      case 5: return fetch(group, number);
      case 6: return dice(10) == 0 ? restart() : void();
      default: return poll(group);
    }
  }

  void produce() {
    const auto producer = static_cast<std::uint32_t>(dice(2));
    const auto value = value_of(producer, sequences_[producer]++);
    const Operation sent{.kind = Kind::sent, .actor = producer, .value = value};
    add(sent);
    Operation outcome = sent;
    const auto fate = dice(10);
    end_ += dice(8) == 0 ? 3 : 0;  // a gap
    outcome.offset = end_;
    outcome.kind = fate == 0 ? Kind::refused : fate <= 2 ? Kind::unknown : Kind::acknowledged;
    if (outcome.kind == Kind::acknowledged || fate == 1) append(value);
    if (producer == 1 && outcome.kind == Kind::acknowledged && dice(3) == 0) append(value);
    if (outcome.kind != Kind::acknowledged) outcome.offset = -1;
    add(outcome);
  }

  void append(std::uint64_t value) { log_.emplace_back(end_++, value); }

  void rebalance(Group& group, std::uint32_t number) {
    if (group.owner) {
      const bool dies = dice(2) == 0;
      if (dies) {
        add({.kind = Kind::client_died, .actor = *group.owner});
        finish_silently(group);
      } else {
        while (group.under_way) end_commit(group);
        add({.kind = Kind::revoked, .actor = *group.owner});
      }
    }
    group.owner = new_client(number);
    ++group.generation;
    add({.kind = Kind::assigned, .actor = *group.owner});
    add({.kind = Kind::owns, .actor = *group.owner, .generation = group.generation});
    const auto start =
        std::ranges::lower_bound(log_, group.committed, {}, &std::pair<std::int64_t, std::uint64_t>::first);
    group.next = static_cast<std::size_t>(start - log_.begin());
  }

  std::uint32_t new_client(std::uint32_t group) {
    const auto client = static_cast<std::uint32_t>(clients_.size());
    clients_.push_back({.group = group, .member = client});
    return client;
  }

  void poll(Group& group) {
    if (!group.owner || group.next == log_.size()) return;
    const auto [offset, value] = log_[group.next++];
    add({.kind = Kind::polled, .actor = *group.owner, .offset = offset, .value = value});
  }

  void begin_commit(Group& group) {
    if (!group.owner || group.under_way || group.next == 0) return;
    const auto offset = log_[group.next - 1].first + 1;
    if (offset <= group.committed) return;
    group.under_way = Commit{*group.owner, ++calls_, offset};
    group.applied = false;
    add({.kind = Kind::commit_begun, .actor = *group.owner, .offset = offset, .value = calls_});
  }

  void apply_commit(Group& group) {
    if (!group.under_way || group.applied) return;
    group.committed = group.under_way->offset;
    group.applied = true;
  }

  void end_commit(Group& group) {
    if (!group.under_way) return;
    if (dice(2) == 0) apply_commit(group);
    const Commit commit = *group.under_way;
    const auto kind = group.applied && dice(3) > 0 ? Kind::commit_done
                      : dice(2) == 0               ? Kind::commit_refused
                                                   : Kind::commit_unknown;
    group.under_way.reset();
    add({.kind = kind, .actor = commit.client, .offset = commit.offset, .value = commit.call});
  }

  /// Nobody is told what became of the commit under way.
  void finish_silently(Group& group) {
    if (dice(2) == 0) apply_commit(group);
    group.under_way.reset();
  }

  void fetch(Group& group, std::uint32_t number) {
    const auto client = new_client(number);
    add({.kind = Kind::fetch_begun, .actor = client});
    if (dice(2) == 0) apply_commit(group);
    const auto seen = group.committed;
    if (dice(2) == 0) end_commit(group);
    add({.kind = dice(5) == 0 ? Kind::fetch_failed : Kind::fetched, .actor = client, .offset = seen});
  }

  void restart() { add({.kind = Kind::restarted}); }

  std::mt19937_64 random_;
  std::vector<Operation> operations_{Operation{}};
  std::vector<Client> clients_;
  std::array<Group, 2> groups_;
  std::array<std::uint64_t, 2> sequences_{};
  std::vector<std::pair<std::int64_t, std::uint64_t>> log_;
  std::int64_t end_ = 0;
  std::uint64_t calls_ = 0;
};

std::string told(const History& history, const Findings& findings) {
  std::string text;
  for (const auto& each : findings.kept()) {
    text += std::string(name(each.anomaly)) + ": " + each.what + "\n";
    for (const auto index : each.proof) text += "  " + describe(history, index) + "\n";
  }
  return text;
}

RC_GTEST_PROP(HistoryModel, NothingIsFoundInHistoriesOfACorrectSystem, (std::uint64_t seed)) {
  Model model(seed);
  model.run(2000);
  const auto history = model.history();
  const auto findings = check(history);
  RC_LOG() << told(history, findings);
  RC_ASSERT(findings.total() == 0u);
}

/// The operations of these kinds that `fits`, by index.
template <class Fits>
std::vector<std::size_t> indexes(const std::vector<Operation>& operations, const Fits& fits) {
  std::vector<std::size_t> found;
  for (std::size_t index = 0; index < operations.size(); ++index) {
    if (fits(operations[index])) found.push_back(index);
  }
  return found;
}

RC_GTEST_PROP(HistoryModel, AnAcknowledgedRecordTakenOutOfTheLogIsFound, (std::uint64_t seed)) {
  Model model(seed);
  model.run(1000);
  auto& operations = model.operations();
  const auto acknowledged =
      indexes(operations, [](const Operation& each) { return each.kind == Kind::acknowledged && each.actor == 0; });
  RC_PRE(!acknowledged.empty());
  const auto value = operations[*rc::gen::elementOf(acknowledged)].value;
  std::erase_if(operations, [&](const Operation& each) { return each.kind == Kind::drained && each.value == value; });
  RC_ASSERT(check(model.history()).count(Anomaly::lost) == 1u);
}

RC_GTEST_PROP(HistoryModel, ARecordTakenOutOfAnAssignmentIsFound, (std::uint64_t seed)) {
  Model model(seed);
  model.run(1000);
  auto& operations = model.operations();
  // One between two others of the same client: where a client begins may be uncertain.
  const auto polled = indexes(operations, [&](const Operation& each) {
    const auto same = [&](const Operation& other) { return other.kind == Kind::polled && other.actor == each.actor; };
    return each.kind == Kind::polled && std::ranges::find_if(operations, same)->offset < each.offset &&
           std::find_if(operations.rbegin(), operations.rend(), same)->offset > each.offset;
  });
  RC_PRE(!polled.empty());
  operations.erase(operations.begin() + static_cast<std::ptrdiff_t>(*rc::gen::elementOf(polled)));
  RC_ASSERT(check(model.history()).count(Anomaly::poll_skip) == 1u);
}

RC_GTEST_PROP(HistoryModel, ACommittedOffsetThatIsForgottenIsFound, (std::uint64_t seed)) {
  Model model(seed);
  model.run(1000);
  auto& operations = model.operations();
  const auto fetched =
      indexes(operations, [](const Operation& each) { return each.kind == Kind::fetched && each.offset > 0; });
  RC_PRE(!fetched.empty());
  operations[*rc::gen::elementOf(fetched)].offset -= 1'000'000;
  RC_ASSERT(check(model.history()).count(Anomaly::commit_back) == 1u);
}

RC_GTEST_PROP(HistoryModel, TwoRecordsThatChangePlacesAreFound, (std::uint64_t seed)) {
  Model model(seed);
  model.run(1000);
  auto& operations = model.operations();
  const auto drained = indexes(
      operations, [](const Operation& each) { return each.kind == Kind::drained && producer_of(each.value) == 0; });
  RC_PRE(drained.size() >= 2);
  const auto first = *rc::gen::inRange<std::size_t>(0, drained.size() - 1);
  std::swap(operations[drained[first]].value, operations[drained[first + 1]].value);
  RC_ASSERT(check(model.history()).count(Anomaly::reordered) >= 1u);
}

TEST(HistoryCheck, TakesMillionsOfOperations) {
  Model model(1);
  model.run(3'000'000);
  const auto findings = check(model.history());
  EXPECT_EQ(findings.total(), 0u);
}

}  // namespace
}  // namespace continuo::history
