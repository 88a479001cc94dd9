// The account of the shop: from the topics alone, is every order's story whole, told once, and in order?
//
// A pure function over the events read: what the program shop-account does with what it reads, and the tests with what
// they plant.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/event.h"

namespace shop {

/// One promise that was not kept.
struct Breach {
  enum class Kind : std::uint8_t { lost, twice, order, chain, outcome };
  Kind kind;
  std::string what;  ///< one sentence that names the event
};
std::string_view name(Breach::Kind kind);

/// Events of each topic: all partitions together, each with its partition and offset.
using Topics = std::map<std::string, std::vector<continuo::client::Event>, std::less<>>;

struct Account {
  std::uint64_t events = 0;
  std::uint64_t orders = 0;
  std::uint64_t shipped = 0;
  std::uint64_t undone = 0;
  std::uint64_t payment_failed = 0, stock_refused = 0, shipment_failed = 0;  ///< why they were undone
  std::uint64_t mails = 0;
  std::uint64_t counted = 0;  ///< by analytics
  std::int64_t taken_cents = 0, refunded_cents = 0;
  bool with_analytics = false;  ///< there is a topic `figures`
  std::vector<Breach> breaches;
};

/// Judges:
///  - lost: every event has the effect that has to follow it; the orders are numbered without a gap up to what
///  ShopClosed says
///  - twice: no effect, id, or order twice
///  - order: within a topic, the effects of a customer's events stand in the order of their causes
///  - chain: every event but a checkout has its cause in the topics, of a type it may follow, and its correlation
///  - outcome: each order is shipped, or fully undone: all money back, nothing reserved; one mail that tells which
Account account(const Topics& topics);

/// The account as text, with at most `most` breaches.
std::string to_text(const Account& account, std::size_t most = 20);

}  // namespace shop
