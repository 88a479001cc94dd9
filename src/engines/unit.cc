#include "continuo/engines/unit.h"

#include <utility>

namespace continuo::engines {

void Ledger::count(Unit& unit) {
  if (!std::exchange(unit.counted_, true)) ++units_;
}

void Ledger::touch(Unit& unit) {
  count(unit);
  // One that waits in a round stays there: the round must have it, and will take it with this change.
  if (unit.is_linked()) return;
  // Erased while it waited in this round, and made again: the tombstone alone would hide what came after it.
  const bool again = !erased_waiting_.empty() && erased_waiting_.contains(unit.unit_key());
  unit.round_ = again ? next_round_ - 1 : next_round_;
  (again ? round_ : dirty_).push_back(unit);
}

void Ledger::erase(Unit& unit) {
  if (std::exchange(unit.counted_, false)) --units_;
  // What no checkpoint has needs no tombstone: replay makes it and erases it again.
  if (!unit.persisted_) return;
  // The last checkpoint's image is older than the round begins: replay from there on must not meet it.
  const bool waiting = unit.is_linked() && unit.round_ != next_round_;
  if (waiting) erased_waiting_.insert(unit.unit_key());
  (waiting ? round_erased_ : erased_).push_back(unit.unit_key());
}

void Ledger::begin_round() {
  round_.splice(round_.end(), dirty_);
  round_erased_.insert(round_erased_.end(), erased_.begin(), erased_.end());
  erased_.clear();
  erased_waiting_.clear();
  ++next_round_;
}

bool Ledger::take(std::size_t max_bytes, std::vector<TakenUnit>& out) {
  for (std::string& key : round_erased_) out.push_back({std::move(key), true, {}});
  round_erased_.clear();
  std::size_t taken = 0;
  while (!round_.empty() && taken < max_bytes) {
    Unit& unit = round_.front();
    round_.pop_front();
    TakenUnit image{unit.unit_key(), false, {}};
    unit.encode(image.bytes);
    unit.persisted_ = true;
    taken += image.key.size() + image.bytes.size();
    out.push_back(std::move(image));
  }
  return round_.empty();
}

void Ledger::restored(Unit& unit, Sequence stamp) {
  count(unit);
  unit.stamp_ = stamp;
  unit.persisted_ = true;
}

void Ledger::restored_tombstone(std::string_view key, Sequence stamp) { tombstones_[std::string{key}] = stamp; }

bool Ledger::wants(const Unit* unit, std::string_view key) const {
  if (replaying_.value == 0) return true;
  if (unit != nullptr) return unit->stamp_ < replaying_;
  if (tombstones_.empty()) return true;
  const auto tombstone = tombstones_.find(std::string{key});
  return tombstone == tombstones_.end() || tombstone->second < replaying_;
}

}  // namespace continuo::engines
