// Declared repairs of a subscription in requests.
#pragma once

#include <string>

#include "continuo/wire/http/json.h"

namespace continuo::wire::http {

/// The member `repairs`, checked, as JSON without spaces; empty when it is absent or null.
std::string read_repairs(Fields& fields);

}  // namespace continuo::wire::http
