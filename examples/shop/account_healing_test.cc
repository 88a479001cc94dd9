// The account of shops in which keys were parked: nothing is found where all was mended in its place, and what was not
// is found.
#include <gtest/gtest.h>

#include <algorithm>

#include "account.h"
#include "order.h"
#include "price.h"
#include "shop_in_memory.h"

namespace shop {
namespace {

constexpr std::uint64_t orders = 300;
constexpr unsigned malformed = 10;

using Kind = Breach::Kind;

Topics healed(std::uint64_t seed = 1) { return run_in_memory(seed, orders, malformed); }

std::size_t count(const Account& account, Kind kind) {
  return static_cast<std::size_t>(std::ranges::count(account.breaches, kind, &Breach::kind));
}

// The first word of the node of that type, by somebody.
std::vector<Event>::iterator told(Topics& topics, std::string_view type, std::string_view by = {}) {
  auto& events = topics["continuo.events"];
  const auto found = std::ranges::find_if(events, [&](const Event& event) {
    return event.type == type && (by.empty() || text_of(*data_of(event), "by") == by);
  });
  EXPECT_NE(found, events.end()) << type;
  return found;
}

const Event& event_of(const Topics& topics, const Event& telling) {
  return topics.at("orders").at(std::stoul(text_of(*data_of(telling), "offset")));
}

std::vector<Event>::iterator answer_of(Topics& topics, const Event& cause) {
  return std::ranges::find_if(topics["payments"],
                              [&](const Event& event) { return event.extension("causationid") == cause.id; });
}

TEST(AccountOfHealing, finds_nothing_where_all_was_mended_in_its_place) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Account judged = account(healed(seed));
    EXPECT_TRUE(judged.breaches.empty()) << to_text(judged);
    EXPECT_GT(judged.repaired, 0u);
    EXPECT_GT(judged.edited, 0u);
    EXPECT_GT(judged.passed_over, 0u);
    EXPECT_GT(judged.meanwhile, 100u);
    EXPECT_EQ(judged.parked, judged.repaired + judged.edited + judged.passed_over);
    EXPECT_EQ(judged.still_parked, 0u);
    EXPECT_EQ(judged.shipped + judged.undone + judged.passed_over, orders);
    EXPECT_FALSE(judged.customers.empty());
    for (const Customer& one : judged.customers) EXPECT_EQ(one.orders, one.paid + one.passed_over) << one.name;
  }
}

TEST(AccountOfHealing, says_it_for_each_customer) {
  const std::string text = to_text(account(healed()));
  EXPECT_NE(text.find("edited by kim"), std::string::npos) << text;
  EXPECT_NE(text.find(" -> edited by declared repair"), std::string::npos) << text;
  EXPECT_NE(text.find("in order\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("OUT OF ORDER"), std::string::npos) << text;
  EXPECT_EQ(text.find("NO: "), std::string::npos) << text;
}

// What every other system does: while one event is repaired, the next of its key goes ahead.
TEST(AccountOfHealing, finds_whoever_overtook_a_parked_event) {
  std::size_t planted = 0;
  const Topics whole = healed();
  for (const Event& telling : whole.at("continuo.events")) {
    if (telling.type != "continuo.event.edited") continue;
    Topics damaged = whole;
    auto& payments = damaged["payments"];
    const auto first = answer_of(damaged, event_of(damaged, telling));
    const auto next = std::find_if(first + 1, payments.end(), [&](const Event& other) {
      return other.key() == first->key() && other.type.starts_with("PaymentT");
    });
    if (next == payments.end()) continue;
    std::swap(first->offset, next->offset);
    const Account judged = account(damaged);
    EXPECT_GT(count(judged, Kind::order), 0u) << to_text(judged);
    EXPECT_TRUE(judged.out_of_order.contains(std::string{first->key()}));
    EXPECT_NE(to_text(judged).find("OUT OF ORDER"), std::string::npos);
    ++planted;
  }
  EXPECT_GT(planted, 10u);
}

TEST(AccountOfHealing, finds_an_edit_that_is_not_told) {
  for (const std::string_view by : {"declared repair", "kim"}) {
    Topics damaged = healed();
    damaged["continuo.events"].erase(told(damaged, "continuo.event.edited", by));
    EXPECT_EQ(count(account(damaged), Kind::repair), 1u) << by;
  }
}

TEST(AccountOfHealing, finds_a_key_that_is_still_parked) {
  Topics damaged = healed();
  auto& all = damaged["continuo.events"];
  const Event placed = event_of(damaged, *told(damaged, "continuo.event.edited", "kim"));
  std::erase_if(all, [&](const Event& event) {
    return event.type != "continuo.key.parked" && event_of(damaged, event).id == placed.id;
  });
  damaged["payments"].erase(answer_of(damaged, placed));
  const Account judged = account(damaged);
  EXPECT_EQ(judged.still_parked, 1u);
  EXPECT_GT(count(judged, Kind::lost), 0u);
  EXPECT_NE(to_text(judged).find("1 waits"), std::string::npos) << to_text(judged);
}

TEST(AccountOfHealing, finds_a_skip_that_is_not_told) {
  Topics damaged = healed();
  damaged["continuo.events"].erase(told(damaged, "continuo.event.skipped"));
  const Account judged = account(damaged);
  EXPECT_EQ(count(judged, Kind::lost), 1u) << to_text(judged);
  EXPECT_EQ(count(judged, Kind::outcome), 1u) << "the order has no end, and nobody said so";
  EXPECT_EQ(judged.still_parked, 1u);
}

TEST(AccountOfHealing, finds_what_nobody_stands_behind) {
  for (const std::string_view type : {"continuo.event.skipped", "continuo.event.edited"}) {
    Topics damaged = healed();
    const auto telling = told(damaged, type);
    auto data = *data_of(*telling);
    data.erase("by");
    telling->json(boost::json::serialize(data));
    EXPECT_EQ(count(account(damaged), Kind::repair), 1u) << type;
  }
}

TEST(AccountOfHealing, finds_what_was_passed_over_and_paid_all_the_same) {
  Topics damaged = healed();
  const Event& placed = event_of(damaged, *told(damaged, "continuo.event.skipped"));
  Event paid = damaged["payments"].back();
  paid.id = placed.id + ".PaymentFailed";
  paid.type = "PaymentFailed";
  paid.source = "/shop/payment";
  paid.subject = placed.subject;
  paid.extend("causationid", placed.id);
  paid.offset = continuo::Offset{static_cast<std::int64_t>(damaged["payments"].size())};
  damaged["payments"].push_back(paid);
  EXPECT_GT(count(account(damaged), Kind::repair), 0u);
}

TEST(AccountOfHealing, finds_a_payment_of_a_price_that_is_none) {
  Topics damaged = healed();
  damaged["payments"].front().json(R"({"amount":"42.00","currency":"EUR"})");
  EXPECT_EQ(count(account(damaged), Kind::repair), 1u);
}

TEST(AccountOfHealing, finds_a_parked_event_that_is_in_no_topic) {
  Topics damaged = healed();
  const auto telling = told(damaged, "continuo.key.parked");
  telling->json(R"({"topic":"orders","partition":0,"offset":"999999","error":{"code":"bad_amount"}})");
  EXPECT_GT(count(account(damaged), Kind::repair), 0u);
}

// All payments come after the last repair, as if the queue had been parked and not the key.
TEST(AccountOfHealing, finds_that_everybody_waited_for_a_parked_key) {
  Topics damaged = healed();
  for (Event& event : damaged["payments"]) event.time = "2030-01-01T00:00:00Z";
  const Account judged = account(damaged);
  EXPECT_EQ(count(judged, Kind::stopped), 1u) << to_text(judged);
  EXPECT_EQ(judged.meanwhile, 0u);
}

TEST(AccountOfHealing, takes_a_cancelled_key_as_passed_over) {
  Topics topics = healed();
  const auto telling = told(topics, "continuo.event.skipped");
  telling->type = "continuo.key.cancelled";
  auto data = *data_of(*telling);
  data["events"] = 1;
  telling->json(boost::json::serialize(data));
  const Account judged = account(topics);
  EXPECT_TRUE(judged.breaches.empty()) << to_text(judged);
}

}  // namespace
}  // namespace shop
