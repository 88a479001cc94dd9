// The homes the order oracle runs on: the one there is, and the mean one.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/mean_home_test.h"
#include "continuo/engines/recorded_test.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {

/// The embedded log: a decision is one frame, and what is decided is written and answered.
template <class Machine>
class EmbeddedHome {
 public:
  explicit EmbeddedHome(Random&) {}
  Machine& live() { return recorded_.live(); }
  template <class Answer>
  void commit(std::vector<Effect> effects, Elapsed now, Answer answer) {
    if (!effects.empty()) recorded_.commit(std::move(effects), now);
    answer();
  }
  /// The same, with what is remembered of the answer.
  template <class Remember, class Answer>
  void commit(std::vector<Effect> effects, Remember remember, Elapsed now, Answer answer) {
    for (Effect& effect : remember()) effects.push_back(std::move(effect));
    commit(std::move(effects), now, answer);
  }
  void pass() {}
  void finish() {}
  void stop() { recorded_.restart(); }
  void checkpoint(std::size_t slice_bytes) { recorded_.checkpoint(slice_bytes); }
  auto content() { return recorded_.content(); }
  auto replayed_content() { return recorded_.replayed_content(); }

 private:
  Recorded<Machine> recorded_;
};

/// Keys and cursors lie with their partitions; what concerns a subscription as a whole with its name, whatever number
/// that has; the counter of leases with the node.
class SubscriptionShards {
 public:
  Shard of(const Effect& effect) {
    FieldReader reader{effect.payload};
    SubscriptionId id;
    PartitionRef partition;
    switch (effect.type) {
      case EffectType::lease_numbered: return {};
      case EffectType::subscription_defined: {
        std::string name;
        reader(id, name);
        return names_[id] = {'d', numbers_.try_emplace(name, numbers_.size()).first->second, 0};
      }
      case EffectType::subscription_deleted:
      case EffectType::settle_remembered:
      case EffectType::settles_dropped:
      case EffectType::release_changed:
      case EffectType::storm_changed:
      case EffectType::subscription_used: reader(id); return names_.at(id);
      default: reader(id, partition); return shard_of(partition);
    }
  }
  Shard of_unit(std::string_view key) const {
    ByteReader reader{key.substr(1)};
    switch (static_cast<UnitKind>(key.front())) {
      case UnitKind::lease_counter:
      case UnitKind::subscription_counter: return {};
      case UnitKind::cursor:
      case UnitKind::key:
      case UnitKind::key_page: reader.be<std::uint32_t>(); return shard_of(read_partition(reader));
      default: return names_.at(SubscriptionId{reader.be<std::uint32_t>()});
    }
  }

 private:
  std::map<std::string, std::uint32_t> numbers_;
  std::map<SubscriptionId, Shard> names_;
};

template <class Machine>
class MeanSubscriptionsHome {
 public:
  explicit MeanSubscriptionsHome(Random& random) : random_(random), home_(random) {}
  Machine& live() { return home_.live(); }
  template <class Answer>
  void commit(const std::vector<Effect>& effects, Elapsed now, Answer answer) {
    home_.commit(effects, now, answer);
  }
  /// What is remembered of an answer lies in another shard than what the answer tells of, and comes after it.
  template <class Remember, class Answer>
  void commit(const std::vector<Effect>& effects, Remember remember, Elapsed now, Answer answer) {
    home_.commit(effects, now, [this, remember, now, answer] { home_.commit(remember(), now, answer); });
  }
  void pass() {
    if (random_.chance(1, 2)) home_.pass();
  }
  void finish() { home_.finish(); }
  void stop() { home_.stop(); }
  void checkpoint(std::size_t slice_bytes) { home_.checkpoint(slice_bytes); }
  auto content() { return home_.content(); }
  auto replayed_content() { return home_.replayed_content(); }

 private:
  Random& random_;
  MeanHome<Machine, SubscriptionShards> home_;
};

}  // namespace continuo::engines
