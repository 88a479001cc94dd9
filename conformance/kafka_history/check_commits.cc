#include "continuo/history/check_commits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "continuo/history/committed_offset.h"

namespace continuo::history {
namespace {

class Commits {
 public:
  Commits(const History& history, const FinalLog& log, Findings& findings)
      : history_(history), log_(log), findings_(findings), committed_(history.groups.size() * history.places.size()) {}

  void run() {
    for (std::size_t index = 0; index < history_.operations.size(); ++index) take(index, history_.operations[index]);
  }

 private:
  void take(std::size_t index, const Operation& operation) {
    switch (operation.kind) {
      case Kind::assigned: begin(readings_, index, operation); break;
      case Kind::revoked: end(readings_, operation); break;
      case Kind::polled: first_poll(index, operation); break;
      case Kind::commit_begun:
        committed(operation).begin_write(index, operation.actor, operation.value, operation.offset);
        break;
      case Kind::commit_done: done(index, operation); break;
      case Kind::commit_refused: committed(operation).refused(index, operation.actor, operation.value); break;
      case Kind::commit_unknown: committed(operation).gave_up(operation.actor, operation.value); break;
      case Kind::fetch_begun: begin(fetches_, index, operation); break;
      case Kind::fetched: fetched(index, operation); break;
      case Kind::fetch_failed: end(fetches_, operation); break;
      case Kind::client_died: died(operation.actor); break;
      case Kind::restarted:
        for (auto& each : committed_) each.server_restarted(index);
        break;
      default: break;
    }
  }

  CommittedOffset& committed(const Operation& operation) {
    return committed_[history_.clients.at(operation.actor).group * history_.places.size() + operation.place];
  }

  static std::uint64_t name_of(const Operation& operation) {
    return std::uint64_t{operation.actor} << 16 | operation.place;
  }

  void done(std::size_t index, const Operation& operation) {
    const auto write = committed(operation).applied(index, operation.actor, operation.value);
    if (!write || write->offset >= write->floor) return;
    findings_.add(Anomaly::commit_back,
                  fmt::format("{} was committed when {} was, at least", write->offset, write->floor),
                  {write->begun, index});
  }

  // --- reads of a committed offset: one of a kind at a time of a client in a place ----------------------------------

  using Reads = std::unordered_map<std::uint64_t, std::size_t>;  // by name_of: where it began

  void begin(Reads& reads, std::size_t index, const Operation& operation) {
    end(reads, operation);
    reads[name_of(operation)] = index;
    committed(operation).begin_read(index);
  }

  void end(Reads& reads, const Operation& operation) {
    const auto found = reads.find(name_of(operation));
    if (found == reads.end()) return;
    committed(operation).end_read(found->second);
    reads.erase(found);
  }

  // The first poll behind an assignment tells where the client began to read.
  void first_poll(std::size_t index, const Operation& operation) {
    const auto found = readings_.find(name_of(operation));
    if (found == readings_.end()) return;
    const auto assigned = found->second;
    auto starts = committed(operation).possible(assigned);
    const auto last = committed(operation).last_applied();
    const auto rank = log_.rank(operation.place, operation.offset);
    // A committed offset stands for the first record at or behind it.
    std::vector<std::size_t> ranks;
    for (const auto start : starts) ranks.push_back(log_.rank(operation.place, std::max<std::int64_t>(start, 0)));
    if (std::ranges::find(ranks, rank) == ranks.end()) {
      const auto back = rank < std::ranges::min(ranks);
      std::ranges::sort(starts);
      findings_.add(back ? Anomaly::start_back : Anomaly::start_skip,
                    fmt::format("began at offset {} when the committed offset was {}", operation.offset,
                                fmt::join(starts, " or ")),
                    {last, assigned, index});
    }
    end(readings_, operation);
  }

  void fetched(std::size_t index, const Operation& operation) {
    const auto found = fetches_.find(name_of(operation));
    if (found == fetches_.end()) return;
    const auto begun = found->second;
    auto offsets = committed(operation).possible(begun);
    if (std::ranges::find(offsets, operation.offset) == offsets.end()) {
      const auto back = operation.offset < std::ranges::max(offsets);
      std::ranges::sort(offsets);
      findings_.add(
          back ? Anomaly::commit_back : Anomaly::commit_invented,
          fmt::format("{} was fetched when the committed offset was {}", operation.offset, fmt::join(offsets, " or ")),
          {committed(operation).last_applied(), begun, index});
    }
    end(fetches_, operation);
  }

  void died(std::uint32_t client) {
    for (std::uint16_t place = 0; place < history_.places.size(); ++place) {
      const Operation there{.kind = Kind::client_died, .place = place, .actor = client};
      committed(there).client_died(client);
      end(readings_, there);
      end(fetches_, there);
    }
  }

  const History& history_;
  const FinalLog& log_;
  Findings& findings_;
  std::vector<CommittedOffset> committed_;
  Reads readings_;
  Reads fetches_;
};

}  // namespace

void check_commits(const History& history, const FinalLog& log, Findings& findings) {
  Commits(history, log, findings).run();
}

}  // namespace continuo::history
