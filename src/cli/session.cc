#include "continuo/cli/session.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "continuo/cli/exit_code.h"

namespace continuo::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

Result<client::Client> Session::connect(Millis patience, std::stop_token stop) const {
  auto address = client::parse_address(server);
  if (!address) return pass(address);
  return client::Client({.server = *address, .patience = patience, .stop = std::move(stop)});
}

Result<boost::json::object> Session::ask(std::string_view method, std::string path, std::string_view body) const {
  auto server = connect();
  if (!server) return pass(server);
  auto answer = server->request(method, std::move(path), body);
  if (!answer) return pass(answer);
  return parse_object(*answer);
}

Result<Format> Session::format() const { return parse_format(output); }

std::stop_token stop_on_signals() {
  static std::stop_source stop;
  static const bool started = [] {
    static const sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([] {
      int signal = 0;
      sigwait(&signals, &signal);
      stop.request_stop();
      sigwait(&signals, &signal);
      _exit(static_cast<int>(Exit::interrupted));
    }).detach();
    return true;
  }();
  static_cast<void>(started);
  return stop.get_token();
}

bool stopped_within(const std::stop_token& stop, Millis time) { return !client::pause_for(time, stop); }

}  // namespace continuo::cli
