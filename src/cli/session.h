// What every command that talks to a server is given.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/cli/output.h"
#include "continuo/client/client.h"

namespace continuo::cli {

struct Session {
  std::string server = "http://127.0.0.1:8080";
  std::string output;  ///< as given: table, json, jsonl, or empty

  /// A client of the server that gives up after `patience`. Errors: bad_usage.
  Result<client::Client> connect(Millis patience = Millis{0}, std::stop_token stop = {}) const;
  /// One request of a command that makes no other; the object answered.
  Result<boost::json::object> ask(std::string_view method, std::string path, std::string_view body = {}) const;
  /// Errors: bad_usage.
  Result<Format> format() const;
};

/// SIGINT and SIGTERM as a stop request; the first call decides. From then on the signals do nothing else: a second
/// SIGINT ends the process at once. Call it before any thread is made.
std::stop_token stop_on_signals();
/// Waits until stop is requested, or `time` is over; true when stop was requested.
bool stopped_within(const std::stop_token& stop, Millis time);

}  // namespace continuo::cli
