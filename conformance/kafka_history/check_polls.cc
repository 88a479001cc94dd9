#include "continuo/history/check_polls.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace continuo::history {
namespace {

/// Of a client in a place, since it was assigned.
struct Reading {
  bool assigned = false;
  std::int64_t last = -1;
  std::size_t said = 0;  ///< by this operation
};

/// Of a group in a place.
struct Progress {
  std::vector<bool> polled;  ///< by rank
  std::int64_t committed = -1;
  std::size_t said = 0;
};

class Polls {
 public:
  Polls(const History& history, const FinalLog& log, Findings& findings)
      : history_(history), log_(log), findings_(findings), progress_(history.groups.size() * history.places.size()) {}

  void run() {
    for (std::size_t index = 0; index < history_.operations.size(); ++index) take(index);
    for (std::size_t place = 0; place < history_.places.size(); ++place) {
      for (std::size_t group = 0; group < history_.groups.size(); ++group) look_for_gaps(group, place);
    }
  }

 private:
  void take(std::size_t index) {
    const Operation& operation = history_.operations[index];
    switch (operation.kind) {
      case Kind::assigned: reading(operation) = {.assigned = true}; break;
      case Kind::revoked: reading(operation) = {}; break;
      case Kind::polled: polled(index, operation); break;
      case Kind::commit_done: committed(index, operation); break;
      default: break;
    }
  }

  Reading& reading(const Operation& operation) {
    return readings_[std::uint64_t{operation.actor} << 16 | operation.place];
  }

  Progress& progress(const Operation& operation) {
    return progress_[history_.clients.at(operation.actor).group * history_.places.size() + operation.place];
  }

  void polled(std::size_t index, const Operation& operation) {
    const auto rank = look_at_value(index, operation);
    Reading& reading = this->reading(operation);
    if (!reading.assigned) {
      findings_.add(Anomaly::poll_unassigned, "a record of a place that the client does not read", {index});
    } else if (reading.last >= operation.offset) {
      findings_.add(Anomaly::poll_back, fmt::format("offset {} after {}", operation.offset, reading.last),
                    {reading.said, index});
    } else if (reading.last >= 0 && log_.rank(operation.place, reading.last + 1) < rank) {
      const auto& missing = log_.of(operation.place)[log_.rank(operation.place, reading.last + 1)];
      findings_.add(Anomaly::poll_skip,
                    fmt::format("offset {} after {}, without {}", operation.offset, reading.last, missing.offset),
                    {reading.said, index, missing.drained});
    }
    reading.last = operation.offset;
    reading.said = index;
    Progress& progress = this->progress(operation);
    if (progress.polled.empty()) progress.polled.resize(log_.of(operation.place).size());
    if (rank < progress.polled.size()) progress.polled[rank] = true;
  }

  std::size_t look_at_value(std::size_t index, const Operation& operation) {
    const auto rank = log_.rank(operation.place, operation.offset);
    const auto log = log_.of(operation.place);
    if (rank >= log.size() || log[rank].offset != operation.offset) {
      findings_.add(Anomaly::vanished, "was read, and is not there", {index});
    } else if (log[rank].value != operation.value) {
      findings_.add(Anomaly::inconsistent_offset, "two values at one offset", {index, log[rank].drained});
    }
    return rank;
  }

  void committed(std::size_t index, const Operation& operation) {
    Progress& progress = this->progress(operation);
    if (operation.offset <= progress.committed) return;
    progress.committed = operation.offset;
    progress.said = index;
  }

  void look_for_gaps(std::size_t group, std::size_t place) {
    Progress& progress = progress_[group * history_.places.size() + place];
    const auto log = log_.of(place);
    progress.polled.resize(log.size());
    for (std::size_t rank = 0; rank < log.size() && log[rank].offset < progress.committed; ++rank) {
      if (progress.polled[rank]) continue;
      findings_.add(Anomaly::never_polled,
                    fmt::format("the group {} committed offset {}, and no member was given {}", history_.groups[group],
                                progress.committed, log[rank].offset),
                    {progress.said, log[rank].drained});
    }
  }

  const History& history_;
  const FinalLog& log_;
  Findings& findings_;
  std::unordered_map<std::uint64_t, Reading> readings_;
  std::vector<Progress> progress_;
};

}  // namespace

void check_polls(const History& history, const FinalLog& log, Findings& findings) {
  Polls(history, log, findings).run();
}

}  // namespace continuo::history
