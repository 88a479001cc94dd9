// An engine with the log it would stand on, in memory: groups of effects, checkpoints in slices, restarts. Machine
// holds one engine:
//   Ledger ledger;  Result<void> apply(const Effect&, Elapsed);  Result<void> restore(std::string_view key,
//   std::string_view, Sequence);
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "continuo/engines/effects.h"
#include "continuo/engines/stored_units_test.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

template <class Machine>
class Recorded {
 public:
  Machine& live() { return *live_; }
  const Machine& live() const { return *live_; }

  /// One group.
  void commit(std::vector<Effect> effects, Elapsed now) {
    ++sequence_.value;
    for (const Effect& effect : effects) CHECK(live_->apply(effect, now).has_value());
    groups_.push_back({sequence_, now, std::move(effects)});
  }

  /// A slice of a checkpoint, which is begun when none is under way.
  void checkpoint(std::size_t slice_bytes) {
    if (!round_) {
      round_.emplace(Round{sequence_, {}});
      live_->ledger.begin_round();
    }
    std::vector<TakenUnit> taken;
    const bool complete = live_->ledger.take(slice_bytes, taken);
    for (TakenUnit& unit : taken) round_->images.push_back({std::move(unit), sequence_});
    if (complete) commit_round();
  }

  /// Stops without a word and recovers: units of the last committed checkpoint, then the effects after it.
  void restart() {
    round_.reset();
    live_ = recovered();
  }

  /// All units of the live engine.
  Content content() {
    while (round_) checkpoint(~std::size_t{0});
    checkpoint(~std::size_t{0});
    return store_.content();
  }
  /// All units of an engine that replayed everything from the first effect on.
  Content replayed_content() const {
    Machine machine;
    replay(machine, Sequence{0});
    return content_of(machine);
  }

 private:
  struct Group {
    Sequence sequence;
    Elapsed now;
    std::vector<Effect> effects;
  };
  struct Round {
    Sequence upto;
    std::vector<std::pair<TakenUnit, Sequence>> images;
  };

  // As the embedded log does it.
  void commit_round() {
    store_.begin_commit();
    for (auto& [unit, stamp] : round_->images) store_.put(std::move(unit), stamp);
    upto_ = round_->upto;
    round_.reset();
  }

  std::unique_ptr<Machine> recovered() const {
    auto machine = std::make_unique<Machine>();
    store_.restore(*machine);
    replay(*machine, upto_);
    return machine;
  }

  void replay(Machine& machine, Sequence after) const {
    for (const Group& group : groups_) {
      if (group.sequence <= after) continue;
      machine.ledger.replaying(group.sequence);
      for (const Effect& effect : group.effects) CHECK(machine.apply(effect, group.now).has_value());
    }
    machine.ledger.replaying(Sequence{0});
  }

  std::unique_ptr<Machine> live_ = std::make_unique<Machine>();
  Sequence sequence_{0};
  Sequence upto_{0};
  std::vector<Group> groups_;
  StoredUnits store_;
  std::optional<Round> round_;
};

}  // namespace continuo::engines
