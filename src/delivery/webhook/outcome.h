// What a receiver's answer means for the event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "continuo/base/time.h"

namespace continuo::delivery::webhook {

/// Why no answer came; `none`: one did.
enum class Trouble : std::uint8_t {
  none,
  connection_refused,
  connection_reset,   ///< hung up before its answer was there
  connection_failed,  ///< no way there
  timeout,
  tls_error,
  dns_error,
  private_address,  ///< the name leads to an address that is not on the internet
  bad_answer        ///< what came is not HTTP
};
inline constexpr std::size_t troubles = 9;
std::string_view name(Trouble trouble);

/// One exchange as it ended.
struct Reply {
  Trouble trouble = Trouble::none;
  std::string detail;  ///< of the trouble: a few words, the same each time
  int status = 0;
  std::string retry_after;  ///< the header's value
};

/// Delivered, or failed with a code that `retry.rules` can name.
struct Outcome {
  bool delivered = false;
  std::string code, message;
  std::optional<Millis> delay;  ///< until the event is tried again: the receiver said so
  bool down = false;            ///< counts for the breaker
  bool unreachable = false;     ///< no request was sent, so it says nothing of the event
};
Outcome outcome_of(const Reply& reply, WallTime now);

}  // namespace continuo::delivery::webhook
