// Server-sent events out of a stream of bytes (HTML Living Standard, 9.2.6). Inside the library.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::client {

/// Takes bytes as they come, gives whole events. Not thread-safe.
class EventStream {
 public:
  /// Gets the id (empty when the event has none) and the data; false ends the feeding.
  using Each = std::function<Result<bool>(std::string_view id, std::string_view data)>;

  /// Calls `each` for every event that is complete now. False when `each` ended it. Errors: what `each` gives.
  Result<bool> feed(std::string_view bytes, const Each& each);

 private:
  bool take_line(std::string_view line);

  std::string rest_;  // of an unfinished line
  std::string id_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace continuo::client
