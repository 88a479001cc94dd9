// The units of an engine as a checkpoint keeps them, in memory. Machine as Recorded has it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

/// Units by key, encoded.
using Content = std::map<std::string, std::string>;

/// All units of an engine that takes part in no checkpoint.
template <class Machine>
Content content_of(Machine& machine) {
  std::vector<TakenUnit> taken;
  machine.ledger.begin_round();
  machine.ledger.take(~std::size_t{0}, taken);
  Content all;
  for (TakenUnit& unit : taken)
    if (!unit.erased) all[unit.key] = std::move(unit.bytes);
  return all;
}

class StoredUnits {
 public:
  /// Before the units of a checkpoint are put: entries of erased units stay for one checkpoint more.
  void begin_commit() {
    std::erase_if(stored_, [](const auto& entry) { return entry.second.erased; });
  }
  void put(TakenUnit unit, Sequence stamp) { stored_[unit.key] = {stamp, unit.erased, std::move(unit.bytes)}; }

  template <class Machine>
  void restore(Machine& machine) const {
    for (const auto& [key, stored] : stored_) {
      if (stored.erased)
        machine.ledger.restored_tombstone(key, stored.stamp);
      else
        CHECK(machine.restore(key, stored.bytes, stored.stamp).has_value());
    }
  }
  Content content() const {
    Content all;
    for (const auto& [key, stored] : stored_)
      if (!stored.erased) all[key] = stored.bytes;
    return all;
  }

 private:
  struct Stored {
    Sequence stamp;
    bool erased = false;
    std::string bytes;
  };
  std::map<std::string, Stored> stored_;
};

}  // namespace continuo::engines
