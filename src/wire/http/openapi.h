// The OpenAPI 3.1 document of what this release takes. openapi_test.cc compares it with the table of routes.
#pragma once

#include <string_view>

namespace continuo::wire::http {

std::string_view openapi_document();

}  // namespace continuo::wire::http
