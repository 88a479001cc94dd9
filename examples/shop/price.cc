#include "price.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/hash.h"
#include "order.h"

namespace shop {
namespace {

namespace json = boost::json;

constexpr std::size_t shown_bytes = 40;

std::string shown(const json::value& value) { return json::serialize(value).substr(0, shown_bytes); }

bool is_currency(const json::value& value) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return value.is_string() && value.as_string().size() == 3 && std::ranges::all_of(value.as_string(), is_letter);
}

void call_it_total(json::object& order) {
  order["total"] = order["amount"];
  order.stable_erase("amount");
}

}  // namespace

json::object spoil(json::object order, unsigned percent) {
  const std::string name = text_of(order, "order");
  if (!fate(name, "register", percent)) return order;
  const std::int64_t cents = number_of(order, "amount");
  switch (continuo::hash64(name + ":kind") % 6) {  // what nobody declared a repair for is rarer
    case 0:
    case 1: call_it_total(order); break;
    case 2:
    case 3: order["currency"] = "euro"; break;
    case 4: order["amount"] = fmt::format("{}.{:02}", cents / 100, cents % 100); break;
    default: order["currency"] = "?"; break;
  }
  return order;
}

std::optional<Fault> price_fault(const json::object& order) {
  const json::value* amount = order.if_contains("amount");
  if (!amount) return Fault{"no_amount", "the order has no amount"};
  if (!amount->is_number())
    return Fault{"bad_amount", fmt::format("the amount is {}, and should be a number of cents", shown(*amount))};
  const json::value* currency = order.if_contains("currency");
  if (currency && !is_currency(*currency))
    return Fault{"bad_currency", fmt::format("the currency is {}, and should be three letters", shown(*currency))};
  return std::nullopt;
}

std::string_view declared_repairs() {
  return R"([
    {"name":"total","error":{"code":["no_amount"]},"patch":[{"op":"move","from":"/data/total","path":"/data/amount"}]},
    {"name":"euro","error":{"code":["bad_currency"]},"event":{"data":{"currency":["euro"]}},
     "patch":[{"op":"replace","path":"/data/currency","value":"EUR"}]}])";
}

}  // namespace shop
