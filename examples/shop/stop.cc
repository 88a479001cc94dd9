#include "stop.h"

#include <signal.h>

#include <thread>

namespace shop {

std::stop_token stop_on_signals() {
  static std::stop_source stop;
  static sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([] {
    int signal = 0;
    sigwait(&signals, &signal);
    stop.request_stop();
  }).detach();
  return stop.get_token();
}

}  // namespace shop
