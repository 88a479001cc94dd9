// What the shop sells and to whom: orders as JSON, made from a seed or read from a file.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/client/event.h"

namespace shop {

using continuo::Result;
using continuo::client::Event;

/// The `number`th order (from 1) of a seed:
/// {"order":"o-00017","customer":"c-05","number":17,"amount":4200,"items":[...]}.
boost::json::object make_order(std::uint64_t seed, std::uint64_t number);

/// One line of a file of orders. It needs `order` (or `id`) and `customer`; `amount` and all else is carried along.
/// Errors: bad_json, bad_event.
Result<boost::json::object> read_order(std::string_view line, std::uint64_t number);

/// The event that brings an order to the shop.
Event checkout_event(const boost::json::object& order);

/// True for `percent` of all orders, always for the same: what fails, fails again in a second run.
bool fate(std::string_view order, std::string_view what, unsigned percent);

/// A member as text; empty when it is not there or is no string.
std::string text_of(const boost::json::object& object, std::string_view name);
/// A member as a whole number; 0 when it is not there or is none.
std::int64_t number_of(const boost::json::object& object, std::string_view name);
/// The data of an event. Errors: bad_event.
Result<boost::json::object> data_of(const Event& event);

}  // namespace shop
