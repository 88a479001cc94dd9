// The topics engine: the catalogue of topics, the heads of their partitions, and the ids seen lately in each.
//
// A pure state machine (CORE 3.2): decide is const and gives effects or a refusal; apply changes exactly the unit an
// effect names. No clock, no randomness, no threads, no I/O. Core thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/topic_effects.h"
#include "continuo/engines/unit.h"
#include "continuo/engines/window.h"

namespace continuo::engines {

struct TopicLimits {
  std::uint32_t topics = 10'000;
  std::uint32_t partitions_per_topic = 1'000;
  std::uint32_t partitions = 20'000;
  std::uint64_t ids_per_partition = 1'000'000;
  std::uint64_t ids = 1'000'000;  ///< of all partitions together
};

class TopicUnit final : public Unit {
 public:
  TopicDefined definition;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

/// Where an event that was published before lies.
struct SeenId {
  std::uint64_t content = 0;
  Offset offset;
  Elapsed at;  ///< when it was published
  bool operator==(const SeenId&) const = default;
};

template <class Io, class T>
  requires std::same_as<std::remove_const_t<T>, SeenId>
void fields(Io& io, T& seen) {
  io(seen.content, seen.offset, seen.at);
}

class HeadUnit final : public Unit {
 public:
  PartitionRef partition;
  Offset next{0};
  Offset first{0};
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

/// One event to be published, as the engine sees it.
struct NewId {
  PartitionRef partition;
  Hash128 identity;  ///< {0,0}: not deduplicated
  std::uint64_t content = 0;
};

/// Where it goes, or went.
struct DecidedPlace {
  Offset offset;
  bool duplicate = false;
};

struct PublishDecision {
  std::vector<DecidedPlace> places;  ///< in the order given; the new ones get consecutive offsets in their partitions
  std::vector<IdsRemembered> remembered;
  std::vector<IdsDropped> dropped;
};

class TopicsEngine {
 public:
  TopicsEngine(Ledger& ledger, const TopicLimits& limits) : ledger_(ledger), limits_(limits) {}

  // --- decide ---
  /// The topic that is there already with these settings; none: the effect makes it. Errors: bad_name, system_name,
  /// bad_setting, topic_exists, limit_reached.
  struct CreateDecision {
    const TopicUnit* existing = nullptr;
    TopicDefined defined;
  };
  Result<CreateDecision> decide_create(const std::string& name, const TopicSettings& settings, WallTime now,
                                       bool by_system) const;
  Result<TopicDeleted> decide_delete(const std::string& name) const;
  /// Errors: unknown_topic, bad_setting (a value that cannot be, fewer partitions than there are), limit_reached.
  Result<TopicChanged> decide_change(const std::string& name, const TopicChange& change) const;
  /// Errors: unknown_topic, unknown_partition, id_reused.
  Result<PublishDecision> decide_publish(std::span<const NewId> events, Elapsed now) const;
  /// Pages of ids whose window is over, also of partitions nobody publishes to; and, while there are more ids than the
  /// budget of all partitions allows, those that would be over next. At most `most`. A job: see next_due.
  std::vector<IdsDropped> decide_expired(Elapsed now, std::size_t most) const;
  /// The partition's new first offset. Errors: unknown_topic, unknown_partition, offset_out_of_range (before is past
  /// the end).
  Result<Offset> decide_trim(PartitionRef partition, Offset before) const;

  // --- apply ---
  void apply(const TopicDefined& effect);
  void apply(const TopicChanged& effect);
  void apply(const TopicDeleted& effect);  // topic only; heads and pages go by remove_partitions
  void apply(const IdsRemembered& effect, Elapsed now);
  void apply(const IdsDropped& effect, Elapsed now);
  void appended(PartitionRef partition, Offset next);
  void trimmed(PartitionRef partition, Offset before);
  void partitions_made(TopicId topic, std::uint32_t count);
  void topic_removed(TopicId topic);

  // --- recovery ---
  /// Takes a checkpointed unit of one of this engine's kinds.
  Result<void> restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp);
  Result<void> replay(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now);

  // --- questions ---
  const std::map<std::string, TopicUnit*, std::less<>>& by_name() const { return by_name_; }
  const TopicUnit* find(std::string_view name) const;
  const TopicUnit* find(TopicId id) const;
  const HeadUnit* head(PartitionRef partition) const;
  std::uint64_t remembered_ids() const { return id_count_; }
  /// When decide_expired has something to drop.
  std::optional<Elapsed> next_due() const;
  /// The shortest window of deduplication in effect: of the partitions that had ids dropped for the budget since the
  /// start and have not caught up, or else the shortest that a topic has. None: no topic has one.
  std::optional<Millis> effective_window(Elapsed now) const;
  std::uint32_t partition_count() const { return partition_count_; }
  std::uint64_t secret() const { return secret_; }
  void set_secret(std::uint64_t secret);

 private:
  struct Partition {
    HeadUnit head;
    Window<SeenId> ids;
  };
  class NodeUnit final : public Unit {
   public:
    explicit NodeUnit(const TopicsEngine& engine) : engine_(engine) {}
    std::string unit_key() const override { return std::string{static_cast<char>(UnitKind::node)}; }
    void encode(std::string& out) const override;

   private:
    const TopicsEngine& engine_;
  };
  Partition* partition(PartitionRef ref);
  const Partition* partition(PartitionRef ref) const;
  Partition& make_partition(PartitionRef ref);
  struct Request;
  Result<void> decide_one(const NewId& event, Elapsed now, PublishDecision& decision, Request& request) const;
  void remember(const NewId& event, Offset offset, PublishDecision& decision) const;
  void decide_drops(PartitionRef ref, const Partition& partition, Elapsed now, PublishDecision& decision) const;
  static std::string page_key(PartitionRef ref, std::uint64_t page);
  using IdsPage = WindowPage<SeenId>;
  std::optional<Millis> window(TopicId topic) const;
  void define(std::unique_ptr<TopicUnit> topic);
  Result<void> check(const TopicSettings& settings, std::uint32_t partitions_there) const;
  void begin_window(const TopicUnit& topic);
  void end_window(const TopicUnit& topic);

  Ledger& ledger_;
  TopicLimits limits_;
  std::unordered_map<TopicId, std::unique_ptr<TopicUnit>> topics_;
  std::map<std::string, TopicUnit*, std::less<>> by_name_;
  std::unordered_map<TopicId, std::vector<std::unique_ptr<Partition>>> partitions_;
  std::uint32_t next_topic_ = 1;
  std::uint32_t partition_count_ = 0;
  std::uint64_t id_count_ = 0;
  PageEnds<PartitionRef> ends_;              // of pages of ids
  std::map<Millis, std::uint32_t> windows_;  // how many topics have it
  std::map<PartitionRef, Elapsed> cut_;      // ids from then on are all there; earlier ones went for the budget
  std::uint64_t secret_ = 0;
  NodeUnit node_{*this};
};

}  // namespace continuo::engines
