// The producers engine: what idempotent producers sent last to each partition, so that a batch sent again is known, and
// one that comes too early or from a producer that was replaced is refused.
//
// A producer numbers its batches in each partition. Kept are, per partition and producer, its epoch and the last five
// batches, as many as a client may have in flight. Pure as all engines: see topics.h. Core thread only. Source: Apache
// Kafka, KIP-98 and KIP-360; storage/.../ProducerStateEntry, ProducerAppendInfo.
#pragma once

#include <boost/intrusive/list.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/producer_effects.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

struct ProducerLimits {
  std::uint32_t producers =
      200'000;  ///< in all partitions together; beyond it the one heard of longest ago is forgotten
  Millis forgotten_after{86'400'000};  ///< without a batch: as Kafka's producer.id.expiration.ms
};

/// A numbered batch on its way in.
struct NumberedBatch {
  PartitionRef partition;
  ProducerId producer;
  std::uint32_t epoch = 0;
  std::uint32_t first_sequence = 0;
  std::uint32_t last_sequence = 0;
};

/// The number that comes `count` after `sequence`: from 2^31 - 1 they go on at 0.
constexpr std::uint32_t sequence_after(std::uint32_t sequence, std::uint32_t count) {
  return (sequence + count) & 0x7fff'ffffu;
}

/// A batch that a producer may send again.
struct SentBatch {
  std::uint32_t first_sequence = 0;
  std::uint32_t last_sequence = 0;
  Offset base;
  bool operator==(const SentBatch&) const = default;
};

using ProducerHook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One producer in one partition.
class ProducerUnit final : public Unit {
 public:
  static constexpr std::size_t most_batches = 5;
  PartitionRef partition;
  ProducerId producer;
  std::uint32_t epoch = 0;
  std::vector<SentBatch> batches;  ///< of this epoch, the newest last
  WallTime last_timestamp;
  Elapsed heard_of;
  ProducerHook hook;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class ProducersEngine {
 public:
  explicit ProducersEngine(Ledger& ledger, const ProducerLimits& limits = {}) : ledger_(ledger), limits_(limits) {}

  // --- decide ---
  /// An id nobody had before.
  ProducersNumbered decide_number() const { return {static_cast<std::uint64_t>(next_.value) + 1}; }
  /// Where the batch already is; none: it is to be appended. Errors: out_of_order (the number is not the next one),
  /// fenced (of an older epoch).
  Result<std::optional<Offset>> decide(const NumberedBatch& batch) const;
  /// Producers that were not heard of for long, or are too many; at most `most`.
  std::vector<ProducerForgotten> decide_expired(Elapsed now, std::size_t most) const;

  // --- apply ---
  void apply(const ProducersNumbered& effect);
  void apply(const BatchProduced& effect, Elapsed now);
  void apply(const ProducerForgotten& effect);
  /// They are gone with their topic.
  void topic_removed(TopicId topic);

  // --- recovery ---
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp);
  Result<void> replay(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now);
  /// All units are there: puts them into the order they were heard of.
  void recovered();

  // --- questions ---
  ProducerId next() const { return next_; }
  std::size_t size() const { return producers_.size(); }
  std::optional<Elapsed> next_due() const;
  std::vector<const ProducerUnit*> of(PartitionRef partition) const;

 private:
  using Key = std::pair<PartitionRef, ProducerId>;
  using Heard = boost::intrusive::list<ProducerUnit,
                                       boost::intrusive::member_hook<ProducerUnit, ProducerHook, &ProducerUnit::hook>,
                                       boost::intrusive::constant_time_size<false>>;
  class Counter final : public Unit {
   public:
    explicit Counter(const ProducersEngine& engine) : engine_(engine) {}
    std::string unit_key() const override;
    void encode(std::string& out) const override;

   private:
    const ProducersEngine& engine_;
  };
  const ProducerUnit* find(const Key& key) const;
  ProducerUnit& make(const Key& key);

  Ledger& ledger_;
  ProducerLimits limits_;
  ProducerId next_{0};
  Counter counter_{*this};
  std::map<Key, std::unique_ptr<ProducerUnit>> producers_;
  Heard heard_;  // longest ago first
};

}  // namespace continuo::engines
