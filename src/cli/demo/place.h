// Where a demo runs: a folder of its own and a server on it, both gone afterwards unless they are kept.
#pragma once

#include <stop_token>
#include <string>

#include "continuo/cli/demo/process.h"
#include "continuo/client/client.h"

namespace continuo::cli {

/// Use from the main thread only.
class Place {
 public:
  /// Makes the folder. Folders that demos left behind when they were killed are removed. Errors: io_error.
  static Result<Place> open(std::stop_token stop);
  ~Place();
  Place(Place&& other) noexcept;
  Place& operator=(Place&&) = delete;

  /// Starts the server on a free port, the first time, and on the same one after. Waits until it is ready. Errors:
  /// node_failed, with what the server said.
  Result<void> start_server();
  Process& server() { return server_; }
  /// "http://127.0.0.1:40001"
  const std::string& url() const { return url_; }
  /// A client that waits for nobody.
  client::Client connect(Millis patience) const;
  /// The log of a service: FOLDER/NAME.log
  std::string log(const std::string& name) const { return folder_ + "/" + name + ".log"; }
  const std::string& folder() const { return folder_; }
  std::string data() const { return folder_ + "/data"; }

  /// Ends the server and moves the data to `to`, in place of what was there. Errors: io_error.
  Result<void> keep(const std::string& to);
  /// Leaves the folder where it is when this goes.
  void leave() { leave_ = true; }

 private:
  explicit Place(std::string folder, std::stop_token stop) : folder_(std::move(folder)), stop_(std::move(stop)) {}
  Result<std::string> wait_until_ready(std::size_t from);

  std::string folder_;
  std::stop_token stop_;
  std::string url_;
  Process server_;
  bool leave_ = false;
};

/// Where data goes that is kept: `keep`, or continuo/demo in the user's cache folder.
std::string kept_folder(const std::string& keep);

}  // namespace continuo::cli
