// The OpenAPI 3.1 document of what this release takes. openapi_test.cc compares it with the table of routes.
#pragma once

#include <string_view>

namespace continuo::wire::http {

std::string_view openapi_document();

// Parts of it, in files of their own: members of `paths`, each with a comma behind it; of `schemas`, with one before.
std::string_view openapi_queues();
std::string_view openapi_queue_schemas();

}  // namespace continuo::wire::http
