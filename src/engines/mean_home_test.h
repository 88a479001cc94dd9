// A deliberately mean home for engines (CORE 4): what they promise may not rest on what only the embedded log gives.
//
// - Nothing is atomic across shards. Every partition is a shard with a log of its own, and so is the definition of
//   every subscription, and the node's counters; a decision is split by shard, and each part is a frame of its own,
//   written whenever its shard likes.
// - Answers come late: when all parts are written, and some time after. Others decide meanwhile, on state that is
//   ahead of what is written.
// - When the node stops, each shard loses an end of its log that it chooses on its own. Nobody was told of anything in
//   it: a frame whose answer was given is there.
// - Positions are incomparable. The engine is built again from the shards' checkpointed units and the frames behind
//   them in any order that keeps each shard's own; a unit's stamp is a place in its own shard.
//
// What needs `conditions_across_shards` is exempt - defining, seeking, deleting: finish() before and after such a
// change. And two things are asked of whoever stands between an engine and this home: what is remembered of an answer
// (SettleRemembered) is written when all parts of that answer are, and one slice of a job after the other.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/random.h"
#include "continuo/engines/effects.h"
#include "continuo/engines/stored_units_test.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

/// A log: what kind of things it holds, and which.
struct Shard {
  char kind = 'n';
  std::uint32_t first = 0, second = 0;
  auto operator<=>(const Shard&) const = default;
};
inline Shard shard_of(PartitionRef partition) { return {'p', partition.topic.value, partition.partition.value}; }

/// Machine as Recorded has it. Shards says where things lie: `Shard of(const Effect&)` and `Shard of_unit(key)`.
template <class Machine, class Shards>
class MeanHome {
 public:
  using Answer = std::function<void()>;

  explicit MeanHome(Random& random) : random_(random) {}

  Machine& live() { return *live_; }

  /// One decision. It holds at once for those that follow; `answer` comes when it is written, or never.
  void commit(const std::vector<Effect>& effects, Elapsed now, Answer answer = {}) {
    Waiting waiting{{}, std::move(answer)};
    std::map<Shard, Frame> parts;
    for (const Effect& effect : effects) {
      CHECK(live_->apply(effect, now).has_value());
      Frame& part = parts[shards_.of(effect)];
      part.now = now;
      part.effects.push_back(effect);
    }
    for (auto& [name, part] : parts) {
      Log& log = logs_[name];
      log.frames.push_back(std::move(part));
      waiting.needs.emplace_back(&log, log.frames.size());
    }
    if (waiting.answer) waiting_.push_back(std::move(waiting));
  }

  /// Some shards write some of what they have, and some of those are answered whose parts are written.
  void pass() {
    for (auto& [name, log] : logs_)
      if (random_.chance(1, 2)) log.written += random_.below(log.frames.size() - log.written + 1);
    std::vector<Answer> given;
    std::erase_if(waiting_, [&](Waiting& each) {
      if (!is_written(each) || random_.chance(1, 2)) return false;
      given.push_back(std::move(each.answer));
      return true;
    });
    while (!given.empty()) {
      std::swap(given[random_.below(given.size())], given.back());
      const Answer answer = std::move(given.back());
      given.pop_back();
      answer();
    }
  }

  /// All is written and answered, and what was asked upon the answers as well.
  void finish() {
    while (!waiting_.empty()) {
      write_all();
      for (Waiting& each : std::exchange(waiting_, {})) each.answer();
    }
    write_all();
  }

  /// The node stops without a word, and recovers.
  void stop() {
    waiting_.clear();
    round_.reset();
    for (auto& [name, log] : logs_) {
      log.written += random_.below(log.frames.size() - log.written + 1);
      log.frames.resize(log.written);
    }
    live_ = std::make_unique<Machine>();
    store_.restore(*live_);
    replay(*live_, true);
  }

  /// A slice of a checkpoint, which is begun when none is under way. Its units may not be ahead of their shards: these
  /// are written so far before it counts.
  void checkpoint(std::size_t slice_bytes) {
    if (!round_) {
      round_.emplace();
      for (const auto& [name, log] : logs_) round_->upto[name] = log.frames.size();
      live_->ledger.begin_round();
    }
    std::vector<TakenUnit> taken;
    const bool complete = live_->ledger.take(slice_bytes, taken);
    for (TakenUnit& unit : taken) {
      const Shard shard = shards_.of_unit(unit.key);
      round_->images.push_back({std::move(unit), shard, logs_[shard].frames.size()});
    }
    if (complete) commit_round();
  }

  /// All units of the live engine.
  Content content() {
    while (round_) checkpoint(~std::size_t{0});
    checkpoint(~std::size_t{0});
    return store_.content();
  }
  /// All units of an engine that replayed everything, in an order of its own.
  Content replayed_content() {
    Machine machine;
    replay(machine, false);
    return content_of(machine);
  }

 private:
  struct Frame {
    Elapsed now;
    std::vector<Effect> effects;
  };
  struct Log {
    std::vector<Frame> frames;
    std::size_t written = 0;       // so many of them cannot be lost
    std::size_t checkpointed = 0;  // so many are in the checkpoint
  };
  struct Waiting {
    std::vector<std::pair<Log*, std::size_t>> needs;
    Answer answer;
  };
  struct Image {
    TakenUnit unit;
    Shard shard;
    std::size_t place;
  };
  struct Round {
    std::map<Shard, std::size_t> upto;
    std::vector<Image> images;
  };

  static bool is_written(const Waiting& waiting) {
    for (const auto& [log, frames] : waiting.needs)
      if (log->written < frames) return false;
    return true;
  }
  void write_all() {
    for (auto& [name, log] : logs_) log.written = log.frames.size();
  }

  void commit_round() {
    store_.begin_commit();
    for (auto& [unit, shard, place] : round_->images) {
      Log& log = logs_[shard];
      log.written = std::max(log.written, place);
      store_.put(std::move(unit), Sequence{place});
    }
    for (const auto& [name, upto] : round_->upto) {
      Log& log = logs_[name];
      log.written = std::max(log.written, upto);
      log.checkpointed = upto;
    }
    round_.reset();
  }

  // A few frames of one shard, then of another.
  void replay(Machine& machine, bool from_checkpoint) {
    std::vector<std::pair<const Log*, std::size_t>> left;
    for (const auto& [name, log] : logs_)
      if (const std::size_t from = from_checkpoint ? log.checkpointed : 0; from < log.frames.size())
        left.emplace_back(&log, from);
    while (!left.empty()) {
      auto& [log, next] = left[random_.below(left.size())];
      for (auto some = 1 + random_.below(8); some > 0 && next < log->frames.size(); --some, ++next) {
        machine.ledger.replaying(Sequence{next + 1});
        for (const Effect& effect : log->frames[next].effects)
          CHECK(machine.apply(effect, log->frames[next].now).has_value());
      }
      std::erase_if(left, [](const auto& each) { return each.second == each.first->frames.size(); });
    }
    machine.ledger.replaying(Sequence{0});
  }

  Random& random_;
  Shards shards_;
  std::unique_ptr<Machine> live_ = std::make_unique<Machine>();
  std::map<Shard, Log> logs_;
  std::vector<Waiting> waiting_;
  StoredUnits store_;
  std::optional<Round> round_;
};

/// Plays a story for each seed from 1 on: so many steps of it, then its end.
template <class Story>
void play_stories(std::uint64_t seeds, int steps) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story{seed};
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) story.step();
    if (testing::Test::HasFailure()) return;
    story.finish();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace continuo::engines
