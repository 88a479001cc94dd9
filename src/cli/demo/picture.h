// The live picture of the shop: redrawn in place on a terminal, one line a second elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/time.h"
#include "continuo/cli/demo/watch.h"

namespace continuo::cli {

/// What there is to see at one moment.
struct ShopState {
  std::uint64_t orders = 0;  ///< that will come
  std::uint64_t placed = 0, shipped = 0, undone = 0, mails = 0, counted = 0;
  std::uint64_t given_up = 0, edited = 0, passed_over = 0;  ///< events whose keys were parked, and what became of them
  bool server_up = true;
  std::vector<std::pair<std::string, std::string>> services;  ///< name, and up, DOWN or -
  std::uint64_t in_flight() const { return placed - shipped - undone - passed_over; }
  std::uint64_t parked() const { return given_up - std::min(given_up, edited + passed_over); }
};

class Picture {
 public:
  Picture();
  ~Picture() { finish(); }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  /// Draws, if it is time to.
  void show(const ShopState& state, const Watch& watch);
  /// Something happened that is worth a line of its own.
  void note(const std::string& what);
  /// Leaves the last picture standing.
  void finish();
  double seconds() const;

 private:
  std::vector<std::string> lines(const ShopState& state, const Watch& watch) const;
  void draw(const std::vector<std::string>& lines);
  std::string strong(const std::string& text) const;

  Micros began_;
  Micros last_{};
  bool moving_;
  bool utf8_;
  bool color_;
  std::size_t height_ = 0;  // of what was drawn last
};

}  // namespace continuo::cli
