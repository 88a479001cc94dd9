#include "process.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

namespace continuo::history {
namespace {

int code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace

pid_t start_process(const std::vector<std::string>& command, int output, int errors) {
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const auto parent = getpid();
  const auto process = fork();
  if (process < 0) throw std::runtime_error("no process can be started");
  if (process > 0) return process;
  // Between here and exec only calls that are safe beside threads that are gone.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  if (output >= 0) dup2(output, STDOUT_FILENO);
  if (errors >= 0) dup2(errors, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::optional<int> ended(pid_t process) {
  int status = 0;
  if (waitpid(process, &status, WNOHANG) != process) return {};
  return code_of(status);
}

int wait_for(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return code_of(status);
}

int wait_or_kill(pid_t process, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < deadline) {
    if (const auto code = ended(process)) return *code;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(process, SIGKILL);
  return wait_for(process);
}

}  // namespace continuo::history
