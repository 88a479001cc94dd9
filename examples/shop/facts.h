// Events as far as the account looks at them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "order.h"

namespace shop {

struct Fact {
  std::string topic;
  std::uint32_t partition;
  std::int64_t offset;
  std::string id, source, type, key, cause, correlation, order;
  std::int64_t time_ms;  ///< since 1970; 0: not said
  boost::json::object data;
};

Fact fact_of(std::string_view topic, const Event& event);
/// "OrderPlaced 'o-00017.OrderPlaced' (orders/2 at 41)"
std::string place(const Fact& fact);

}  // namespace shop
