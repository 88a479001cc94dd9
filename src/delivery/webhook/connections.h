// Connections to one receiver: kept open, reused, each with one request under way.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "continuo/base/time.h"
#include "continuo/delivery/webhook/outcome.h"
#include "continuo/wire/http/webhook_url.h"

namespace continuo::delivery::webhook {

struct Loop;
class Connection;

/// All on the loop's thread. There are never more connections than requests were under way at once; one that is unused
/// for half a minute, or that the receiver closes, goes.
///
/// The status decides, as soon as the head of the answer is there. The body is of no interest: of one that is short and
/// comes at once the rest is read, so that the connection can be used again; with any other the connection ends.
class Connections {
 public:
  struct To {
    wire::http::WebhookUrl url;
    Millis timeout{10'000};      ///< from looking up the name to the head of the answer
    bool allow_private = false;  ///< addresses that are not on the internet too
  };
  Connections(Loop& loop, To to);
  ~Connections();  ///< ends all; requests under way are answered no more
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  using Answered = std::move_only_function<void(Reply)>;
  /// Sends the request's bytes; `answered` runs later, exactly once.
  void post(std::string request, Answered answered);

 private:
  friend class Connection;
  void idle(std::shared_ptr<Connection> connection);
  void gone(const Connection& connection);

  Loop& loop_;
  const To to_;
  std::vector<std::shared_ptr<Connection>> all_;   // busy and idle
  std::vector<std::shared_ptr<Connection>> idle_;  // used last at the end
};

/// How long and how much of an answer's body is read after its head.
inline constexpr Millis most_body_time{1'000};
inline constexpr std::size_t most_body_bytes = 64 * 1024;
inline constexpr std::size_t most_head_bytes = 16 * 1024;

}  // namespace continuo::delivery::webhook
