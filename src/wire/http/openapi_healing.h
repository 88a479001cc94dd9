// The part of the OpenAPI document that is about failed events: parked keys, their repair and release, and seeking.
#pragma once

#include <string_view>

namespace continuo::wire::http {

/// Members of `paths`, each with a comma behind it.
std::string_view healing_paths();
/// Members of `components.schemas`, without a comma behind the last.
std::string_view healing_schemas();

}  // namespace continuo::wire::http
