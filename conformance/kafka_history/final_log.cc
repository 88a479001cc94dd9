#include "continuo/history/final_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace continuo::history {

FinalLog::FinalLog(const History& history, Findings& findings) : logs_(history.places.size()) {
  for (std::size_t index = 0; index < history.operations.size(); ++index) {
    const Operation& operation = history.operations[index];
    if (operation.kind != Kind::drained) continue;
    auto& log = logs_.at(operation.place);
    if (!log.empty() && log.back().offset >= operation.offset) {
      findings.add(Anomaly::poll_back,
                   fmt::format("the drain got offset {} after {}", operation.offset, log.back().offset),
                   {log.back().drained, index});
      continue;
    }
    log.push_back({operation.offset, operation.value, index});
  }
}

std::size_t FinalLog::rank(std::size_t place, std::int64_t offset) const {
  const auto& log = logs_[place];
  const auto guess = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0));
  if (guess < log.size() && log[guess].offset == offset) return guess;  // without gaps, the offset is the rank
  const auto found = std::ranges::lower_bound(log, offset, {}, &Record::offset);
  return static_cast<std::size_t>(found - log.begin());
}

const FinalLog::Record* FinalLog::at(std::size_t place, std::int64_t offset) const {
  const auto index = rank(place, offset);
  const auto& log = logs_[place];
  return index < log.size() && log[index].offset == offset ? &log[index] : nullptr;
}

}  // namespace continuo::history
