#include "continuo/cli/demo/picture.h"

#include <fmt/format.h>

#include <cstdio>

#include "continuo/cli/output.h"
#include "continuo/cli/progress.h"

namespace continuo::cli {
namespace {

constexpr Micros between_frames{200'000};
constexpr Micros between_lines{1'000'000};
constexpr std::size_t bar_width = 40;

std::string plain_line(const ShopState& state, double seconds) {
  std::string line = fmt::format(
      "{:6.1f} s  orders {} of {}, in flight {}, shipped {}, undone {}, mails {}, counted {}", seconds, state.placed,
      state.orders, state.in_flight(), state.shipped, state.undone, state.mails, state.counted);
  if (state.given_up > 0) line += fmt::format(", parked {} of {}", state.parked(), state.given_up);
  for (const auto& [name, how] : state.services)
    if (how == "DOWN") line += fmt::format(" [{} down]", name);
  return state.server_up ? line : line + " [server down]";
}

}  // namespace

Picture::Picture()
    : began_(system_clock().steady()),
      moving_(stdout_is_terminal()),
      utf8_(moving_ && takes_utf8()),
      color_(wants_color()) {}

double Picture::seconds() const { return static_cast<double>((system_clock().steady() - began_).count()) / 1e6; }

std::string Picture::strong(const std::string& text) const { return color_ ? "\x1b[1m" + text + "\x1b[0m" : text; }

std::vector<std::string> Picture::lines(const ShopState& state, const Watch& watch) const {
  std::vector<std::string> out;
  const double part =
      state.orders == 0 ? 0 : static_cast<double>(state.shipped + state.undone) / static_cast<double>(state.orders);
  out.push_back(fmt::format("  orders {}  {} of {} placed   {:.1f} s", bar(part, bar_width, utf8_), state.placed,
                            state.orders, seconds()));
  out.push_back(fmt::format("         in flight {}   shipped {}   undone {}   mails {}   counted {}", state.in_flight(),
                            state.shipped, state.undone, state.mails, state.counted));
  out.push_back(fmt::format("         malformed {}   mended {}   passed over {}   parked now {}", state.given_up,
                            state.edited, state.passed_over, state.parked()));
  out.emplace_back();
  out.push_back(strong("  topic             events   rate/s"));
  for (const std::string& topic : watch.topics())
    out.push_back(fmt::format("  {:<16} {:>7}  {:>7.0f}", topic, watch.in_topic(topic), watch.rate(topic)));
  out.emplace_back();
  std::string services = fmt::format("  server {}", state.server_up ? "up" : strong("DOWN"));
  for (const auto& [name, how] : state.services)
    services += fmt::format("   {} {}", name, how == "DOWN" ? strong(how) : how);
  out.push_back(services);
  return out;
}

void Picture::draw(const std::vector<std::string>& lines_to_draw) {
  std::string out = height_ > 0 ? fmt::format("\x1b[{}A", height_) : "";
  for (const std::string& line : lines_to_draw) out += "\x1b[2K" + line + "\n";
  fmt::print("{}", out);
  std::fflush(stdout);
  height_ = lines_to_draw.size();
}

void Picture::show(const ShopState& state, const Watch& watch) {
  const Micros now = system_clock().steady();
  if (now - last_ < (moving_ ? between_frames : between_lines)) return;
  last_ = now;
  if (moving_) return draw(lines(state, watch));
  fmt::print("{}\n", plain_line(state, seconds()));
  std::fflush(stdout);
}

void Picture::note(const std::string& what) {
  if (height_ > 0) fmt::print("\x1b[{}A\x1b[J", height_);  // the picture is drawn again below the note
  height_ = 0;
  last_ = {};
  fmt::print("{}\n", strong(fmt::format("{:6.1f} s  {}", seconds(), what)));
  std::fflush(stdout);
}

void Picture::finish() { height_ = 0; }

}  // namespace continuo::cli
