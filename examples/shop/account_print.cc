#include <fmt/format.h>

#include <algorithm>

#include "account.h"

namespace shop {
namespace {

std::string euros(std::int64_t cents) { return fmt::format("{}.{:02} EUR", cents / 100, cents % 100); }

std::string verdict_line(const Account& account, std::string_view promise, std::initializer_list<Breach::Kind> kinds) {
  const auto count = std::ranges::count_if(
      account.breaches, [&](const Breach& breach) { return std::ranges::count(kinds, breach.kind) > 0; });
  return fmt::format("  {:<44} {}\n", promise, count == 0 ? "yes" : fmt::format("NO: {}", count));
}

}  // namespace

std::string to_text(const Account& account, std::size_t most) {
  std::string out = fmt::format("The account, from {} events in the topics:\n", account.events);
  out += fmt::format("  orders {}: shipped {}, undone {} (payment failed {}, sold out {}, not deliverable {})\n",
                     account.orders, account.shipped, account.undone, account.payment_failed, account.stock_refused,
                     account.shipment_failed);
  out += fmt::format("  money taken {}, given back {}; mails {}", euros(account.taken_cents),
                     euros(account.refunded_cents), account.mails);
  out += account.with_analytics ? fmt::format("; counted by analytics {}\n", account.counted) : "\n";
  using Kind = Breach::Kind;
  out += verdict_line(account, "every chain is complete, nothing lost", {Kind::lost, Kind::chain});
  out += verdict_line(account, "nothing happened twice", {Kind::twice});
  out += verdict_line(account, "each customer's events are in order", {Kind::order});
  out += verdict_line(account, "every order is shipped or fully undone", {Kind::outcome});
  for (std::size_t i = 0; i < std::min(most, account.breaches.size()); ++i)
    out += fmt::format("  {}: {}\n", name(account.breaches[i].kind), account.breaches[i].what);
  if (account.breaches.size() > most) out += fmt::format("  and {} more\n", account.breaches.size() - most);
  return out;
}

}  // namespace shop
