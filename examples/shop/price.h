// What can be wrong with the price of an order, and what mends it.
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace shop {

/// What a careless till does to the prices of `percent` of all orders, always of the same and in the same of four ways:
/// the amount is called `total`; the currency is "euro"; the amount is a text, "42.00"; the currency is "?".
boost::json::object spoil(boost::json::object order, unsigned percent);

/// Why a price cannot be paid: no_amount, bad_amount or bad_currency.
struct Fault {
  std::string code;
  std::string message;
};
/// What is wrong with the price of an order; nothing of most.
std::optional<Fault> price_fault(const boost::json::object& order);

/// The first two of the four ways are known, and so is their remedy: the declared repairs of the payment service, JSON.
std::string_view declared_repairs();

}  // namespace shop
