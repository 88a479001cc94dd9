#include <fmt/format.h>

#include <algorithm>

#include "account.h"

namespace shop {
namespace {

constexpr std::size_t customers_shown = 12;

std::string euros(std::int64_t cents) { return fmt::format("{}.{:02} EUR", cents / 100, cents % 100); }

std::string verdict_line(const Account& account, std::string_view promise, std::initializer_list<Breach::Kind> kinds) {
  const auto count = std::ranges::count_if(
      account.breaches, [&](const Breach& breach) { return std::ranges::count(kinds, breach.kind) > 0; });
  return fmt::format("  {:<44} {}\n", promise, count == 0 ? "yes" : fmt::format("NO: {}", count));
}

std::string list_of(const std::map<std::string, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [what, count] : counts)
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", what, count > 1 ? fmt::format(" {}x", count) : "");
  return out;
}

// What was parked, and a line for each customer it happened to.
std::string healing_lines(const Account& account) {
  if (account.customers.empty()) return {};
  std::string out = fmt::format(
      "  parked {}: healed by a declared repair {}, edited by hand {}, passed over {}, still parked {}\n"
      "  orders of other customers answered meanwhile: {}\n",
      account.parked, account.repaired, account.edited, account.passed_over, account.still_parked, account.meanwhile);
  for (std::size_t i = 0; i < std::min(customers_shown, account.customers.size()); ++i) {
    const Customer& one = account.customers[i];
    auto became = one.decisions;
    if (one.still_parked > 0) became[fmt::format("{} waits", one.still_parked)] = 1;
    out += fmt::format("    {}: {} -> {}; {} of {} orders answered, {}\n", one.name, list_of(one.failures),
                       list_of(became), one.paid, one.orders, one.in_order ? "in order" : "OUT OF ORDER");
  }
  if (account.customers.size() > customers_shown)
    out += fmt::format("    and {} more customers\n", account.customers.size() - customers_shown);
  if (account.still_parked > 0) out += "    what is still parked, and why: continuo parked list payment\n";
  return out;
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
  out += healing_lines(account);
  using Kind = Breach::Kind;
  out += verdict_line(account, "every chain is complete, nothing lost", {Kind::lost, Kind::chain});
  out += verdict_line(account, "nothing happened twice", {Kind::twice});
  out += verdict_line(account, "each customer's events are in order", {Kind::order});
  out += verdict_line(account, "every order is shipped or fully undone", {Kind::outcome});
  const bool heals = std::ranges::any_of(
      account.breaches, [](const Breach& one) { return one.kind == Kind::repair || one.kind == Kind::stopped; });
  if (heals || !account.customers.empty()) {
    out += verdict_line(account, "every edit and skip is told, and kept to", {Kind::repair});
    out += verdict_line(account, "nobody waited for another's parked key", {Kind::stopped});
  }
  for (std::size_t i = 0; i < std::min(most, account.breaches.size()); ++i)
    out += fmt::format("  {}: {}\n", name(account.breaches[i].kind), account.breaches[i].what);
  if (account.breaches.size() > most) out += fmt::format("  and {} more\n", account.breaches.size() - most);
  return out;
}

}  // namespace shop
