// Declared repairs of a subscription in requests.
#pragma once

#include <string>

#include "continuo/wire/http/json.h"

namespace continuo::wire::http {

/// The member `repairs`, checked (routing::Repairs), as JSON without spaces; empty when it is absent, null, or has
/// none.
std::string read_repairs(Fields& fields);

}  // namespace continuo::wire::http
