#include "continuo/history/check_ownership.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <unordered_map>

namespace continuo::history {

void check_ownership(const History& history, Findings& findings) {
  std::map<std::tuple<std::uint32_t, std::uint16_t, std::int32_t>, std::size_t> owners;  // group, place, generation
  std::unordered_map<std::uint32_t, std::size_t> newest;                                 // of a client
  for (std::size_t index = 0; index < history.operations.size(); ++index) {
    const Operation& operation = history.operations[index];
    if (operation.kind != Kind::owns || operation.generation < 0) continue;
    const Client& client = history.clients.at(operation.actor);
    const auto [first, fresh] = owners.try_emplace({client.group, operation.place, operation.generation}, index);
    const Operation& other = history.operations[first->second];
    if (!fresh && history.clients[other.actor].member != client.member) {
      findings.add(
          Anomaly::owned_twice,
          fmt::format("two members of {} own it in generation {}", history.groups[client.group], operation.generation),
          {first->second, index});
    }
    const auto [before, unseen] = newest.try_emplace(operation.actor, index);
    if (!unseen && history.operations[before->second].generation > operation.generation) {
      findings.add(Anomaly::generation_back, "a generation after a later one", {before->second, index});
    }
    before->second = index;
  }
}

}  // namespace continuo::history
