// What failed for good and what became of it, judged from the topics and from what the node told: nothing heals in
// silence, what was passed over stays so, and nobody waits for another's key.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "account.h"
#include "facts.h"
#include "told.h"

namespace shop {

/// Made of facts in the order of their topics, partitions and offsets, which outlive it.
class Healing {
 public:
  Healing(const std::vector<Fact>& facts, Told told);

  /// Whether it is told that this service passes over this event.
  bool passed_over(std::string_view service, const Fact& fact) const;
  /// What the account says of parked keys; with the breaches of kind repair and stopped.
  void judge(Account& account) const;

 private:
  const Fact* find(const ParkedPlace& where) const;
  const Fact* answer_of(std::string_view service, const Fact& fact) const;
  bool waits(std::string_view service, const Fact& fact) const;
  void pass_over(const std::string& service, const Fact& head, std::int64_t events);
  void judge_parking(const ParkedPlace& where, const Parking& parking, Account& account) const;
  void judge_prices(Account& account) const;
  void judge_others(Account& account) const;
  void count_customers(Account& account) const;

  const std::vector<Fact>& facts_;
  Told told_;
  std::map<std::pair<std::string_view, std::string>, const Fact*> answers_;  // by the cause's id and their source
  std::set<std::pair<std::string, std::string_view>> passed_over_;           // service, id
};

}  // namespace shop
