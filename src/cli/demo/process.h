// A child process that never outlives its parent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::cli {

/// Started in a process group of its own, so that Ctrl-C reaches only the parent; killed by the kernel when the parent
/// dies. Start it from the main thread: the kernel watches the thread that did. The destructor kills.
class Process {
 public:
  Process() = default;
  ~Process() { kill_now(); }
  Process(Process&& other) noexcept : id_(other.id_) { other.id_ = -1; }
  Process& operator=(Process&& other) noexcept;

  /// Runs `words[0]` (a path); what it prints is appended to the file `log`, or goes where ours goes when that is
  /// empty. Errors: io_error.
  static Result<Process> start(const std::vector<std::string>& words, const std::string& log);

  bool running();
  /// SIGKILL, and waits for the end.
  void kill_now();
  /// SIGTERM, then after `patience` SIGKILL.
  void end(Millis patience);
  /// Waits for it to end by itself; the exit code, 128 + the signal when one ended it, -1 when it still runs after
  /// `patience`.
  int wait(Millis patience);

 private:
  bool reap(bool block);
  pid_t id_ = -1;
  int exit_code_ = -1;
};

/// The path of the program that runs now.
std::string own_path();
/// The path of a program that came with this one: beside it, or in ../lib/continuo. Errors: io_error.
Result<std::string> companion(const std::string& name);

}  // namespace continuo::cli
