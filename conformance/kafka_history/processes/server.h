// The server under test: started, killed at any moment, started again on the same folder and port.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace continuo::history {

class Server {
 public:
  /// Does not start it. What it says goes to `server.log` in the folder, its data to `data`.
  Server(std::string program, std::string folder, std::vector<std::string> arguments);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Throws when it does not come up.
  void start();
  /// Returns before it is up: for one that is killed while it starts.
  void begin_start();
  /// kill -9; returns when it is gone.
  void kill();
  /// Stops and continues all of its threads.
  void freeze();
  void thaw();
  /// Whether it is still there although nobody killed it.
  bool runs();
  /// HOST:PORT for Kafka clients; the same over restarts.
  const std::string& address() const { return address_; }

 private:
  std::string read_start_line(int pipe) const;

  const std::string program_, folder_;
  const std::vector<std::string> arguments_;
  std::string address_ = "127.0.0.1:0";
  pid_t process_ = 0;
  int output_ = -1;
};

}  // namespace continuo::history
