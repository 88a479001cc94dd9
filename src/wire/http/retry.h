// `retry` of a subscription, as JSON.
#pragma once

#include <string>

#include "continuo/engines/retry.h"
#include "continuo/wire/http/json.h"

namespace continuo::wire::http {

/// {"attempts":5,"backoff":"exponential","base":"200ms","max":"30s","jitter":true,
///  "rules":[{"codes":["card_declined","http_4*"],"attempts":1}]}
/// What is left out stays as `policy` has it; in a rule, as the policy has it. `delay` is `base` with fixed backoff.
/// What is wrong is told to `parent`.
void read_retry(Fields& parent, engines::RetryPolicy& policy);

/// The same, with all that counts.
std::string write_retry(const engines::RetryPolicy& policy);

}  // namespace continuo::wire::http
