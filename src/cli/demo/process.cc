#include "continuo/cli/demo/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

namespace continuo::cli {
namespace {

constexpr Millis look_again{10};

// In the child, between fork and exec: calls that are safe there, and no others.
[[noreturn]] void become(char* const* words, std::FILE* log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before we asked to be told
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (log) {
    dup2(fileno(log), STDOUT_FILENO);
    dup2(fileno(log), STDERR_FILENO);
  }
  execv(words[0], words);
  _exit(127);
}

}  // namespace

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_now();
  id_ = std::exchange(other.id_, -1);
  exit_code_ = other.exit_code_;
  return *this;
}

Result<Process> Process::start(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  std::FILE* file = log.empty() ? nullptr : std::fopen(log.c_str(), "ae");
  if (!log.empty() && !file) return fail(Code::io_error, fmt::format("'{}' cannot be written", log), log);
  std::fflush(nullptr);
  const pid_t parent = getpid();
  Process process;
  process.id_ = fork();
  if (process.id_ == 0) become(pointers.data(), file, parent);
  if (file) std::fclose(file);
  if (process.id_ < 0) return fail(Code::io_error, fmt::format("'{}' cannot be started", words.front()));
  return process;
}

bool Process::reap(bool block) {
  if (id_ < 0) return true;
  int status = 0;
  pid_t ended;
  do ended = waitpid(id_, &status, block ? 0 : WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended == 0) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  id_ = -1;
  return true;
}

bool Process::running() { return !reap(false); }

void Process::kill_now() {
  if (id_ < 0) return;
  kill(id_, SIGKILL);
  reap(true);
}

void Process::end(Millis patience) {
  if (id_ < 0) return;
  kill(id_, SIGTERM);
  if (wait(patience) < 0) kill_now();
}

int Process::wait(Millis patience) {
  for (Millis waited{0}; !reap(false); waited += look_again) {
    if (waited >= patience) return -1;
    std::this_thread::sleep_for(look_again);
  }
  return exit_code_;
}

std::string own_path() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

Result<std::string> companion(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(own_path()).parent_path();
  for (const std::filesystem::path& place : {folder / name, folder.parent_path() / "lib/continuo" / name}) {
    std::error_code failed;
    if (std::filesystem::is_regular_file(place, failed)) return place.string();
  }
  return fail(Code::io_error, fmt::format("the program '{}' is not there", name), (folder / name).string(),
              "build it with ./x demo, or install the package");
}

}  // namespace continuo::cli
