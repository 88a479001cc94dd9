#include "account.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "facts.h"
#include "healing.h"
#include "told.h"

namespace shop {
namespace {

// What has to follow: exactly one event of these types, in this topic, which only this service writes to.
struct Expectation {
  std::string_view after;
  std::string_view service;
  std::string_view topic;
  std::vector<std::string_view> types;
};

const std::vector<Expectation>& expectations() {
  static const std::vector<Expectation> all{
      {"CheckoutSubmitted", "order", "orders", {"OrderPlaced"}},
      {"OrderPlaced", "payment", "payments", {"PaymentTaken", "PaymentFailed"}},
      {"PaymentTaken", "inventory", "stock", {"StockReserved", "StockRefused"}},
      {"StockReserved", "shipping", "shipments", {"OrderShipped", "ShipmentFailed"}},
      {"OrderShipped", "order", "orders", {"OrderCompleted"}},
      {"ShipmentFailed", "inventory", "stock", {"StockReleased"}},
      {"StockRefused", "payment", "payments", {"PaymentRefunded"}},
      {"StockReleased", "payment", "payments", {"PaymentRefunded"}},
      {"PaymentFailed", "order", "orders", {"OrderCancelled"}},
      {"PaymentRefunded", "order", "orders", {"OrderCancelled"}},
      {"OrderCompleted", "email", "mails", {"MailSent"}},
      {"OrderCancelled", "email", "mails", {"MailSent"}},
      {"OrderCompleted", "analytics", "figures", {"OrderCounted"}},
      {"OrderCancelled", "analytics", "figures", {"OrderCounted"}}};
  return all;
}

// Gathers the facts and goes through them, one promise after the other.
class Audit {
 public:
  explicit Audit(const Topics& topics);
  Account run();

 private:
  void breach(Breach::Kind kind, std::string what) { account_.breaches.push_back({kind, std::move(what)}); }
  const Fact* cause_of(const Fact& fact) const;
  void check_twice();
  void check_chains();
  void check_cause(const Fact& fact);
  void check_effects();
  void check_numbers();
  void check_order();
  void check_outcomes();
  void check_outcome(const std::string& order, const std::map<std::string_view, const Fact*>& story);
  void check_mail(const std::string& order, const Fact* mail, std::string_view outcome);
  bool passed_over(const Fact& fact) const;

  Account account_;
  std::vector<Fact> facts_;                                       // by topic, partition, offset
  std::map<std::string_view, const Fact*> by_id_;                 // the first of each
  std::map<std::string_view, std::vector<const Fact*>> effects_;  // by the cause's id
  Healing healing_;
};

constexpr std::string_view node_topic = "continuo.events";

std::vector<Fact> facts_of(const Topics& topics) {
  std::vector<Fact> facts;
  for (const auto& [topic, events] : topics)
    for (const Event& event : events)
      if (topic != node_topic) facts.push_back(fact_of(topic, event));
  std::ranges::sort(facts, {}, [](const Fact& fact) { return std::tie(fact.topic, fact.partition, fact.offset); });
  return facts;
}

Told told_in(const Topics& topics) {
  const auto found = topics.find(node_topic);
  return found == topics.end() ? Told{} : told_of(found->second);
}

Audit::Audit(const Topics& topics) : facts_(facts_of(topics)), healing_(facts_, told_in(topics)) {
  for (const Fact& fact : facts_) {
    by_id_.emplace(fact.id, &fact);
    if (!fact.cause.empty()) effects_[fact.cause].push_back(&fact);
  }
  account_.events = facts_.size();
  account_.with_analytics = topics.contains("figures");
}

const Fact* Audit::cause_of(const Fact& fact) const {
  const auto found = by_id_.find(fact.cause);
  return found == by_id_.end() ? nullptr : found->second;
}

void Audit::check_twice() {
  std::set<std::pair<std::string_view, std::string_view>> ids, steps;
  for (const Fact& fact : facts_) {
    if (!ids.emplace(fact.source, fact.id).second)
      breach(Breach::Kind::twice, fmt::format("{} has an id that was there before", place(fact)));
    else if (!steps.emplace(fact.type, fact.order).second)
      breach(Breach::Kind::twice, fmt::format("{} happened to order {} before", place(fact), fact.order));
  }
}

void Audit::check_cause(const Fact& fact) {
  const Fact* cause = cause_of(fact);
  if (!cause)
    return breach(Breach::Kind::chain, fmt::format("{} has no cause: '{}' is in no topic", place(fact), fact.cause));
  const bool follows = std::ranges::any_of(expectations(), [&](const Expectation& one) {
    return one.after == cause->type && one.topic == fact.topic && std::ranges::count(one.types, fact.type) == 1;
  });
  if (!follows) breach(Breach::Kind::chain, fmt::format("{} cannot follow {}", place(fact), place(*cause)));
  if (fact.order != cause->order || fact.key != cause->key || fact.correlation != cause->correlation)
    breach(Breach::Kind::chain,
           fmt::format("{} is of another order, customer or correlation than its cause", place(fact)));
}

void Audit::check_chains() {
  for (const Fact& fact : facts_)
    if (fact.type != "CheckoutSubmitted" && fact.type != "ShopClosed") check_cause(fact);
}

void Audit::check_effects() {
  for (const Fact& fact : facts_) {
    for (const Expectation& one : expectations()) {
      if (one.after != fact.type || (one.topic == "figures" && !account_.with_analytics)) continue;
      if (healing_.passed_over(one.service, fact)) continue;
      const auto count = std::ranges::count_if(effects_[fact.id], [&](const Fact* effect) {
        return effect->topic == one.topic && std::ranges::count(one.types, effect->type) == 1;
      });
      if (count == 0)
        breach(Breach::Kind::lost, fmt::format("{} has no {}", place(fact), fmt::join(one.types, " or ")));
      if (count > 1) breach(Breach::Kind::twice, fmt::format("{} has {} effects in {}", place(fact), count, one.topic));
    }
  }
}

// The customers number their orders, and say at the end how many there were.
void Audit::check_numbers() {
  std::set<std::int64_t> numbers;
  std::int64_t last = 0, closed = -1;
  for (const Fact& fact : facts_) {
    if (fact.type == "ShopClosed") closed = number_of(fact.data, "orders");
    if (fact.type != "CheckoutSubmitted") continue;
    numbers.insert(number_of(fact.data, "number"));
    last = std::max(last, number_of(fact.data, "number"));
  }
  account_.orders = numbers.size();
  if (closed < 0)
    breach(Breach::Kind::lost, "there is no ShopClosed: the account cannot know how many orders there were");
  for (std::int64_t number = 1; number <= std::max(last, closed); ++number)
    if (!numbers.contains(number)) breach(Breach::Kind::lost, fmt::format("order number {} is in no topic", number));
  if (closed >= 0 && last > closed)
    breach(Breach::Kind::twice,
           fmt::format("there are orders up to number {}, and the customers sent {}", last, closed));
}

// Within a partition, a key's events stand in the order of what caused them; checkouts in that of their numbers.
void Audit::check_order() {
  std::map<std::tuple<std::string_view, std::uint32_t, std::string_view, std::string_view>,
           std::pair<std::int64_t, const Fact*>>
      seen;  // topic, partition, key, topic of the cause
  for (const Fact& fact : facts_) {
    const Fact* cause = cause_of(fact);
    if (!cause && fact.type != "CheckoutSubmitted") continue;
    const std::int64_t rank = cause ? cause->offset : number_of(fact.data, "number");
    auto& [before, who] = seen[{fact.topic, fact.partition, fact.key, cause ? std::string_view{cause->topic} : ""}];
    if (who && rank < before) {
      account_.out_of_order.insert(fact.key);
      breach(Breach::Kind::order,
             fmt::format("{} stands behind {}, and its cause came before", place(fact), place(*who)));
    }
    before = rank;
    who = &fact;
  }
}

void Audit::check_mail(const std::string& order, const Fact* mail, std::string_view outcome) {
  if (!mail) return;  // told as lost already
  ++account_.mails;
  if (text_of(mail->data, "outcome") != outcome)
    breach(Breach::Kind::outcome,
           fmt::format("order {} was {}, and its mail says '{}'", order, outcome, text_of(mail->data, "outcome")));
}

bool Audit::passed_over(const Fact& fact) const {
  return std::ranges::any_of(expectations(), [&](const Expectation& one) {
    return one.after == fact.type && healing_.passed_over(one.service, fact);
  });
}

void Audit::check_outcome(const std::string& order, const std::map<std::string_view, const Fact*>& story) {
  const auto has = [&](std::string_view type) { return story.contains(type); };
  const auto cents = [&](std::string_view type) { return has(type) ? number_of(story.at(type)->data, "amount") : 0; };
  const bool shipped = has("OrderCompleted"), undone = has("OrderCancelled");
  account_.taken_cents += cents("PaymentTaken");
  account_.refunded_cents += cents("PaymentRefunded");
  account_.shipped += shipped;
  account_.undone += undone;
  account_.payment_failed += has("PaymentFailed");
  account_.stock_refused += has("StockRefused");
  account_.shipment_failed += has("ShipmentFailed");
  account_.counted += has("OrderCounted");
  const auto wrong = [&](std::string_view what) {
    breach(Breach::Kind::outcome, fmt::format("order {} {}", order, what));
  };
  const bool may_end = std::ranges::none_of(story, [&](const auto& each) { return passed_over(*each.second); });
  if (shipped == undone && (shipped || may_end)) wrong(shipped ? "is shipped and undone" : "has no end");
  if (shipped && !(has("PaymentTaken") && has("StockReserved") && has("OrderShipped")))
    wrong("is complete without payment, stock or parcel");
  if (shipped && (has("PaymentRefunded") || has("StockReleased"))) wrong("is shipped, and something of it was undone");
  if (undone && cents("PaymentTaken") != cents("PaymentRefunded")) wrong("is undone, and the money is not all back");
  if (undone && has("StockReserved") != has("StockReleased")) wrong("is undone, and its wares are still reserved");
  if (undone && has("OrderShipped")) wrong("is undone, and a parcel is on its way");
  const auto mail = story.find("MailSent");
  if (shipped != undone)
    check_mail(order, mail == story.end() ? nullptr : mail->second, shipped ? "shipped" : "cancelled");
}

void Audit::check_outcomes() {
  std::map<std::string, std::map<std::string_view, const Fact*>> stories;
  for (const Fact& fact : facts_)
    if (fact.type != "ShopClosed") stories[fact.order].emplace(fact.type, &fact);
  for (const auto& [order, story] : stories) check_outcome(order, story);
}

Account Audit::run() {
  check_twice();
  check_chains();
  check_effects();
  check_numbers();
  check_order();
  check_outcomes();
  healing_.judge(account_);
  return std::move(account_);
}

}  // namespace

std::string_view name(Breach::Kind kind) {
  switch (kind) {
    case Breach::Kind::lost: return "lost";
    case Breach::Kind::twice: return "twice";
    case Breach::Kind::order: return "order";
    case Breach::Kind::chain: return "chain";
    case Breach::Kind::outcome: return "outcome";
    case Breach::Kind::repair: return "repair";
    case Breach::Kind::stopped: return "stopped";
  }
  return "";
}

Account account(const Topics& topics) { return Audit(topics).run(); }

}  // namespace shop
