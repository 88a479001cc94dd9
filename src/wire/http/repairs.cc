#include "continuo/wire/http/repairs.h"

namespace continuo::wire::http {

std::string read_repairs(Fields& fields) {
  if (fields.has("repairs") && !fields.is_null("repairs"))
    fields.refuse("repairs", Code::unsupported, "declared repairs are not in this release", "repair over the API");
  return {};
}

}  // namespace continuo::wire::http
