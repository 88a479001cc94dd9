// Units: the pieces of engine state that are changed by effects, kept by checkpoints and named in the log (CORE 3.2).
//
// A unit is at most 96 KiB encoded. An effect touches exactly one. The ledger knows which units changed since the last
// checkpoint, and, while the log is replayed, which effects a unit's checkpoint contains already. Core thread only.
#pragma once

#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "continuo/base/bytes.h"
#include "continuo/base/errors.h"
#include "continuo/base/ids.h"

namespace continuo::engines {

/// First byte of a unit's key. Written to disk: values never change.
enum class UnitKind : char {
  node = 'n',
  topic = 't',
  head = 'h',
  ids = 'i',
  subscription = 's',
  subscription_counter = 'S',
  cursor = 'c',
  key = 'k',
  key_page = 'w',
  lease_counter = 'L',
  settles = 'r',
  release = 'R',
  storm = 'T',
  use = 'u',
  kept = 'K',
  producer = 'p',
  producer_counter = 'P',
  group_counter = 'G',
  group = 'g',
  group_member = 'm',
  committed_offset = 'o'
};

using UnitHook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class Unit : public UnitHook {
 public:
  Unit() = default;
  virtual ~Unit() = default;
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;
  /// Kind and name; unique among all units.
  virtual std::string unit_key() const = 0;
  virtual void encode(std::string& out) const = 0;

 private:
  friend class Ledger;
  Sequence stamp_{0};        // from the checkpoint; counts while replaying only
  std::uint64_t round_ = 0;  // the round it waits for
  bool persisted_ = false;   // a checkpoint has or may have it
  bool counted_ = false;     // among the ledger's units
};

/// What a checkpoint takes of a unit; none: it is gone.
struct TakenUnit {
  std::string key;
  bool erased = false;
  std::string bytes;
};

class Ledger {
 public:
  /// The unit was changed.
  void touch(Unit& unit);
  /// The unit is about to be destroyed.
  void erase(Unit& unit);
  /// How many there are.
  std::size_t units() const { return units_; }

  // --- checkpoints ---
  /// Begins a round over all that changed so far.
  void begin_round();
  /// Takes units of the round until about `max_bytes` are encoded. True when the round is complete.
  bool take(std::size_t max_bytes, std::vector<TakenUnit>& out);
  bool anything_changed() const { return !dirty_.empty() || !erased_.empty(); }

  // --- recovery ---
  /// A unit made from a checkpoint.
  void restored(Unit& unit, Sequence stamp);
  /// A unit that the checkpoint says was erased at `stamp`.
  void restored_tombstone(std::string_view key, Sequence stamp);
  /// Effects of this group are replayed next; 0 ends replay.
  void replaying(Sequence sequence) { replaying_ = sequence; }
  /// False when the checkpoint contains what the group being replayed did to the unit. `unit` null: it does not exist
  /// now, and `key` is its key.
  bool wants(const Unit* unit, std::string_view key) const;
  bool is_replaying() const { return replaying_.value != 0; }

 private:
  void count(Unit& unit);

  using Units =
      boost::intrusive::list<Unit, boost::intrusive::base_hook<UnitHook>, boost::intrusive::constant_time_size<false>>;
  Units dirty_;  // wait for the next round
  Units round_;
  std::uint64_t next_round_ = 1;
  std::size_t units_ = 0;
  std::vector<std::string> erased_;
  std::vector<std::string> round_erased_;
  std::unordered_set<std::string> erased_waiting_;  // while they waited in this round
  std::unordered_map<std::string, Sequence> tombstones_;
  Sequence replaying_{0};
};

}  // namespace continuo::engines
