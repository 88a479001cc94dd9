// Idempotent producers on a mean home: every partition has a log of its own, answers come late, what was not answered
// is sent again. Each batch is appended once, in order, and stays where it was told to be.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/mean_home_test.h"
#include "continuo/engines/producers.h"

namespace continuo::engines {
namespace {

// With the log that the batches are appended to: batch and effect are one frame of their partition.
struct Machine {
  Ledger ledger;
  ProducersEngine engine{ledger, {}};
  std::map<PartitionRef, std::vector<std::pair<ProducerId, std::uint32_t>>> log;
  Result<void> apply(const Effect& effect, Elapsed now) {
    if (effect.type == EffectType::batch_produced) {
      const auto produced = decode<BatchProduced>(effect.version, effect.payload);
      CHECK(produced->base.value == static_cast<std::int64_t>(log[produced->partition].size()));
      log[produced->partition].emplace_back(produced->producer, produced->first_sequence);
    }
    return engine.replay(effect.type, effect.version, effect.payload, now);
  }
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp) {
    return engine.restore(key, bytes, stamp);
  }
};

struct ProducerShards {
  static Shard of(const Effect& effect) {
    if (effect.type == EffectType::producers_numbered) return {};
    PartitionRef partition;
    FieldReader{effect.payload}(partition);
    return shard_of(partition);
  }
  static Shard of_unit(std::string_view) { return {}; }  // no checkpoints here: the log is none of their units
};

// One producer in one partition, as clients are: at most five batches under way, sent again from the first on.
struct Sender {
  ProducerId id;
  PartitionRef partition;
  std::uint32_t answered = 0, sent = 0;    // numbers below
  std::map<std::uint32_t, Offset> places;  // that were told
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}

  void step() {
    home_.pass();
    const auto dice = random_.below(20);
    if (dice == 0) return stop();
    if (dice == 1 && senders_.size() < 6) return number();
    if (senders_.empty()) return;
    Sender& sender = senders_[random_.below(senders_.size())];
    if (sender.sent - sender.answered < ProducerUnit::most_batches) send(sender, sender.sent++);
  }
  void finish() {
    home_.finish();
    std::map<std::pair<PartitionRef, ProducerId>, std::uint32_t> next;
    for (const auto& [partition, log] : home_.live().log)
      for (const auto& [id, number] : log) ASSERT_EQ(number, (next[{partition, id}]++)) << "of " << id.value;
    for (const Sender& sender : senders_) {
      ASSERT_EQ(sender.answered, sender.sent);
      for (const auto& [number, place] : sender.places) {
        const auto& log = home_.live().log[sender.partition];
        ASSERT_EQ(log.at(static_cast<std::size_t>(place.value)), (std::pair{sender.id, number}));
      }
    }
  }

 private:
  ProducersEngine& engine() { return home_.live().engine; }
  void number() {
    const ProducersNumbered numbered = engine().decide_number();
    const ProducerId id = engine().next();
    home_.commit({encode(numbered)}, Elapsed{0}, [this, id] {
      for (const Sender& each : senders_) ASSERT_NE(each.id, id) << "given twice";
      for (std::uint32_t each = 0; each < 2; ++each)
        senders_.push_back({id, {TopicId{1}, PartitionId{each}}, 0, 0, {}});
    });
  }
  void send(Sender& sender, std::uint32_t number) {
    const auto decided = engine().decide({sender.partition, sender.id, 0, number, number});
    ASSERT_TRUE(decided) << decided.error().detail;
    const bool known = decided->has_value();
    const Offset place =
        known ? **decided : Offset{static_cast<std::int64_t>(home_.live().log[sender.partition].size())};
    std::vector<Effect> effects;
    if (!known)
      effects.push_back(encode(BatchProduced{sender.partition, sender.id, 0, number, number, place, WallTime{0}}));
    const std::size_t which = static_cast<std::size_t>(&sender - senders_.data());
    home_.commit(effects, Elapsed{0}, [this, which, number, place] {
      Sender& told = senders_[which];
      const auto before = told.places.try_emplace(number, place).first;
      ASSERT_EQ(before->second, place) << "a batch is where it was";
      told.answered = std::max(told.answered, number + 1);
    });
  }
  void stop() {
    home_.stop();
    engine().recovered();
    for (Sender& each : senders_)
      for (std::uint32_t number = each.answered; number < each.sent; ++number) send(each, number);
  }

  SeededRandom random_;
  MeanHome<Machine, ProducerShards> home_{random_};
  std::vector<Sender> senders_;
};

TEST(ProducersMean, EachBatchIsAppendedOnceInOrderAlsoWhenAnswersComeLateAndEndsAreLost) {
  play_stories<Story>(300, 200);
}

}  // namespace
}  // namespace continuo::engines
