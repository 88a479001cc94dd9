#include "continuo/wire/http/repairs.h"

#include "continuo/engines/definitions.h"
#include "continuo/routing/repairs.h"

namespace continuo::wire::http {

std::string read_repairs(Fields& fields) {
  if (!fields.has("repairs") || fields.is_null("repairs")) return {};
  const Json* const list = fields.array("repairs");
  if (list == nullptr) return {};
  std::string json = without_spaces(list->raw);
  auto repairs = routing::Repairs::parse(json, {.bytes = engines::most_repairs_bytes});
  if (!repairs) {
    place_within(repairs.error(), "repairs");
    fields.refuse(std::move(repairs.error()));
    return {};
  }
  return repairs->empty() ? std::string{} : json;
}

}  // namespace continuo::wire::http
