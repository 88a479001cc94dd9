#include "continuo/delivery/webhook/outcome.h"

#include <fmt/format.h>

#include "continuo/delivery/webhook/retry_after.h"

namespace continuo::delivery::webhook {

std::string_view name(Trouble trouble) {
  switch (trouble) {
    case Trouble::none: return "none";
    case Trouble::connection_refused: return "connection_refused";
    case Trouble::connection_reset: return "connection_reset";
    case Trouble::connection_failed: return "connection_failed";
    case Trouble::timeout: return "timeout";
    case Trouble::tls_error: return "tls_error";
    case Trouble::dns_error: return "dns_error";
    case Trouble::private_address: return "private_address";
    case Trouble::bad_answer: return "bad_answer";
  }
  return {};
}

// Messages say the same each time, so that failures of one kind are counted as one.
Outcome outcome_of(const Reply& reply, WallTime now) {
  Outcome outcome;
  if (reply.trouble != Trouble::none) {
    outcome.code = name(reply.trouble);
    outcome.message = reply.detail;
    outcome.down = true;
    outcome.unreachable = reply.trouble != Trouble::connection_reset && reply.trouble != Trouble::timeout &&
                          reply.trouble != Trouble::bad_answer;
    return outcome;
  }
  outcome.delivered = reply.status >= 200 && reply.status < 300;
  if (outcome.delivered) return outcome;
  const bool redirect = reply.status >= 300 && reply.status < 400;
  outcome.code = redirect ? "webhook_redirect" : fmt::format("http_{}", reply.status);
  outcome.message = redirect ? fmt::format("the webhook redirects ({}), which is not followed", reply.status)
                             : fmt::format("the webhook answered {}", reply.status);
  outcome.down = reply.status >= 500;
  if (reply.status == 429 || reply.status == 503) outcome.delay = retry_after(reply.retry_after, now);
  return outcome;
}

}  // namespace continuo::delivery::webhook
