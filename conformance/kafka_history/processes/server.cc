#include "server.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

#include "process.h"

namespace continuo::history {

Server::Server(std::string program, std::string folder, std::vector<std::string> arguments)
    : program_(std::move(program)), folder_(std::move(folder)), arguments_(std::move(arguments)) {}

Server::~Server() { kill(); }

void Server::begin_start() {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const int log = open((folder_ + "/server.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::vector<std::string> command = {program_, "serve",       "--data",  folder_ + "/data",
                                      "--http", "127.0.0.1:0", "--kafka", address_};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = start_process(command, pipe[1], log);
  close(pipe[1]);
  close(log);
  output_ = pipe[0];
}

void Server::start() {
  begin_start();
  const auto line = read_start_line(output_);
  const auto at = line.find(" kafka=");
  if (at == line.npos) throw std::runtime_error("the server did not start, see " + folder_ + "/server.log");
  const auto begin = at + 7;
  address_ = line.substr(begin, line.find_first_of(" \n", begin) - begin);
}

std::string Server::read_start_line(int pipe) const {
  std::string line;
  char byte = 0;
  pollfd ready{.fd = pipe, .events = POLLIN, .revents = 0};
  while (poll(&ready, 1, 60'000) == 1 && read(pipe, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

void Server::kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  wait_for(process_);
  close(output_);
  process_ = 0;
}

void Server::freeze() { ::kill(process_, SIGSTOP); }
void Server::thaw() { ::kill(process_, SIGCONT); }
bool Server::runs() { return process_ != 0 && !ended(process_); }

}  // namespace continuo::history
