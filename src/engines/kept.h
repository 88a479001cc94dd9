// The kept records engine: records that their topic's retention took while consumers still waited for them, and where
// their copies are.
//
// A record that is leased, or waits in a parked key, is copied into the node's own topic of copies before its partition
// is trimmed over it (CORE 5.5). This engine remembers which: (partition, offset) -> offset of the copy, in pages that
// are units. Who waits for what is the subscriptions engine's affair; the node asks it when a record may be released,
// and trims the topic of copies behind the lowest that is still here. Pure as all engines: see topics.h. Core thread
// only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/kept_effects.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

/// The kept records of up to offsets_per_page offsets of one partition.
class KeptPage final : public Unit {
 public:
  static constexpr std::int64_t offsets_per_page = 2'048;  ///< a record is at most 30 bytes: a page stays below 64 KiB
  PartitionRef partition;
  std::uint64_t number = 0;
  std::vector<KeptRecord> records;  ///< by offset
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class KeptRecordsEngine {
 public:
  explicit KeptRecordsEngine(Ledger& ledger) : ledger_(ledger) {}

  // --- decide ---
  /// Effects that remember these copies; an offset that has one already is passed over.
  std::vector<RecordsKept> decide_keep(PartitionRef partition, std::span<const KeptRecord> records) const;
  /// Effects that forget these, as far as they are known.
  std::vector<RecordsReleased> decide_release(std::span<const std::pair<PartitionRef, Offset>> records) const;

  // --- apply ---
  void apply(const RecordsKept& effect);
  void apply(const RecordsReleased& effect);

  // --- recovery ---
  Result<void> restore(std::string_view key, std::string_view bytes, Sequence stamp);
  Result<void> replay(EffectType type, std::uint8_t version, std::string_view payload);

  // --- questions ---
  const KeptRecord* find(PartitionRef partition, Offset offset) const;
  bool empty() const { return copies_.empty(); }
  std::size_t size() const { return copies_.size(); }
  /// The lowest copy that is still needed.
  std::optional<Offset> lowest_copy() const;
  /// At most `most` kept records, from the first at or after `from` on.
  std::vector<std::pair<PartitionRef, Offset>> list(std::pair<PartitionRef, Offset> from, std::size_t most) const;

 private:
  using Place = std::pair<PartitionRef, std::uint64_t>;
  KeptPage& page(const Place& place);
  void keep(KeptPage& page, const KeptRecord& record);

  Ledger& ledger_;
  std::map<Place, KeptPage> pages_;
  std::set<Offset> copies_;
};

}  // namespace continuo::engines
