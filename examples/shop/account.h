// The account of the shop: from the topics alone, is every order's story whole, told once, and in order?
//
// A pure function over the events read: what the program shop-account does with what it reads, and the tests with what
// they plant.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/event.h"

namespace shop {

/// One promise that was not kept.
struct Breach {
  enum class Kind : std::uint8_t { lost, twice, order, chain, outcome, repair, stopped };
  Kind kind;
  std::string what;  ///< one sentence that names the event
};
std::string_view name(Breach::Kind kind);

/// Events of each topic: all partitions together, each with its partition and offset.
using Topics = std::map<std::string, std::vector<continuo::client::Event>, std::less<>>;

/// A customer whose key was parked, at the payment service or elsewhere.
struct Customer {
  std::string name;
  std::uint64_t orders = 0, paid = 0, passed_over = 0;  ///< paid: or declined; what the payment service answered
  std::uint64_t still_parked = 0;
  std::map<std::string, std::uint64_t> failures;   ///< by code: what was given up
  std::map<std::string, std::uint64_t> decisions;  ///< "edited by kim"
  bool in_order = true;
};

struct Account {
  std::uint64_t events = 0;
  std::uint64_t orders = 0;
  std::uint64_t shipped = 0;
  std::uint64_t undone = 0;
  std::uint64_t payment_failed = 0, stock_refused = 0, shipment_failed = 0;  ///< why they were undone
  std::uint64_t mails = 0;
  std::uint64_t counted = 0;  ///< by analytics
  std::int64_t taken_cents = 0, refunded_cents = 0;
  bool with_analytics = false;    ///< there is a topic `figures`
  std::uint64_t parked = 0;       ///< events given up, so that their keys waited
  std::uint64_t repaired = 0;     ///< of those edited by a declared repair,
  std::uint64_t edited = 0;       ///< edited by somebody,
  std::uint64_t passed_over = 0;  ///< passed over by somebody,
  std::uint64_t still_parked = 0;
  std::uint64_t meanwhile = 0;         ///< orders answered while the key of another customer was parked
  std::set<std::string> out_of_order;  ///< customers
  std::vector<Customer> customers;     ///< whose keys were parked
  std::vector<Breach> breaches;
};

/// Judges the shop's topics, and `continuo.events` where it is among them, the node's own word on parked keys:
///  - lost: every event has the effect that has to follow it, but for what somebody passed over; the orders are
///  numbered without a gap up to what ShopClosed says
///  - twice: no effect, id, or order twice
///  - order: within a topic, the effects of a customer's events stand in the order of their causes - also those of
///  events that failed, waited, and were edited
///  - chain: every event but a checkout has its cause in the topics, of a type it may follow, and its correlation
///  - outcome: each order is shipped, or fully undone: all money back, nothing reserved; one mail that tells which. An
///  order of which something was passed over need not end
///  - repair: what failed for good was handled only as it was edited, or not at all where it was passed over, and for
///  each edit and skip there is who did it
///  - stopped: while keys were parked, orders of other customers were answered
Account account(const Topics& topics);

/// The account as text, with at most `most` breaches.
std::string to_text(const Account& account, std::size_t most = 20);

}  // namespace shop
