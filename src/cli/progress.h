// A progress bar on stderr, for what takes longer than a second.
#pragma once

#include <cstdint>
#include <string>

#include "continuo/base/time.h"

namespace continuo::cli {

/// Shows nothing in the first second, and nothing at all when stderr is no terminal. Not thread-safe.
class Progress {
 public:
  /// `total` 0: not known; then only the count is shown.
  Progress(std::string what, std::uint64_t total);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total; `note` stands behind the bar.
  void show(std::uint64_t done, const std::string& note);
  /// Clears the line.
  void finish();

 private:
  std::string what_;
  std::uint64_t total_;
  bool on_terminal_;
  bool shown_ = false;
  Micros began_;
  Micros last_;
};

/// "#####-----" of `width` places; blocks where the locale takes them.
std::string bar(double part, std::size_t width, bool utf8);

}  // namespace continuo::cli
