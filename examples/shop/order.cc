#include "order.h"

#include <fmt/format.h>

#include "continuo/base/hash.h"
#include "continuo/base/random.h"

namespace shop {
namespace {

namespace json = boost::json;
using continuo::Code;
using continuo::fail;
using continuo::SeededRandom;

struct Ware {
  std::string_view sku;
  std::int64_t price;  // in cents
};
constexpr Ware wares[] = {{"violin-strings", 2'490}, {"rosin", 690},        {"music-stand", 3'950},
                          {"metronome", 4'800},      {"cello-bow", 18'900}, {"score-bach", 1'650},
                          {"reed-box", 2'200},       {"mute", 1'190}};
constexpr std::uint64_t orders_per_customer = 12;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

json::object make_order(std::uint64_t seed, std::uint64_t number) {
  SeededRandom random(continuo::hash64(fmt::format("{}/{}", seed, number)));
  json::array items;
  std::int64_t amount = 0;
  for (std::uint64_t lines = 1 + random.below(3); lines > 0; --lines) {
    const Ware& ware = wares[random.below(std::size(wares))];
    const auto quantity = static_cast<std::int64_t>(1 + random.below(3));
    amount += quantity * ware.price;
    items.push_back({{"sku", view(ware.sku)}, {"quantity", quantity}});
  }
  const std::uint64_t customers = 8 + number / orders_per_customer;  // the shop grows
  return {{"order", fmt::format("o-{:05}", number)},
          {"customer", fmt::format("c-{:03}", 1 + random.below(customers))},
          {"number", number},
          {"amount", amount},
          {"currency", "EUR"},
          {"items", std::move(items)}};
}

Result<json::object> read_order(std::string_view line, std::uint64_t number) {
  boost::system::error_code error;
  json::value value = json::parse(view(line), error);
  const std::string at = fmt::format("line {}", number);
  if (error || !value.is_object()) return fail(Code::bad_json, "an order is a JSON object", at);
  json::object order = std::move(value.as_object());
  if (!order.contains("order") && order.contains("id")) order["order"] = order["id"];
  if (order["order"].is_int64()) order["order"] = std::to_string(order["order"].as_int64());
  if (order["customer"].is_int64()) order["customer"] = std::to_string(order["customer"].as_int64());
  for (const std::string_view name : {"order", "customer"})
    if (text_of(order, name).empty())
      return fail(Code::bad_event, fmt::format("an order needs `{}`, a string or a whole number", name), at);
  if (!order.contains("amount")) order["amount"] = 0;
  order["number"] = number;
  return order;
}

Event checkout_event(const json::object& order) {
  Event event{.id = text_of(order, "order"),
              .source = "/shop/customers",
              .type = "CheckoutSubmitted",
              .subject = text_of(order, "order")};
  event.extend("partitionkey", text_of(order, "customer"));
  return event.json(json::serialize(order));
}

bool fate(std::string_view order, std::string_view what, unsigned percent) {
  return continuo::hash64(fmt::format("{}:{}", what, order)) % 100 < percent;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  return value && value->is_string() ? std::string{value->as_string().c_str()} : std::string{};
}

std::int64_t number_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (!value || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

Result<json::object> data_of(const Event& event) {
  boost::system::error_code error;
  json::value value = json::parse(view(event.data), error);
  if (error || !value.is_object())
    return fail(Code::bad_event, fmt::format("the data of {} '{}' is no JSON object", event.type, event.id), "data");
  return std::move(value.as_object());
}

}  // namespace shop
