#include "continuo/wire/http/openapi.h"

namespace continuo::wire::http {
std::string_view openapi_document() { return "{}"; }
}  // namespace continuo::wire::http
