#include "continuo/history/findings.h"

#include <numeric>

namespace continuo::history {

namespace {
constexpr std::array<std::string_view, anomalies> names = {
    "lost",        "vanished",        "doubled",           "reordered",
    "overtaken",   "invented",        "refused_but_there", "inconsistent_offset",
    "poll_back",   "poll_skip",       "poll_unassigned",   "start_skip",
    "start_back",  "never_polled",    "commit_back",       "commit_invented",
    "owned_twice", "generation_back",
};
}  // namespace

std::string_view name(Anomaly anomaly) { return names.at(static_cast<std::size_t>(anomaly)); }

void Findings::add(Anomaly anomaly, std::string what, std::initializer_list<std::size_t> proof) {
  if (counts_[static_cast<std::size_t>(anomaly)]++ >= kept_of_each) return;
  kept_.push_back(Finding{anomaly, std::move(what), proof});
}

std::uint64_t Findings::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

}  // namespace continuo::history
