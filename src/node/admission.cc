#include "continuo/node/admission.h"

namespace continuo::node {
namespace {

constexpr Micros longest_busy{100'000};  // idle time before a group is not work
constexpr Micros longest_pause{100'000};

// In quarters of a slot, so that rings of any size have whole numbers.
std::uint32_t half_of(const log::HomeStats& home) { return home.slots * 2; }
std::uint32_t refusal_of(const log::HomeStats& home) { return home.slots * 3; }

}  // namespace

Result<void> may_publish(const log::HomeStats& home) {
  if (home.disk_full) return fail(Code::disk_full, "the disk is full: events are refused until there is room");
  if (home.used_slots * 4 < refusal_of(home) && home.free_slots != 0) return {};
  Error error{
      Code::overloaded, "the journal is being worked off: the disk is slower than what is published", {}, {}, 1};
  return std::unexpected(std::move(error));
}

void Pace::group_done(Micros now, const log::HomeStats& home) {
  // A group that was filled while the one before it was written ends inside the pause of that one.
  const bool paused = open_at_ > now;
  const Micros busy = std::min(now - (paused ? last_ : std::max(last_, open_at_)), longest_busy);
  last_ = now;
  const std::uint32_t used = home.used_slots * 4;
  if (used <= half_of(home) || used >= refusal_of(home)) return;  // beyond it they are refused, which takes no time
  // By squares: a checkpoint frees its slots all at once, and until then the last quarter has to do.
  const std::uint32_t all = refusal_of(home) - half_of(home), left = refusal_of(home) - used;
  open_at_ = (paused ? open_at_ : now) + std::min(busy * (all * all - left * left) / (left * left), longest_pause);
}

}  // namespace continuo::node
