#include "healing.h"

#include <fmt/format.h>

#include <algorithm>

#include "price.h"

namespace shop {
namespace {

using Kind = Decision::Kind;

// What is placed so shortly before a key goes on need not be paid before it does: the server may have been restarted.
constexpr std::int64_t slack_ms = 5'000;
constexpr std::string_view services[] = {"order", "payment", "inventory", "shipping", "email", "analytics"};

std::string source_of(std::string_view service) { return fmt::format("/shop/{}", service); }

std::string_view verb(Kind kind) {
  switch (kind) {
    case Kind::edited: return "edited";
    case Kind::skipped: return "passed over";
    case Kind::cancelled: return "cancelled";
    case Kind::released: return "released";
  }
  return "";
}

// Of a subscription that is none of the shop's, or a release that follows a skip, nothing is judged.
bool is_of_shop(const ParkedPlace& where, const Parking& parking) {
  return !parking.codes.empty() && std::ranges::count(services, std::get<0>(where)) == 1;
}

auto rank(const Fact& fact) { return std::tie(fact.topic, fact.partition, fact.offset); }

}  // namespace

Healing::Healing(const std::vector<Fact>& facts, Told told) : facts_(facts), told_(std::move(told)) {
  for (const Fact& fact : facts_)
    if (!fact.cause.empty()) answers_.emplace(std::pair{std::string_view{fact.cause}, fact.source}, &fact);
  for (const auto& [where, parking] : told_) {
    const Fact* head = find(where);
    for (const Decision& decision : parking.decisions)
      if (head && (decision.kind == Kind::skipped || decision.kind == Kind::cancelled))
        pass_over(std::get<0>(where), *head, decision.events);
  }
}

const Fact* Healing::find(const ParkedPlace& where) const {
  const auto& [service, topic, partition, offset] = where;
  const auto found = std::ranges::lower_bound(facts_, std::tie(topic, partition, offset), {}, rank);
  return found != facts_.end() && rank(*found) == std::tie(topic, partition, offset) ? &*found : nullptr;
}

const Fact* Healing::answer_of(std::string_view service, const Fact& fact) const {
  const auto found = answers_.find({std::string_view{fact.id}, source_of(service)});
  return found == answers_.end() ? nullptr : found->second;
}

bool Healing::waits(std::string_view service, const Fact& fact) const {
  return !answer_of(service, fact) && !passed_over(service, fact);
}

// The head, and of its key as much of what lies behind it in its partition as was said.
void Healing::pass_over(const std::string& service, const Fact& head, std::int64_t events) {
  for (const Fact* fact = &head; events > 0 && fact != facts_.data() + facts_.size(); ++fact) {
    if (fact->topic != head.topic || fact->partition != head.partition) break;
    if (fact->key != head.key) continue;
    passed_over_.emplace(service, fact->id);
    --events;
  }
}

bool Healing::passed_over(std::string_view service, const Fact& fact) const {
  return passed_over_.contains({std::string{service}, std::string_view{fact.id}});
}

void Healing::judge_parking(const ParkedPlace& where, const Parking& parking, Account& account) const {
  const auto& [service, topic, partition, offset] = where;
  const auto breach = [&](std::string what) { account.breaches.push_back({Breach::Kind::repair, std::move(what)}); };
  const Fact* fact = find(where);
  if (!fact)
    return breach(
        fmt::format("{} gave up an event that is in no topic: {}/{} at {}", service, topic, partition, offset));
  account.parked += parking.codes.size();
  for (const Decision& decision : parking.decisions) {
    if (decision.by.empty())
      breach(fmt::format("{} was {} for {}, and nobody says who did it", place(*fact), verb(decision.kind), service));
    const bool edited = decision.kind == Kind::edited;
    account.repaired += edited && decision.by == declared;
    account.edited += edited && decision.by != declared;
    account.passed_over += decision.kind == Kind::skipped || decision.kind == Kind::cancelled;
  }
  if (answer_of(service, *fact) && passed_over(service, *fact))
    breach(fmt::format("{} was passed over for {}, and answered all the same", place(*fact), service));
  account.still_parked += waits(service, *fact);
}

// A price that cannot be paid is paid only when somebody changed it, and only as it was changed.
void Healing::judge_prices(Account& account) const {
  const auto breach = [&](std::string what) { account.breaches.push_back({Breach::Kind::repair, std::move(what)}); };
  for (const Fact& fact : facts_) {
    const Fact* payment = fact.type == "OrderPlaced" ? answer_of("payment", fact) : nullptr;
    if (!payment) continue;
    if (const auto fault = price_fault(payment->data))
      breach(fmt::format("{} answers a price that is none: {}", place(*payment), fault->message));
    const auto parking = told_.find({"payment", fact.topic, fact.partition, fact.offset});
    if (price_fault(fact.data) && (parking == told_.end() || !parking->second.has(Kind::edited)))
      breach(fmt::format("{} has a price that is none, was answered, and no edit of it is told", place(fact)));
  }
}

// Of all keys while another was parked. What came meanwhile and should have been answered is counted of keys alone that
// were never parked themselves.
void Healing::judge_others(Account& account) const {
  std::set<std::string_view> parked_keys;
  for (const auto& [where, parking] : told_)
    if (const Fact* fact = find(where); fact && is_of_shop(where, parking)) parked_keys.insert(fact->key);
  std::set<const Fact*> waited, answered;
  for (const auto& [where, parking] : told_) {
    const Fact* head = find(where);
    if (!head || !is_of_shop(where, parking) || parking.until_ms() == 0) continue;
    for (const Fact& other : facts_) {
      if (other.topic != head->topic || other.type != head->type || other.key == head->key) continue;
      const Fact* answer = answer_of(std::get<0>(where), other);
      const bool came = other.time_ms >= parking.since_ms && other.time_ms <= parking.until_ms() - slack_ms;
      if (came && !parked_keys.contains(other.key)) waited.insert(&other);
      if (answer && answer->time_ms >= parking.since_ms && answer->time_ms <= parking.until_ms())
        answered.insert(&other);
    }
  }
  account.meanwhile = answered.size();
  if (answered.empty() && !waited.empty())
    account.breaches.push_back(
        {Breach::Kind::stopped,
         fmt::format("{} orders of other customers came while keys were parked, and none was answered before they went "
                     "on (or was the service down all the while?)",
                     waited.size())});
}

void Healing::count_customers(Account& account) const {
  std::map<std::string_view, Customer> customers;
  for (const auto& [where, parking] : told_) {
    const Fact* fact = find(where);
    if (!fact || !is_of_shop(where, parking)) continue;
    Customer& customer = customers[fact->key];
    customer.name = fact->key;
    customer.still_parked += waits(std::get<0>(where), *fact);
    for (const std::string& code : parking.codes) ++customer.failures[code];
    for (const Decision& decision : parking.decisions)  // an edit releases, too
      if (decision.kind != Kind::released || parking.decisions.size() == 1)
        ++customer.decisions[fmt::format("{} by {}", verb(decision.kind), decision.by)];
  }
  for (const Fact& fact : facts_) {
    const auto customer = customers.find(fact.key);
    if (customer == customers.end() || fact.type != "OrderPlaced") continue;
    ++customer->second.orders;
    customer->second.paid += answer_of("payment", fact) != nullptr;
    customer->second.passed_over += passed_over("payment", fact);
  }
  for (auto& [key, customer] : customers) {
    customer.in_order = !account.out_of_order.contains(customer.name);
    account.customers.push_back(std::move(customer));
  }
  std::ranges::stable_sort(account.customers, {}, &Customer::in_order);  // what is wrong first
}

void Healing::judge(Account& account) const {
  for (const auto& [where, parking] : told_)
    if (is_of_shop(where, parking)) judge_parking(where, parking, account);
  judge_prices(account);
  judge_others(account);
  count_customers(account);
}

}  // namespace shop
