#include "continuo/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/cli/output.h"

namespace continuo::cli {
namespace {
constexpr Micros quiet_at_first{1'000'000};
constexpr Micros between{100'000};
constexpr std::size_t bar_width = 30;
}  // namespace

std::string bar(double part, std::size_t width, bool utf8) {
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "-");
  return out;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      on_terminal_(stderr_is_terminal()),
      began_(system_clock().steady()),
      last_(began_) {}

void Progress::show(std::uint64_t done, const std::string& note) {
  if (!on_terminal_) return;
  const Micros now = system_clock().steady();
  if (now - began_ < quiet_at_first || now - last_ < between) return;
  last_ = now;
  shown_ = true;
  if (total_ == 0) {
    fmt::print(stderr, "\r\x1b[K{} {}", what_, note);
  } else {
    const double part = static_cast<double>(done) / static_cast<double>(total_);
    fmt::print(stderr, "\r\x1b[K{} {} {:3.0f}% {}", what_, bar(part, bar_width, takes_utf8()), part * 100, note);
  }
}

void Progress::finish() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

}  // namespace continuo::cli
