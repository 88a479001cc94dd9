// Event patterns in requests: a subscription's or a read's filter, and what is to be explained.
#pragma once

#include <string>
#include <string_view>

#include "continuo/routing/pattern.h"
#include "continuo/wire/http/json.h"
#include "continuo/wire/http/requests.h"

namespace continuo::wire::http {

/// A pattern that stands at `name` of a request. Errors: bad_pattern; `at` begins with that name.
Result<routing::Pattern> parse_pattern(std::string_view json, std::string_view name);

/// The member `filter`, checked, as JSON without spaces; empty when it is absent or null.
std::string read_filter(Fields& fields);

/// {"pattern":{...},"event":{...}}; instead of `pattern`, "topic":"orders" or "subscriptions":true; `event` may name a
/// stored one, {"topic":"orders","partition":0,"offset":"41"}.
Result<ExplainPattern> read_explain(const Json& object);

}  // namespace continuo::wire::http
